//! How sure we are of a field, from its evidence and from what rules say about it.
//!
//! A source says how sure it is; two that agree are surer than either; what weakens the evidence takes a part of
//! that away. The parts are judgements, stated here once so that they can be calibrated against gold.

use clinflow_core::{
    Field, Severity,
    field::{Alignment, Confidence},
};
use clinflow_workflow::{FieldSpec, FieldType};

/// What remains, in thousandths, when a value is put together from several stretches of text.
const ASSEMBLED: u32 = 900;
/// What remains when a field that has a normal form by its type has none: it could not be read.
const UNREAD: u32 = 600;
/// What remains when a rule finds it probably wrong.
const WARNED: u32 = 800;
/// What remains when a rule wants a person to look at it.
const REVIEWED: u32 = 500;

/// How sure two sources that agree are together: wrong only if both are.
pub fn of_both(one: Confidence, other: Confidence) -> Confidence {
    let doubt = |confidence: Confidence| u32::from(1000 - confidence.thousandths());
    thousandths(1000 - doubt(one) * doubt(other) / 1000)
}

/// How sure we are of `field` in the end; `worst` is the gravest finding about it.
pub fn of(field: &Field, spec: Option<&FieldSpec>, worst: Option<Severity>) -> Confidence {
    let mut sure = u32::from(field.confidence.thousandths());
    if field.evidence.first().is_some_and(|evidence| evidence.status == Alignment::Assembled) {
        sure = sure * ASSEMBLED / 1000;
    }
    let has_normal_form = spec.is_some_and(|spec| !matches!(spec.kind, FieldType::Text));
    if has_normal_form && field.normalized.is_none() {
        sure = sure * UNREAD / 1000;
    }
    match worst {
        None | Some(Severity::Info) => {}
        Some(Severity::Warning) => sure = sure * WARNED / 1000,
        Some(Severity::Review | Severity::Block) => sure = sure * REVIEWED / 1000,
    }
    thousandths(sure)
}

fn thousandths(value: u32) -> Confidence {
    Confidence::from_thousandths(u16::try_from(value).unwrap_or(1000))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Confidence, of_both};

    #[test]
    fn two_sources_that_agree_are_wrong_only_if_both_are() {
        let sure = Confidence::from_thousandths;
        assert_eq!(of_both(sure(900), sure(700)), sure(970));
        assert_eq!(of_both(sure(0), sure(700)), sure(700));
    }

    proptest! {
        #[test]
        fn agreement_never_makes_less_sure(a in 0u16..=1000, b in 0u16..=1000) {
            let (a, b) = (Confidence::from_thousandths(a), Confidence::from_thousandths(b));
            prop_assert!(of_both(a, b) >= a.max(b));
            prop_assert_eq!(of_both(a, b), of_both(b, a));
        }
    }
}
