//! The auditor: writes the hash-chained record of everything that ends or marks an execution, and its terminal
//! state. Recorded before reported: nothing leaves the system that is not in the audit log.

mod ended;
mod entry;
mod input;

use std::sync::Arc;

use clinflow_core::{
    Disposition, Failure, ReviewItem, Role, Status, WorkflowId,
    audit::{ChainHead, Entry, Event, Record, is_aborted},
    id::{ObjectHash, derive},
    review::Resolution,
};
use clinflow_ports::{AuditLog, Executions, Meta, Reviews, Transition};
use clinflow_proto::v1;
use clinflow_runtime::{
    Catalog, Context, Done, Handler, Output, Work, review,
    telemetry::{Metrics, metrics::Ended},
    wire::{Publish as _, Run, malformed},
};
use clinflow_workflow::Bundle;
use uuid::Uuid;

use crate::ended::Way;
pub use crate::input::Audited;

/// Records, and settles executions.
pub struct Audit {
    log: Arc<dyn AuditLog>,
    executions: Arc<dyn Executions>,
    reviews: Arc<dyn Reviews>,
    bundles: Arc<Catalog<Bundle>>,
    metrics: Metrics,
}

impl Audit {
    /// Records in `log`, settles in `executions`, writes what people must settle to `reviews`, and counts what ends in
    /// `metrics`, under the teams that `bundles` name.
    pub fn new(
        log: Arc<dyn AuditLog>,
        executions: Arc<dyn Executions>,
        reviews: Arc<dyn Reviews>,
        bundles: Arc<Catalog<Bundle>>,
        metrics: Metrics,
    ) -> Self {
        Self { log, executions, reviews, bundles, metrics }
    }

    /// Puts what the message says at the end of its execution's chain, once.
    async fn append(
        &self,
        run: &Run,
        after: ChainHead,
        event: Event,
        context: &Context,
    ) -> Result<Record, Failure> {
        let entry = Entry {
            execution: run.execution,
            message_id: entry_id(&event, &context.meta),
            document: run.document.sha256,
            bundle: run.bundle,
            session: run.session.clone(),
            at: context.now,
            event,
        };
        Ok(self.log.append(after, entry).await?)
    }

    /// INV-01, INV-02: the first terminal state stays.
    async fn settle(&self, run: &Run, way: Way, disposition: Disposition) -> Result<(), Failure> {
        match self.executions.settle(run.execution, &disposition).await? {
            Transition::Applied => {
                tracing::info!(status = %disposition.status, "settled");
                self.count(run, way, &disposition).await;
            }
            Transition::Kept(status) if status == disposition.status => {}
            Transition::Kept(status) => {
                tracing::warn!(kept = %status, refused = %disposition.status, "an execution's state was kept");
            }
        }
        Ok(())
    }

    /// Counts what has come to an end, under the team that pays.
    async fn count(&self, run: &Run, way: Way, end: &Disposition) {
        if !end.status.is_terminal() {
            return;
        }
        let auto = WorkflowId::auto();
        let workflow = end.workflow.as_ref().unwrap_or(&auto);
        // A bundle that cannot be read now is no reason to settle again.
        let bundle = self.bundles.get(run.bundle).await.ok();
        let team = bundle.as_ref().and_then(|bundle| bundle.workflow(workflow)).map(|found| &found.team);
        let (status, cost, took) = (end.status, way.cost, way.took(end));
        self.metrics.document(&Ended { team, workflow, status, cost, took });
    }

    /// Puts a side event at the end of the chain, and lets the execution know: it may be the last record for ever, and
    /// removing it must show.
    async fn note(&self, run: &Run, event: Event, context: &Context) -> Result<Record, Failure> {
        let record = self.append(run, ChainHead::genesis(run.execution), event, context).await?;
        self.executions.witness(run.execution, record.head()).await?;
        Ok(record)
    }

    /// Whether a person stopped the execution. A result that is recorded first in its chain has nothing before it.
    async fn is_aborted(&self, record: &Record) -> Result<bool, Failure> {
        if record.sequence == 1 {
            return Ok(false);
        }
        Ok(is_aborted(&self.log.read(record.entry.execution).await?))
    }

    async fn validated(&self, message: v1::FieldsValidated, context: &Context) -> Result<Done, Failure> {
        let run = Run::of(&message)?;
        let workflow = entry::workflow(message.document.as_ref())?;
        let event = entry::recorded(&message)?;
        let record = self.append(&run, ChainHead::genesis(run.execution), event.clone(), context).await?;
        if self.is_aborted(&record).await? {
            tracing::info!("dropped: the execution was aborted");
            return Ok(Done::nothing());
        }
        // Where a redrive finds something else, what was found first stays recorded, and its items with it.
        let items = if entry::is_same_result(&record.entry.event, &event) {
            entry::review_items(&message, &run, &workflow, &record)?
        } else {
            Vec::new()
        };
        let mut outputs = self.request_review(message.execution().cloned(), &workflow, &items).await?;
        let recorded = v1::ExtractionRecorded {
            validated: Some(message),
            chain_sequence: record.sequence,
            chain_hash: bytes::Bytes::copy_from_slice(record.hash.as_bytes()),
        };
        outputs.insert(0, Output::new(&workflow, recorded));
        Ok(Done { outputs, work: Some(Work::of(workflow.agent(Role::Auditor))) })
    }

    /// Writes what a person must settle, and says so.
    async fn request_review(
        &self,
        execution: Option<v1::ExecutionContext>,
        workflow: &WorkflowId,
        items: &[ReviewItem],
    ) -> Result<Vec<Output>, Failure> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        self.reviews.create(items).await?;
        let requested = entry::requested(execution, items);
        Ok(requested.map(|requested| Output::new(workflow, requested)).into_iter().collect())
    }

    async fn resolved(&self, message: v1::ReviewResolved, context: &Context) -> Result<Done, Failure> {
        let run = Run::of(&message)?;
        let (id, event) = entry::resolved(&message)?;
        // The record that counts is the first one about this item: the gateway's, or that of an earlier decision.
        let record = self.note(&run, event, context).await?;
        let Event::Resolved { decision, by, value, .. } = record.entry.event.clone() else {
            return Err(malformed("the message's id is that of another event"));
        };
        let resolution = Resolution { decision, by, at: record.entry.at, value };
        review::apply(self.reviews.as_ref(), self.executions.as_ref(), id, &resolution, record.head())
            .await?;
        Ok(Done::nothing())
    }

    async fn completed(&self, message: v1::ReportCompleted, context: &Context) -> Result<Done, Failure> {
        let run = Run::of(&message)?;
        let way = Way::of(&message);
        let status = Status::parse(&message.status)
            .filter(|status| status.is_terminal())
            .ok_or_else(|| malformed("`status` is not a terminal status"))?;
        let hash: [u8; 32] =
            message.chain_hash.as_ref().try_into().map_err(|_| malformed("`chain_hash` is not 32 bytes"))?;
        let after = ChainHead { sequence: message.chain_sequence, hash: ObjectHash::from_bytes(hash) };
        let record = self.append(&run, after, entry::reported(&message, after)?, context).await?;
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
        self.settle(&run, way, disposition).await?;
        if status == Status::NeedsReview {
            // Somebody may have settled the last item before the report was written.
            let (reviews, executions) = (self.reviews.as_ref(), self.executions.as_ref());
            review::conclude(reviews, executions, run.execution, context.now, record.head()).await?;
        }
        Ok(Done::nothing())
    }

    async fn failed(&self, message: v1::DocumentFailed, context: &Context) -> Result<Done, Failure> {
        let run = Run::of(&message)?;
        let way = Way::of(&message);
        let status = Status::parse(&message.status)
            .filter(|status| *status != Status::Running)
            .ok_or_else(|| malformed("`status` is not a status a failure can lead to"))?;
        let event = entry::failed(&message, status)?;
        let record = self.append(&run, ChainHead::genesis(run.execution), event, context).await?;
        let workflow: Option<WorkflowId> = message.workflow_id.parse().ok();
        let items = match (status, &workflow) {
            (Status::NeedsReview, Some(workflow)) => {
                vec![entry::review_of_document(&run, workflow, &message.code, &record)]
            }
            _ => Vec::new(),
        };
        let about = workflow.clone().unwrap_or_else(WorkflowId::auto);
        let outputs = self.request_review(message.execution, &about, &items).await?;
        let disposition = Disposition {
            status,
            workflow,
            code: Some(message.code),
            message: Some(message.message),
            outputs: None,
            head: record.head(),
            at: context.now,
        };
        self.settle(&run, way, disposition).await?;
        Ok(Done { outputs, work: None })
    }
}

/// What an entry is keyed by: the message it is about. A message that fails again after a redrive has failed twice.
fn entry_id(event: &Event, meta: &Meta) -> Uuid {
    match event {
        Event::Failed { .. } if meta.redrive > 0 => {
            derive(&[b"failed", meta.message_id.as_bytes(), &meta.redrive.to_be_bytes()])
        }
        _ => meta.message_id,
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
            Audited::Answered(message) => {
                let run = Run::of(&message)?;
                let event = entry::answered(&message)?;
                self.append(&run, ChainHead::genesis(run.execution), event, context).await?;
                Ok(Done::nothing())
            }
            Audited::Resolved(message) => self.resolved(message, context).await,
            Audited::Guarded(message) => {
                self.note(&Run::of(&message)?, entry::guarded(&message), context).await?;
                Ok(Done::nothing())
            }
            Audited::Noted(noted) => {
                // A side event without an execution (a budget's threshold) is kept by its own ledger, not by a chain.
                if let Some(execution) = &noted.execution {
                    let run = Run::try_from(execution)?;
                    self.note(&run, noted.entry(), context).await?;
                }
                Ok(Done::nothing())
            }
        }
    }
}
