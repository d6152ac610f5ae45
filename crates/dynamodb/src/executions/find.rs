//! Looking executions up in the indexes, and reading what was found from the table.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use clinflow_core::{Execution, Status};
use clinflow_ports::{StoreError, executions::Page};
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::stored::{self, SHARDS};
use crate::{
    Database,
    error::{failed, unavailable},
    item::{Item, get_number, get_text, map, number, text},
    query::up_to,
    tables::{BY_CHECK, BY_STATUS},
};

/// The most items one `BatchGetItem` takes.
const BATCH: usize = 100;

/// How often items that a batch left out are asked for again.
const BATCH_TRIES: usize = 5;

/// Executions with `status`, or all, newest first.
pub(super) async fn page(
    database: &Database,
    status: Option<Status>,
    limit: usize,
    from: Option<&str>,
) -> Result<Page, StoreError> {
    let statuses = status.map_or_else(|| Status::ALL.to_vec(), |status| vec![status]);
    let partitions =
        statuses.iter().flat_map(|status| (0..SHARDS).map(|shard| stored::state(*status, shard)));
    let queries = partitions.map(|state| by_status(database, state, limit + 1, from));
    let mut found: Vec<(String, Item)> = try_join_all(queries).await?.into_iter().flatten().collect();
    found.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
    // An execution that is changing its status may be found under both.
    found.dedup_by(|(one, _), (other, _)| one == other);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(place, _)| place.clone());
    let keys = found.into_iter().map(|(_, key)| key).collect();
    let mut executions = read(database, keys).await?;
    // The index lags behind the table.
    executions.retain(|execution| status.is_none_or(|status| execution.status == status));
    executions.sort_by_cached_key(|execution| std::cmp::Reverse(stored::place(execution)));
    Ok(Page { executions, next })
}

/// Places and keys in one partition of the index by status, newest first, before `from`.
async fn by_status(
    database: &Database,
    state: String,
    limit: usize,
    from: Option<&str>,
) -> Result<Vec<(String, Item)>, StoreError> {
    let query = database
        .client()
        .query()
        .table_name(&database.tables().executions)
        .index_name(BY_STATUS)
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":state", text(state))
        .scan_index_forward(false);
    let query = match from {
        None => query.key_condition_expression("#state = :state"),
        Some(from) => query
            .key_condition_expression("#state = :state AND place < :from")
            .expression_attribute_values(":from", text(from)),
    };
    let place = |item: &Item| Ok((get_text(item, "place")?.to_owned(), id(item)?));
    up_to(limit, query, place).await
}

/// Running executions whose check is due, the longest overdue first.
pub(super) async fn overdue(
    database: &Database,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Execution>, StoreError> {
    let queries = (0..SHARDS).map(|shard| by_check(database, shard, now, limit));
    let mut due: Vec<(i128, Item)> = try_join_all(queries).await?.into_iter().flatten().collect();
    due.sort_by_key(|(check_at, _)| *check_at);
    due.truncate(limit);
    let mut executions = read(database, due.into_iter().map(|(_, key)| key).collect()).await?;
    executions.retain(|execution| {
        execution.status == Status::Running && execution.check_at.is_some_and(|at| at <= now)
    });
    executions.sort_by_key(|execution| execution.check_at);
    Ok(executions)
}

/// Checks and keys in one partition of the index by check, the longest overdue first.
async fn by_check(
    database: &Database,
    shard: u8,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(i128, Item)>, StoreError> {
    let query = database
        .client()
        .query()
        .table_name(&database.tables().executions)
        .index_name(BY_CHECK)
        .key_condition_expression("watch = :watch AND check_at <= :now")
        .expression_attribute_values(":watch", text(shard.to_string()))
        .expression_attribute_values(":now", number(stored::nanos(now)));
    let check = |item: &Item| Ok((get_number(item, "check_at")?.unwrap_or_default(), id(item)?));
    up_to(limit, query, check).await
}

/// The table's key in an item of an index.
fn id(item: &Item) -> Result<Item, StoreError> {
    Ok(map([("id", text(get_text(item, "id")?))]))
}

/// Reads executions by key, in no order. One that is not there is left out.
async fn read(database: &Database, keys: Vec<Item>) -> Result<Vec<Execution>, StoreError> {
    let batches = keys.chunks(BATCH).map(|keys| read_batch(database, keys.to_vec()));
    Ok(try_join_all(batches).await?.into_iter().flatten().collect())
}

async fn read_batch(database: &Database, keys: Vec<Item>) -> Result<Vec<Execution>, StoreError> {
    let table = &database.tables().executions;
    let mut wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().ok();
    let mut executions = Vec::new();
    for _ in 0..BATCH_TRIES {
        let Some(keys) = wanted.take() else { return Ok(executions) };
        let mut read = database
            .client()
            .batch_get_item()
            .request_items(table, keys)
            .send()
            .await
            .map_err(unavailable)?;
        for item in read.responses.iter().flat_map(|tables| tables.get(table)).flatten() {
            executions.push(stored::read(item)?);
        }
        wanted = read.unprocessed_keys.as_mut().and_then(|tables| tables.remove(table));
    }
    match wanted {
        None => Ok(executions),
        Some(_) => Err(failed("a batch of reads stays unfinished: DynamoDB is throttled")),
    }
}
