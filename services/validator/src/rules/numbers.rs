//! Checks on numbers and their units.

use clinflow_clinical::quantity::parse_number;
use clinflow_workflow::FieldRef;

use super::facts::Scope;

/// The value is a number, perhaps with a comparison; where `with` is named, only where that field is there.
pub(super) fn is_number(scope: &Scope<'_>, field: &FieldRef, with: Option<&FieldRef>) -> bool {
    let applies = with.is_none_or(|with| scope.has(with));
    !applies || scope.value(field).is_none_or(|value| parse_number(value).is_some())
}

/// `low` ≤ the number ≤ `high`; what is no number is not judged.
pub(super) fn lies_in(scope: &Scope<'_>, field: &FieldRef, low: f64, high: f64) -> bool {
    let number = scope.value(field).and_then(parse_number);
    number.is_none_or(|number| (low..=high).contains(&number.value()))
}

/// The value has a unit.
pub(super) fn has_unit(scope: &Scope<'_>, field: &FieldRef) -> bool {
    scope.field(field).is_none_or(|field| field.unit.is_some())
}
