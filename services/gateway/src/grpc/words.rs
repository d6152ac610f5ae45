//! Executions as messages.

use clinflow_core::{Execution, Status};
use clinflow_proto::v1;
use clinflow_runtime::wire::{step_to_wire, timestamp_to_wire};

use crate::{show::History, submit::Submitted};

/// An execution.
pub(crate) fn execution(execution: &Execution) -> v1::Execution {
    // What a person let run again has not ended.
    let ended = execution.disposition.clone().filter(|_| execution.status != Status::Running);
    let text = |text: Option<String>| text.unwrap_or_default();
    v1::Execution {
        execution_id: execution.id.to_string(),
        workflow_id: execution.workflow().to_string(),
        document_sha256: execution.document.sha256.to_string(),
        status: execution.status.to_string(),
        session_id: text(execution.session.as_ref().map(ToString::to_string)),
        team_id: text(execution.team.as_ref().map(ToString::to_string)),
        lane: execution.lane.to_string(),
        created_at: Some(timestamp_to_wire(execution.created_at)),
        ended_at: ended.as_ref().map(|ended| timestamp_to_wire(ended.at)),
        redrives: execution.redrives,
        bundle: execution.bundle.to_string(),
        code: text(ended.as_ref().and_then(|ended| ended.code.clone())),
        message: text(ended.as_ref().and_then(|ended| ended.message.clone())),
        outputs: text(ended.and_then(|ended| ended.outputs)),
    }
}

/// An execution with its history.
pub(super) fn detail(found: &Execution, history: &History) -> v1::GetExecutionResponse {
    v1::GetExecutionResponse {
        execution: Some(execution(found)),
        steps: history.steps.iter().map(step_to_wire).collect(),
        chain_length: history.chain_length,
        chain_verified: history.broken.is_none(),
    }
}

/// What became of a submission.
pub(super) fn submitted(submitted: &Submitted) -> v1::SubmitResponse {
    v1::SubmitResponse { execution: Some(execution(&submitted.execution)), existing: submitted.existing }
}
