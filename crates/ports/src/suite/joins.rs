//! What every [`Joins`] does.
#![expect(clippy::unwrap_used, reason = "a test suite: a failure is the answer")]

use clinflow_core::{
    ExecutionId,
    join::{Arrival, Part},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::unique;
use crate::joins::{JoinKey, Joins};

fn key() -> JoinKey {
    JoinKey { execution: ExecutionId::from_uuid(unique()), redrive: 0 }
}

fn both() -> Vec<String> {
    vec!["extractor".to_owned(), "nlp".to_owned()]
}

fn part(branch: &str, message_id: Uuid, body: &[u8]) -> Part {
    Part { branch: branch.to_owned(), message_id, body: body.to_vec() }
}

/// Far enough ahead that no test reaches it by itself.
fn far() -> Timestamp {
    Timestamp::from_second(4_000_000_000).unwrap()
}

/// The last part completes the join, with every part by name.
pub async fn the_last_part_completes(joins: &dyn Joins) {
    let (key, extractor, nlp) = (key(), part("extractor", unique(), b"e"), part("nlp", unique(), b"n"));
    assert_eq!(joins.arrive(key, &both(), far(), nlp.clone()).await.unwrap(), Arrival::Waiting);
    assert_eq!(
        joins.arrive(key, &both(), far(), extractor.clone()).await.unwrap(),
        Arrival::Complete(vec![extractor, nlp])
    );
}

/// Whoever completed the join may crash before emitting: the redelivered part answers the same.
pub async fn a_redelivered_part_answers_the_same_completion(joins: &dyn Joins) {
    let (key, extractor, nlp) = (key(), part("extractor", unique(), b"e"), part("nlp", unique(), b"n"));
    joins.arrive(key, &both(), far(), extractor.clone()).await.unwrap();
    let complete = joins.arrive(key, &both(), far(), nlp.clone()).await.unwrap();
    assert_eq!(joins.arrive(key, &both(), far(), nlp).await.unwrap(), complete);
    assert_eq!(joins.arrive(key, &both(), far(), extractor).await.unwrap(), complete);
}

/// A branch that arrives twice with differing content counts once, and does not stand in for the other.
pub async fn a_differing_duplicate_is_not_applied(joins: &dyn Joins) {
    let (key, kept, other) = (key(), unique(), unique());
    joins.arrive(key, &both(), far(), part("extractor", kept, b"first")).await.unwrap();
    assert_eq!(
        joins.arrive(key, &both(), far(), part("extractor", other, b"second")).await.unwrap(),
        Arrival::Differs { kept }
    );
    let nlp = part("nlp", unique(), b"n");
    let complete = joins.arrive(key, &both(), far(), nlp.clone()).await.unwrap();
    assert_eq!(complete, Arrival::Complete(vec![part("extractor", kept, b"first"), nlp]));
}

/// A branch nobody waits for is said to be unexpected.
pub async fn an_unexpected_branch_is_refused(joins: &dyn Joins) {
    let arrival = joins.arrive(key(), &both(), far(), part("oracle", unique(), b"?")).await.unwrap();
    assert_eq!(arrival, Arrival::Unexpected);
}

/// A deadline closes with what is there, answers until it is settled, and a late part changes nothing.
pub async fn a_deadline_closes_with_what_is_there(joins: &dyn Joins) {
    let key = key();
    // Long ago, so that this join comes first whatever else is in a shared store.
    let deadline = Timestamp::from_second(1_000).unwrap();
    let extractor = part("extractor", unique(), b"e");
    joins.arrive(key, &both(), deadline, extractor.clone()).await.unwrap();
    let before = deadline - SignedDuration::from_secs(1);
    assert!(joins.expire(before, 100).await.unwrap().iter().all(|expired| expired.key != key));
    for _ in 0..2 {
        let expired = joins.expire(deadline, 100).await.unwrap();
        let mine = expired.iter().find(|expired| expired.key == key).unwrap();
        assert_eq!((&mine.parts, &mine.missing), (&vec![extractor.clone()], &vec!["nlp".to_owned()]));
    }
    let late = part("nlp", unique(), b"n");
    assert_eq!(joins.arrive(key, &both(), deadline, late).await.unwrap(), Arrival::Late);
    joins.settle(key).await.unwrap();
    assert!(joins.expire(deadline, 100).await.unwrap().iter().all(|expired| expired.key != key));
    assert_eq!(
        joins.arrive(key, &both(), deadline, extractor).await.unwrap(),
        Arrival::Late,
        "a settled join still knows its parts"
    );
}

/// A complete join is never closed by its deadline.
pub async fn a_complete_join_does_not_expire(joins: &dyn Joins) {
    let key = key();
    let deadline = Timestamp::from_second(2_000).unwrap();
    for branch in both() {
        joins.arrive(key, &both(), deadline, part(&branch, unique(), b"x")).await.unwrap();
    }
    assert!(joins.expire(far(), 1000).await.unwrap().iter().all(|expired| expired.key != key));
}

/// Of many racing arrivals of both parts at least one completes, and all completions agree.
pub async fn racing_replicas_agree(joins: &dyn Joins) {
    let (key, extractor, nlp) = (key(), part("extractor", unique(), b"e"), part("nlp", unique(), b"n"));
    let branches = both();
    let arrivals = (0..32).map(|n| {
        let part = if n % 2 == 0 { extractor.clone() } else { nlp.clone() };
        joins.arrive(key, &branches, far(), part)
    });
    let arrivals = futures_util::future::try_join_all(arrivals).await.unwrap();
    let complete = Arrival::Complete(vec![extractor.clone(), nlp.clone()]);
    assert!(arrivals.iter().all(|arrival| *arrival == complete || *arrival == Arrival::Waiting));
    assert!(arrivals.contains(&complete));
}

/// A redrive joins anew.
pub async fn a_redrive_is_another_join(joins: &dyn Joins) {
    let key = key();
    joins.arrive(key, &both(), far(), part("extractor", unique(), b"e")).await.unwrap();
    let again = JoinKey { redrive: 1, ..key };
    let arrival = joins.arrive(again, &both(), far(), part("nlp", unique(), b"n")).await.unwrap();
    assert_eq!(arrival, Arrival::Waiting);
}

/// Runs the suite against one implementation.
#[macro_export]
macro_rules! joins_suite {
    ($make:expr) => {
        $crate::suite_tests!(
            joins,
            $make,
            [
                the_last_part_completes,
                a_redelivered_part_answers_the_same_completion,
                a_differing_duplicate_is_not_applied,
                an_unexpected_branch_is_refused,
                a_deadline_closes_with_what_is_there,
                a_complete_join_does_not_expire,
                racing_replicas_agree,
                a_redrive_is_another_join,
            ]
        );
    };
}
