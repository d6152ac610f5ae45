//! What the gateway asks for a caller, read from its message.

use clinflow_core::{Failure, SessionId, WorkflowId, step::ObjectRef};
use clinflow_proto::v1;
use clinflow_runtime::wire::{self, Run, malformed, required_object};
use jiff::Timestamp;
use uuid::Uuid;

/// A question about an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) run: Run,
    pub(crate) workflow: WorkflowId,
    pub(crate) id: Uuid,
    /// Its words.
    pub(crate) words: ObjectRef,
    /// The document's text.
    pub(crate) text: ObjectRef,
    /// The validated fields.
    pub(crate) fields: ObjectRef,
    /// The conversation it belongs to.
    pub(crate) session: Option<SessionId>,
    /// Its place in the conversation.
    pub(crate) turn: u32,
    pub(crate) at: Timestamp,
}

impl TryFrom<&v1::QuestionAsked> for Asked {
    type Error = Failure;

    fn try_from(message: &v1::QuestionAsked) -> Result<Self, Failure> {
        let session = Some(message.session_id.as_str()).filter(|session| !session.is_empty());
        Ok(Self {
            run: Run::of(message)?,
            workflow: WorkflowId::new(&message.workflow_id)
                .map_err(|_| malformed("`workflow_id` is not a workflow id"))?,
            id: message.question_id.parse().map_err(|_| malformed("`question_id` is not a UUID"))?,
            words: required_object(message.question.as_ref(), "`question` is missing")?,
            text: required_object(message.text.as_ref(), "`text` is missing")?,
            fields: required_object(message.fields.as_ref(), "`fields` is missing")?,
            session: session
                .map(SessionId::new)
                .transpose()
                .map_err(|_| malformed("`session_id` is not a session id"))?,
            turn: message.turn,
            at: message
                .asked_at
                .as_ref()
                .and_then(wire::timestamp)
                .ok_or_else(|| malformed("`asked_at` is missing"))?,
        })
    }
}
