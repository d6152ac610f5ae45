//! What every [`Reviews`] does.
#![expect(clippy::unwrap_used, reason = "a test suite: a failure is the answer")]

use clinflow_core::{
    ExecutionId, ReviewId, ReviewItem, Severity, Span, WorkflowId,
    id::ObjectHash,
    review::{Decision, Resolution},
    step::ObjectRef,
};
use jiff::Timestamp;

use super::unique;
use crate::{
    error::StoreError,
    reviews::{Reviews, State},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn item(execution: ExecutionId, number: u32) -> ReviewItem {
    ReviewItem {
        id: ReviewId { execution, number },
        workflow: WorkflowId::new("ae-report").unwrap(),
        rule: "AE-SER-02".to_owned(),
        severity: Severity::Review,
        field: Some("onset_date".to_owned()),
        index: Some(2),
        spans: vec![Span { start: 3, end: 9, byte_start: 4, byte_end: 11 }],
        created_at: at(1_000),
        resolution: None,
    }
}

fn execution() -> ExecutionId {
    ExecutionId::from_uuid(unique())
}

fn resolution(by: &str, decision: Decision) -> Resolution {
    let value = (decision == Decision::Corrected).then(|| ObjectRef {
        key: "executions/x/value.json".to_owned(),
        sha256: ObjectHash::of(b"value"),
        size: 5,
    });
    Resolution { decision, by: by.to_owned(), at: at(2_000), value }
}

/// Items read back as they were written, one by one and by execution.
pub async fn items_read_back_by_id_and_by_execution(reviews: &dyn Reviews) {
    let (mine, other) = (execution(), execution());
    let items = [item(mine, 1), ReviewItem { field: None, index: None, spans: Vec::new(), ..item(mine, 2) }];
    reviews.create(&items).await.unwrap();
    reviews.create(&[item(other, 1)]).await.unwrap();
    assert_eq!(reviews.get(items[1].id).await.unwrap().as_ref(), Some(&items[1]));
    assert_eq!(reviews.get(ReviewId { execution: mine, number: 3 }).await.unwrap(), None);
    assert_eq!(reviews.of_execution(mine).await.unwrap(), items);
    assert_eq!(reviews.of_execution(execution()).await.unwrap(), []);
}

/// More items than one call takes are all there, in the order of their numbers.
pub async fn many_items_of_one_execution_keep_their_order(reviews: &dyn Reviews) {
    let id = execution();
    let items: Vec<ReviewItem> = (1..=120).map(|number| item(id, number)).collect();
    reviews.create(&items).await.unwrap();
    assert_eq!(reviews.of_execution(id).await.unwrap(), items);
}

/// Creating again changes nothing, also after an item was settled.
pub async fn creating_again_changes_nothing(reviews: &dyn Reviews) {
    let id = execution();
    let items = [item(id, 1), item(id, 2)];
    reviews.create(&items[..1]).await.unwrap();
    let settled = reviews.resolve(items[0].id, &resolution("one", Decision::Accepted)).await.unwrap();
    reviews.create(&items).await.unwrap();
    assert_eq!(reviews.of_execution(id).await.unwrap(), [settled, items[1].clone()]);
}

/// Of many people who settle an item, the first one's decision stays, and everybody is told it.
pub async fn the_first_resolution_stays(reviews: &dyn Reviews) {
    let id = execution();
    reviews.create(&[item(id, 1)]).await.unwrap();
    let id = ReviewId { execution: id, number: 1 };
    let resolutions: Vec<Resolution> =
        (0..8).map(|n| resolution(&format!("reviewer-{n}"), Decision::Corrected)).collect();
    let answers = futures_util::future::try_join_all(resolutions.iter().map(|one| reviews.resolve(id, one)))
        .await
        .unwrap();
    let kept = reviews.get(id).await.unwrap().unwrap();
    assert!(kept.resolution.as_ref().is_some_and(|kept| resolutions.contains(kept)));
    assert!(answers.iter().all(|answer| *answer == kept), "{answers:?}");
    assert!(!kept.is_open());
}

/// An item nobody made cannot be settled.
pub async fn an_unknown_item_is_missing(reviews: &dyn Reviews) {
    let id = ReviewId { execution: execution(), number: 1 };
    let error = reviews.resolve(id, &resolution("one", Decision::Rejected)).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error:?}");
}

/// Listing by state finds each once, the oldest first, over as many pages as it takes.
pub async fn listing_pages_through_a_state_oldest_first(reviews: &dyn Reviews) {
    let id = execution();
    // Times of their own, so that this test's items stand together in a shared table.
    let items: Vec<ReviewItem> =
        (1..=6).map(|n| ReviewItem { created_at: at(3_900_000_000 + i64::from(n)), ..item(id, n) }).collect();
    reviews.create(&items).await.unwrap();
    reviews.resolve(items[2].id, &resolution("one", Decision::Rejected)).await.unwrap();
    let all = async |state| {
        let (mut seen, mut from) = (Vec::new(), None::<String>);
        loop {
            let page = reviews.list(state, 2, from.as_deref()).await.unwrap();
            assert!(page.items.len() <= 2);
            assert!(page.items.iter().all(|item| State::of(item) == state));
            seen.extend(page.items.into_iter().filter(|item| item.id.execution == id));
            from = page.next;
            if from.is_none() || seen.len() > 100 {
                return seen.into_iter().map(|item| item.id.number).collect::<Vec<_>>();
            }
        }
    };
    assert_eq!(all(State::Open).await, [1, 2, 4, 5, 6]);
    assert_eq!(all(State::Resolved).await, [3]);
}

/// Runs the suite against one implementation.
#[macro_export]
macro_rules! reviews_suite {
    ($make:expr) => {
        $crate::suite_tests!(
            reviews,
            $make,
            [
                items_read_back_by_id_and_by_execution,
                many_items_of_one_execution_keep_their_order,
                creating_again_changes_nothing,
                the_first_resolution_stays,
                an_unknown_item_is_missing,
                listing_pages_through_a_state_oldest_first,
            ]
        );
    };
}
