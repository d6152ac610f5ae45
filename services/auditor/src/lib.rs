//! The auditor: writes the hash-chained record of everything that ends or marks an execution, and its terminal
//! state. Recorded before reported: nothing leaves the system that is not in the audit log.

mod entry;
mod input;

use std::sync::Arc;

use clinflow_core::{
    Disposition, Failure, Role, Status,
    audit::{ChainHead, Entry, Record},
    id::ObjectHash,
};
use clinflow_ports::{AuditLog, Executions, Transition};
use clinflow_proto::v1;
use clinflow_runtime::{
    Context, Done, Handler, Output, Work,
    wire::{Run, malformed},
};

pub use crate::input::Audited;

/// Records, and settles executions.
pub struct Audit {
    log: Arc<dyn AuditLog>,
    executions: Arc<dyn Executions>,
}

impl Audit {
    /// Records in `log` and settles in `executions`.
    pub fn new(log: Arc<dyn AuditLog>, executions: Arc<dyn Executions>) -> Self {
        Self { log, executions }
    }

    /// Puts what the message says at the end of its execution's chain, once.
    async fn append(
        &self,
        run: &Run,
        after: ChainHead,
        event: clinflow_core::audit::Event,
        context: &Context,
    ) -> Result<Record, Failure> {
        let entry = Entry {
            execution: run.execution,
            message_id: context.meta.message_id,
            document: run.document.sha256,
            bundle: run.bundle,
            session: run.session.clone(),
            at: context.now,
            event,
        };
        Ok(self.log.append(after, entry).await?)
    }

    /// INV-01, INV-02: the first terminal state stays.
    async fn settle(&self, run: &Run, disposition: Disposition) -> Result<(), Failure> {
        match self.executions.settle(run.execution, &disposition).await? {
            Transition::Applied => tracing::info!(status = %disposition.status, "settled"),
            Transition::Kept(status) if status == disposition.status => {}
            Transition::Kept(status) => {
                tracing::warn!(kept = %status, refused = %disposition.status, "an execution's state was kept");
            }
        }
        Ok(())
    }

    async fn validated(&self, message: v1::FieldsValidated, context: &Context) -> Result<Done, Failure> {
        let run = Run::of(&message)?;
        let workflow = entry::workflow(message.document.as_ref())?;
        let event = entry::recorded(&message)?;
        let record = self.append(&run, ChainHead::genesis(run.execution), event, context).await?;
        let recorded = v1::ExtractionRecorded {
            validated: Some(message),
            chain_sequence: record.sequence,
            chain_hash: bytes::Bytes::copy_from_slice(record.hash.as_bytes()),
        };
        let work = Work::of(workflow.agent(Role::Auditor));
        Ok(Done::one(Output::new(&workflow, recorded), work))
    }

    async fn completed(&self, message: v1::ReportCompleted, context: &Context) -> Result<Done, Failure> {
        let run = Run::of(&message)?;
        let status = Status::parse(&message.status)
            .filter(|status| status.is_terminal())
            .ok_or_else(|| malformed("`status` is not a terminal status"))?;
        let hash: [u8; 32] =
            message.chain_hash.as_ref().try_into().map_err(|_| malformed("`chain_hash` is not 32 bytes"))?;
        let after = ChainHead { sequence: message.chain_sequence, hash: ObjectHash::from_bytes(hash) };
        let record = self.append(&run, after, entry::reported(&message)?, context).await?;
        let disposition = Disposition {
            status,
            workflow: Some(
                message.workflow_id.parse().map_err(|_| malformed("`workflow_id` is not a workflow id"))?,
            ),
            code: None,
            message: None,
            outputs: Some(message.folder),
            head: record.head(),
            at: context.now,
        };
        self.settle(&run, disposition).await?;
        Ok(Done::nothing())
    }

    async fn failed(&self, message: v1::DocumentFailed, context: &Context) -> Result<Done, Failure> {
        let run = Run::of(&message)?;
        let status = Status::parse(&message.status)
            .filter(|status| *status != Status::Running)
            .ok_or_else(|| malformed("`status` is not a status a failure can lead to"))?;
        let event = entry::failed(&message, status)?;
        let record = self.append(&run, ChainHead::genesis(run.execution), event, context).await?;
        let disposition = Disposition {
            status,
            workflow: message.workflow_id.parse().ok(),
            code: Some(message.code),
            message: Some(message.message),
            outputs: None,
            head: record.head(),
            at: context.now,
        };
        self.settle(&run, disposition).await?;
        Ok(Done::nothing())
    }
}

impl Handler for Audit {
    const ROLE: Role = Role::Auditor;
    type Input = Audited;

    async fn handle(&self, input: Audited, context: &Context) -> Result<Done, Failure> {
        match input {
            Audited::Validated(message) => self.validated(*message, context).await,
            Audited::Completed(message) => self.completed(message, context).await,
            Audited::Failed(message) => self.failed(message, context).await,
            Audited::Noted(noted) => {
                // A side event without an execution (a budget's threshold) is kept by its own ledger, not by a chain.
                if let Some(execution) = &noted.execution {
                    let run = Run::try_from(execution)?;
                    self.append(&run, ChainHead::genesis(run.execution), noted.entry(), context).await?;
                }
                Ok(Done::nothing())
            }
        }
    }
}
