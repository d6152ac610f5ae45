//! INV-07 for the fields of a workflow: what a [`FieldSpec`] says a value is, in the words of grounding.
//!
//! The predicate itself is [`clinflow_guardrail::grounding::check`]; the pipeline, its debug assertion and the tests
//! ask it through here.

use clinflow_core::{Field, field::Offsets};
use clinflow_guardrail::grounding::{self, Kind, Terms};
use clinflow_workflow::{CodeList, FieldSpec, FieldType};

pub use clinflow_guardrail::grounding::Ungrounded;
pub(crate) use clinflow_guardrail::grounding::same_number;

/// A workflow's code list as grounding reads it.
struct Listed<'a>(&'a CodeList);

impl Terms for Listed<'_> {
    fn find(&self, text: &str) -> Option<&str> {
        self.0.find(text).map(|term| term.value.as_str())
    }

    fn spellings(&self) -> Vec<(&str, &str)> {
        let mut spellings = Vec::new();
        for term in &self.0.terms {
            let all = std::iter::once(&term.value).chain(&term.synonyms);
            spellings.extend(all.map(|spelling| (spelling.as_str(), term.value.as_str())));
        }
        spellings
    }
}

/// Whether `field` is grounded in `text`. `spec` says what kind of value it is; a field that the workflow does not
/// know is taken for words.
///
/// # Errors
///
/// The first thing that is missing.
pub fn check(text: &Offsets<'_>, field: &Field, spec: Option<&FieldSpec>) -> Result<(), Ungrounded> {
    let label = spec.and_then(|spec| spec.label.as_deref()).and_then(|label| label.parse().ok());
    let list = spec.and_then(FieldSpec::code_list).map(|list| Listed(list));
    let kind = match (spec.map(|spec| &spec.kind), &list) {
        (Some(FieldType::Code(_)), Some(list)) => Kind::Term(list),
        (Some(FieldType::Date), _) => Kind::Date,
        (Some(FieldType::Number | FieldType::Quantity), _) => Kind::Number,
        (Some(FieldType::Unit), _) => Kind::Unit,
        (Some(FieldType::Boolean), _) => Kind::Truth,
        (Some(FieldType::Text | FieldType::Code(_)) | None, _) => Kind::Text,
    };
    grounding::check(text, field, kind, label)
}

#[cfg(test)]
mod tests;
