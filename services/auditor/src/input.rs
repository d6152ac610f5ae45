//! The events the auditor consumes, as one type.

use bytes::Bytes;
use clinflow_core::{Failure, audit};
use clinflow_ports::Event;
use clinflow_proto::v1;
use clinflow_runtime::wire::{Publish, Receive, undecodable, wrong_type};

/// What the auditor is told.
pub enum Audited {
    /// Fields are validated: record them before they are reported.
    Validated(Box<v1::FieldsValidated>),
    /// Outputs are written.
    Completed(v1::ReportCompleted),
    /// A message could not be handled.
    Failed(v1::DocumentFailed),
    /// A question was answered: record it before anybody is told.
    Answered(v1::QuestionAnswered),
    /// A person has settled a review item.
    Resolved(v1::ReviewResolved),
    /// The guardrail masked or blocked something.
    Guarded(v1::GuardrailIntervened),
    /// Anything else that is worth keeping.
    Noted(Noted),
}

/// A side event, reduced to what the log keeps of it.
pub struct Noted {
    /// Which.
    pub event: Event,
    /// The execution it is about, if it is about one.
    pub execution: Option<v1::ExecutionContext>,
    /// Words about it without PHI: its closed-vocabulary fields.
    pub message: String,
}

impl Noted {
    /// What the log keeps.
    pub fn entry(self) -> audit::Event {
        audit::Event::Noted { event: self.event.type_name().to_owned(), message: self.message }
    }
}

impl Receive for Audited {
    fn receive(event: Event, body: &[u8]) -> Result<Self, Failure> {
        fn noted<M: prost::Message + Default + Publish>(
            event: Event,
            body: &[u8],
            words: impl Fn(&M) -> String,
        ) -> Result<Audited, Failure> {
            let message = M::decode(body).map_err(undecodable)?;
            let execution = message.execution().cloned();
            Ok(Audited::Noted(Noted { event, execution, message: words(&message) }))
        }
        match event {
            Event::FieldsValidated => Receive::receive(event, body).map(|one| Self::Validated(Box::new(one))),
            Event::ReportCompleted => Receive::receive(event, body).map(Self::Completed),
            Event::DocumentFailed => Receive::receive(event, body).map(Self::Failed),
            Event::FieldsIgnored => noted(event, body, |one: &v1::FieldsIgnored| {
                format!(
                    "{} from {}: message {}, kept {}",
                    one.reason, one.branch, one.message_id, one.kept_message_id
                )
            }),
            Event::ReviewRequested => noted(event, body, |one: &v1::ReviewRequested| {
                format!("{} items, the first {} by rule {}", one.items, one.review_id, one.rule)
            }),
            Event::ReviewResolved => Receive::receive(event, body).map(Self::Resolved),
            Event::GuardrailIntervened => Receive::receive(event, body).map(Self::Guarded),
            Event::QuestionAsked => {
                noted(event, body, |one: &v1::QuestionAsked| format!("question {}", one.question_id))
            }
            Event::QuestionAnswered => Receive::receive(event, body).map(Self::Answered),
            Event::BudgetThreshold | Event::CostAnomaly => {
                Ok(Self::Noted(Noted { event, execution: None, message: String::new() }))
            }
            Event::DocumentSubmitted
            | Event::DocumentClassified
            | Event::FieldsExtracted
            | Event::FieldsMerged
            | Event::ExtractionRecorded => Err(wrong_type(event)),
        }
    }

    fn received_execution(&self) -> Option<&v1::ExecutionContext> {
        match self {
            Self::Validated(message) => message.execution(),
            Self::Completed(message) => message.execution(),
            Self::Failed(message) => message.execution(),
            Self::Resolved(message) => message.execution(),
            Self::Guarded(message) => message.execution(),
            Self::Answered(message) => message.execution(),
            Self::Noted(noted) => noted.execution.as_ref(),
        }
    }

    fn patch(event: Event, step: v1::Step) -> Bytes {
        match event {
            Event::FieldsValidated => v1::FieldsValidated::patch(event, step),
            Event::ReportCompleted => v1::ReportCompleted::patch(event, step),
            Event::DocumentFailed => v1::DocumentFailed::patch(event, step),
            Event::ReviewResolved => v1::ReviewResolved::patch(event, step),
            Event::GuardrailIntervened => v1::GuardrailIntervened::patch(event, step),
            Event::QuestionAnswered => v1::QuestionAnswered::patch(event, step),
            // A side event carries no history of its own to add to.
            _ => Bytes::new(),
        }
    }
}
