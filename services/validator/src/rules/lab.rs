//! Checks on laboratory results: units, reference ranges, and flags recomputed from them.

use clinflow_clinical::quantity::{Number, Operator, parse_number};
use clinflow_workflow::{CodeList, FieldRef};

use super::facts::Scope;

/// The unit is one that the analyte may have. An analyte that is not known, or has no list of units, may have any.
pub(super) fn unit_fits(scope: &Scope<'_>, test: &FieldRef, unit: &FieldRef, analytes: &CodeList) -> bool {
    let (Some(test), Some(unit)) = (scope.value(test), scope.field(unit)) else { return true };
    let unit = unit.unit.as_deref().unwrap_or_else(|| unit.best());
    analytes
        .find(test)
        .is_none_or(|analyte| analyte.units.is_empty() || analyte.units.iter().any(|one| one == unit))
}

/// `low` is less than `high`.
pub(super) fn range_ordered(scope: &Scope<'_>, low: &FieldRef, high: &FieldRef) -> bool {
    match (number(scope, low), number(scope, high)) {
        (Some(low), Some(high)) => low.value() < high.value(),
        _ => true,
    }
}

/// The flag says what the result is between its limits.
pub(super) fn flag_agrees(
    scope: &Scope<'_>,
    value: &FieldRef,
    low: &FieldRef,
    high: &FieldRef,
    flag: &FieldRef,
) -> bool {
    let (Some(flag), Some(value)) = (scope.value(flag), number(scope, value)) else { return true };
    match (side(&value, number(scope, low).as_ref(), number(scope, high).as_ref()), flag) {
        (None, _) => true,
        (Some(Side::Low), flag) => matches!(flag, "LOW" | "ABNORMAL"),
        (Some(Side::High), flag) => matches!(flag, "HIGH" | "ABNORMAL"),
        (Some(Side::Normal), flag) => flag == "NORMAL",
    }
}

fn number(scope: &Scope<'_>, field: &FieldRef) -> Option<Number> {
    parse_number(scope.value(field)?)
}

/// Where a result lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Low,
    Normal,
    High,
}

/// Where `value` lies between its limits; `None` when that cannot be said: no limit is known, or the value is a
/// comparison ("<6") that could lie on either side of one. Limits belong to the range unless they are strict ("<14").
fn side(value: &Number, low: Option<&Number>, high: Option<&Number>) -> Option<Side> {
    // All values the result may have, from least to greatest; the ends count unless they are open.
    let (mut least, mut greatest) = (value.value(), value.value());
    match value.operator {
        Some(Operator::Less | Operator::LessOrEqual) => least = f64::NEG_INFINITY,
        Some(Operator::Greater | Operator::GreaterOrEqual) => greatest = f64::INFINITY,
        None => {}
    }
    let (open_low, open_high) =
        (value.operator == Some(Operator::Greater), value.operator == Some(Operator::Less));
    let strict = |limit: &Number| matches!(limit.operator, Some(Operator::Less | Operator::Greater));
    // Whether all possible values lie below the lower limit; above or on it.
    let below =
        low.map(|low| greatest < low.value() || (greatest <= low.value() && (open_high || strict(low))));
    let not_below =
        low.is_none_or(|low| least > low.value() || (least >= low.value() && (open_low || !strict(low))));
    let above =
        high.map(|high| least > high.value() || (least >= high.value() && (open_low || strict(high))));
    let not_above = high.is_none_or(|high| {
        greatest < high.value() || (greatest <= high.value() && (open_high || !strict(high)))
    });
    match (below, above) {
        (None, None) => None,
        (Some(true), _) => Some(Side::Low),
        (_, Some(true)) => Some(Side::High),
        _ => (not_below && not_above).then_some(Side::Normal),
    }
}

#[cfg(test)]
mod tests {
    use super::{Side, parse_number, side};

    #[test]
    fn a_result_lies_where_all_of_it_lies() {
        for (value, low, high, expected) in [
            ("5.9", "3.5", "5.1", Some(Side::High)),
            ("3.5", "3.5", "5.1", Some(Side::Normal)),
            ("5.1", "3.5", "5.1", Some(Side::Normal)),
            ("0.3", "1.5", "8.0", Some(Side::Low)),
            ("14", "", "<14", Some(Side::High)),
            ("59", ">59", "", Some(Side::Low)),
            ("60", ">59", "", Some(Side::Normal)),
            ("<6", "", "14", Some(Side::Normal)),
            ("<6", "6", "14", Some(Side::Low)),
            ("<6", "3", "14", None),
            (">100", "", "100", Some(Side::High)),
            (">90", "", "100", None),
            ("7", "", "", None),
        ] {
            let limits = (parse_number(low), parse_number(high));
            let found = side(&parse_number(value).unwrap(), limits.0.as_ref(), limits.1.as_ref());
            assert_eq!(found, expected, "{value} in {low} to {high}");
        }
    }
}
