//! What is asked about a text, and what is said: the words shared by the local model and the language models.

use clinflow_core::{
    Phi, Span,
    field::{Assertion, Code},
};
use clinflow_workflow::FieldType;

/// One field that is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The field's id in its workflow.
    pub name: String,
    /// The repeated group it belongs to.
    pub group: Option<String>,
    /// What its values are.
    pub kind: FieldType,
    /// What kind of mention can fill it: an entity label of `clinflow annotate` (`drug`, `adverse_event`).
    pub label: String,
    /// What it means, for a model that reads instructions.
    pub description: String,
}

impl Wanted {
    /// Its name with its group: `event.onset_date`.
    pub fn path(&self) -> String {
        match &self.group {
            Some(group) => format!("{group}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// One thing a model says.
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
