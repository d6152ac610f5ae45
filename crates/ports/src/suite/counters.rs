//! What every [`Counters`] does.
#![expect(clippy::unwrap_used, reason = "a test suite: a failure is the answer")]

use std::{collections::BTreeSet, time::Duration};

use clinflow_core::{AgentId, DocumentHash, TeamId, WorkflowId, id::ObjectHash};
use clinflow_cost::{
    Account, Answer, Attempt, Cause, Dispatch, Guard, Install, Intent, Limit, NanoUsd, Position, Release,
    Reservation, Scope, Settlement, State, Suspend, Tally, Threshold, Trip,
};
use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::unique;
use crate::counters::Counters;

const LEASE: Duration = Duration::from_hours(1);

/// A dollar in nano-dollars.
pub const DOLLAR: u64 = 1_000_000_000;

/// An amount of cents.
pub const fn cents(cents: u64) -> NanoUsd {
    NanoUsd::new(cents * 10_000_000)
}

/// The team of a test that no other test knows, with counters that are installed and empty.
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// What its accounts are booked in.
    pub at: Timestamp,
}

impl Team {
    /// A team with open books.
    pub async fn open(counters: &dyn Counters) -> Self {
        let team = Self::closed();
        let token = unique();
        assert!(counters.begin(&team.id, token, LEASE).await.unwrap());
        assert!(counters.install(&team.id, token, &Install::default()).await.unwrap());
        team
    }

    /// A team whose books nobody has opened.
    pub fn closed() -> Self {
        let id = TeamId::new(format!("team-{}", unique().simple())).unwrap();
        Self { id, at: Timestamp::from_second(4_000_000_000).unwrap() }
    }

    /// The team's own account.
    pub fn account(&self) -> Account {
        Account::at(Scope::team(&self.id), self.at, &TimeZone::UTC)
    }

    /// A workflow's account.
    pub fn workflow(&self) -> Account {
        let workflow = WorkflowId::new("ae-report").unwrap();
        Account::at(Scope::workflow(&workflow), self.at, &TimeZone::UTC)
    }

    /// A call about a document of its own that may cost `hold`, with a limit on the team.
    pub fn call(&self, hold: NanoUsd, limit: NanoUsd) -> Reservation {
        let document = DocumentHash::of(unique().as_bytes());
        Reservation {
            attempt: Attempt { invocation: unique(), ordinal: 0, number: 1 },
            team: self.id.clone(),
            agent: AgentId::new("ae-report.nlp").unwrap(),
            document,
            fingerprint: ObjectHash::of(document.as_bytes()),
            hold,
            lease: LEASE,
            charges: vec![
                clinflow_cost::Charge { account: self.account(), limit: Some(dollars(limit, 1)) },
                clinflow_cost::Charge { account: self.workflow(), limit: None },
            ],
            guard: Guard { identical_calls: 3, calls_per_stage: 12, window: Duration::from_hours(24) },
        }
    }
}

/// A limit with the thresholds 80 and 100.
pub fn dollars(amount: NanoUsd, version: u32) -> Limit {
    let at = |percent: u8| Threshold {
        percent,
        amount: NanoUsd::new((amount.get() * u64::from(percent)).div_ceil(100)),
    };
    Limit { amount, version, thresholds: vec![at(80), at(100)] }
}

async fn sums(counters: &dyn Counters, team: &Team) -> (NanoUsd, NanoUsd, NanoUsd) {
    let Position { settled, held, suspense, .. } =
        counters.position(&team.id, &team.account()).await.unwrap();
    (settled, held, suspense)
}

async fn ok(counters: &dyn Counters, wanted: &Reservation) {
    let answer = counters.reserve(wanted).await.unwrap();
    assert!(matches!(answer, Answer::Ok { .. }), "{answer:?}");
}

/// The ids of all alerts that wait.
async fn alerts(counters: &dyn Counters, team: &Team) -> Vec<String> {
    let alerts = counters.take_alerts(&team.id, 100, Duration::ZERO).await.unwrap();
    alerts.into_iter().map(|alert| alert.id).collect()
}

/// Counters that nobody has installed refuse everything and say why.
pub async fn nothing_is_spent_before_the_counters_are_installed(counters: &dyn Counters) {
    let team = Team::closed();
    let call = team.call(cents(1), cents(100));
    assert_eq!(counters.epoch(&team.id).await.unwrap(), None);
    assert_eq!(counters.reserve(&call).await.unwrap(), Answer::Uninitialised);
    assert_eq!(counters.dispatch(&team.id, call.attempt, LEASE).await.unwrap(), Dispatch::Uninitialised);
    assert_eq!(counters.settle(&team.id, call.attempt, cents(1)).await.unwrap(), Settlement::Uninitialised);
    assert_eq!(counters.release(&team.id, call.attempt).await.unwrap(), Release::Uninitialised);
    assert_eq!(counters.suspend(&team.id, call.attempt).await.unwrap(), Suspend::Uninitialised);
    assert_eq!(counters.expired(&team.id, 10).await.unwrap(), []);
}

/// From hold to settled, on every account of the call.
pub async fn a_call_is_held_dispatched_and_settled(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let call = team.call(cents(30), cents(100));
    ok(counters, &call).await;
    assert_eq!(sums(counters, &team).await, (NanoUsd::ZERO, cents(30), NanoUsd::ZERO));
    assert_eq!(counters.dispatch(&team.id, call.attempt, LEASE).await.unwrap(), Dispatch::Go);
    assert_eq!(
        counters.settle(&team.id, call.attempt, cents(20)).await.unwrap(),
        Settlement::Settled { over: NanoUsd::ZERO }
    );
    assert_eq!(sums(counters, &team).await, (cents(20), NanoUsd::ZERO, NanoUsd::ZERO));
    let positions = counters.positions(&team.id).await.unwrap();
    let names: Vec<String> = positions.iter().map(|position| position.scope.to_string()).collect();
    assert_eq!(names, [format!("team:{}", team.id), "workflow:ae-report".to_owned()]);
    assert_eq!((positions[0].limit, positions[1].limit), (Some((cents(100), 1)), None));
    assert_eq!((positions[0].settled, positions[1].settled), (cents(20), cents(20)));
}

/// Whatever is said twice counts once (I3).
pub async fn every_step_may_be_repeated(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let call = team.call(cents(30), cents(100));
    ok(counters, &call).await;
    assert_eq!(counters.reserve(&call).await.unwrap(), Answer::Duplicate(State::Held));
    assert_eq!(counters.dispatch(&team.id, call.attempt, LEASE).await.unwrap(), Dispatch::Go);
    assert_eq!(
        counters.dispatch(&team.id, call.attempt, LEASE).await.unwrap(),
        Dispatch::No(State::Dispatched)
    );
    assert_eq!(counters.reserve(&call).await.unwrap(), Answer::Duplicate(State::Dispatched));
    assert_eq!(counters.release(&team.id, call.attempt).await.unwrap(), Release::No(State::Dispatched));
    assert_eq!(
        counters.settle(&team.id, call.attempt, cents(20)).await.unwrap(),
        Settlement::Settled { over: NanoUsd::ZERO }
    );
    assert_eq!(counters.settle(&team.id, call.attempt, cents(20)).await.unwrap(), Settlement::Duplicate);
    assert_eq!(
        counters.settle(&team.id, call.attempt, cents(21)).await.unwrap(),
        Settlement::Mismatch { booked: cents(20) }
    );
    assert_eq!(counters.reserve(&call).await.unwrap(), Answer::Duplicate(State::Settled));
    assert_eq!(sums(counters, &team).await, (cents(20), NanoUsd::ZERO, NanoUsd::ZERO));
}

/// An attempt that was given up before it was sent costs nothing; and what is unknown changes nothing.
pub async fn a_hold_can_be_given_back_and_the_unknown_changes_nothing(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let call = team.call(cents(30), cents(100));
    ok(counters, &call).await;
    assert_eq!(counters.release(&team.id, call.attempt).await.unwrap(), Release::Released);
    assert_eq!(counters.release(&team.id, call.attempt).await.unwrap(), Release::No(State::Released));
    assert_eq!(
        counters.dispatch(&team.id, call.attempt, LEASE).await.unwrap(),
        Dispatch::No(State::Released)
    );
    let unknown = call.attempt.next();
    assert_eq!(counters.settle(&team.id, unknown, cents(20)).await.unwrap(), Settlement::Unknown);
    assert_eq!(counters.dispatch(&team.id, unknown, LEASE).await.unwrap(), Dispatch::Unknown);
    assert_eq!(counters.release(&team.id, unknown).await.unwrap(), Release::Unknown);
    assert_eq!(counters.suspend(&team.id, unknown).await.unwrap(), Suspend::Unknown);
    assert_eq!(counters.expire(&team.id, unknown).await.unwrap(), Suspend::Unknown);
    assert_eq!(sums(counters, &team).await, (NanoUsd::ZERO, NanoUsd::ZERO, NanoUsd::ZERO));
}

/// What is only held makes others wait; what is spent turns them away; the refused leaves nothing behind (I4, I5, I13).
pub async fn contended_and_exhausted_are_told_apart(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let (first, second) = (team.call(cents(60), cents(100)), team.call(cents(50), cents(100)));
    ok(counters, &first).await;
    let scope = Scope::team(&team.id);
    assert_eq!(
        counters.reserve(&second).await.unwrap(),
        Answer::Contended { scope: scope.clone(), held: cents(60), limit: cents(100) }
    );
    assert_eq!(
        counters.position(&team.id, &team.workflow()).await.unwrap().held,
        cents(60),
        "nothing was held on the account that had room"
    );
    counters.settle(&team.id, first.attempt, cents(60)).await.unwrap();
    assert_eq!(
        counters.reserve(&second).await.unwrap(),
        Answer::Exhausted { scope, used: cents(60), limit: cents(100) }
    );
    ok(counters, &team.call(cents(40), cents(100))).await;
}

/// More than the hold is booked all the same: it was spent.
pub async fn what_costs_more_than_its_hold_is_booked(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let call = team.call(cents(10), cents(100));
    ok(counters, &call).await;
    assert_eq!(
        counters.settle(&team.id, call.attempt, cents(110)).await.unwrap(),
        Settlement::Settled { over: cents(100) }
    );
    assert_eq!(sums(counters, &team).await.0, cents(110));
}

/// A lease that has ended brings an attempt up; in suspense it still counts, and a late settlement sets it right.
pub async fn an_attempt_without_an_end_counts_until_somebody_knows_better(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let (dead, alive) = (team.call(cents(30), cents(100)), team.call(cents(30), cents(100)));
    ok(counters, &Reservation { lease: Duration::ZERO, ..dead.clone() }).await;
    ok(counters, &alive).await;
    assert_eq!(counters.expired(&team.id, 10).await.unwrap(), [dead.attempt]);
    assert_eq!(counters.expire(&team.id, alive.attempt).await.unwrap(), Suspend::Live);
    assert_eq!(counters.expire(&team.id, dead.attempt).await.unwrap(), Suspend::Suspended);
    assert_eq!(counters.suspend(&team.id, dead.attempt).await.unwrap(), Suspend::No(State::Suspense));
    assert_eq!(sums(counters, &team).await, (NanoUsd::ZERO, cents(30), cents(30)));
    assert_eq!(counters.release(&team.id, dead.attempt).await.unwrap(), Release::No(State::Suspense));
    assert_eq!(
        counters.settle(&team.id, dead.attempt, cents(5)).await.unwrap(),
        Settlement::Settled { over: NanoUsd::ZERO }
    );
    assert_eq!(counters.suspend(&team.id, dead.attempt).await.unwrap(), Suspend::No(State::Settled));
    assert_eq!(sums(counters, &team).await, (cents(5), cents(30), NanoUsd::ZERO));
}

/// Two identical calls are never under way at once (INV-05).
pub async fn an_identical_call_waits_for_the_one_under_way(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let first = team.call(cents(10), cents(100));
    let attempt = Attempt { invocation: unique(), ordinal: 0, number: 1 };
    let second = Reservation { attempt, ..first.clone() };
    ok(counters, &first).await;
    assert_eq!(counters.reserve(&second).await.unwrap(), Answer::InFlight(first.attempt));
    counters.dispatch(&team.id, first.attempt, LEASE).await.unwrap();
    assert_eq!(counters.reserve(&second).await.unwrap(), Answer::InFlight(first.attempt));
    counters.settle(&team.id, first.attempt, cents(10)).await.unwrap();
    ok(counters, &second).await;
}

/// Two identical calls are made, the third is refused, and somebody is told once; a redelivery is not a call.
pub async fn the_third_identical_call_is_a_loop(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let first = team.call(cents(1), cents(100));
    let again = |number| Reservation { attempt: Attempt { number, ..first.attempt }, ..first.clone() };
    // Any number of attempts at one call is one call.
    for number in 1..6 {
        ok(counters, &again(number)).await;
        counters.settle(&team.id, again(number).attempt, NanoUsd::ZERO).await.unwrap();
    }
    let other = |invocation: Uuid| Reservation {
        attempt: Attempt { invocation, ordinal: 0, number: 1 },
        ..first.clone()
    };
    let second = other(unique());
    ok(counters, &second).await;
    counters.release(&team.id, second.attempt).await.unwrap();
    for _ in 0..5 {
        assert_eq!(counters.reserve(&other(unique())).await.unwrap(), Answer::Loop(Trip::Identical));
    }
    ok(counters, &again(6)).await;
    let alerts = counters.take_alerts(&team.id, 10, LEASE).await.unwrap();
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    let raised = alert.at.as_microsecond();
    assert_eq!(alert.id, format!("loop|{}|ae-report.nlp|{raised}", first.document.prefix()));
    let Cause::Loop { document, calls, .. } = &alert.cause else { panic!("{alert:?}") };
    assert_eq!((*document, *calls), (first.document, 2));
    ok(counters, &team.call(cents(1), cents(100))).await;
}

/// However different its calls are, an agent makes a bounded number of them about one document.
pub async fn an_agent_asks_a_bounded_number_of_times(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let first = team.call(cents(1), cents(100));
    let nth = |ordinal: u32| Reservation {
        attempt: Attempt { ordinal, ..first.attempt },
        fingerprint: ObjectHash::of(&ordinal.to_be_bytes()),
        ..first.clone()
    };
    for ordinal in 0..12 {
        ok(counters, &nth(ordinal)).await;
    }
    assert_eq!(counters.reserve(&nth(12)).await.unwrap(), Answer::Loop(Trip::Stage));
    assert_eq!(counters.reserve(&nth(13)).await.unwrap(), Answer::Loop(Trip::Stage));
    let agent = AgentId::new("ae-report.gateway").unwrap();
    ok(counters, &Reservation { agent, ..nth(14) }).await;
    assert_eq!(alerts(counters, &team).await.len(), 1);
}

/// Whatever calls about a document an agent repeats, and whichever limit they break, somebody is told once; of another
/// agent's loop, and of one about another document, again.
pub async fn an_agent_that_loops_about_a_document_is_told_of_once(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let first = team.call(cents(1), cents(100));
    let asked = |what: &Reservation, fingerprint: &[u8]| Reservation {
        attempt: Attempt { invocation: unique(), ordinal: 0, number: 1 },
        fingerprint: ObjectHash::of(fingerprint),
        ..what.clone()
    };
    let loops = async |what: &Reservation, fingerprint: &[u8]| {
        for _ in 0..2 {
            let call = asked(what, fingerprint);
            ok(counters, &call).await;
            counters.release(&team.id, call.attempt).await.unwrap();
        }
        let answer = counters.reserve(&asked(what, fingerprint)).await.unwrap();
        assert_eq!(answer, Answer::Loop(Trip::Identical));
    };
    for question in 0..6 {
        loops(&first, &[question]).await;
    }
    let wanted = asked(&first, b"the thirteenth");
    assert_eq!(counters.reserve(&wanted).await.unwrap(), Answer::Loop(Trip::Stage));
    assert_eq!(alerts(counters, &team).await.len(), 1);
    let agent = AgentId::new("ae-report.gateway").unwrap();
    loops(&Reservation { agent, ..first.clone() }, b"another agent").await;
    loops(&team.call(cents(1), cents(100)), b"another document").await;
    assert_eq!(alerts(counters, &team).await.len(), 3);
}

/// A loop that somebody was told of is not told again after a rebuild, whether the alert still waits or was delivered.
pub async fn a_rebuild_knows_the_loops_that_somebody_was_told_of(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let first = team.call(cents(1), cents(100));
    let again =
        || Reservation { attempt: Attempt { invocation: unique(), ordinal: 0, number: 1 }, ..first.clone() };
    let loops = async || {
        for _ in 0..2 {
            let call = again();
            ok(counters, &call).await;
            counters.release(&team.id, call.attempt).await.unwrap();
        }
        assert_eq!(counters.reserve(&again()).await.unwrap(), Answer::Loop(Trip::Identical));
    };
    loops().await;
    let [waits] = <[String; 1]>::try_from(alerts(counters, &team).await).unwrap();
    let rebuild = async |install: Install| {
        let token = unique();
        assert!(counters.begin(&team.id, token, LEASE).await.unwrap());
        assert!(counters.install(&team.id, token, &install).await.unwrap());
    };
    rebuild(Install::default()).await;
    loops().await;
    assert_eq!(alerts(counters, &team).await, [waits], "the alert that waits is the only one");

    let other = team.call(cents(1), cents(100));
    let told = clinflow_cost::RecalledAlert {
        document: other.document.prefix(),
        agent: other.agent.clone(),
        at: Timestamp::from_second(3_999_999_999).unwrap(),
    };
    let called = |n: u8| clinflow_cost::Recalled {
        at: Timestamp::from_second(3_999_999_999).unwrap(),
        document: other.document,
        agent: other.agent.clone(),
        fingerprint: other.fingerprint,
        call: n.to_string(),
    };
    let calls = vec![called(1), called(2)];
    rebuild(Install { calls, loops: vec![told], ..Install::default() }).await;
    assert_eq!(counters.reserve(&other).await.unwrap(), Answer::Loop(Trip::Identical));
    assert_eq!(alerts(counters, &team).await.len(), 1, "the ledger knows that somebody was told");
}

/// Outside the window nothing counts.
pub async fn the_loop_guard_forgets_what_is_out_of_its_window(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let mut first = team.call(cents(1), cents(100));
    first.guard.window = Duration::ZERO;
    for _ in 0..5 {
        let call =
            Reservation { attempt: Attempt { invocation: unique(), ordinal: 0, number: 1 }, ..first.clone() };
        ok(counters, &call).await;
        counters.release(&team.id, call.attempt).await.unwrap();
    }
}

/// 80 % and 100 % once each, by what is spent and not by what is held (INV-13).
pub async fn each_threshold_alerts_once(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let calls: Vec<Reservation> = (0..10).map(|_| team.call(cents(10), cents(100))).collect();
    for call in &calls {
        ok(counters, call).await;
    }
    assert_eq!(alerts(counters, &team).await, [""; 0], "all of it is held, and none spent");
    for (n, call) in calls.iter().enumerate() {
        counters.settle(&team.id, call.attempt, cents(10)).await.unwrap();
        counters.settle(&team.id, call.attempt, cents(10)).await.unwrap();
        let expected = match n {
            0..7 => 0,
            7..9 => 1,
            _ => 2,
        };
        assert_eq!(alerts(counters, &team).await.len(), expected, "after {} calls", n + 1);
    }
    let name = team.account().name();
    let mut ids = alerts(counters, &team).await;
    ids.sort();
    assert_eq!(ids, [format!("{name}|1|100"), format!("{name}|1|80")]);
}

/// A limit that cannot take a call is told at once, however little of it is used.
pub async fn a_refused_call_raises_the_last_alert_once(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    for _ in 0..3 {
        let answer = counters.reserve(&team.call(cents(150), cents(100))).await.unwrap();
        assert!(matches!(answer, Answer::Exhausted { .. }), "{answer:?}");
    }
    let alerts = counters.take_alerts(&team.id, 10, LEASE).await.unwrap();
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!(alert.id, format!("{}|1|100", team.account().name()));
    let cause = Cause::Threshold {
        scope: Scope::team(&team.id),
        period: team.account().period.name,
        version: 1,
        percent: 100,
        used: NanoUsd::ZERO,
        limit: cents(100),
        refused: cents(150),
    };
    assert_eq!(alert.cause, cause);
}

/// The higher version of a limit holds, whoever brings it, and its thresholds are armed again (I11).
pub async fn the_newest_limit_holds_and_arms_its_thresholds(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let limited = |hold, limit, version| {
        let mut call = team.call(hold, limit);
        call.charges[0].limit = Some(dollars(limit, version));
        call
    };
    let first = limited(cents(90), cents(100), 1);
    ok(counters, &first).await;
    counters.settle(&team.id, first.attempt, cents(90)).await.unwrap();
    assert_eq!(alerts(counters, &team).await, [format!("{}|1|80", team.account().name())]);
    let second = limited(cents(90), cents(200), 2);
    ok(counters, &second).await;
    let old = counters.reserve(&limited(cents(15), cents(100), 1)).await.unwrap();
    assert!(matches!(old, Answer::Ok { .. }), "the old limit is out of date: {old:?}");
    counters.settle(&team.id, second.attempt, cents(90)).await.unwrap();
    let mut ids = alerts(counters, &team).await;
    ids.sort();
    let name = team.account().name();
    assert_eq!(ids, [format!("{name}|1|80"), format!("{name}|2|80")]);
}

/// An alert is given to one, again to somebody when it was not acknowledged, and to nobody after.
pub async fn an_alert_is_given_again_until_it_is_acknowledged(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    counters.reserve(&team.call(cents(150), cents(100))).await.unwrap();
    let taken = counters.take_alerts(&team.id, 10, Duration::ZERO).await.unwrap();
    assert_eq!(taken.len(), 1);
    let again = counters.take_alerts(&team.id, 10, LEASE).await.unwrap();
    assert_eq!(again, taken, "the first one's lease has ended");
    assert_eq!(counters.take_alerts(&team.id, 10, LEASE).await.unwrap(), [], "somebody has it");
    let ids: Vec<String> = taken.into_iter().map(|alert| alert.id).collect();
    counters.acknowledge(&team.id, &ids).await.unwrap();
    counters.acknowledge(&team.id, &ids).await.unwrap();
    assert_eq!(alerts(counters, &team).await, [""; 0]);
}

/// A frozen account takes nothing, and goes on when it is let.
pub async fn a_frozen_account_takes_nothing(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    counters.freeze(&team.id, &team.workflow(), true).await.unwrap();
    let call = team.call(cents(1), cents(100));
    let scope = team.workflow().scope;
    assert_eq!(counters.reserve(&call).await.unwrap(), Answer::Frozen { scope });
    assert!(counters.position(&team.id, &team.workflow()).await.unwrap().frozen);
    counters.freeze(&team.id, &team.workflow(), false).await.unwrap();
    ok(counters, &call).await;
}

/// INV-06: of many racing callers as many get money as there is money for.
pub async fn racing_callers_never_exceed_the_limit(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let calls: Vec<Reservation> = (0..64).map(|_| team.call(cents(3), cents(100))).collect();
    let answers =
        futures_util::future::try_join_all(calls.iter().map(|call| counters.reserve(call))).await.unwrap();
    let taken = answers.iter().filter(|answer| matches!(answer, Answer::Ok { .. })).count();
    assert_eq!(taken, 33);
    assert_eq!(sums(counters, &team).await, (NanoUsd::ZERO, cents(99), NanoUsd::ZERO));
}

/// A rebuild replaces everything: sums, attempts in suspense, calls the guard counts, alerts that were raised.
pub async fn a_rebuild_installs_what_the_ledger_says(counters: &dyn Counters) {
    let team = Team::open(counters).await;
    let before = team.call(cents(50), cents(100));
    ok(counters, &before).await;
    let (one, other) = (unique(), unique());
    assert!(counters.begin(&team.id, one, LEASE).await.unwrap());
    assert!(!counters.begin(&team.id, other, LEASE).await.unwrap(), "somebody is at it");
    assert_eq!(counters.reserve(&team.call(cents(1), cents(100))).await.unwrap(), Answer::Uninitialised);
    let open = intent(&team, cents(5));
    let tally = Tally { settled: cents(80), held: NanoUsd::ZERO, suspense: cents(5) };
    let called = clinflow_cost::Recalled {
        at: Timestamp::from_second(3_999_999_999).unwrap(),
        document: open.document,
        agent: open.agent.clone(),
        fingerprint: open.fingerprint,
        call: open.attempt.call(),
    };
    let second = clinflow_cost::Recalled { call: "another".to_owned(), ..called.clone() };
    let install = Install {
        accounts: vec![(team.account(), tally, Some(dollars(cents(100), 1)))],
        open: vec![open.clone()],
        calls: vec![called, second],
        loops: Vec::new(),
        raised: BTreeSet::from([format!("{}|1|80", team.account().name())]),
    };
    assert!(!counters.install(&team.id, other, &install).await.unwrap(), "not the holder");
    assert!(counters.install(&team.id, one, &install).await.unwrap());
    assert!(!counters.install(&team.id, one, &install).await.unwrap(), "it is over");
    assert_eq!(counters.epoch(&team.id).await.unwrap(), Some(one));
    assert_eq!(sums(counters, &team).await, (cents(80), NanoUsd::ZERO, cents(5)));
    assert_eq!(alerts(counters, &team).await, [""; 0], "somebody was told of 80 % before");
    assert_eq!(
        counters.dispatch(&team.id, before.attempt, LEASE).await.unwrap(),
        Dispatch::Unknown,
        "reserved before, without an intent that the rebuild saw"
    );
    let repeated = Reservation {
        attempt: Attempt { invocation: unique(), ordinal: 0, number: 1 },
        document: open.document,
        fingerprint: open.fingerprint,
        ..team.call(cents(1), cents(100))
    };
    assert_eq!(counters.reserve(&repeated).await.unwrap(), Answer::Loop(Trip::Identical));
    assert_eq!(
        counters.settle(&team.id, open.attempt, cents(4)).await.unwrap(),
        Settlement::Settled { over: NanoUsd::ZERO }
    );
    assert_eq!(sums(counters, &team).await, (cents(84), NanoUsd::ZERO, NanoUsd::ZERO));
    ok(counters, &team.call(cents(16), cents(100))).await;
}

/// A rebuild that finds a threshold reached of which nobody was told, raises it.
pub async fn a_rebuild_raises_what_nobody_was_told(counters: &dyn Counters) {
    let team = Team::closed();
    let token = unique();
    assert!(counters.begin(&team.id, token, LEASE).await.unwrap());
    let tally = Tally { settled: cents(80), ..Tally::default() };
    let limit = Some(dollars(cents(100), 1));
    let install = Install { accounts: vec![(team.account(), tally, limit)], ..Install::default() };
    assert!(counters.install(&team.id, token, &install).await.unwrap());
    assert_eq!(alerts(counters, &team).await, [format!("{}|1|80", team.account().name())]);
}

/// An intent of a call about a document of its own.
pub fn intent(team: &Team, hold: NanoUsd) -> Intent {
    let call = team.call(hold, cents(100));
    Intent {
        attempt: call.attempt,
        at: team.at,
        team: team.id.clone(),
        workflow: WorkflowId::new("ae-report").unwrap(),
        agent: call.agent.clone(),
        session: None,
        execution: clinflow_core::ExecutionId::from_uuid(unique()),
        document: call.document,
        fingerprint: call.fingerprint,
        model: "us.anthropic.claude-sonnet-5-5".to_owned(),
        prices: ObjectHash::of(b"prices"),
        hold,
        accounts: call.accounts(),
    }
}

/// Runs the suite against one implementation.
#[macro_export]
macro_rules! counters_suite {
    ($make:expr) => {
        $crate::suite_tests!(
            counters,
            $make,
            [
                nothing_is_spent_before_the_counters_are_installed,
                a_call_is_held_dispatched_and_settled,
                every_step_may_be_repeated,
                a_hold_can_be_given_back_and_the_unknown_changes_nothing,
                contended_and_exhausted_are_told_apart,
                what_costs_more_than_its_hold_is_booked,
                an_attempt_without_an_end_counts_until_somebody_knows_better,
                an_identical_call_waits_for_the_one_under_way,
                the_third_identical_call_is_a_loop,
                an_agent_asks_a_bounded_number_of_times,
                an_agent_that_loops_about_a_document_is_told_of_once,
                a_rebuild_knows_the_loops_that_somebody_was_told_of,
                the_loop_guard_forgets_what_is_out_of_its_window,
                each_threshold_alerts_once,
                a_refused_call_raises_the_last_alert_once,
                the_newest_limit_holds_and_arms_its_thresholds,
                an_alert_is_given_again_until_it_is_acknowledged,
                a_frozen_account_takes_nothing,
                racing_callers_never_exceed_the_limit,
                a_rebuild_installs_what_the_ledger_says,
                a_rebuild_raises_what_nobody_was_told,
            ]
        );
    };
}
