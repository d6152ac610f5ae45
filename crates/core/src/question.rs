//! A question about an execution, and its answer: the bodies of objects in the object store, never of messages.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    field::Span,
    id::{ExecutionId, ObjectHash, SessionId, derive},
    phi::Phi,
};

/// A question's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Schema of this object: [`Question::SCHEMA`].
    pub schema: String,
    /// The words.
    pub question: Phi,
}

impl Question {
    /// The schema name written into every question.
    pub const SCHEMA: &'static str = "clinflow.question/1";

    /// A question in these words.
    pub fn new(question: Phi) -> Self {
        Self { schema: Self::SCHEMA.to_owned(), question }
    }

    /// The id of these words, asked about `execution` in this place of a conversation: whoever asks the same again
    /// finds the answer that is there.
    pub fn id(&self, execution: ExecutionId, session: Option<&SessionId>, turn: u32) -> Uuid {
        let session = session.map_or("", SessionId::as_str);
        derive(&[
            b"question",
            execution.as_uuid().as_bytes(),
            session.as_bytes(),
            &turn.to_be_bytes(),
            self.question.expose().as_bytes(),
        ])
    }
}

/// An answer. It is PHI like the document it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Schema of this object: [`Answer::SCHEMA`].
    pub schema: String,
    /// The execution that was asked about.
    pub execution_id: ExecutionId,
    /// The question.
    pub question_id: Uuid,
    /// The question's words as the guardrail let them go on; empty when it did not.
    pub question: Phi,
    /// The answer's words as the guardrail let them go on; empty when refused.
    pub answer: Phi,
    /// True when the guardrail refused the question or its answer, or the answer did not rest on what it cites.
    pub refused: bool,
    /// What is said instead of an answer, when refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the answer rests on; empty when the document does not say.
    pub citations: Vec<Citation>,
    /// What the guardrail found, never the words it found.
    pub guardrail: Vec<GuardrailFinding>,
    /// Id and version of the model that answered; `None` when none was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// SHA-256 of the prompt it was given; none for a model that is given none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<ObjectHash>,
    /// What it cost, in nano-dollars.
    pub cost_nano_usd: u64,
}

impl Answer {
    /// The schema name written into every answer.
    pub const SCHEMA: &'static str = "clinflow.answer/1";
}

/// A stretch of the text that an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// Where.
    #[serde(flatten)]
    pub span: Span,
    /// The page it begins on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The field it is evidence of: `event[2].onset_date`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// Something the guardrail found in a question or its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardrailFinding {
    /// Where: `input` is the question, `output` its answer.
    pub source: String,
    /// The policy: `topic`, `sensitive-information`.
    pub policy: String,
    /// The topic, filter, pattern or type of personal information.
    pub name: String,
    /// What was done: `detected`, `anonymized` or `blocked`.
    pub action: String,
}

#[cfg(test)]
mod tests {
    use super::{ExecutionId, Phi, Question, SessionId, Uuid};

    #[test]
    fn the_same_words_in_the_same_place_are_the_same_question() {
        let question = Question::new(Phi::new("What dose did the patient receive?"));
        let execution = ExecutionId::from_uuid(Uuid::from_u128(7));
        let session = SessionId::new("s-1").unwrap();
        let id = question.id(execution, Some(&session), 2);
        assert_eq!(id, question.id(execution, Some(&session), 2));
        for other in [
            question.id(execution, Some(&session), 3),
            question.id(execution, None, 2),
            question.id(ExecutionId::from_uuid(Uuid::from_u128(8)), Some(&session), 2),
            Question::new(Phi::new("What dose?")).id(execution, Some(&session), 2),
        ] {
            assert_ne!(id, other);
        }
    }
}
