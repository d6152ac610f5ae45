//! Executions: where the truth about a document's run lives.

use async_trait::async_trait;
use clinflow_core::{Disposition, Execution, ExecutionId, Status, audit::ChainHead};
use jiff::Timestamp;

use crate::error::StoreError;

/// What became of a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// The execution is new.
    New,
    /// It was there before, as it stands now.
    Existing(Box<Execution>),
}

/// What became of a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// The status is now the one asked for.
    Applied,
    /// The status may not be left for the one asked for (INV-02); nothing changed.
    Kept(Status),
}

/// A page of executions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Newest first.
    pub executions: Vec<Execution>,
    /// Opaque: where the next page begins; `None` on the last page.
    pub next: Option<String>,
}

/// The executions table.
#[async_trait]
pub trait Executions: Send + Sync + 'static {
    /// Writes `execution` unless its id is taken.
    async fn create(&self, execution: &Execution) -> Result<Created, StoreError>;

    /// One execution.
    async fn get(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError>;

    /// Executions with `status`, or all, newest first, at most `limit`, from where a page ended.
    async fn list(
        &self,
        status: Option<Status>,
        limit: usize,
        from: Option<&str>,
    ) -> Result<Page, StoreError>;

    /// Leaves the running (or parked) state as [`Execution::may_become`] allows, atomically.
    async fn settle(&self, id: ExecutionId, disposition: &Disposition) -> Result<Transition, StoreError>;

    /// Makes the change that a person's recorded decision asks for, as [`Execution::may_be_made`] allows, atomically
    /// and only while the execution has `seen` redrives. One that runs again has one redrive more and is looked at
    /// at `check_at`; of several people who ask for the same at once, one gets [`Transition::Applied`].
    async fn intervene(
        &self,
        id: ExecutionId,
        seen: u32,
        disposition: &Disposition,
        check_at: Option<Timestamp>,
    ) -> Result<Transition, StoreError>;

    /// Remembers that the audit log holds `head`, unless a newer record is known.
    async fn witness(&self, id: ExecutionId, head: ChainHead) -> Result<(), StoreError>;

    /// Up to `limit` running executions whose `check_at` is not after `now`, the longest overdue first. May lag
    /// behind writes.
    async fn overdue(&self, now: Timestamp, limit: usize) -> Result<Vec<Execution>, StoreError>;

    /// Counts one redrive and sets the next check, if the execution still runs and still has
    /// `seen` redrives: of several sweepers one gets `true`.
    async fn redrive(&self, id: ExecutionId, seen: u32, check_at: Timestamp) -> Result<bool, StoreError>;

    /// Moves the next check without counting a redrive, under the same condition.
    async fn postpone(&self, id: ExecutionId, seen: u32, check_at: Timestamp) -> Result<bool, StoreError>;
}
