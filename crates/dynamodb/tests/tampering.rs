//! What somebody with the right to change the table may do to the audit log, and how it shows: every record of a
//! chain changed, removed or exchanged with another, over the real protocol.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use clinflow_core::{
    BundleHash, DocumentHash, ExecutionId,
    audit::{Broken, ChainHead, Entry, Event, verify_up_to},
};
use clinflow_dynamodb::{Config, Database, DynamoAuditLog};
use clinflow_ports::{AuditLog, StoreError};
use clinflow_testkit::dynamodb::DynamoDb;
use jiff::Timestamp;
use uuid::Uuid;

const LENGTH: u32 = 5;

type Item = HashMap<String, AttributeValue>;

/// The table as somebody sees it who does not go through the log.
struct Intruder {
    client: Client,
    table: String,
}

impl Intruder {
    async fn new(config: &Config) -> Self {
        let service = clinflow_aws::Service {
            name: "DynamoDB",
            endpoint: config.endpoint.as_deref(),
            region: None,
            timeout: Some(config.timeout),
            connect_timeout: config.connect_timeout,
        };
        let client = Client::new(&clinflow_aws::config(service).await.unwrap());
        Self { client, table: format!("{}-audit", config.table_prefix) }
    }

    fn key(execution: ExecutionId, sequence: u32) -> Item {
        HashMap::from([
            ("execution".to_owned(), AttributeValue::S(execution.to_string())),
            ("sequence".to_owned(), AttributeValue::N(sequence.to_string())),
        ])
    }

    async fn get(&self, execution: ExecutionId, sequence: u32) -> Item {
        let key = Self::key(execution, sequence);
        let found = self.client.get_item().table_name(&self.table).set_key(Some(key)).send().await.unwrap();
        found.item.unwrap()
    }

    async fn put(&self, item: Item) {
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await.unwrap();
    }

    async fn delete(&self, execution: ExecutionId, sequence: u32) {
        let key = Self::key(execution, sequence);
        self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await.unwrap();
    }

    /// Puts what stands at `from` into the place `to`, key and all.
    async fn place(&self, mut item: Item, to: u32) {
        item.insert("sequence".to_owned(), AttributeValue::N(to.to_string()));
        self.put(item).await;
    }
}

/// A chain of its own for every test case.
async fn chain(log: &DynamoAuditLog, execution: ExecutionId) -> ChainHead {
    let mut head = ChainHead::genesis(execution);
    for message in 0..LENGTH {
        let entry = Entry {
            execution,
            message_id: Uuid::from_u128(u128::from(message)),
            document: DocumentHash::of(b"document"),
            bundle: BundleHash::of(b"bundle"),
            session: None,
            at: Timestamp::UNIX_EPOCH,
            event: Event::Noted { event: "clinflow.v1.CostAnomaly".to_owned(), message: message.to_string() },
        };
        head = log.append(head, entry).await.unwrap().head();
    }
    head
}

/// Where a chain is broken, as `audit verify` finds it: by the chain, or by a record that cannot be read.
async fn broken_at(log: &DynamoAuditLog, execution: ExecutionId, known: ChainHead) -> Option<u32> {
    match log.read(execution).await {
        Ok(records) => verify_up_to(execution, &records, Some(known)).err().as_ref().map(Broken::at),
        Err(StoreError::Corrupt { what, .. }) => {
            what.split_whitespace().find_map(|word| word.parse().ok()).or(Some(0))
        }
        Err(error) => panic!("{error}"),
    }
}

async fn house(server: &DynamoDb) -> (DynamoAuditLog, Intruder) {
    let config = server.config("tampering");
    let database = Database::connect(&config).await.unwrap();
    database.create_tables().await.unwrap();
    (DynamoAuditLog::new(database), Intruder::new(&config).await)
}

fn execution(n: u32) -> ExecutionId {
    ExecutionId::from_uuid(Uuid::from_u128(u128::from(n) + 1))
}

#[tokio::test]
async fn an_untouched_chain_verifies() {
    let server = DynamoDb::start().unwrap();
    let (log, _) = house(&server).await;
    let known = chain(&log, execution(0)).await;
    assert_eq!(broken_at(&log, execution(0), known).await, None);
}

#[tokio::test]
async fn every_record_that_is_removed_is_found_the_last_one_too() {
    let server = DynamoDb::start().unwrap();
    let (log, intruder) = house(&server).await;
    for sequence in 1..=LENGTH {
        let execution = execution(sequence);
        let known = chain(&log, execution).await;
        intruder.delete(execution, sequence).await;
        assert_eq!(broken_at(&log, execution, known).await, Some(sequence));
    }
}

#[tokio::test]
async fn every_record_that_is_changed_is_found_whichever_of_its_attributes_is() {
    let server = DynamoDb::start().unwrap();
    let (log, intruder) = house(&server).await;
    let mut case = 100;
    for sequence in 1..=LENGTH {
        for (attribute, from, to) in [
            ("body", "\"message\":\"", "\"message\":\"9"),
            ("body", "{", "["),
            ("hash", "", "0"),
            ("message_id", "", "0"),
        ] {
            case += 1;
            let execution = execution(case);
            let known = chain(&log, execution).await;
            let mut item = intruder.get(execution, sequence).await;
            let text = item[attribute].as_s().unwrap().replacen(from, to, 1);
            item.insert(attribute.to_owned(), AttributeValue::S(text));
            intruder.put(item).await;
            assert_eq!(broken_at(&log, execution, known).await, Some(sequence), "{attribute} of {sequence}");
        }
    }
}

#[tokio::test]
async fn every_two_records_that_are_exchanged_are_found_at_the_first() {
    let server = DynamoDb::start().unwrap();
    let (log, intruder) = house(&server).await;
    let mut case = 1000;
    for one in 1..LENGTH {
        for other in one + 1..=LENGTH {
            case += 1;
            let execution = execution(case);
            let known = chain(&log, execution).await;
            let (first, second) = (intruder.get(execution, one).await, intruder.get(execution, other).await);
            intruder.place(first, other).await;
            intruder.place(second, one).await;
            assert_eq!(broken_at(&log, execution, known).await, Some(one), "{one} and {other}");
        }
    }
}
