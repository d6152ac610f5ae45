//! Attempts that nobody finished, and counters that were lost: the counters say what the ledger says.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]
#![cfg(feature = "suite")]

use std::{sync::Arc, time::Duration};

use clinflow_cost::{Answer, Billing, Budgets, Dispatch, Intent, NanoUsd, Reservation, Usage};
use clinflow_ports::{
    Counters, Ledger,
    memory::{ManualClock, MemoryCounters, MemoryLedger},
    reconcile::{Rebuilt, Swept, rebuild, sweep},
    suite::{
        counters::{Team, cents, intent},
        unique,
    },
};
use jiff::{SignedDuration, Timestamp};

const LEASE: Duration = Duration::from_secs(60);

struct House {
    clock: Arc<ManualClock>,
    counters: MemoryCounters,
    ledger: MemoryLedger,
    budgets: Budgets,
    team: Team,
}

impl House {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_second(4_000_000_000).unwrap()));
        let counters = MemoryCounters::new(clock.clone());
        let team = Team::open(&counters).await;
        let text = include_str!("../../../workflows/budgets.yaml");
        let budgets = Budgets::read("budgets.yaml", text).unwrap();
        Self { clock, counters, ledger: MemoryLedger::default(), budgets, team }
    }

    fn now(&self) -> Timestamp {
        clinflow_ports::Clock::now(&*self.clock)
    }

    /// A call that is reserved.
    async fn reserved(&self) -> Reservation {
        let wanted = Reservation { lease: LEASE, ..self.team.call(cents(5), cents(100)) };
        let answer = self.counters.reserve(&wanted).await.unwrap();
        assert!(matches!(answer, Answer::Ok { .. }), "{answer:?}");
        wanted
    }

    /// One whose intent is written and that was dispatched.
    async fn dispatched(&self) -> Intent {
        let wanted = self.reserved().await;
        let intent = self.intent(&wanted);
        self.ledger.put_intent(&intent).await.unwrap();
        let go = self.counters.dispatch(&self.team.id, wanted.attempt, LEASE).await.unwrap();
        assert_eq!(go, Dispatch::Go);
        intent
    }

    fn intent(&self, wanted: &Reservation) -> Intent {
        Intent {
            attempt: wanted.attempt,
            document: wanted.document,
            fingerprint: wanted.fingerprint,
            accounts: wanted.accounts(),
            ..intent(&self.team, wanted.hold)
        }
    }

    async fn sweep(&self, seconds: i64) -> Swept {
        self.clock.advance(SignedDuration::from_secs(seconds));
        sweep(&self.counters, &self.ledger, &self.team.id, self.now()).await.unwrap()
    }

    /// Settled, held, in suspense.
    async fn sums(&self) -> (NanoUsd, NanoUsd, NanoUsd) {
        let position = self.counters.position(&self.team.id, &self.team.account()).await.unwrap();
        (position.settled, position.held, position.suspense)
    }
}

#[tokio::test]
async fn every_place_to_die_at_is_resolved_once_its_lease_has_ended() {
    let house = House::new().await;
    house.reserved().await;
    house.dispatched().await;
    let ended = house.dispatched().await;
    let outcome = ended.billed(house.now(), Usage::default(), cents(2), None);
    house.ledger.put_outcome(&outcome).await.unwrap();
    assert_eq!(house.sweep(59).await, Swept::default(), "all of them may still be at work");
    assert_eq!(house.sums().await, (NanoUsd::ZERO, cents(15), NanoUsd::ZERO));
    let swept = house.sweep(1).await;
    assert_eq!(swept, Swept { released: 1, suspended: 1, settled: 1, written_off: 0 });
    assert_eq!(house.sums().await, (cents(2), NanoUsd::ZERO, cents(5)));
    assert_eq!(house.sweep(1).await, Swept::default());
}

#[tokio::test]
async fn what_is_in_suspense_is_settled_when_somebody_finds_out_and_written_off_when_nobody_does() {
    let house = House::new().await;
    let (found, lost) = (house.dispatched().await, house.dispatched().await);
    assert_eq!(house.sweep(60).await.suspended, 2);
    let outcome = found.billed(house.now(), Usage::default(), cents(1), None);
    house.ledger.put_outcome(&outcome).await.unwrap();
    let swept = house.sweep(60).await;
    assert_eq!((swept.settled, swept.suspended), (1, 1));
    assert_eq!(house.sums().await, (cents(1), NanoUsd::ZERO, cents(5)));
    let swept = house.sweep(24 * 3600).await;
    assert_eq!(swept.written_off, 1);
    assert_eq!(house.sums().await, (cents(6), NanoUsd::ZERO, NanoUsd::ZERO));
    let written = house.ledger.attempt(lost.attempt).await.unwrap().unwrap().outcome.unwrap();
    assert_eq!((written.billing, written.cost), (Billing::Estimated, cents(5)));
}

#[tokio::test]
async fn a_rebuild_in_the_middle_lets_nobody_through_whose_intent_it_did_not_see() {
    let house = House::new().await;
    let (late, seen) = (house.reserved().await, house.dispatched().await);
    let token = (unique(), LEASE);
    let (counters, ledger, team) = (&house.counters, &house.ledger, &house.team.id);
    let done = rebuild(counters, ledger, &house.budgets, team, token, house.now()).await.unwrap();
    assert_eq!(done, Rebuilt::Done { entries: 1, open: 1, settled: NanoUsd::ZERO });
    ledger.put_intent(&house.intent(&late)).await.unwrap();
    assert_eq!(counters.dispatch(team, late.attempt, LEASE).await.unwrap(), Dispatch::Unknown);
    assert_eq!(house.sums().await, (NanoUsd::ZERO, NanoUsd::ZERO, cents(5)));
    counters.settle(team, seen.attempt, cents(4)).await.unwrap();
    assert_eq!(house.sums().await, (cents(4), NanoUsd::ZERO, NanoUsd::ZERO));
    assert!(counters.begin(team, unique(), LEASE).await.unwrap());
    let busy = rebuild(counters, ledger, &house.budgets, team, (unique(), LEASE), house.now()).await.unwrap();
    assert_eq!(busy, Rebuilt::Busy);
}
