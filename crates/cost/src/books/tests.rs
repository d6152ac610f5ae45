//! What holds for the books whatever is asked of them, and what time does to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use clinflow_core::{AgentId, DocumentHash, TeamId, id::ObjectHash};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;
use uuid::Uuid;

use super::Books;
use crate::{
    Account, Answer, Attempt, Charge, Dispatch, Guard, Install, Limit, NanoUsd, Release, Reservation, Scope,
    Settlement, Threshold, Trip,
};

const LIMIT: NanoUsd = NanoUsd::new(100);
const HOUR: Duration = Duration::from_hours(1);

fn start() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn account() -> Account {
    Account::at(Scope::team(&TeamId::new("safety").unwrap()), start(), &TimeZone::UTC)
}

fn books() -> Books {
    let mut books = Books::new();
    assert!(books.begin(Uuid::from_u128(1), HOUR, start()));
    assert!(books.install(Uuid::from_u128(1), &Install::default(), start()));
    books
}

fn reservation(invocation: u128, asked: u8, hold: u64) -> Reservation {
    let document = DocumentHash::of(b"document");
    let thresholds = vec![
        Threshold { percent: 80, amount: NanoUsd::new(80) },
        Threshold { percent: 100, amount: NanoUsd::new(100) },
    ];
    Reservation {
        attempt: Attempt { invocation: Uuid::from_u128(invocation), ordinal: 0, number: 1 },
        team: TeamId::new("safety").unwrap(),
        agent: AgentId::new("ae-report.nlp").unwrap(),
        document,
        fingerprint: ObjectHash::of(&[asked]),
        hold: NanoUsd::new(hold),
        lease: HOUR,
        charges: vec![Charge {
            account: account(),
            limit: Some(Limit { amount: LIMIT, version: 1, thresholds }),
        }],
        guard: Guard { identical_calls: 3, calls_per_stage: 12, window: Duration::from_hours(24) },
    }
}

fn later(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

#[test]
fn the_window_of_the_loop_guard_slides_and_has_one_alert() {
    let mut books = books();
    let day = 24 * 3600;
    let mut call = |n: u128, at: i64| {
        let wanted = reservation(n, 1, 1);
        let answer = books.reserve(&wanted, later(at));
        books.release(wanted.attempt, later(at));
        let alerts = books.take_alerts(10, HOUR, later(at)).len();
        (matches!(answer, Answer::Ok { .. }), answer == Answer::Loop(Trip::Identical), alerts)
    };
    let (made, refused) = (|alerts| (true, false, alerts), |alerts| (false, true, alerts));
    assert_eq!(call(1, 0), made(0));
    assert_eq!(call(2, 3600), made(0));
    assert_eq!(call(3, 7200), refused(1));
    assert_eq!(call(4, day - 1), refused(1), "the same alert again, because nobody acknowledged it in time");
    assert_eq!(call(5, day), made(0), "the first call is out of the window");
    assert_eq!(call(6, day + 1), refused(0), "somebody was told less than a day ago");
    assert_eq!(call(7, day + 3601), made(1), "so is the second; the first alert is still the only one");
    assert_eq!(call(8, day + 7199), refused(0), "a second less than a day after the alert");
    assert_eq!(call(9, day + 7200), refused(1), "another alert");
}

#[test]
fn a_second_rebuilder_takes_over_when_the_first_one_is_late() {
    let mut books = books();
    let (slow, quick) = (Uuid::from_u128(2), Uuid::from_u128(3));
    assert!(books.begin(slow, HOUR, later(0)));
    assert!(!books.begin(quick, HOUR, later(3599)));
    assert!(books.begin(quick, HOUR, later(3600)));
    assert!(!books.install(slow, &Install::default(), later(3601)), "its fence is down");
    assert!(books.install(quick, &Install::default(), later(3602)));
    assert_eq!(books.epoch(), Some(quick));
}

#[test]
fn what_has_ended_long_ago_is_forgotten_and_what_is_open_is_not() {
    let mut books = books();
    let (ended, open) = (reservation(1, 1, 10), reservation(2, 2, 10));
    for wanted in [&ended, &open] {
        books.reserve(wanted, later(0));
    }
    books.settle(ended.attempt, NanoUsd::new(10), later(0));
    for n in 0..2000 {
        let wanted = reservation(100 + n, 3, 0);
        books.reserve(&wanted, later(3 * 24 * 3600));
        books.release(wanted.attempt, later(3 * 24 * 3600));
    }
    assert_eq!(books.settle(ended.attempt, NanoUsd::new(10), later(3 * 24 * 3600)), Settlement::Unknown);
    assert_eq!(books.dispatch(open.attempt, HOUR, later(3 * 24 * 3600)), Dispatch::Go);
    assert_eq!(books.position(&account()).settled, NanoUsd::new(10));
}

/// One call on the books; amounts within the hold, as in strict mode.
#[derive(Debug, Clone)]
enum Op {
    Reserve { n: u128, asked: u8, hold: u64 },
    Dispatch { n: u128 },
    Settle { n: u128, part: u64 },
    Release { n: u128 },
    Suspend { n: u128 },
    Wait { seconds: i64 },
}

fn op() -> impl Strategy<Value = Op> {
    let n = || 1u128..12;
    prop_oneof![
        6 => (n(), 0u8..8, 0u64..60).prop_map(|(n, asked, hold)| Op::Reserve { n, asked, hold }),
        3 => n().prop_map(|n| Op::Dispatch { n }),
        4 => (n(), 0u64..=100).prop_map(|(n, part)| Op::Settle { n, part }),
        1 => n().prop_map(|n| Op::Release { n }),
        1 => n().prop_map(|n| Op::Suspend { n }),
        1 => (1i64..7200).prop_map(|seconds| Op::Wait { seconds }),
    ]
}

proptest! {
    /// INV-06, INV-13 and the bound of the loop guard, after every step of every history.
    #[test]
    fn no_history_overspends_alerts_twice_or_loops(history in prop::collection::vec(op(), 1..120)) {
        let (mut books, mut at) = (books(), start());
        let (mut holds, mut booked, mut alerts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (mut calls, mut released) = (BTreeMap::<u8, BTreeSet<u128>>::new(), BTreeSet::new());
        for op in history {
            let attempt = |n| reservation(n, 0, 0).attempt;
            match op {
                Op::Reserve { n, asked, hold } => {
                    if let Answer::Ok { .. } = books.reserve(&reservation(n, asked, hold), at) {
                        prop_assert!(holds.insert(n, hold).is_none(), "reserved twice");
                        calls.entry(asked).or_default().insert(n);
                    }
                }
                Op::Dispatch { n } => { books.dispatch(attempt(n), HOUR, at); }
                // What was given back was never dispatched, so nobody settles it.
                Op::Settle { n, .. } if released.contains(&n) => {}
                Op::Settle { n, part } => {
                    let actual = holds.get(&n).map_or(0, |hold| hold * part / 100);
                    if let Settlement::Settled { over } = books.settle(attempt(n), NanoUsd::new(actual), at) {
                        prop_assert_eq!(over, NanoUsd::ZERO);
                        prop_assert!(booked.insert(n, actual).is_none(), "settled twice");
                    }
                }
                Op::Release { n } => {
                    if books.release(attempt(n), at) == Release::Released {
                        released.insert(n);
                    }
                }
                Op::Suspend { n } => { books.suspend(attempt(n), at); }
                Op::Wait { seconds } => at += SignedDuration::from_secs(seconds),
            }
            for alert in books.take_alerts(100, HOUR, at) {
                books.acknowledge(std::slice::from_ref(&alert.id));
                *alerts.entry(alert.id).or_insert(0) += 1;
            }
            let position = books.position(&account());
            prop_assert_eq!(position.settled.get(), booked.values().sum::<u64>());
            prop_assert!(position.settled.plus(position.held).plus(position.suspense) <= LIMIT, "{:?}", position);
            prop_assert!(alerts.values().all(|count| *count == 1), "{:?}", alerts);
            prop_assert!(calls.values().all(|calls| calls.len() <= 2), "{:?}", calls);
        }
    }
}
