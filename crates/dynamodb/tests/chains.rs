//! The audit chain when callers are wrong about it.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use clinflow_core::{
    BundleHash, DocumentHash, ExecutionId,
    audit::{ChainHead, Entry, Event, Record, verify},
    id::ObjectHash,
};
use clinflow_dynamodb::{Config, Database, DynamoAuditLog};
use clinflow_ports::AuditLog;
use clinflow_testkit::dynamodb::DynamoDb;
use jiff::Timestamp;
use uuid::Uuid;

const EXECUTION: ExecutionId = ExecutionId::from_uuid(Uuid::from_u128(1));

/// An entry about the message with this number.
fn entry(message: u128) -> Entry {
    Entry {
        execution: EXECUTION,
        message_id: Uuid::from_u128(message),
        document: DocumentHash::of(b"document"),
        bundle: BundleHash::of(b"bundle"),
        session: None,
        at: Timestamp::UNIX_EPOCH,
        event: Event::Noted { event: "clinflow.v1.CostAnomaly".to_owned(), message: String::new() },
    }
}

async fn log(server: &DynamoDb) -> DynamoAuditLog {
    let config = Config { group: Some(100), ..server.config("chains") };
    let database = Database::connect(&config).await.unwrap();
    database.create_tables().await.unwrap();
    DynamoAuditLog::new(database)
}

/// A chain about the messages 1 to `length`.
async fn chain(log: &DynamoAuditLog, length: u128) -> Vec<Record> {
    let mut head = ChainHead::genesis(EXECUTION);
    for message in 1..=length {
        head = log.append(head, entry(message)).await.unwrap().head();
    }
    log.read(EXECUTION).await.unwrap()
}

#[tokio::test]
async fn a_message_far_back_in_the_chain_is_not_recorded_again_under_the_newest_head() {
    let server = DynamoDb::start().unwrap();
    let log = log(&server).await;
    let mut records = chain(&log, 1).await;
    // Up to beyond the length that an append checks record by record.
    for message in 2..=12 {
        let head = records[records.len() - 1].head();
        records.push(log.append(head, entry(message)).await.unwrap());
        let newest = records[records.len() - 1].head();
        assert_eq!(log.append(newest, entry(1)).await.unwrap(), records[0], "after record {message}");
    }
    assert_eq!(log.read(EXECUTION).await.unwrap(), records);
}

#[tokio::test]
async fn an_invented_head_leaves_no_gap_and_no_wrong_link() {
    let server = DynamoDb::start().unwrap();
    let log = log(&server).await;
    chain(&log, 2).await;
    let invented = [
        ChainHead { sequence: 2, hash: ObjectHash::of(b"right place, wrong hash") },
        ChainHead { sequence: 7, hash: ObjectHash::of(b"beyond the end") },
        ChainHead { sequence: 4_000_000_000, hash: ObjectHash::of(b"far beyond the end") },
        ChainHead { sequence: 0, hash: ObjectHash::of(b"another beginning") },
    ];
    for (head, message) in invented.into_iter().zip(10..) {
        log.append(head, entry(message)).await.unwrap();
    }
    let records = log.read(EXECUTION).await.unwrap();
    assert_eq!(verify(EXECUTION, &records).unwrap().sequence, 6);
}

#[tokio::test]
async fn a_first_record_under_an_invented_beginning_still_verifies() {
    let server = DynamoDb::start().unwrap();
    let log = log(&server).await;
    log.append(ChainHead { sequence: 0, hash: ObjectHash::of(b"another beginning") }, entry(1))
        .await
        .unwrap();
    assert_eq!(verify(EXECUTION, &log.read(EXECUTION).await.unwrap()).unwrap().sequence, 1);
}

#[tokio::test]
async fn racing_redeliveries_of_one_message_make_one_record() {
    let server = DynamoDb::start().unwrap();
    let log = log(&server).await;
    let records = chain(&log, 2).await;
    let head = records[1].head();
    let answers =
        futures_util::future::try_join_all((0..16).map(|_| log.append(head, entry(3)))).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(log.read(EXECUTION).await.unwrap().len(), 3);
}
