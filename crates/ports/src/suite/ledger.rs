//! What every [`Ledger`] does.
#![expect(clippy::unwrap_used, reason = "a test suite: a failure is the answer")]

use std::collections::BTreeSet;

use clinflow_core::{id::ObjectHash, step::ObjectRef};
use clinflow_cost::{Attempt, Entry, Intent, Usage};
use jiff::{SignedDuration, Timestamp};

use super::counters::{Team, cents, intent};
use crate::{
    StoreError,
    ledger::{Ledger, Noted},
};

fn answer(intent: &Intent) -> ObjectRef {
    ObjectRef { key: format!("answers/{}", intent.fingerprint), sha256: ObjectHash::of(b"answer"), size: 6 }
}

fn used() -> Usage {
    Usage { input: 1_000, cache_read: 2, cache_write_5m: 3, cache_write_1h: 4, output: 500 }
}

/// An intent and an outcome read back, to the nano-dollar.
pub async fn what_is_written_reads_back(ledger: &dyn Ledger) {
    let team = Team::closed();
    let intent = intent(&team, cents(5));
    assert_eq!(ledger.attempt(intent.attempt).await.unwrap(), None);
    assert_eq!(ledger.put_intent(&intent).await.unwrap(), Noted::New);
    let open = Entry { intent: intent.clone(), outcome: None };
    assert_eq!(ledger.attempt(intent.attempt).await.unwrap(), Some(open));
    let outcome = intent.billed(team.at, used(), cents(3), Some(answer(&intent)));
    assert_eq!(ledger.put_outcome(&outcome).await.unwrap(), outcome);
    let whole = Entry { intent: intent.clone(), outcome: Some(outcome) };
    assert_eq!(ledger.attempt(intent.attempt).await.unwrap(), Some(whole));
}

/// What was written first stays, and whoever writes again is told.
pub async fn what_is_written_first_stays(ledger: &dyn Ledger) {
    let team = Team::closed();
    let first = intent(&team, cents(5));
    ledger.put_intent(&first).await.unwrap();
    let second = Intent { hold: cents(9), ..first.clone() };
    let known = Entry { intent: first.clone(), outcome: None };
    assert_eq!(ledger.put_intent(&second).await.unwrap(), Noted::Known(Box::new(known)));
    let booked = first.billed(team.at, used(), cents(3), None);
    ledger.put_outcome(&booked).await.unwrap();
    assert_eq!(ledger.put_outcome(&first.written_off(team.at)).await.unwrap(), booked);
    let known = Entry { intent: first.clone(), outcome: Some(booked) };
    assert_eq!(ledger.put_intent(&second).await.unwrap(), Noted::Known(Box::new(known)));
}

/// An outcome without an intent is refused: nobody knows who pays.
pub async fn an_outcome_needs_an_intent(ledger: &dyn Ledger) {
    let team = Team::closed();
    let refused = ledger.put_outcome(&intent(&team, cents(5)).free(team.at)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Missing { .. }), "{refused:?}");
}

/// INV-05: the first stored answer to a question is the answer; outcomes without one are not.
pub async fn an_answer_is_found_by_what_was_asked(ledger: &dyn Ledger) {
    let team = Team::closed();
    let first = intent(&team, cents(5));
    let again = |number| Intent { attempt: Attempt { number, ..first.attempt }, ..first.clone() };
    for number in 1..4 {
        ledger.put_intent(&again(number)).await.unwrap();
    }
    ledger.put_outcome(&again(1).free(team.at)).await.unwrap();
    assert_eq!(ledger.answer(first.fingerprint).await.unwrap(), None);
    let answered = again(2).billed(team.at, used(), cents(3), Some(answer(&first)));
    ledger.put_outcome(&answered).await.unwrap();
    ledger.put_outcome(&again(3).billed(team.at, used(), cents(4), Some(answer(&first)))).await.unwrap();
    assert_eq!(ledger.answer(first.fingerprint).await.unwrap(), Some(answered));
}

/// A team's entries in a time, by time, whether they have ended or not, over days.
pub async fn a_teams_entries_are_read_by_time(ledger: &dyn Ledger) {
    let (team, other) = (Team::closed(), Team::closed());
    let at = |hours: i64| team.at + SignedDuration::from_hours(hours);
    let mut written = Vec::new();
    for hours in [0, 1, 23, 24, 49] {
        let intent = Intent { at: at(hours), ..intent(&team, cents(5)) };
        ledger.put_intent(&intent).await.unwrap();
        let outcome = (hours % 2 == 0).then(|| intent.billed(at(hours), used(), cents(3), None));
        if let Some(outcome) = &outcome {
            ledger.put_outcome(outcome).await.unwrap();
        }
        written.push(Entry { intent, outcome });
    }
    ledger.put_intent(&intent(&other, cents(5))).await.unwrap();
    assert_eq!(ledger.read(&team.id, at(0), at(100)).await.unwrap(), written);
    assert_eq!(ledger.read(&team.id, at(1), at(49)).await.unwrap(), written[1..4]);
    assert_eq!(ledger.read(&team.id, at(200), at(300)).await.unwrap(), []);
}

/// Many entries are read whole.
pub async fn many_entries_are_read_whole(ledger: &dyn Ledger) {
    let team = Team::closed();
    let intents: Vec<Intent> = (0..250).map(|_| intent(&team, cents(1))).collect();
    futures_util::future::try_join_all(intents.iter().map(|intent| ledger.put_intent(intent))).await.unwrap();
    let outcomes: Vec<_> =
        intents.iter().map(|intent| intent.billed(team.at, used(), cents(1), None)).collect();
    futures_util::future::try_join_all(outcomes.iter().map(|outcome| ledger.put_outcome(outcome)))
        .await
        .unwrap();
    let read = ledger.read(&team.id, team.at, team.at + SignedDuration::from_secs(1)).await.unwrap();
    let ended = read.iter().filter(|entry| entry.outcome.is_some()).count();
    assert_eq!((read.len(), ended), (250, 250));
}

/// Which alerts somebody was told of, by team.
pub async fn told_alerts_are_remembered(ledger: &dyn Ledger) {
    let (team, other) = (Team::closed(), Team::closed());
    assert_eq!(ledger.alerts(&team.id).await.unwrap(), BTreeSet::new());
    for alert in ["a|1|80", "b|1|100", "a|1|80"] {
        ledger.put_alert(&team.id, alert).await.unwrap();
    }
    ledger.put_alert(&other.id, "c|1|80").await.unwrap();
    let told = BTreeSet::from(["a|1|80".to_owned(), "b|1|100".to_owned()]);
    assert_eq!(ledger.alerts(&team.id).await.unwrap(), told);
}

/// Of many racing writers of one intent one has written it.
pub async fn one_of_many_racing_intents_is_new(ledger: &dyn Ledger) {
    let team = Team::closed();
    let intent = Intent { at: Timestamp::UNIX_EPOCH, session: None, ..intent(&team, cents(5)) };
    let written =
        futures_util::future::try_join_all((0..16).map(|_| ledger.put_intent(&intent))).await.unwrap();
    assert_eq!(written.iter().filter(|noted| **noted == Noted::New).count(), 1);
}

/// Runs the suite against one implementation.
#[macro_export]
macro_rules! ledger_suite {
    ($make:expr) => {
        $crate::suite_tests!(
            ledger,
            $make,
            [
                what_is_written_reads_back,
                what_is_written_first_stays,
                an_outcome_needs_an_intent,
                an_answer_is_found_by_what_was_asked,
                a_teams_entries_are_read_by_time,
                many_entries_are_read_whole,
                told_alerts_are_remembered,
                one_of_many_racing_intents_is_new,
            ]
        );
    };
}
