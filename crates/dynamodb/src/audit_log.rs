//! The audit log: one item a record, its place in the chain in its key.
//!
//! Items are only ever put, never changed or removed, so that the services' role needs no permission to do
//! either. An append is one call: the record is put at the place its caller expects to be free, and the same
//! transaction checks the records before it. What is written thereby follows a record that exists, and no
//! message is recorded twice.

use async_trait::async_trait;
use clinflow_core::{
    ExecutionId,
    audit::{ChainHead, Entry, Record},
};
use clinflow_ports::{AuditLog, StoreError};
use uuid::Uuid;

use crate::{
    Database,
    error::{corrupt, failed, unavailable},
    item::{Item, get_json, get_number, get_text, map, number, text},
    write::{Condition, Outcome, Write},
};

/// The key of a record.
const KEY: [&str; 2] = ["execution", "sequence"];

/// The longest chain whose records an append checks one by one. A document's own chain has two or three
/// records; from here on the chain is read instead.
const CHECKED: u32 = 8;

/// How often an append looks for the end of the chain before it gives up. Each time somebody else has
/// appended, so this many writers of one execution would have to be at work.
const ROUNDS: u32 = 64;

/// [`AuditLog`] on DynamoDB.
#[derive(Debug)]
pub struct DynamoAuditLog(Database);

impl DynamoAuditLog {
    /// The audit log in `database`.
    pub const fn new(database: Database) -> Self {
        Self(database)
    }

    fn table(&self) -> &str {
        &self.0.tables().audit
    }

    /// Puts `record` in its place, if that is free.
    fn put(&self, record: &Record) -> Result<Write, StoreError> {
        let body = serde_json::to_string(record)
            .map_err(|error| failed(&format!("write record {}: {error}", record.sequence)))?;
        let mut item = key(record.entry.execution, record.sequence);
        item.extend(map([
            ("hash", text(record.hash.to_string())),
            ("message_id", text(record.entry.message_id.to_string())),
            ("body", text(body)),
        ]));
        Ok(Write::create(self.table(), &KEY, item))
    }

    /// The same, if the chain up to there is what the caller believes: the last record has `after`'s hash, and
    /// none is about this record's message.
    fn put_checked(&self, record: &Record, after: ChainHead) -> Result<Write, StoreError> {
        let (execution, message) = (record.entry.execution, record.entry.message_id);
        let check = |write: Write, sequence| {
            let hash = (sequence == after.sequence).then(|| after.hash.to_string());
            write.checking(self.table(), &KEY, key(execution, sequence), precedes(message, hash))
        };
        Ok((1..=after.sequence).fold(self.put(record)?, check))
    }

    /// The end of a chain that does not hold `message`, or the record that it is in.
    async fn end(
        &self,
        execution: ExecutionId,
        message: Uuid,
    ) -> Result<Result<ChainHead, Record>, StoreError> {
        let chain = self.read(execution).await?;
        let head = chain.last().map_or_else(|| ChainHead::genesis(execution), Record::head);
        Ok(match chain.into_iter().find(|record| record.entry.message_id == message) {
            Some(known) => Err(known),
            None => Ok(head),
        })
    }
}

/// A record's key.
fn key(execution: ExecutionId, sequence: u32) -> Item {
    map([("execution", text(execution.to_string())), ("sequence", number(sequence))])
}

/// The record in an item, which says the same in its key and attributes as in its body.
fn read(item: &Item) -> Result<Record, StoreError> {
    let sequence: u32 =
        get_number(item, "sequence")?.ok_or_else(|| corrupt("an audit record without its place"))?;
    let unreadable = || corrupt(format!("audit record {sequence} is not what was written"));
    let record: Record = get_json(item, "body").map_err(|_| unreadable())?;
    let told = [("hash", record.hash.to_string()), ("message_id", record.entry.message_id.to_string())];
    let agrees = told.iter().all(|(name, value)| get_text(item, name).is_ok_and(|text| text == value));
    if agrees { Ok(record) } else { Err(unreadable()) }
}

/// That a record exists, has this hash if one is given, and is about another message.
fn precedes(message: Uuid, hash: Option<String>) -> Condition {
    let mut condition = Condition {
        expression: "attribute_exists(message_id) AND message_id <> :message".to_owned(),
        names: [].into(),
        values: map([(":message", text(message.to_string()))]),
    };
    if let Some(hash) = hash {
        // HASH is a reserved word.
        condition.expression.push_str(" AND #hash = :hash");
        condition.names.insert("#hash".to_owned(), "hash".to_owned());
        condition.values.insert(":hash".to_owned(), text(hash));
    }
    condition
}

/// The record about `message` among the items that stood in the way.
fn known(items: &[Item], message: Uuid) -> Result<Option<Record>, StoreError> {
    for item in items {
        let record: Record = get_json(item, "body")?;
        if record.entry.message_id == message {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

#[async_trait]
impl AuditLog for DynamoAuditLog {
    async fn append(&self, after: ChainHead, entry: Entry) -> Result<Record, StoreError> {
        let (execution, message) = (entry.execution, entry.message_id);
        // `Some` while all that is known of the chain is what the caller says.
        let mut believed = Some(after).filter(|after| after.sequence <= CHECKED);
        for _ in 0..ROUNDS {
            let (record, write) = match believed.take() {
                // The hash of the first record's predecessor is no secret, so a wrong one is put right here.
                Some(head) if head.sequence == 0 => {
                    let record = Record::after(ChainHead::genesis(execution), entry.clone());
                    let write = self.put(&record)?;
                    (record, write)
                }
                Some(head) => {
                    let record = Record::after(head, entry.clone());
                    let write = self.put_checked(&record, head)?;
                    (record, write)
                }
                None => match self.end(execution, message).await? {
                    Err(known) => return Ok(known),
                    // Records are never removed, so what was read still precedes; and if the message is being
                    // recorded by somebody else right now, then in this very place.
                    Ok(head) => {
                        let record = Record::after(head, entry.clone());
                        let write = self.put(&record)?;
                        (record, write)
                    }
                },
            };
            match self.0.write(write).await? {
                Outcome::Written => return Ok(record),
                Outcome::Conflict(items) => {
                    if let Some(record) = known(&items, message)? {
                        return Ok(record);
                    }
                }
            }
        }
        Err(failed("too many writers append to one audit chain"))
    }

    async fn read(&self, execution: ExecutionId) -> Result<Vec<Record>, StoreError> {
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
        let mut records = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(unavailable)?.items() {
                records.push(read(item)?);
            }
        }
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_before_must_exist_be_about_another_message_and_the_last_have_the_hash() {
        let message = Uuid::from_u128(1);
        let (before, last) = (precedes(message, None), precedes(message, Some("ab".to_owned())));
        assert_eq!(before.expression, "attribute_exists(message_id) AND message_id <> :message");
        assert_eq!(
            last.expression,
            "attribute_exists(message_id) AND message_id <> :message AND #hash = :hash"
        );
        assert_eq!(last.values[":hash"], text("ab"));
    }
}
