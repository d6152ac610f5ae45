//! How an execution lies in its item.
//!
//! The body is the execution as it was made and never changes; what changes are attributes of their own, which
//! conditions and indexes look at.

use clinflow_core::{Disposition, Execution, ExecutionId, Status};
use clinflow_ports::StoreError;
use jiff::Timestamp;

use crate::{
    error::corrupt,
    item::{Item, get_json, get_number, get_text, map, number, text},
};

/// How many partitions an index is spread over. One partition of DynamoDB takes 1,000 small writes a second,
/// and a document makes up to three in an index.
pub(super) const SHARDS: u8 = 8;

/// An execution's shard. Its id is a hash, so any byte spreads it.
pub(super) fn shard(id: ExecutionId) -> u8 {
    id.as_uuid().as_bytes()[15] % SHARDS
}

/// Partition of the index by status.
pub(super) fn state(status: Status, shard: u8) -> String {
    format!("{status}#{shard}")
}

/// Where an execution stands in a list by age: text that sorts by creation, then id.
pub(super) fn place(execution: &Execution) -> String {
    format!("{:020}/{}", execution.created_at.as_millisecond().max(0), execution.id)
}

/// A time as a number that compares exactly.
pub(super) fn nanos(at: Timestamp) -> i128 {
    at.as_nanosecond()
}

/// The key of an execution.
pub(super) fn key(id: ExecutionId) -> Item {
    map([("id", text(id.to_string()))])
}

/// The item of an execution.
pub(super) fn write(execution: &Execution) -> Result<Item, StoreError> {
    let json = |what: serde_json::Result<String>| what.map_err(|error| corrupt(error.to_string()));
    let shard = shard(execution.id);
    let mut item = key(execution.id);
    item.extend(map([
        ("body", text(json(serde_json::to_string(execution))?)),
        ("status", text(execution.status.as_str())),
        ("redrives", number(execution.redrives)),
        ("state", text(state(execution.status, shard))),
        ("place", text(place(execution))),
    ]));
    if let Some(check_at) = execution.check_at {
        item.extend(map([("check_at", number(nanos(check_at))), ("watch", text(shard.to_string()))]));
    }
    if let Some(head) = &execution.head {
        item.extend(map([
            ("head", text(json(serde_json::to_string(head))?)),
            ("head_sequence", number(head.sequence)),
        ]));
    }
    if let Some(disposition) = &execution.disposition {
        item.extend(map([("disposition", text(json(serde_json::to_string(disposition))?))]));
    }
    Ok(item)
}

/// The status in an item.
pub(super) fn status(item: &Item) -> Result<Status, StoreError> {
    Status::parse(get_text(item, "status")?).ok_or_else(|| corrupt("the status of an execution"))
}

/// The execution in an item.
pub(super) fn read(item: &Item) -> Result<Execution, StoreError> {
    let check_at = get_number(item, "check_at")?
        .map(Timestamp::from_nanosecond)
        .transpose()
        .map_err(|_| corrupt("the next check of an execution"))?;
    let disposition: Option<Disposition> =
        item.contains_key("disposition").then(|| get_json(item, "disposition")).transpose()?;
    let head = item.contains_key("head").then(|| get_json(item, "head")).transpose()?;
    let redrives = get_number(item, "redrives")?.ok_or_else(|| corrupt("an execution without redrives"))?;
    Ok(Execution { status: status(item)?, redrives, check_at, disposition, head, ..get_json(item, "body")? })
}

#[cfg(test)]
mod tests {
    use clinflow_core::{
        BundleHash, DocumentHash, Lane, WorkflowId, audit::ChainHead, execution::DocumentRef,
    };
    use uuid::Uuid;

    use super::*;

    fn execution() -> Execution {
        let id = ExecutionId::from_uuid(Uuid::from_u128(0x0b));
        Execution {
            id,
            requested_workflow: WorkflowId::new("ae-report").unwrap(),
            document: DocumentRef {
                sha256: DocumentHash::of(b"document"),
                key: "documents/x".to_owned(),
                media_type: "text/plain".to_owned(),
                size: 8,
            },
            bundle: BundleHash::of(b"bundle"),
            session: None,
            team: None,
            lane: Lane::Batch,
            submission: Uuid::from_u128(1),
            created_at: Timestamp::from_millisecond(1_700_000_000_123).unwrap(),
            redrives: 2,
            check_at: Some(Timestamp::new(1_700_000_060, 123_456_789).unwrap()),
            status: Status::Running,
            disposition: None,
            head: None,
        }
    }

    #[test]
    fn an_execution_reads_back_exactly() {
        let running = execution();
        assert_eq!(read(&write(&running).unwrap()).unwrap(), running);
        let ended = Execution {
            status: Status::Failed,
            check_at: None,
            head: Some(ChainHead::genesis(running.id)),
            disposition: Some(Disposition {
                status: Status::Failed,
                workflow: None,
                code: Some("document.unreadable".to_owned()),
                message: None,
                outputs: None,
                head: ChainHead::genesis(running.id),
                at: running.created_at,
            }),
            ..running
        };
        assert_eq!(read(&write(&ended).unwrap()).unwrap(), ended);
    }

    #[test]
    fn only_what_is_to_be_checked_is_in_the_index_of_checks() {
        let running = write(&execution()).unwrap();
        assert_eq!((&running["state"], &running["watch"]), (&text("running#3"), &text("3")));
        let parked = write(&Execution { status: Status::Parked, check_at: None, ..execution() }).unwrap();
        assert_eq!((&parked["state"], parked.get("watch")), (&text("parked#3"), None));
    }

    #[test]
    fn what_an_attribute_says_outweighs_the_body() {
        let mut item = write(&execution()).unwrap();
        item.insert("status".to_owned(), text("completed"));
        item.insert("redrives".to_owned(), number(3));
        item.remove("check_at");
        let read = read(&item).unwrap();
        assert_eq!((read.status, read.redrives, read.check_at), (Status::Completed, 3, None));
    }

    #[test]
    fn an_item_of_something_else_is_corrupt() {
        let mut item = write(&execution()).unwrap();
        item.insert("status".to_owned(), text("lost"));
        assert!(matches!(read(&item), Err(StoreError::Corrupt { .. })));
        assert!(matches!(read(&Item::new()), Err(StoreError::Corrupt { .. })));
    }
}
