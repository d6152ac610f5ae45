//! The cost ledger: items that are only ever put, never changed or removed.
//!
//! An attempt's intent and outcome lie together under its id, where each is written once. What finds them by time is a
//! pointer under the team, the day and a shard, written before the intent, so that no intent is ever missed; one whose
//! intent never came points to nothing. An index of DynamoDB's own would lag behind, and a rebuild of the counters would
//! miss what was spent last. The stored answer to a question lies under its fingerprint, written before the outcome it is
//! of, so that a crash between the two cannot lead to a second call.

use std::collections::BTreeSet;

use async_trait::async_trait;
use clinflow_core::{TeamId, id::ObjectHash};
use clinflow_cost::{Attempt, Entry, Intent, Outcome};
use clinflow_ports::{
    StoreError,
    ledger::{Ledger, Noted},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::{
    Database,
    error::{STORE, corrupt, failed, unavailable},
    item::{Item, get_json, get_text, map, number, text},
    query::up_to,
    write::{Outcome as Wrote, Write},
};

/// The key of an item.
const KEY: [&str; 2] = ["part", "entry"];
/// The second key of an attempt's intent.
const INTENT: &str = "intent";
/// The second key of an attempt's outcome.
const OUTCOME: &str = "outcome";
/// The second key of a stored answer.
const ANSWER: &str = "answer";

/// Over how many partitions the attempts of a team's day are spread. One takes a thousand writes a second.
const SHARDS: u8 = 4;

/// How many reads are under way at once.
const READS: usize = 32;

/// [`Ledger`] on DynamoDB.
#[derive(Debug)]
pub struct DynamoLedger(Database);

impl DynamoLedger {
    /// The ledger in `database`.
    pub const fn new(database: Database) -> Self {
        Self(database)
    }

    fn table(&self) -> &str {
        &self.0.tables().ledger
    }

    /// Puts an item unless it is there; answers the one that was.
    async fn create(&self, item: Item) -> Result<Option<Item>, StoreError> {
        match self.0.write(Write::create(self.table(), &KEY, item)).await? {
            Wrote::Written => Ok(None),
            Wrote::Conflict(mut known) => {
                Ok(Some(known.pop().ok_or_else(|| failed("an item in the way was not shown"))?))
            }
        }
    }

    /// Every item of a partition, in order.
    async fn partition(&self, part: String) -> Result<Vec<Item>, StoreError> {
        let query = self
            .0
            .client()
            .query()
            .table_name(self.table())
            .key_condition_expression("part = :part")
            .expression_attribute_values(":part", text(part))
            .consistent_read(true);
        up_to(usize::MAX, query, |item| Ok(item.clone())).await
    }
}

/// An item's key.
fn key(part: String, entry: &str) -> Item {
    map([("part", text(part)), ("entry", text(entry))])
}

/// An item that holds something as JSON.
fn holding(part: String, entry: &str, what: &impl Serialize) -> Result<Item, StoreError> {
    let body =
        serde_json::to_string(what).map_err(|error| failed(&format!("write a ledger entry: {error}")))?;
    let mut item = key(part, entry);
    item.insert("body".to_owned(), text(body));
    Ok(item)
}

fn attempt_part(attempt: Attempt) -> String {
    format!("attempt#{attempt}")
}

fn answer_part(fingerprint: ObjectHash) -> String {
    format!("answer#{fingerprint}")
}

fn alerts_part(team: &TeamId) -> String {
    format!("alerts#{team}")
}

/// Where the attempts of a team's day are found.
fn day_part(team: &TeamId, day: &str, shard: u8) -> String {
    format!("day#{team}#{day}#{shard}")
}

/// A time's day, in UTC.
fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}

/// The shard of an attempt. Invocation ids are hashes, so any byte spreads them.
fn shard(attempt: Attempt) -> u8 {
    attempt.invocation.as_bytes()[15] % SHARDS
}

/// Every day from that of `from` to that of `until`.
fn days(from: Timestamp, until: Timestamp) -> Vec<String> {
    let (mut days, mut at) = (Vec::new(), from);
    while at < until {
        days.push(day(at));
        at = at.checked_add(SignedDuration::from_hours(24)).unwrap_or(until);
    }
    let last = day(until);
    if days.last() != Some(&last) {
        days.push(last);
    }
    days
}

#[async_trait]
impl Ledger for DynamoLedger {
    async fn put_intent(&self, intent: &Intent) -> Result<Noted, StoreError> {
        let attempt = intent.attempt;
        let pointer = key(day_part(&intent.team, &day(intent.at), shard(attempt)), &attempt.to_string());
        self.create(pointer).await?;
        let mut item = holding(attempt_part(attempt), INTENT, intent)?;
        item.insert("hold".to_owned(), number(intent.hold.get()));
        if self.create(item).await?.is_none() {
            return Ok(Noted::New);
        }
        let known = self.attempt(attempt).await?.ok_or_else(|| corrupt(format!("attempt `{attempt}`")))?;
        Ok(Noted::Known(Box::new(known)))
    }

    async fn put_outcome(&self, outcome: &Outcome) -> Result<Outcome, StoreError> {
        let attempt = outcome.attempt;
        let known = self.attempt(attempt).await?;
        let known = known.ok_or_else(|| StoreError::Missing { store: STORE, key: attempt.to_string() })?;
        // An answer that was stored without its outcome counts as the outcome: it is what was billed.
        let outcome = known.outcome.unwrap_or_else(|| outcome.clone());
        if outcome.answer.is_some() {
            self.create(holding(answer_part(outcome.fingerprint), ANSWER, &outcome)?).await?;
        }
        let mut item = holding(attempt_part(attempt), OUTCOME, &outcome)?;
        item.insert("cost".to_owned(), number(outcome.cost.get()));
        match self.create(item).await? {
            None => Ok(outcome),
            Some(known) => get_json(&known, "body"),
        }
    }

    async fn attempt(&self, attempt: Attempt) -> Result<Option<Entry>, StoreError> {
        let items = self.partition(attempt_part(attempt)).await?;
        let (mut intent, mut outcome) = (None::<Intent>, None::<Outcome>);
        for item in &items {
            match get_text(item, "entry")? {
                INTENT => intent = Some(get_json(item, "body")?),
                OUTCOME => outcome = Some(get_json(item, "body")?),
                _ => return Err(corrupt(format!("attempt `{attempt}`"))),
            }
        }
        let Some(intent) = intent else { return Ok(None) };
        if outcome.is_none() {
            // Whoever stored the answer may have died before writing the outcome.
            let answer = self.answer(intent.fingerprint).await?;
            outcome = answer.filter(|answer| answer.attempt == attempt);
        }
        Ok(Some(Entry { intent, outcome }))
    }

    async fn answer(&self, fingerprint: ObjectHash) -> Result<Option<Outcome>, StoreError> {
        let found = self
            .0
            .client()
            .get_item()
            .table_name(self.table())
            .set_key(Some(key(answer_part(fingerprint), ANSWER)))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        found.item().map(|item| get_json(item, "body")).transpose()
    }

    async fn read(&self, team: &TeamId, from: Timestamp, until: Timestamp) -> Result<Vec<Entry>, StoreError> {
        let mut parts = Vec::new();
        for day in days(from, until) {
            parts.extend((0..SHARDS).map(|shard| day_part(team, &day, shard)));
        }
        let pointers: Vec<Vec<Item>> = stream::iter(parts)
            .map(|part| self.partition(part))
            .buffer_unordered(READS)
            .try_collect()
            .await?;
        // A set: an intent that was written again after midnight is pointed to twice.
        let mut attempts = BTreeSet::new();
        for pointer in pointers.iter().flatten() {
            let name = get_text(pointer, "entry")?;
            attempts.insert(name.parse::<Attempt>().map_err(|_| corrupt(format!("pointer `{name}`")))?);
        }
        let entries: Vec<Option<Entry>> = stream::iter(attempts)
            .map(|attempt| self.attempt(attempt))
            .buffer_unordered(READS)
            .try_collect()
            .await?;
        let mut entries: Vec<Entry> = entries
            .into_iter()
            .flatten()
            .filter(|entry| (from..until).contains(&entry.intent.at) && entry.intent.team == *team)
            .collect();
        entries.sort_by_key(|entry| (entry.intent.at, entry.intent.attempt));
        Ok(entries)
    }

    async fn put_alert(&self, team: &TeamId, alert: &str) -> Result<(), StoreError> {
        self.create(key(alerts_part(team), alert)).await?;
        Ok(())
    }

    async fn alerts(&self, team: &TeamId) -> Result<BTreeSet<String>, StoreError> {
        let items = self.partition(alerts_part(team)).await?;
        items.iter().map(|item| get_text(item, "entry").map(str::to_owned)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_time_is_looked_at_with_its_first_and_its_last() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let all = days(at("2026-11-22T23:59:00Z"), at("2026-11-24T00:01:00Z"));
        assert_eq!(all, ["2026-11-22", "2026-11-23", "2026-11-24"]);
        assert_eq!(days(at("2026-11-22T10:00:00Z"), at("2026-11-22T11:00:00Z")), ["2026-11-22"]);
        let month = days(at("2026-02-01T00:00:00Z"), at("2026-03-01T00:00:00Z"));
        assert_eq!((month.len(), month[27].as_str()), (29, "2026-02-28"));
    }
}
