//! The audit log: append-only, one hash chain per execution.

use async_trait::async_trait;
use clinflow_core::{
    ExecutionId,
    audit::{ChainHead, Entry, Record},
};

use crate::error::StoreError;

/// The audit log. Nothing is ever changed or removed through this port.
#[async_trait]
pub trait AuditLog: Send + Sync + 'static {
    /// Puts `entry` at the end of its execution's chain. `after` is where the caller believes the chain ends;
    /// when it is wrong, the true end is found. An entry whose message id is in the chain already is not
    /// written again: the record that is there is answered, so that a redelivery changes nothing (INV-03).
    async fn append(&self, after: ChainHead, entry: Entry) -> Result<Record, StoreError>;

    /// The whole chain, first record first.
    async fn read(&self, execution: ExecutionId) -> Result<Vec<Record>, StoreError>;
}
