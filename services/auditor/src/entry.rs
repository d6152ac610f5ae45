//! From a message to what the log says about it. Pure: references, hashes, counts and codes; no text.

use clinflow_core::{Failure, Role, Status, WorkflowId, audit::Event};
use clinflow_proto::v1;
use clinflow_runtime::wire::{self, Publish, malformed, required_object};

/// The workflow of a classified document.
pub(crate) fn workflow(document: Option<&v1::DocumentClassified>) -> Result<WorkflowId, Failure> {
    let document = document.ok_or_else(|| malformed("`document` is missing"))?;
    WorkflowId::new(document.workflow_id.clone()).map_err(|_| malformed("`workflow_id` is not a workflow id"))
}

/// What is recorded of validated fields.
pub(crate) fn recorded(message: &v1::FieldsValidated) -> Result<Event, Failure> {
    Ok(Event::Recorded {
        steps: steps(message)?,
        fields: required_object(message.fields.as_ref(), "`fields` is missing")?,
        field_count: message.field_count,
        findings: message.findings.iter().map(|finding| (finding.rule.clone(), finding.count)).collect(),
        missing: message.missing.clone(),
    })
}

/// What is recorded of written outputs. The steps before the record are in the record.
pub(crate) fn reported(message: &v1::ReportCompleted) -> Result<Event, Failure> {
    let since = |step: &clinflow_core::Step| matches!(step.role, Role::Auditor | Role::Reporter);
    Ok(Event::Reported {
        steps: steps(message)?.into_iter().filter(since).collect(),
        outputs: message.outputs.iter().map(wire::object_ref).collect::<Result<_, _>>()?,
    })
}

/// What is recorded of a failure.
pub(crate) fn failed(message: &v1::DocumentFailed, status: Status) -> Result<Event, Failure> {
    Ok(Event::Failed {
        steps: steps(message)?,
        code: message.code.clone(),
        message: message.message.clone(),
        parked: status == Status::Parked,
    })
}

fn steps(message: &impl Publish) -> Result<Vec<clinflow_core::Step>, Failure> {
    message.execution().map_or_else(|| Ok(Vec::new()), wire::steps)
}
