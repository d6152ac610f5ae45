//! INV-07: no field leaves the validator without evidence that its normal form follows from.
//!
//! A field is grounded when the text at its evidence is its value, and its normal form and unit follow from that
//! value, exactly on numbers, units and polarity. [`check`] is the one predicate: the pipeline, its debug assertion
//! and the tests ask it.

pub(crate) mod answer;
mod follows;
mod locate;
mod tick;
pub(crate) mod token;

use clinflow_clinical::Label;
use clinflow_core::{
    Field, Span,
    field::{Alignment, Offsets, Source},
};

use crate::words;

pub use follows::same_number;
pub use locate::{Located, locate};

/// What the values of a field are, and so what their normal form must follow from.
#[derive(Clone, Copy)]
pub enum Kind<'a> {
    /// Words.
    Text,
    /// A date in ISO 8601.
    Date,
    /// A number, perhaps with a comparison; its unit is checked by itself.
    Number,
    /// A unit in UCUM.
    Unit,
    /// `Y` or `N`.
    Truth,
    /// A term of a code list.
    Term(&'a dyn Terms),
}

/// A code list, as far as grounding needs to know it.
pub trait Terms {
    /// The term that is written `text`, whatever its case, spacing and punctuation.
    fn find(&self, text: &str) -> Option<&str>;

    /// Every spelling with its term.
    fn spellings(&self) -> Vec<(&str, &str)>;
}

/// Why a field is not grounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ungrounded {
    /// It has no evidence, or evidence that says nothing supports it.
    NoEvidence,
    /// Its evidence does not lie in the text.
    OutsideText,
    /// The text at its evidence is something else.
    OtherWords,
    /// Its normal form does not follow from its value.
    NormalForm,
    /// Its unit is not the one written.
    Unit,
}

impl Ungrounded {
    /// What is wrong, for a finding.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoEvidence => "nothing in the text supports it",
            Self::OutsideText => "its evidence does not lie in the text",
            Self::OtherWords => "the text at its evidence says something else",
            Self::NormalForm => "its normal form does not follow from the text",
            Self::Unit => "its unit is not the one in the text",
        }
    }
}

/// Whether `field`, a value of this `kind` filled by mentions with this `label`, is grounded in `text`.
///
/// # Errors
///
/// The first thing that is missing.
pub fn check(
    text: &Offsets<'_>,
    field: &Field,
    kind: Kind<'_>,
    label: Option<Label>,
) -> Result<(), Ungrounded> {
    if field.source == Source::Derived && field.evidence.is_empty() {
        return Ok(());
    }
    let unsupported = |status: Alignment| matches!(status, Alignment::Absent | Alignment::Partial);
    if field.evidence.is_empty() || field.evidence.iter().any(|evidence| unsupported(evidence.status)) {
        return Err(Ungrounded::NoEvidence);
    }
    let written = field
        .evidence
        .iter()
        .map(|evidence| at(text, &evidence.span))
        .collect::<Option<Vec<_>>>()
        .ok_or(Ungrounded::OutsideText)?;
    if !says(&written, field.value.expose()) {
        return Err(Ungrounded::OtherWords);
    }
    if !follows::normal_form(field, kind, label, text.text()) {
        return Err(Ungrounded::NormalForm);
    }
    if !follows::unit(field, label, &written, line_of(text.text(), &field.evidence[0].span)) {
        return Err(Ungrounded::Unit);
    }
    Ok(())
}

/// The text at a span whose code points and bytes mean the same place.
fn at<'a>(text: &Offsets<'a>, span: &Span) -> Option<&'a str> {
    let written = span.of(text.text())?;
    let consistent = text.char_at(span.byte_start) == span.start && text.char_at(span.byte_end) == span.end;
    (consistent && !written.is_empty()).then_some(written)
}

/// Whether one stretch is the value, or all of them in order are.
fn says(written: &[&str], value: &str) -> bool {
    let value = unbroken(value);
    written.iter().any(|stretch| unbroken(stretch) == value)
        || (written.len() > 1 && unbroken(&written.join(" ")) == value)
}

/// The text folded, with words put together that the end of a line has broken: "neutro-\npenia".
fn unbroken(text: &str) -> String {
    words::folded(&text.replace("-\n", ""))
}

/// The line on which a span begins.
fn line_of<'a>(text: &'a str, span: &Span) -> &'a str {
    let start = text[..span.byte_start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[span.byte_start..].find('\n').map_or(text.len(), |newline| span.byte_start + newline);
    &text[start..end]
}

#[cfg(test)]
mod tests;
