//! Review items: one item each, under its execution; what people list is found in an index by state.

use async_trait::async_trait;
use clinflow_core::{ExecutionId, ReviewId, ReviewItem, review::Resolution};
use clinflow_ports::{
    StoreError,
    reviews::{Page, Reviews, State},
};
use futures_util::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream::iter};

use crate::{
    Database,
    error::{STORE, corrupt, unavailable},
    item::{Item, get_json, get_number, get_text, map, number, text},
    query::up_to,
    tables::BY_STATE,
    write::{Condition, Outcome, Write},
};

/// The key of an item.
const KEY: [&str; 2] = ["execution", "number"];

/// How many partitions the index is spread over, as that of the executions is.
const SHARDS: u8 = 8;

/// How many items of a page are read at once.
const READS: usize = 32;

/// [`Reviews`] on DynamoDB.
#[derive(Debug)]
pub struct DynamoReviews(Database);

impl DynamoReviews {
    /// The review items in `database`.
    pub const fn new(database: Database) -> Self {
        Self(database)
    }

    fn table(&self) -> &str {
        &self.0.tables().reviews
    }

    /// Places and keys in one partition of the index, the oldest first, after `from`.
    async fn by_state(
        &self,
        state: String,
        limit: usize,
        from: Option<&str>,
    ) -> Result<Vec<(String, ReviewId)>, StoreError> {
        let query = self
            .0
            .client()
            .query()
            .table_name(self.table())
            .index_name(BY_STATE)
            // STATE is a reserved word.
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":state", text(state));
        let query = match from {
            None => query.key_condition_expression("#state = :state"),
            Some(from) => query
                .key_condition_expression("#state = :state AND place > :from")
                .expression_attribute_values(":from", text(from)),
        };
        up_to(limit, query, |item| Ok((get_text(item, "place")?.to_owned(), id(item)?))).await
    }
}

/// Where an item stands in a list by age: text that sorts by creation, then id.
fn place(item: &ReviewItem) -> String {
    format!("{:020}/{}.{:010}", item.created_at.as_millisecond().max(0), item.id.execution, item.id.number)
}

/// Partition of the index.
fn partition(state: State, shard: u8) -> String {
    format!("{}#{shard}", state.as_str())
}

/// An execution's shard. Its id is a hash, so any byte spreads it.
fn shard(execution: ExecutionId) -> u8 {
    execution.as_uuid().as_bytes()[15] % SHARDS
}

fn key(id: ReviewId) -> Item {
    map([("execution", text(id.execution.to_string())), ("number", number(id.number))])
}

/// The id in an item's key.
fn id(item: &Item) -> Result<ReviewId, StoreError> {
    let execution = get_text(item, "execution")?.parse().map_err(|_| corrupt("a review item's execution"))?;
    let number = get_number(item, "number")?.ok_or_else(|| corrupt("a review item without a number"))?;
    Ok(ReviewId { execution, number })
}

/// The item of a review item. The body never changes; the resolution is an attribute of its own.
fn write(item: &ReviewItem) -> Result<Item, StoreError> {
    let mut stored = key(item.id);
    stored.extend(map([
        ("body", text(json(item)?)),
        ("state", text(partition(State::of(item), shard(item.id.execution)))),
        ("place", text(place(item))),
    ]));
    if let Some(resolution) = &item.resolution {
        stored.extend(map([("resolution", text(json(resolution)?))]));
    }
    Ok(stored)
}

fn read(item: &Item) -> Result<ReviewItem, StoreError> {
    let resolution: Option<Resolution> =
        item.contains_key("resolution").then(|| get_json(item, "resolution")).transpose()?;
    Ok(ReviewItem { resolution, ..get_json(item, "body")? })
}

fn json(what: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(what).map_err(|error| corrupt(error.to_string()))
}

fn missing(id: ReviewId) -> StoreError {
    StoreError::Missing { store: STORE, key: id.to_string() }
}

#[async_trait]
impl Reviews for DynamoReviews {
    async fn create(&self, items: &[ReviewItem]) -> Result<(), StoreError> {
        // Each under its own condition: one that is there stays.
        let writes = items
            .iter()
            .map(|item| async move { self.0.write(Write::create(self.table(), &KEY, write(item)?)).await });
        try_join_all(writes).await?;
        Ok(())
    }

    async fn get(&self, id: ReviewId) -> Result<Option<ReviewItem>, StoreError> {
        let found = self
            .0
            .client()
            .get_item()
            .table_name(self.table())
            .set_key(Some(key(id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        found.item().map(read).transpose()
    }

    async fn of_execution(&self, execution: ExecutionId) -> Result<Vec<ReviewItem>, StoreError> {
        let mut pages = self
            .0
            .client()
            .query()
            .table_name(self.table())
            .key_condition_expression("execution = :execution")
            .expression_attribute_values(":execution", text(execution.to_string()))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(unavailable)?.items() {
                items.push(read(item)?);
            }
        }
        Ok(items)
    }

    async fn list(&self, state: State, limit: usize, from: Option<&str>) -> Result<Page, StoreError> {
        let partitions = (0..SHARDS).map(|shard| self.by_state(partition(state, shard), limit + 1, from));
        let mut found: Vec<(String, ReviewId)> =
            try_join_all(partitions).await?.into_iter().flatten().collect();
        found.sort_unstable();
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(place, _)| place.clone());
        let read = iter(found.into_iter().map(|(_, id)| self.get(id))).buffered(READS);
        let items: Vec<Option<ReviewItem>> = read.try_collect().await?;
        // The index lags behind the table.
        let items = items.into_iter().flatten().filter(|item| State::of(item) == state).collect();
        Ok(Page { items, next })
    }

    async fn resolve(&self, id: ReviewId, resolution: &Resolution) -> Result<ReviewItem, StoreError> {
        let condition = Condition {
            expression: "attribute_exists(body) AND attribute_not_exists(resolution)".to_owned(),
            names: map([("#state", "state".to_owned())]),
            values: map([
                (":resolution", text(json(resolution)?)),
                (":state", text(partition(State::Resolved, shard(id.execution)))),
            ]),
        };
        let update = "SET resolution = :resolution, #state = :state";
        match self.0.write(Write::update(self.table(), key(id), update, condition)).await? {
            Outcome::Written => self.get(id).await?.ok_or_else(|| missing(id)),
            Outcome::Conflict(items) => read(items.first().ok_or_else(|| missing(id))?),
        }
    }
}

#[cfg(test)]
mod tests {
    use clinflow_core::{Severity, WorkflowId, review::Decision};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_item_reads_back_exactly_and_its_state_is_in_the_index() {
        let open = ReviewItem {
            id: ReviewId { execution: ExecutionId::from_uuid(Uuid::from_u128(0x0b)), number: 2 },
            workflow: WorkflowId::new("ae-report").unwrap(),
            rule: "AE-SER-02".to_owned(),
            severity: Severity::Block,
            field: None,
            index: None,
            spans: Vec::new(),
            created_at: Timestamp::from_second(1_700_000_000).unwrap(),
            resolution: None,
        };
        let stored = write(&open).unwrap();
        assert_eq!((read(&stored).unwrap(), id(&stored).unwrap()), (open.clone(), open.id));
        assert_eq!(stored["state"], text("open#3"));
        let resolution = Resolution {
            decision: Decision::Accepted,
            by: "reviewer".to_owned(),
            at: open.created_at,
            value: None,
        };
        let settled = ReviewItem { resolution: Some(resolution), ..open };
        let stored = write(&settled).unwrap();
        assert_eq!((read(&stored).unwrap(), &stored["state"]), (settled, &text("resolved#3")));
    }
}
