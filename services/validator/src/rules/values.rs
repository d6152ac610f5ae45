//! Checks on what one value says about another, such as an outcome and an end date.

use clinflow_workflow::{FieldRef, Value, Workflow};

use super::facts::Scope;

/// When `when` holds, `present` is there.
pub(super) fn requires_present(scope: &Scope<'_>, when: &Value, present: &FieldRef) -> bool {
    scope.is(when) != Some(true) || scope.has(present)
}

/// When `when` holds, `absent` is not there.
pub(super) fn forbids_present(scope: &Scope<'_>, when: &Value, absent: &FieldRef) -> bool {
    scope.is(when) != Some(true) || !scope.has(absent)
}

/// When `when` holds and `then`'s field is there, `then` holds.
pub(super) fn implies(scope: &Scope<'_>, when: &Value, then: &Value) -> bool {
    scope.is(when) != Some(true) || scope.is(then) != Some(false)
}

/// `left` holds exactly when `right` does, where both fields are there.
pub(super) fn together(scope: &Scope<'_>, left: &Value, right: &Value) -> bool {
    match (scope.is(left), scope.is(right)) {
        (Some(left), Some(right)) => left == right,
        _ => true,
    }
}

/// The value is a term of the field's code list.
pub(super) fn in_code_list(scope: &Scope<'_>, field: &FieldRef, workflow: &Workflow) -> bool {
    let list = workflow.resolve(field).and_then(|spec| spec.code_list());
    match (list, scope.value(field)) {
        (Some(list), Some(value)) => list.term(value).is_some(),
        _ => true,
    }
}
