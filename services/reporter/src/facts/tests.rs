//! What becomes a fact.

use clinflow_core::field::{Assertion, Experiencer};
use clinflow_workflow::Format;

use super::{Facts, Standing};
use crate::testing::{case, record_of, said, workflow};

#[test]
fn whom_a_mention_is_about_comes_first_then_whether_it_happened() {
    let plain = Assertion::default();
    let denied = Assertion { negated: true, historical: true, ..plain };
    assert_eq!(Standing::of(&plain), Standing::Present);
    assert_eq!(Standing::of(&Assertion { uncertain: true, ..plain }), Standing::Suspected);
    assert_eq!(Standing::of(&Assertion { historical: true, uncertain: true, ..plain }), Standing::Past);
    assert_eq!(Standing::of(&denied), Standing::Refuted);
    assert_eq!(Standing::of(&Assertion { experiencer: Experiencer::Family, ..denied }), Standing::Elsewhere);
    assert_eq!(Standing::of(&Assertion { hypothetical: true, ..denied }), Standing::Elsewhere);
}

#[test]
fn a_value_that_was_not_understood_is_no_fact() {
    // A date that can be read two ways, and two boxes ticked: both are in the record, for a person to settle.
    let mut record = case();
    record.fields.retain(|field| field.name != "onset_date" && field.name != "causality");
    record.fields.push(said("onset_date", Some(("event", 1)), "04/06/2026", ""));
    record.fields.push(said("causality", Some(("event", 1)), "related unrelated", ""));
    let workflow = workflow("ae-report", &Format::ALL);
    let facts = Facts::of(&record, &workflow);
    let event = facts.rows.iter().find(|row| row.domain.code == "AE").unwrap();
    assert_eq!((event.value("AESTDTC"), event.value("AEREL")), (None, None));
    assert_eq!(event.value("AETERM"), Some("febrile neutropenia"));
}

#[test]
fn what_is_said_of_something_without_a_name_is_left_out() {
    let mut record = case();
    record.fields.retain(|field| field.name != "event_term");
    let workflow = workflow("ae-report", &Format::ALL);
    let facts = Facts::of(&record, &workflow);
    assert!(facts.rows.iter().all(|row| row.domain.code != "AE"));
}

#[test]
fn a_field_the_workflow_does_not_know_says_nothing() {
    let fields = vec![said("event_term", Some(("rumour", 1)), "sepsis", "sepsis")];
    let (record, workflow) = (record_of("ae-report", fields), workflow("ae-report", &Format::ALL));
    let facts = Facts::of(&record, &workflow);
    assert!(facts.rows.is_empty() && facts.refuted.is_empty());
}
