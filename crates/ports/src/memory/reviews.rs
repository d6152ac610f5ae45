//! Review items in a map.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use clinflow_core::{ExecutionId, ReviewId, ReviewItem, review::Resolution};

use super::lock;
use crate::{
    error::StoreError,
    reviews::{Page, Reviews, State},
};

/// [`Reviews`] in memory.
#[derive(Debug, Default)]
pub struct MemoryReviews(Mutex<BTreeMap<ReviewId, ReviewItem>>);

/// Where an item stands in a list by age: text that sorts by creation, then id.
fn place(item: &ReviewItem) -> String {
    format!("{:020}/{}.{:010}", item.created_at.as_millisecond().max(0), item.id.execution, item.id.number)
}

#[async_trait]
impl Reviews for MemoryReviews {
    async fn create(&self, items: &[ReviewItem]) -> Result<(), StoreError> {
        let mut known = lock(&self.0);
        for item in items {
            known.entry(item.id).or_insert_with(|| item.clone());
        }
        Ok(())
    }

    async fn get(&self, id: ReviewId) -> Result<Option<ReviewItem>, StoreError> {
        Ok(lock(&self.0).get(&id).cloned())
    }

    async fn of_execution(&self, execution: ExecutionId) -> Result<Vec<ReviewItem>, StoreError> {
        let known = lock(&self.0);
        Ok(known.values().filter(|item| item.id.execution == execution).cloned().collect())
    }

    async fn list(&self, state: State, limit: usize, from: Option<&str>) -> Result<Page, StoreError> {
        let mut items: Vec<ReviewItem> = lock(&self.0)
            .values()
            .filter(|item| State::of(item) == state && from.is_none_or(|from| place(item).as_str() > from))
            .cloned()
            .collect();
        items.sort_by_cached_key(place);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(place);
        Ok(Page { items, next })
    }

    async fn resolve(&self, id: ReviewId, resolution: &Resolution) -> Result<ReviewItem, StoreError> {
        let mut known = lock(&self.0);
        let item = known
            .get_mut(&id)
            .ok_or_else(|| StoreError::Missing { store: "reviews", key: id.to_string() })?;
        item.resolution.get_or_insert_with(|| resolution.clone());
        Ok(item.clone())
    }
}
