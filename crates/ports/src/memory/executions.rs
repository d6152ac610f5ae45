//! Executions in a map.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use clinflow_core::{Disposition, Execution, ExecutionId, Status, audit::ChainHead};
use jiff::Timestamp;

use super::lock;
use crate::{
    error::StoreError,
    executions::{Created, Executions, Page, Transition},
};

/// [`Executions`] in memory.
#[derive(Debug, Default)]
pub struct MemoryExecutions(Mutex<BTreeMap<ExecutionId, Execution>>);

impl MemoryExecutions {
    /// Changes a running execution that has `seen` redrives; answers whether it was there to change.
    fn if_running(&self, id: ExecutionId, seen: u32, change: impl FnOnce(&mut Execution)) -> bool {
        match lock(&self.0).get_mut(&id) {
            Some(execution) if execution.status == Status::Running && execution.redrives == seen => {
                change(execution);
                true
            }
            _ => false,
        }
    }
}

fn missing(id: ExecutionId) -> StoreError {
    StoreError::Missing { store: "executions", key: id.to_string() }
}

#[async_trait]
impl Executions for MemoryExecutions {
    async fn create(&self, execution: &Execution) -> Result<Created, StoreError> {
        let mut executions = lock(&self.0);
        if let Some(existing) = executions.get(&execution.id) {
            return Ok(Created::Existing(Box::new(existing.clone())));
        }
        executions.insert(execution.id, execution.clone());
        Ok(Created::New)
    }

    async fn get(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        Ok(lock(&self.0).get(&id).cloned())
    }

    async fn list(
        &self,
        status: Option<Status>,
        limit: usize,
        from: Option<&str>,
    ) -> Result<Page, StoreError> {
        let place =
            |execution: &Execution| format!("{}/{}", execution.created_at.as_millisecond(), execution.id);
        let mut found: Vec<Execution> = lock(&self.0)
            .values()
            .filter(|execution| status.is_none_or(|status| execution.status == status))
            .filter(|execution| from.is_none_or(|from| place(execution).as_str() < from))
            .cloned()
            .collect();
        found.sort_by_key(|execution| std::cmp::Reverse(place(execution)));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(place);
        Ok(Page { executions: found, next })
    }

    async fn settle(&self, id: ExecutionId, disposition: &Disposition) -> Result<Transition, StoreError> {
        let mut executions = lock(&self.0);
        let Some(execution) = executions.get_mut(&id) else {
            return Err(missing(id));
        };
        if !Execution::may_become(execution.status, disposition.status) {
            return Ok(Transition::Kept(execution.status));
        }
        execution.status = disposition.status;
        execution.check_at = None;
        execution.disposition = Some(disposition.clone());
        Ok(Transition::Applied)
    }

    async fn intervene(
        &self,
        id: ExecutionId,
        seen: u32,
        disposition: &Disposition,
        check_at: Option<Timestamp>,
    ) -> Result<Transition, StoreError> {
        let mut executions = lock(&self.0);
        let execution = executions.get_mut(&id).ok_or_else(|| missing(id))?;
        let allowed = Execution::may_be_made(execution.status, disposition.status);
        if !allowed || execution.redrives != seen {
            return Ok(Transition::Kept(execution.status));
        }
        if disposition.status == Status::Running {
            execution.redrives += 1;
        }
        execution.status = disposition.status;
        execution.check_at = check_at;
        execution.disposition = Some(disposition.clone());
        Ok(Transition::Applied)
    }

    async fn witness(&self, id: ExecutionId, head: ChainHead) -> Result<(), StoreError> {
        let mut executions = lock(&self.0);
        let execution = executions.get_mut(&id).ok_or_else(|| missing(id))?;
        if execution.head.is_none_or(|known| known.sequence < head.sequence) {
            execution.head = Some(head);
        }
        Ok(())
    }

    async fn overdue(&self, now: Timestamp, limit: usize) -> Result<Vec<Execution>, StoreError> {
        let mut due: Vec<Execution> = lock(&self.0)
            .values()
            .filter(|execution| execution.status == Status::Running)
            .filter(|execution| execution.check_at.is_some_and(|at| at <= now))
            .cloned()
            .collect();
        due.sort_by_key(|execution| execution.check_at);
        due.truncate(limit);
        Ok(due)
    }

    async fn redrive(&self, id: ExecutionId, seen: u32, check_at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.if_running(id, seen, |execution| {
            execution.redrives += 1;
            execution.check_at = Some(check_at);
        }))
    }

    async fn postpone(&self, id: ExecutionId, seen: u32, check_at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.if_running(id, seen, |execution| execution.check_at = Some(check_at)))
    }
}
