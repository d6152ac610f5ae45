//! What a question is answered from, and what an answer is: the words shared by the local model and the language
//! models.

use std::sync::Arc;

use clinflow_core::{Citation, Field, FieldSet, Phi, id::ObjectHash};
use clinflow_ingest::Text;
use clinflow_workflow::Workflow;

/// What an answer says when neither the fields nor the text answer the question.
pub const NOT_SAID: &str = "The document does not say.";

/// What a question is answered from. Nothing else counts.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The document's text.
    pub text: &'a Arc<Text>,
    /// Its validated fields.
    pub fields: &'a Arc<FieldSet>,
    /// What the fields mean.
    pub workflow: &'a Arc<Workflow>,
    /// What was asked before in the same conversation, oldest first; what the guardrail refused is not among it.
    pub earlier: &'a [Exchange],
}

/// A question that was answered before. Both are as the guardrail let them go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The question.
    pub question: Phi,
    /// Its answer.
    pub answer: Phi,
    /// What the answer rested on.
    pub citations: Vec<Citation>,
}

/// What a reader answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer; [`NOT_SAID`], without citations, when the material does not hold it.
    pub answer: Phi,
    /// What it rests on, the stretch that answers first.
    pub citations: Vec<Citation>,
    /// Id and version of the model that answered.
    pub model: String,
    /// SHA-256 of the prompt it was given; none for a model that is given none.
    pub prompt: Option<ObjectHash>,
    /// What it cost, in nano-dollars.
    pub cost_nano_usd: u64,
}

/// A field's name with its group and repetition: `event[2].onset_date`.
pub fn path(field: &Field) -> String {
    match (&field.group, field.index) {
        (Some(group), Some(index)) => format!("{group}[{index}].{}", field.name),
        (Some(group), None) => format!("{group}.{}", field.name),
        (None, _) => field.name.clone(),
    }
}
