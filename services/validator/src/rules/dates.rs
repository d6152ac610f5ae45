//! Checks on dates. Only parts that both dates have are compared, and a date that cannot be read is not judged: that
//! it cannot be read is said elsewhere.

use clinflow_clinical::dates::PartialDate;
use clinflow_workflow::{FieldRef, Latest};
use jiff::civil::Date;

use super::facts::Scope;
use crate::compare::{self, Common};

/// The date in a field.
fn date(scope: &Scope<'_>, field: &FieldRef) -> Option<PartialDate> {
    compare::read(scope.value(field)?)
}

/// Whether one date is after the other in every reading: day and month of "03/11/2026" may be either.
fn is_after(one: &PartialDate, other: &PartialDate) -> bool {
    let readings = |date: &PartialDate| [Some(*date), date.swapped()].into_iter().flatten();
    readings(one).all(|one| readings(other).all(|other| compare::dates(&one, &other) == Common::After))
}

/// `earlier` is not after `later`.
pub(super) fn in_order(scope: &Scope<'_>, earlier: &FieldRef, later: &FieldRef) -> bool {
    match (date(scope, earlier), date(scope, later)) {
        (Some(earlier), Some(later)) => !is_after(&earlier, &later),
        _ => true,
    }
}

/// `field` is not after `latest`.
pub(super) fn not_after(scope: &Scope<'_>, field: &FieldRef, latest: &Latest, today: Date) -> bool {
    let limit = match latest {
        Latest::Today => compare::read(&today.to_string()),
        Latest::Field(limit) => date(scope, limit),
    };
    match (date(scope, field), limit) {
        (Some(date), Some(limit)) => !is_after(&date, &limit),
        _ => true,
    }
}

/// From `from` to `to` are at least `days` days.
pub(super) fn days_apart(scope: &Scope<'_>, from: &FieldRef, to: &FieldRef, days: u32) -> bool {
    let civil = |field| date(scope, field).and_then(|date| date.civil());
    match (civil(from), civil(to)) {
        (Some(from), Some(to)) => {
            from.until(to).is_ok_and(|span| i64::from(span.get_days()) >= i64::from(days))
        }
        _ => true,
    }
}
