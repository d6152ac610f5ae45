//! Checks on flags that are `Y` or `N`, such as seriousness and its criteria.

use clinflow_workflow::FieldRef;

use super::facts::Scope;

/// When any of `any` is `Y`, `required` is.
pub(super) fn any_requires(scope: &Scope<'_>, any: &[FieldRef], required: &FieldRef) -> bool {
    !any.iter().any(|flag| scope.is_true(flag)) || scope.is_true(required)
}

/// When `when` is `Y`, one of `any` is.
pub(super) fn requires_any(scope: &Scope<'_>, when: &FieldRef, any: &[FieldRef]) -> bool {
    !scope.is_true(when) || any.iter().any(|flag| scope.is_true(flag))
}
