//! The classifier: reads a document's text and decides which workflow it belongs to. For documents that upstream
//! systems publish themselves it also makes the execution.

mod decide;
mod submitted;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use clinflow_core::{DocumentHash, Execution, Failure, Role, Status, WorkflowId, step::ObjectRef};
use clinflow_ingest::{Error, Ingested, Limits, ingest};
use clinflow_ports::{Created, Executions, Objects, objects::key};
use clinflow_proto::v1;
use clinflow_runtime::{Catalog, Context, Done, Handler, Output, Work, submission, wire};
use clinflow_workflow::{Bundle, Workflow};
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};

pub use crate::decide::{Decision, decide};
use crate::submitted::Submitted;

/// What the classifier is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// When the sweeper first looks at an execution that the classifier made: the sweeper's own `redrive_after`.
    #[serde(with = "friendly")]
    pub redrive_after: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { redrive_after: Duration::from_secs(60) }
    }
}

/// Reads and classifies.
pub struct Classify {
    config: Config,
    objects: Arc<dyn Objects>,
    executions: Arc<dyn Executions>,
    catalog: Arc<Catalog<Bundle>>,
}

/// Why a document ends here: its code and words without PHI.
struct Unusable {
    status: Status,
    code: &'static str,
    message: String,
}

impl Unusable {
    fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: Status::Failed, code, message: message.into() }
    }
}

impl Classify {
    /// A classifier with these powers.
    pub fn new(
        config: Config,
        objects: Arc<dyn Objects>,
        executions: Arc<dyn Executions>,
        catalog: Arc<Catalog<Bundle>>,
    ) -> Self {
        Self { config, objects, executions, catalog }
    }

    /// The execution of a submission, if there is anything left to do for it. A second submission of the same
    /// document, and one whose execution has ended, have nothing left.
    async fn execution(&self, execution: Execution) -> Result<Option<Execution>, Failure> {
        match self.executions.create(&execution).await? {
            Created::New => Ok(Some(execution)),
            Created::Existing(existing) => {
                let ours = existing.submission == execution.submission && existing.status == Status::Running;
                Ok(ours.then_some(*existing))
            }
        }
    }

    /// Reads the document, on a thread of its own because it takes CPU, for as long as the stage may.
    async fn read(
        &self,
        execution: &Execution,
        within: Duration,
    ) -> Result<Result<Ingested, Unusable>, Failure> {
        let bytes = self.objects.get(&execution.document.key).await?;
        if DocumentHash::of(&bytes) != execution.document.sha256 {
            return Ok(Err(Unusable::failed(
                "document.hash-mismatch",
                "the bytes are not those that were submitted",
            )));
        }
        let limits = Limits::default();
        let stop = limits.stop.clone();
        let media_type = execution.document.media_type.clone();
        let reading = tokio::task::spawn_blocking(move || ingest(&bytes, &media_type, &limits));
        let Ok(read) = tokio::time::timeout(within, reading).await else {
            stop.raise();
            return Err(stopped());
        };
        match read.map_err(|_| {
            Failure::retry("handler.panicked", anyhow::anyhow!("reading the document panicked"))
        })? {
            Ok(ingested) => Ok(Ok(ingested)),
            Err(Error::Stopped) => Err(stopped()),
            Err(error) => Ok(Err(Unusable::failed(error.code(), error.to_string()))),
        }
    }

    /// Stores what was read under a name made of its content.
    async fn store(
        &self,
        execution: &Execution,
        name: &str,
        value: &impl Serialize,
    ) -> Result<ObjectRef, Failure> {
        let bytes = serde_json::to_vec(value).map_err(|error| Failure::park("handler.unwritable", error))?;
        let place = key::result(execution.id, Role::Classifier, &bytes, name);
        Ok(self.objects.put(&place, Bytes::from(bytes)).await?)
    }

    /// The workflow to run: the one that was asked for, or the one the text belongs to.
    fn choose<'a>(
        requested: &WorkflowId,
        decision: &Decision,
        bundle: &'a Bundle,
    ) -> Result<&'a Arc<Workflow>, Unusable> {
        let chosen = if requested.is_auto() { decision.workflow.as_ref() } else { Some(requested) };
        let Some(chosen) = chosen else {
            let message = "the text shows the marks of no workflow, or of two alike";
            return Err(Unusable {
                status: Status::NeedsReview,
                code: "classify.no-workflow",
                message: message.to_owned(),
            });
        };
        bundle.workflow(chosen).ok_or_else(|| {
            Unusable::failed("workflow.unknown", format!("the bundle has no workflow `{chosen}`"))
        })
    }
}

impl Handler for Classify {
    const ROLE: Role = Role::Classifier;
    type Input = v1::DocumentSubmitted;

    async fn handle(&self, input: v1::DocumentSubmitted, context: &Context) -> Result<Done, Failure> {
        let submitted = Submitted::try_from(&input)?;
        let (hash, bundle) = match submitted.bundle {
            Some(hash) => (hash, self.catalog.get(hash).await?),
            None => self.catalog.current().await?,
        };
        let execution = submitted.execution(hash, &context.meta, context.now, self.config.redrive_after);
        let Some(execution) = self.execution(execution).await? else { return Ok(Done::nothing()) };
        let requested = &execution.requested_workflow;
        if !requested.is_auto() && bundle.workflow(requested).is_none() {
            let message = format!("the bundle has no workflow `{requested}`");
            return Ok(unusable(&execution, Unusable::failed("workflow.unknown", message)));
        }
        let read = match self.read(&execution, context.remaining).await? {
            Ok(read) => read,
            Err(reason) => return Ok(unusable(&execution, reason)),
        };
        let decision = decide(&read.text.text, &bundle);
        let workflow = match Self::choose(requested, &decision, &bundle) {
            Ok(workflow) => workflow,
            Err(reason) => return Ok(unusable(&execution, reason)),
        };
        let (text, geometry) = tokio::try_join!(
            self.store(&execution, "text.json", &read.text),
            self.store(&execution, "geometry.json", &read.geometry),
        )?;
        let pages = if read.text.media_type == "text/plain" { 0 } else { read.text.pages.len() };
        let classified = v1::DocumentClassified {
            execution: Some(submission::context(&execution)),
            workflow_id: workflow.id.to_string(),
            document_type: decision.document_type,
            margin: decision.margin,
            text: Some(wire::to_wire(&text)),
            geometry: Some(wire::to_wire(&geometry)),
            pages: u32::try_from(pages).unwrap_or(u32::MAX),
            media_type: read.text.media_type,
            branches: workflow.branches.iter().map(ToString::to_string).collect(),
        };
        let work = Work::of(workflow.id.agent(Role::Classifier)).writing(text);
        Ok(Done::one(Output::new(&workflow.id, classified), work))
    }
}

/// What is published about a document that ends here. A bad document is an answer, not a failure of the message.
fn unusable(execution: &Execution, reason: Unusable) -> Done {
    tracing::info!(code = reason.code, status = %reason.status, "the document ends here");
    let workflow = &execution.requested_workflow;
    let failed = v1::DocumentFailed {
        execution: Some(submission::context(execution)),
        workflow_id: workflow.to_string(),
        role: Role::Classifier.to_string(),
        code: reason.code.to_owned(),
        message: reason.message,
        status: reason.status.to_string(),
        message_id: execution.submission.to_string(),
    };
    Done::one(Output::new(workflow, failed), Work::of(workflow.agent(Role::Classifier)).failing(reason.code))
}

/// Reading took longer than the stage may.
fn stopped() -> Failure {
    Failure::retry("ingest.stopped", anyhow::anyhow!("reading took longer than the stage may"))
}
