//! The model: asked for the fields of a workflow, answers claims about a text. It is never believed as such:
//! the validator keeps only what the text supports.

use std::time::Duration;

use async_trait::async_trait;
use clinflow_core::{
    Failure, Phi, Span,
    field::{Assertion, Code},
};

/// One field that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The field's id in its workflow.
    pub name: String,
    /// The repeated group it belongs to.
    pub group: Option<String>,
    /// What kind of mention can fill it: an entity label of `clinflow annotate` (`drug`, `adverse_event`).
    pub label: String,
    /// What it means, for a model that reads instructions.
    pub description: String,
}

/// What a model is asked.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The workflow's id.
    pub workflow: &'a str,
    /// The document's text.
    pub text: &'a str,
    /// The fields.
    pub wanted: &'a [Wanted],
    /// How long the answer is of use.
    pub within: Duration,
}

/// One thing the model says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The field.
    pub name: String,
    /// The repeated group.
    pub group: Option<String>,
    /// Which repetition, from 1.
    pub index: Option<u32>,
    /// The value as written in the text.
    pub value: Phi,
    /// The value's normal form.
    pub normalized: Option<Phi>,
    /// UCUM unit.
    pub unit: Option<String>,
    /// Codes.
    pub codes: Vec<Code>,
    /// ConText properties.
    pub assertion: Assertion,
    /// Where in the text; `None` when the model did not say.
    pub span: Option<Span>,
}

/// What a model answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// What it says, in document order.
    pub claims: Vec<Claim>,
    /// What it cost, in nano-dollars.
    pub cost_nano_usd: u64,
}

/// A clinical model.
#[async_trait]
pub trait Model: Send + Sync + 'static {
    /// Model id and version, as every record names it: `local/1`.
    fn id(&self) -> &str;

    /// Asks.
    async fn ask(&self, question: Question<'_>) -> Result<Answer, Failure>;
}
