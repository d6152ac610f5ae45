//! What the auditor recorded, read from its message, and the record it makes together with the fields.

use clinflow_core::{Failure, FieldSet, Status, Step, WorkflowId, step::ObjectRef};
use clinflow_proto::v1;
use clinflow_runtime::wire::{self, Run, malformed};

use crate::{
    cost::Cost,
    record::{Document, Record},
};

/// A recorded extraction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) run: Run,
    pub(crate) workflow: WorkflowId,
    /// The validated fields.
    pub(crate) fields: ObjectRef,
    document_type: String,
    media_type: String,
    pages: Option<u32>,
    status: Status,
    steps: Vec<Step>,
}

impl TryFrom<&v1::ExtractionRecorded> for Recorded {
    type Error = Failure;

    fn try_from(message: &v1::ExtractionRecorded) -> Result<Self, Failure> {
        let validated = message.validated.as_ref().ok_or_else(|| malformed("`validated` is missing"))?;
        let document =
            validated.document.as_ref().ok_or_else(|| malformed("`validated.document` is missing"))?;
        let context = document.execution.as_ref().ok_or_else(|| malformed("`execution` is missing"))?;
        let run = Run::try_from(context)?;
        let workflow = WorkflowId::new(&document.workflow_id)
            .map_err(|_| malformed("`workflow_id` is not a workflow id"))?;
        // A classifier that found nothing out leaves what the submitter declared.
        let media_type =
            [&document.media_type, &run.document.media_type].into_iter().find(|text| !text.is_empty());
        Ok(Self {
            fields: wire::required_object(validated.fields.as_ref(), "`validated.fields` is missing")?,
            document_type: document.document_type.clone(),
            media_type: media_type.cloned().unwrap_or_default(),
            pages: Some(document.pages).filter(|pages| *pages > 0),
            status: if validated.needs_review { Status::NeedsReview } else { Status::Completed },
            steps: wire::steps(context)?,
            workflow,
            run,
        })
    }
}

impl Recorded {
    /// The record of this extraction, with its `fields`.
    pub(crate) fn record(self, fields: FieldSet) -> Result<Record, Failure> {
        // INV-08: what no guardrail has seen does not leave.
        let guardrail = fields.guarded.ok_or_else(|| {
            Failure::park("guardrail.missing", anyhow::anyhow!("the fields have passed no guardrail"))
        })?;
        Ok(Record {
            schema: Record::SCHEMA.to_owned(),
            execution_id: self.run.execution,
            document: Document {
                sha256: self.run.document.sha256,
                media_type: self.media_type,
                pages: self.pages,
            },
            workflow_id: self.workflow,
            document_type: self.document_type,
            status: self.status,
            bundle: self.run.bundle,
            session_id: self.run.session,
            fields: fields.fields,
            findings: fields.findings,
            guardrail,
            cost: Cost::of_steps(&self.steps),
            steps: self.steps,
        })
    }
}
