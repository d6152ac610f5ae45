//! Executions as a caller may see them. One of a workflow the caller may not use does not exist for the caller.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use clinflow_core::{
    Execution, ExecutionId, Status, Step,
    audit::{Broken, history, verify_up_to},
};
use clinflow_ports::{StoreError, executions::Page, objects::key};

use crate::{auth::Caller, ports::Ports, refusal::Refusal, trace};

/// How many a page has when its reader does not say.
const PAGE: usize = 100;

/// The most a page has.
const LARGEST_PAGE: usize = 1000;

/// How many pages are read to fill one, when its reader may see few of the executions.
const PAGES_READ: usize = 10;

/// What the audit log tells of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct History {
    /// Every recorded step, oldest first.
    pub(crate) steps: Vec<Step>,
    /// Number of audit records.
    pub(crate) chain_length: u32,
    /// Where the chain is broken, if it is.
    pub(crate) broken: Option<Broken>,
}

/// Which page of executions is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    status: Option<Status>,
    limit: usize,
    from: Option<String>,
}

impl Wanted {
    /// Reads the words of a request; empty words and 0 are "not said".
    pub(crate) fn read(status: &str, limit: u32, from: &str) -> Result<Self, Refusal> {
        let status = match status {
            "" => None,
            name => Some(Status::parse(name).ok_or(Refusal::Unreadable {
                field: "status",
                expected: "`running`, `parked`, `completed`, `needs-review`, `failed` or `aborted`",
            })?),
        };
        let limit = match usize::try_from(limit) {
            Ok(0) => PAGE,
            Ok(limit) if limit <= LARGEST_PAGE => limit,
            _ => return Err(Refusal::Unreadable { field: "limit", expected: "a number from 1 to 1000" }),
        };
        Ok(Self { status, limit, from: Some(from.to_owned()).filter(|from| !from.is_empty()) })
    }
}

/// Reads an execution's id.
pub(crate) fn execution_id(text: &str) -> Result<ExecutionId, Refusal> {
    // What cannot be an id is no execution either.
    let id = text.parse().map_err(|_| Refusal::UnknownExecution)?;
    trace::execution(id);
    Ok(id)
}

/// Shows executions.
pub(crate) struct Show {
    ports: Ports,
    retry_after: Duration,
}

impl Show {
    /// Shows what `ports` hold; callers who find a store down are asked to come back after `retry_after`.
    pub(crate) fn new(ports: Ports, retry_after: Duration) -> Arc<Self> {
        Arc::new(Self { ports, retry_after })
    }

    /// One execution.
    pub(crate) async fn execution(&self, caller: &Caller, id: ExecutionId) -> Result<Execution, Refusal> {
        let found = self.ports.executions.get(id).await.map_err(|error| self.refuse(error))?;
        found.filter(|found| caller.sees(found)).ok_or(Refusal::UnknownExecution)
    }

    /// What is recorded of an execution.
    pub(crate) async fn history(&self, execution: &Execution) -> Result<History, Refusal> {
        let records = self.ports.log.read(execution.id).await.map_err(|error| self.refuse(error))?;
        Ok(History {
            steps: history(&records),
            chain_length: u32::try_from(records.len()).unwrap_or(u32::MAX),
            broken: verify_up_to(execution.id, &records, execution.known_head()).err(),
        })
    }

    /// A page of executions. It may be shorter than asked for: what the caller may not see is left out.
    pub(crate) async fn list(&self, caller: &Caller, wanted: Wanted) -> Result<Page, Refusal> {
        let mut page = Page { executions: Vec::new(), next: wanted.from };
        for _ in 0..PAGES_READ {
            let room = wanted.limit - page.executions.len();
            let read = self.ports.executions.list(wanted.status, room, page.next.as_deref()).await;
            let read = read.map_err(|error| self.refuse(error))?;
            page.executions.extend(read.executions.into_iter().filter(|execution| caller.sees(execution)));
            page.next = read.next;
            if page.next.is_none() || page.executions.len() == wanted.limit {
                break;
            }
        }
        Ok(page)
    }

    /// `record.json` of an execution.
    pub(crate) async fn record(&self, caller: &Caller, id: ExecutionId) -> Result<Bytes, Refusal> {
        let execution = self.execution(caller, id).await?;
        let folder = execution.disposition.and_then(|disposition| disposition.outputs);
        let folder = folder.unwrap_or_else(|| key::report_folder(id));
        match self.ports.objects.get(&format!("{folder}/record.json")).await {
            Ok(record) => {
                tracing::info!("a record was read");
                Ok(record)
            }
            Err(StoreError::Missing { .. }) => Err(Refusal::NoRecord),
            Err(error) => Err(self.refuse(error)),
        }
    }

    fn refuse(&self, error: StoreError) -> Refusal {
        Refusal::of_store(error, self.retry_after)
    }
}
