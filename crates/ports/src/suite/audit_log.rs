//! What every [`AuditLog`] does.
#![expect(clippy::unwrap_used, reason = "a test suite: a failure is the answer")]

use clinflow_core::{
    BundleHash, DocumentHash, ExecutionId,
    audit::{ChainHead, Entry, Event, Record, verify},
    id::ObjectHash,
};
use jiff::Timestamp;

use super::unique;
use crate::audit_log::AuditLog;

fn entry(execution: ExecutionId, message: &str) -> Entry {
    Entry {
        execution,
        message_id: unique(),
        document: DocumentHash::of(b"document"),
        bundle: BundleHash::of(b"bundle"),
        session: None,
        at: Timestamp::from_second(1_000).unwrap(),
        event: Event::Noted { event: "clinflow.v1.CostAnomaly".to_owned(), message: message.to_owned() },
    }
}

fn execution() -> ExecutionId {
    ExecutionId::from_uuid(unique())
}

/// Records follow each other and the chain verifies.
pub async fn a_chain_grows_and_verifies(log: &dyn AuditLog) {
    let id = execution();
    let mut head = ChainHead::genesis(id);
    for n in 0..3 {
        head = log.append(head, entry(id, &n.to_string())).await.unwrap().head();
    }
    let records = log.read(id).await.unwrap();
    assert_eq!(verify(id, &records).unwrap(), head);
    assert_eq!(head.sequence, 3);
}

/// The same message again answers the record that is there (INV-03).
pub async fn the_same_message_is_recorded_once(log: &dyn AuditLog) {
    let id = execution();
    let first = entry(id, "once");
    let record = log.append(ChainHead::genesis(id), first.clone()).await.unwrap();
    let later = Entry { at: Timestamp::from_second(9_000).unwrap(), ..first };
    assert_eq!(log.append(ChainHead::genesis(id), later.clone()).await.unwrap(), record);
    assert_eq!(log.append(record.head(), later).await.unwrap(), record, "also with the newest head");
    assert_eq!(log.read(id).await.unwrap(), [record]);
}

/// A caller that is wrong about the end of the chain still appends at the end.
pub async fn a_stale_head_appends_at_the_true_end(log: &dyn AuditLog) {
    let id = execution();
    let genesis = ChainHead::genesis(id);
    log.append(genesis, entry(id, "one")).await.unwrap();
    let second = log.append(genesis, entry(id, "two")).await.unwrap();
    assert_eq!(second.sequence, 2);
    let invented = ChainHead { sequence: 7, hash: ObjectHash::of(b"no such record") };
    let third = log.append(invented, entry(id, "three")).await.unwrap();
    assert_eq!(third.sequence, 3);
    verify(id, &log.read(id).await.unwrap()).unwrap();
}

/// Many writers of one chain lose nothing and break nothing.
pub async fn racing_writers_make_one_unbroken_chain(log: &dyn AuditLog) {
    let id = execution();
    let genesis = ChainHead::genesis(id);
    let appends = (0..8).map(|n| log.append(genesis, entry(id, &n.to_string())));
    futures_util::future::try_join_all(appends).await.unwrap();
    let records: Vec<Record> = log.read(id).await.unwrap();
    assert_eq!(records.len(), 8);
    verify(id, &records).unwrap();
}

/// Many executions at once keep their chains apart.
pub async fn chains_of_many_executions_do_not_mix(log: &dyn AuditLog) {
    let ids: Vec<ExecutionId> = (0..40).map(|_| execution()).collect();
    let appends = ids.iter().map(|id| log.append(ChainHead::genesis(*id), entry(*id, "one")));
    futures_util::future::try_join_all(appends).await.unwrap();
    for id in ids {
        assert_eq!(log.read(id).await.unwrap().len(), 1);
    }
}

/// A chain nobody wrote is empty.
pub async fn an_unknown_chain_is_empty(log: &dyn AuditLog) {
    assert_eq!(log.read(execution()).await.unwrap(), []);
}

/// Runs the suite against one implementation.
#[macro_export]
macro_rules! audit_log_suite {
    ($make:expr) => {
        $crate::suite_tests!(
            audit_log,
            $make,
            [
                a_chain_grows_and_verifies,
                the_same_message_is_recorded_once,
                a_stale_head_appends_at_the_true_end,
                racing_writers_make_one_unbroken_chain,
                chains_of_many_executions_do_not_mix,
                an_unknown_chain_is_empty,
            ]
        );
    };
}
