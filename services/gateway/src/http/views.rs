//! Executions as JSON: the names of `executions.proto`, times in RFC 3339, what is not there left out.

use clinflow_core::{
    BundleHash, DocumentHash, ExecutionId, Lane, SessionId, Status, Step, TeamId, WorkflowId,
};
use clinflow_ports::executions::Page;
use jiff::Timestamp;
use serde::Serialize;

use crate::show::History;

/// One execution.
#[derive(Debug, Serialize)]
pub(super) struct Execution {
    execution_id: ExecutionId,
    workflow_id: WorkflowId,
    document_sha256: DocumentHash,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team_id: Option<TeamId>,
    lane: Lane,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    redrives: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs: Option<String>,
    bundle: BundleHash,
}

impl Execution {
    /// The view of `execution`.
    pub(super) fn of(execution: &clinflow_core::Execution) -> Self {
        // What a person let run again has not ended.
        let ended = execution.disposition.clone().filter(|_| execution.status != Status::Running);
        Self {
            execution_id: execution.id,
            workflow_id: execution.workflow().clone(),
            document_sha256: execution.document.sha256,
            status: execution.status,
            session_id: execution.session.clone(),
            team_id: execution.team.clone(),
            lane: execution.lane,
            created_at: execution.created_at,
            ended_at: ended.as_ref().map(|ended| ended.at),
            redrives: execution.redrives,
            bundle: execution.bundle,
            code: ended.as_ref().and_then(|ended| ended.code.clone()),
            message: ended.as_ref().and_then(|ended| ended.message.clone()),
            outputs: ended.and_then(|ended| ended.outputs),
        }
    }
}

/// One execution with its history.
#[derive(Debug, Serialize)]
pub(super) struct Detail {
    execution: Execution,
    steps: Vec<Step>,
    chain: Chain,
}

/// Whether the history can be believed.
#[derive(Debug, Serialize)]
struct Chain {
    length: u32,
    verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
}

impl Detail {
    /// The view of `execution` with `history`.
    pub(super) fn of(execution: &clinflow_core::Execution, history: History) -> Self {
        let broken = history.broken.map(|broken| broken.to_string());
        let chain = Chain { length: history.chain_length, verified: broken.is_none(), broken };
        Self { execution: Execution::of(execution), steps: history.steps, chain }
    }
}

/// A page of executions.
#[derive(Debug, Serialize)]
pub(super) struct List {
    executions: Vec<Execution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl List {
    /// The view of `page`.
    pub(super) fn of(page: Page) -> Self {
        Self { executions: page.executions.iter().map(Execution::of).collect(), next: page.next }
    }
}

/// Something new about an execution.
#[derive(Debug, Serialize)]
pub(super) struct News {
    /// The execution as it stands now.
    pub(super) execution: Execution,
    /// Steps that were not told before.
    pub(super) steps: Vec<Step>,
}
