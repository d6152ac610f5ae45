//! Whether two sources say the same thing about one field.

use clinflow_clinical::{Label, lexicon::Lexicon};
use clinflow_core::Field;
use clinflow_workflow::FieldType;

use crate::{
    compare::{self, Common},
    grounding::same_number,
    words,
};

/// How two values of one field stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// They say the same, and the first says it no worse.
    Same,
    /// They say the same, and the second says more: a day where the first has a month, a unit where it has none.
    SecondSaysMore,
    /// They say different things.
    Different,
}

use Agreement::{Different, Same, SecondSaysMore};

/// Compares the normal forms of two values of one field. Polarity is part of a value.
pub(super) fn agreement(kind: &FieldType, one: &Field, other: &Field) -> Agreement {
    if one.assertion.negated != other.assertion.negated {
        return Different;
    }
    match kind {
        FieldType::Date => dates_agree(one.best(), other.best()),
        FieldType::Number | FieldType::Quantity => amounts_agree(one, other),
        FieldType::Code(_) | FieldType::Unit | FieldType::Boolean => {
            if words::same(one.best(), other.best()) { Same } else { Different }
        }
        FieldType::Text => texts_agree(one.best(), other.best()),
    }
}

/// Dates agree in the parts that both have; the one with more parts says more.
fn dates_agree(one: &str, other: &str) -> Agreement {
    let (Some(first), Some(second)) = (compare::read(one), compare::read(other)) else {
        return if words::same(one, other) { Same } else { Different };
    };
    match compare::dates(&first, &second) {
        Common::Equal if second.precision() > first.precision() => SecondSaysMore,
        Common::Equal => Same,
        Common::Before | Common::After => Different,
    }
}

/// Amounts agree in number and unit; a unit says more than none.
fn amounts_agree(one: &Field, other: &Field) -> Agreement {
    if !same_number(one.best(), other.best()) {
        return Different;
    }
    match (&one.unit, &other.unit) {
        (Some(one), Some(other)) if one != other => Different,
        (None, Some(_)) => SecondSaysMore,
        (None | Some(_), None) | (Some(_), Some(_)) => Same,
    }
}

/// Words agree when one holds the other without a gap, or when the lexicon has one name for both.
fn texts_agree(one: &str, other: &str) -> Agreement {
    let (first, second) = (words::words(one), words::words(other));
    if words::holds(&first, &second).is_some()
        || words::holds(&second, &first).is_some()
        || same_name(one, other)
    {
        Same
    } else {
        Different
    }
}

/// Whether the lexicon prefers one name for both.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    const NAMED: [Label; 4] = [Label::Drug, Label::Condition, Label::Symptom, Label::Procedure];
    let lexicon = Lexicon::shipped();
    NAMED.iter().any(|label| {
        lexicon
            .lookup(*label, one)
            .is_some_and(|entry| lexicon.lookup(*label, other).is_some_and(|other| entry == other))
    })
}
