//! A submission as it was read: from the gateway with everything in it, or from an upstream system with little.

use std::time::Duration;

use clinflow_core::{
    BundleHash, Execution, ExecutionId, Failure, SessionId, Status, TeamId, WorkflowId,
    execution::DocumentRef,
};
use clinflow_ports::Meta;
use clinflow_proto::v1;
use clinflow_runtime::wire::{document_ref, malformed, timestamp};
use jiff::{SignedDuration, Timestamp};

/// What a submission says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Submitted {
    /// The execution that exists already; an upstream system leaves it open. A rerun has another than the one its
    /// workflow, document and bundle would have.
    execution: Option<ExecutionId>,
    pub(crate) workflow: WorkflowId,
    pub(crate) document: DocumentRef,
    /// Pinned by the gateway; an upstream system leaves it open.
    pub(crate) bundle: Option<BundleHash>,
    session: Option<SessionId>,
    team: Option<TeamId>,
    at: Option<Timestamp>,
}

impl TryFrom<&v1::DocumentSubmitted> for Submitted {
    type Error = Failure;

    fn try_from(message: &v1::DocumentSubmitted) -> Result<Self, Failure> {
        let context = message.execution.as_ref().ok_or_else(|| malformed("`execution` is missing"))?;
        let document =
            context.document.as_ref().ok_or_else(|| malformed("`execution.document` is missing"))?;
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let bundle: Option<[u8; 32]> = match context.bundle.as_ref() {
            [] => None,
            bytes => Some(bytes.try_into().map_err(|_| malformed("`execution.bundle` is not 32 bytes"))?),
        };
        Ok(Self {
            execution: some(&context.execution_id)
                .map(|id| id.parse())
                .transpose()
                .map_err(|_| malformed("`execution.execution_id` is not a UUID"))?,
            workflow: match some(&message.workflow_id) {
                None => WorkflowId::auto(),
                Some(id) => {
                    WorkflowId::new(id).map_err(|_| malformed("`workflow_id` is not a workflow id"))?
                }
            },
            document: document_ref(document)?,
            bundle: bundle.map(BundleHash::from_bytes),
            session: some(&context.session_id)
                .map(SessionId::new)
                .transpose()
                .map_err(|_| malformed("`execution.session_id` is not a session id"))?,
            team: some(&context.team_id)
                .map(TeamId::new)
                .transpose()
                .map_err(|_| malformed("`execution.team_id` is not a team id"))?,
            at: context.submitted_at.as_ref().and_then(timestamp),
        })
    }
}

impl Submitted {
    /// The execution this submission stands for, under `bundle`: the same whoever submits, and however often.
    pub(crate) fn execution(
        self,
        bundle: BundleHash,
        meta: &Meta,
        now: Timestamp,
        redrive_after: Duration,
    ) -> Execution {
        let wait = SignedDuration::try_from(redrive_after).unwrap_or(SignedDuration::MAX);
        let derived = || ExecutionId::derive(&self.workflow, &self.document.sha256, &bundle, 0);
        Execution {
            id: self.execution.unwrap_or_else(derived),
            requested_workflow: self.workflow,
            document: self.document,
            bundle,
            session: self.session.or_else(|| meta.session.clone()),
            team: self.team.or_else(|| meta.team.clone()),
            lane: meta.lane,
            submission: meta.message_id,
            created_at: self.at.unwrap_or(now),
            redrives: meta.redrive,
            check_at: now.checked_add(wait).ok(),
            status: Status::Running,
            disposition: None,
            head: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_without_a_document_is_malformed_and_says_what_is_missing() {
        let message = v1::DocumentSubmitted {
            execution: Some(v1::ExecutionContext::default()),
            ..v1::DocumentSubmitted::default()
        };
        let failure = Submitted::try_from(&message).unwrap_err();
        assert_eq!(
            (failure.code, failure.source.to_string().as_str()),
            ("message.malformed", "`execution.document` is missing")
        );
    }
}
