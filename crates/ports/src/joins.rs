//! Joins: where the branches of an execution meet.

use async_trait::async_trait;
use clinflow_core::{
    ExecutionId,
    join::{Arrival, Part},
};
use jiff::Timestamp;

use crate::error::StoreError;

/// Which join: an execution has one for each time it was driven through the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JoinKey {
    /// The execution.
    pub execution: ExecutionId,
    /// The redrive.
    pub redrive: u32,
}

/// A join that its deadline has closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// Which.
    pub key: JoinKey,
    /// What had arrived, by branch name in order.
    pub parts: Vec<Part>,
    /// The branches that had not.
    pub missing: Vec<String>,
}

/// Named branches with set-once writes; see [`clinflow_core::join`]. Each call is atomic, whoever else calls.
#[async_trait]
pub trait Joins: Send + Sync + 'static {
    /// A part arrives. The first arrival sets `expected` and `deadline`; later ones are ignored there.
    async fn arrive(
        &self,
        key: JoinKey,
        expected: &[String],
        deadline: Timestamp,
        part: Part,
    ) -> Result<Arrival, StoreError>;

    /// Closes and answers up to `limit` joins whose deadline is not after `now`. The same ones are answered
    /// again until they are [`Joins::settle`]d, because whoever asked may crash before emitting.
    async fn expire(&self, now: Timestamp, limit: usize) -> Result<Vec<Expired>, StoreError>;

    /// The partial result of an expired join was emitted: stop answering it.
    async fn settle(&self, key: JoinKey) -> Result<(), StoreError>;
}
