//! Money under many callers, crashes and the loss of everything: nothing is overspent, nothing is lost.

use std::{sync::Arc, time::Duration};

use clinflow_cost::{
    Answer, Attempt, Budgets, Dispatch, Entry, NanoUsd, Reservation, Settlement, State, Usage, horizon,
};
use clinflow_ports::{
    Counters, Ledger,
    ledger::Noted,
    memory::MemoryLedger,
    reconcile::{Rebuilt, rebuild, sweep},
    suite::{
        counters::{Team, cents, intent},
        unique,
    },
};
use clinflow_redis::RedisCounters;
use clinflow_testkit::redis::Redis;
use jiff::{SignedDuration, Timestamp};

const LEASE: Duration = Duration::from_secs(60);

const BUDGETS: &str = include_str!("../../../../workflows/budgets.yaml");

fn budgets() -> Budgets {
    Budgets::read("budgets.yaml", BUDGETS).unwrap()
}

/// Sums of the team's account.
async fn sums(counters: &dyn Counters, team: &Team) -> (NanoUsd, NanoUsd, NanoUsd) {
    let position = counters.position(&team.id, &team.account()).await.unwrap();
    (position.settled, position.held, position.suspense)
}

#[tokio::test]
async fn of_64_callers_on_one_dollar_nobody_overspends_and_each_threshold_alerts_once() {
    let counters = Arc::new(crate::fresh("dollar"));
    let team = Arc::new(Team::open(&*counters).await);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (counters, team) = (Arc::clone(&counters), Arc::clone(&team));
        callers.spawn(async move {
            let mut spent = 0;
            loop {
                // A call costs at most three cents, and two in the end.
                let call = team.call(cents(3), cents(100));
                match counters.reserve(&call).await.unwrap() {
                    Answer::Ok { .. } => {}
                    Answer::Contended { .. } => {
                        tokio::task::yield_now().await;
                        continue;
                    }
                    Answer::Exhausted { .. } => return spent,
                    answer => panic!("{answer:?}"),
                }
                assert_eq!(counters.dispatch(&team.id, call.attempt, LEASE).await.unwrap(), Dispatch::Go);
                let position = counters.position(&team.id, &team.account()).await.unwrap();
                let all = position.settled.plus(position.held).plus(position.suspense);
                assert!(all <= cents(100), "{position:?}");
                counters.settle(&team.id, call.attempt, cents(2)).await.unwrap();
                spent += 2;
            }
        });
    }
    let spent: u64 = callers.join_all().await.into_iter().sum();
    assert_eq!(spent, 98, "two cents are left, which no call of three fits in");
    assert_eq!(sums(&*counters, &team).await, (cents(98), NanoUsd::ZERO, NanoUsd::ZERO));
    let alerts = counters.take_alerts(&team.id, 100, LEASE).await.unwrap();
    let mut ids: Vec<String> = alerts.into_iter().map(|alert| alert.id).collect();
    ids.sort();
    let name = team.account().name();
    assert_eq!(ids, [format!("{name}|1|100"), format!("{name}|1|80")]);
}

/// Where a caller dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crash {
    AfterReserve,
    AfterIntent,
    AfterDispatch,
    AfterOutcome,
    Never,
}

/// One call from its reservation to its settlement, as far as it comes. Answers whether the model was asked.
async fn call(
    counters: &dyn Counters,
    ledger: &dyn Ledger,
    wanted: &Reservation,
    team: &Team,
    crash: Crash,
) -> bool {
    let Ok(Answer::Ok { .. }) = counters.reserve(wanted).await else { return false };
    if crash == Crash::AfterReserve {
        return false;
    }
    let intent = clinflow_cost::Intent {
        attempt: wanted.attempt,
        document: wanted.document,
        fingerprint: wanted.fingerprint,
        accounts: wanted.accounts(),
        at: now(),
        ..intent(team, wanted.hold)
    };
    assert_eq!(ledger.put_intent(&intent).await.unwrap(), Noted::New);
    if crash == Crash::AfterIntent {
        return false;
    }
    match counters.dispatch(&team.id, wanted.attempt, Duration::ZERO).await {
        Ok(Dispatch::Go) => {}
        // Rebuilt meanwhile, or given up for dead: the model is not asked.
        Ok(_) | Err(_) => {
            ledger.put_outcome(&intent.free(now())).await.unwrap();
            return false;
        }
    }
    if crash == Crash::AfterDispatch {
        return true;
    }
    tokio::time::sleep(Duration::from_millis(thinking(wanted))).await;
    let outcome = intent.billed(now(), Usage::default(), cents(2), None);
    ledger.put_outcome(&outcome).await.unwrap();
    if crash == Crash::AfterOutcome {
        return true;
    }
    let _ = counters.settle(&team.id, wanted.attempt, outcome.cost).await;
    true
}

/// Up to seven milliseconds, by the attempt's id.
fn thinking(wanted: &Reservation) -> u64 {
    u64::from(wanted.attempt.invocation.as_bytes()[15] % 8)
}

/// The time that intents carry: that of the team's accounts, moving with the test.
fn now() -> Timestamp {
    Timestamp::from_second(4_000_000_000).unwrap()
}

/// What the ledger says: settled, in suspense.
async fn ledger_sums(ledger: &dyn Ledger, team: &Team) -> (NanoUsd, NanoUsd) {
    let from = horizon(now(), budgets().zone());
    let entries = ledger.read(&team.id, from, now() + SignedDuration::from_hours(1)).await.unwrap();
    entries.iter().fold((NanoUsd::ZERO, NanoUsd::ZERO), |(settled, open), entry: &Entry| {
        match &entry.outcome {
            Some(outcome) => (settled.plus(outcome.cost), open),
            None => (settled, open.plus(entry.intent.hold)),
        }
    })
}

/// Sweeps until nothing is left that a sweep could do.
async fn sweep_all(counters: &RedisCounters, ledger: &MemoryLedger, team: &Team) {
    for _ in 0..20 {
        sweep(counters, ledger, &team.id, now()).await.unwrap();
    }
}

fn crash(n: u64) -> Crash {
    match n % 10 {
        0 => Crash::AfterReserve,
        3 => Crash::AfterIntent,
        5 => Crash::AfterDispatch,
        8 => Crash::AfterOutcome,
        _ => Crash::Never,
    }
}

/// What counters say of a reservation whose lease has ended at once, so that a sweep finds it.
fn short(team: &Team, limit: NanoUsd) -> Reservation {
    Reservation { lease: Duration::from_millis(50), ..team.call(cents(3), limit) }
}

#[tokio::test]
async fn after_crashes_at_every_point_the_counters_say_what_the_ledger_says() {
    let (counters, ledger) = (crate::fresh("crashes"), MemoryLedger::default());
    let team = Team::open(&counters).await;
    let calls: Vec<(Reservation, Crash)> =
        (0..400).map(|n| (short(&team, cents(100_000)), crash(n))).collect();
    let made = futures_util::future::join_all(
        calls.iter().map(|(wanted, crash)| call(&counters, &ledger, wanted, &team, *crash)),
    )
    .await;
    assert_eq!(made.iter().filter(|made| **made).count(), 320, "the model was asked");
    tokio::time::sleep(Duration::from_millis(60)).await;
    sweep_all(&counters, &ledger, &team).await;
    let (settled, open) = ledger_sums(&ledger, &team).await;
    assert_eq!((settled, open), (cents(280 * 2), cents(80 * 3)));
    assert_eq!(sums(&counters, &team).await, (settled, NanoUsd::ZERO, open));
    // A day later nobody has found out: they are written off at their hold, in the ledger and in the counters.
    for attempt in calls.iter().map(|(wanted, _)| wanted.attempt) {
        let Some(entry) = ledger.attempt(attempt).await.unwrap() else { continue };
        if entry.outcome.is_none() {
            let outcome = ledger.put_outcome(&entry.intent.written_off(now())).await.unwrap();
            let settled = counters.settle(&team.id, attempt, outcome.cost).await.unwrap();
            assert_eq!(settled, Settlement::Settled { over: NanoUsd::ZERO });
        }
    }
    let (settled, open) = ledger_sums(&ledger, &team).await;
    assert_eq!((settled, open), (cents(280 * 2 + 80 * 3), NanoUsd::ZERO));
    assert_eq!(sums(&counters, &team).await, (settled, NanoUsd::ZERO, NanoUsd::ZERO));
}

#[tokio::test]
async fn losing_all_of_redis_in_the_middle_loses_no_money_and_spends_none_twice() {
    let redis = Redis::start().unwrap();
    let counters = Arc::new(crate::on(&redis.url(), "flush"));
    let ledger = Arc::new(MemoryLedger::default());
    let team = Arc::new(Team::open(&*counters).await);
    let limit = cents(600);
    let budgets =
        Budgets::read("budgets.yaml", &BUDGETS.replace("team: { default: 2000.00", "team: { default: 6.00"))
            .unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..24u64 {
        let (counters, ledger, team) = (Arc::clone(&counters), Arc::clone(&ledger), Arc::clone(&team));
        callers.spawn(async move {
            let mut asked = 0u64;
            for n in 0..25 {
                let wanted = short(&team, limit);
                asked += u64::from(call(&*counters, &*ledger, &wanted, &team, crash(caller * 7 + n)).await);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            asked
        });
    }
    let (mut flushes, mut rebuilt) = (0, 0);
    while !callers.is_empty() {
        tokio::time::sleep(Duration::from_millis(15)).await;
        if flushes < 3 {
            redis.flushall().unwrap();
            flushes += 1;
        }
        // Two rebuilders at once: one of them does it.
        let tokens = (unique(), unique());
        let one = rebuild(&*counters, &*ledger, &budgets, &team.id, (tokens.0, LEASE), now());
        let other = rebuild(&*counters, &*ledger, &budgets, &team.id, (tokens.1, LEASE), now());
        if counters.epoch(&team.id).await.unwrap().is_none() {
            let (one, other) = futures_util::join!(one, other);
            for outcome in [one.unwrap(), other.unwrap()] {
                rebuilt += u32::from(matches!(outcome, Rebuilt::Done { .. }));
            }
        }
        let (settled, held, suspense) = sums(&*counters, &team).await;
        assert!(settled.plus(held).plus(suspense) <= limit, "{settled} {held} {suspense}");
        let (settled, open) = ledger_sums(&*ledger, &team).await;
        // An intent that no rebuild saw and that was not let through is free a moment later.
        let moment = cents(24 * 3);
        assert!(settled.plus(open) <= limit.plus(moment), "{settled} {open}");
        while callers.try_join_next().is_some() {}
    }
    assert!(rebuilt >= 3, "{rebuilt}");
    tokio::time::sleep(Duration::from_millis(60)).await;
    sweep_all(&counters, &ledger, &team).await;
    let (settled, open) = ledger_sums(&*ledger, &team).await;
    assert!(settled.plus(open) <= limit, "{settled} {open}");
    // Whoever died between the intent and the dispatch of a generation that was lost is known to the ledger alone:
    // one more rebuild makes both the same, to the nano-dollar.
    let token = (unique(), LEASE);
    rebuild(&*counters, &*ledger, &budgets, &team.id, token, now()).await.unwrap();
    assert_eq!(sums(&*counters, &team).await, (settled, NanoUsd::ZERO, open));
}

#[tokio::test]
async fn amounts_up_to_nine_million_dollars_are_exact_and_no_reply_has_an_exponent() {
    let counters = crate::fresh("large");
    let team = Team::open(&counters).await;
    let (most, least) = (NanoUsd::MAX, NanoUsd::new(1));
    let almost = NanoUsd::new(most.get() - 1);
    let call = team.call(almost, most);
    assert!(matches!(counters.reserve(&call).await.unwrap(), Answer::Ok { .. }));
    let refused = counters.reserve(&team.call(NanoUsd::new(2), most)).await.unwrap();
    assert!(
        matches!(refused, Answer::Contended { held, limit, .. } if held == almost && limit == most),
        "{refused:?}"
    );
    counters.settle(&team.id, call.attempt, almost).await.unwrap();
    let refused = counters.reserve(&team.call(NanoUsd::new(2), most)).await.unwrap();
    assert!(matches!(refused, Answer::Exhausted { used, .. } if used == almost), "{refused:?}");
    let last = team.call(least, most);
    assert!(matches!(counters.reserve(&last).await.unwrap(), Answer::Ok { .. }));
    counters.settle(&team.id, last.attempt, least).await.unwrap();
    assert_eq!(sums(&counters, &team).await.0, most);
    let alerts = counters.take_alerts(&team.id, 10, LEASE).await.unwrap();
    let shown = format!("{alerts:?}");
    assert!(alerts.len() == 2 && !shown.contains("e+"), "{shown}");
}

#[tokio::test]
async fn a_refused_reservation_leaves_every_key_as_it_was() {
    let redis = Redis::start().unwrap();
    let counters = crate::on(&redis.url(), "denied");
    let team = Team::open(&counters).await;
    let first = team.call(cents(60), cents(100));
    counters.reserve(&first).await.unwrap();
    let before = dump(&redis).await;
    let refused = counters.reserve(&team.call(cents(60), cents(100))).await.unwrap();
    assert!(matches!(refused, Answer::Contended { .. }), "{refused:?}");
    assert_eq!(counters.reserve(&first).await.unwrap(), Answer::Duplicate(State::Held));
    let twin = Reservation { attempt: Attempt { invocation: unique(), ..first.attempt }, ..first.clone() };
    assert_eq!(counters.reserve(&twin).await.unwrap(), Answer::InFlight(first.attempt));
    assert_eq!(dump(&redis).await, before);
}

/// Every key with its serialised value.
async fn dump(redis: &Redis) -> Vec<(String, Vec<u8>)> {
    let mut client =
        redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut client).await.unwrap();
    keys.sort();
    let mut dump = Vec::new();
    for key in keys {
        let value: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut client).await.unwrap();
        dump.push((key, value));
    }
    dump
}
