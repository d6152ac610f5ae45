//! The audit log checked and exported, chain by chain.

use std::{sync::Arc, time::Duration};

use clinflow_core::{
    Execution, ExecutionId,
    audit::{Record, verify_up_to},
};
use clinflow_ports::{AuditLog, StoreError};
use clinflow_proto::v1;
use futures_util::{
    Stream, StreamExt as _, TryStreamExt as _,
    stream::{self, iter, once},
};
use serde::Serialize;

use crate::{
    auth::Caller,
    ports::Ports,
    refusal::Refusal,
    show::{Show, Wanted},
};

/// How many chains are read at once.
const AT_ONCE: usize = 8;

/// Shows the audit log.
pub(crate) struct Auditing {
    log: Arc<dyn AuditLog>,
    show: Arc<Show>,
    retry_after: Duration,
}

/// A record as it is exported.
#[derive(Serialize)]
struct Exported<'a> {
    schema: &'static str,
    #[serde(flatten)]
    record: &'a Record,
}

impl Auditing {
    /// Shows what `ports` hold.
    pub(crate) fn new(ports: &Ports, show: Arc<Show>, retry_after: Duration) -> Arc<Self> {
        Arc::new(Self { log: ports.log.clone(), show, retry_after })
    }

    /// Checks the chain of one execution, or of every execution the caller sees.
    pub(crate) fn verify(
        self: Arc<Self>,
        caller: Caller,
        one: Option<ExecutionId>,
    ) -> impl Stream<Item = Result<v1::VerifiedChain, Refusal>> + Send {
        let executions = self.clone().executions(caller, one);
        let check = move |execution: Execution| {
            let auditing = self.clone();
            async move { auditing.check(&execution).await }
        };
        executions.map_ok(check).try_buffered(AT_ONCE)
    }

    /// Every record of one execution, or of every execution the caller sees.
    pub(crate) fn export(
        self: Arc<Self>,
        caller: Caller,
        one: Option<ExecutionId>,
    ) -> impl Stream<Item = Result<v1::AuditRecord, Refusal>> + Send {
        let executions = self.clone().executions(caller, one);
        let read = move |execution: Execution| {
            let auditing = self.clone();
            async move {
                let read = auditing.log.read(execution.id).await;
                let records = read.map_err(|error| Refusal::of_store(error, auditing.retry_after))?;
                Ok(iter(records.iter().map(|record| Ok(exported(record))).collect::<Vec<_>>()))
            }
        };
        executions.map_ok(read).try_buffered(AT_ONCE).try_flatten()
    }

    /// Checks the chain of one execution against the newest record that it is known to have.
    pub(crate) async fn check(&self, execution: &Execution) -> Result<v1::VerifiedChain, Refusal> {
        let (records, broken) = match self.log.read(execution.id).await {
            Ok(records) => {
                let broken = verify_up_to(execution.id, &records, execution.known_head()).err();
                (records.len(), broken.map(|broken| (broken.at(), broken.to_string())))
            }
            // A record that cannot be read was changed; a log that cannot be reached proves nothing.
            Err(StoreError::Corrupt { what, .. }) => (0, Some((place(&what), what))),
            Err(error) => return Err(Refusal::of_store(error, self.retry_after)),
        };
        if let Some((at, how)) = &broken {
            tracing::error!(execution = %execution.id, at, how, "an audit chain does not verify");
        }
        let (broken_at, how) = broken.clone().unwrap_or_default();
        Ok(v1::VerifiedChain {
            execution_id: execution.id.to_string(),
            records: u32::try_from(records).unwrap_or(u32::MAX),
            verified: broken.is_none(),
            broken_at,
            broken: how,
        })
    }

    /// One execution, or every one the caller sees, newest first.
    fn executions(
        self: Arc<Self>,
        caller: Caller,
        one: Option<ExecutionId>,
    ) -> impl Stream<Item = Result<Execution, Refusal>> + Send {
        match one {
            Some(id) => once(async move { self.show.execution(&caller, id).await }).left_stream(),
            None => {
                let pages = stream::try_unfold(Some(String::new()), move |from| {
                    let (auditing, caller) = (self.clone(), caller.clone());
                    async move {
                        let Some(from) = from else { return Ok(None) };
                        let page = auditing.show.list(&caller, Wanted::read("", 0, &from)?).await?;
                        Ok(Some((iter(page.executions.into_iter().map(Ok)), page.next)))
                    }
                });
                pages.try_flatten().right_stream()
            }
        }
    }
}

/// The position that a store's words about an unreadable record name; 0 when they name none.
fn place(what: &str) -> u32 {
    what.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_default()
}

fn exported(record: &Record) -> v1::AuditRecord {
    let exported = Exported { schema: "clinflow.audit-record/1", record };
    v1::AuditRecord {
        execution_id: record.entry.execution.to_string(),
        sequence: record.sequence,
        json: serde_json::to_string(&exported).expect("a record holds strings, integers and lists only"),
    }
}
