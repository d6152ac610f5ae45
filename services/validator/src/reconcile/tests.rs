//! What becomes of two sources, case by case.

use std::collections::BTreeSet;

use clinflow_core::{Field, Phi, field::Source};
use proptest::prelude::*;

use super::{Reconciled, reconcile};
use crate::testing::{by_model, nth, pattern, workflow};

const TEXT: &str = "Age 57 y. AE 1: febrile neutropenia, onset 09-JAN-2026, severe, recovered. AE 2: oral mucositis, \
                    onset Jan 2026, later 11-JAN-2026, mild. Narrative: neutropenia with fever was fatal; nausea, 58 y.";

fn met(ones: Vec<Field>, others: Vec<Field>) -> Reconciled {
    reconcile(&workflow("ae-report"), ones, others, &BTreeSet::new())
}

fn of(name: &str, value: &str, normalized: &str) -> Field {
    pattern(TEXT, name, value, normalized)
}

/// Every field as `name` or `group.name[index]` with its normal form and source.
fn shown(reconciled: &Reconciled) -> Vec<(String, &str, Source)> {
    let name = |field: &Field| match (&field.group, field.index) {
        (Some(group), Some(index)) => format!("{group}.{}[{index}]", field.name),
        _ => field.name.clone(),
    };
    reconciled.fields.iter().map(|field| (name(field), field.best(), field.source)).collect()
}

#[test]
fn sources_that_agree_are_surer_than_either() {
    let mut age = of("age", "57 y", "57");
    age.unit = Some("a".to_owned());
    let done = met(vec![age.clone()], vec![by_model(age)]);
    assert_eq!(shown(&done), [("age".to_owned(), "57", Source::Both)]);
    assert_eq!(done.fields[0].confidence.thousandths(), 970);
    assert_eq!(done.fields[0].model.as_deref(), Some("local/1"));
    assert_eq!(done.fields[0].evidence.len(), 1, "one place is one evidence");
    assert_eq!(done.disagreements, []);
}

#[test]
fn sources_that_disagree_keep_both_evidences_and_the_patterns_value() {
    let done = met(vec![of("age", "57 y", "57")], vec![by_model(of("age", "58 y", "58"))]);
    assert_eq!(shown(&done), [("age".to_owned(), "57", Source::Pattern)]);
    assert_eq!(done.fields[0].evidence.len(), 2);
    assert_eq!(done.disagreements.len(), 1);
    assert_eq!(done.disagreements[0].pattern, Phi::new("57"));
    assert_eq!(done.disagreements[0].model, Phi::new("58"));
}

#[test]
fn a_cell_that_could_not_be_read_gives_way_to_a_value_that_could() {
    let mut unread = of("age", "57 y", "57");
    unread.normalized = None;
    let done = met(vec![unread], vec![by_model(of("age", "58 y", "58"))]);
    assert_eq!(shown(&done), [("age".to_owned(), "58", Source::Model)]);
    assert_eq!(done.disagreements.len(), 1);
}

#[test]
fn of_words_that_differ_the_surer_source_stands() {
    let surer = |thousandths| {
        let mut model = by_model(of("study_drug", "nausea", "nausea"));
        model.confidence = clinflow_core::field::Confidence::from_thousandths(thousandths);
        let done = reconcile(
            &workflow("patient-narrative"),
            vec![of("study_drug", "mucositis", "mucositis")],
            vec![model],
            &BTreeSet::new(),
        );
        done.fields[0].best().to_owned()
    };
    assert_eq!(surer(950), "nausea");
    assert_eq!(surer(900), "mucositis");
}

#[test]
fn the_opposite_of_a_value_is_no_agreement() {
    let mut denied = by_model(of("study_drug", "nausea", "nausea"));
    denied.assertion.negated = true;
    assert_eq!(met(vec![of("study_drug", "nausea", "nausea")], vec![denied]).disagreements.len(), 1);
}

#[test]
fn a_fuller_date_wins_over_a_partial_one_that_agrees() {
    let done = met(
        vec![of("document_date", "Jan 2026", "2026-01")],
        vec![by_model(of("document_date", "11-JAN-2026", "2026-01-11"))],
    );
    assert_eq!(shown(&done), [("document_date".to_owned(), "2026-01-11", Source::Both)]);
    assert_eq!(done.disagreements, []);
}

#[test]
fn repetitions_are_paired_by_what_they_name_and_not_by_their_number() {
    let ones = vec![
        nth(of("event_term", "febrile neutropenia", "febrile neutropenia"), "event", 1),
        nth(of("event_term", "oral mucositis", "oral mucositis"), "event", 2),
        nth(of("severity", "mild", "MILD"), "event", 2),
    ];
    let others = vec![
        by_model(nth(of("event_term", "mucositis", "mucositis"), "event", 1)),
        by_model(nth(of("severity", "mild", "MILD"), "event", 1)),
        by_model(nth(of("event_term", "nausea", "nausea"), "event", 2)),
        by_model(nth(of("event_term", "neutropenia", "neutropenia"), "event", 3)),
        by_model(nth(of("severity", "severe", "SEVERE"), "event", 3)),
    ];
    assert_eq!(
        shown(&met(ones.clone(), others.clone())),
        [
            ("event.event_term[1]".to_owned(), "febrile neutropenia", Source::Both),
            ("event.severity[1]".to_owned(), "SEVERE", Source::Model),
            ("event.event_term[2]".to_owned(), "oral mucositis", Source::Both),
            ("event.severity[2]".to_owned(), "MILD", Source::Both),
            ("event.event_term[3]".to_owned(), "nausea", Source::Model),
        ]
    );
    let counted = BTreeSet::from(["event".to_owned()]);
    let done = reconcile(&workflow("ae-report"), ones, others, &counted);
    assert_eq!(done.left_out.iter().map(Field::best).collect::<Vec<_>>(), ["nausea"]);
    assert_eq!(done.fields.iter().filter(|field| field.name == "event_term").count(), 2);
}

#[test]
fn two_failures_of_different_organs_are_two_events() {
    let text = "heart failure; renal failure";
    let term = |value| nth(pattern(text, "event_term", value, value), "event", 1);
    let done = met(vec![term("heart failure")], vec![by_model(term("renal failure"))]);
    assert_eq!(done.fields.len(), 2);
    assert_eq!(done.disagreements, []);
}

#[test]
fn two_values_of_one_field_in_one_source_are_both_kept() {
    let done = met(vec![of("subject_id", "57", "57"), of("subject_id", "58", "58")], Vec::new());
    assert_eq!(shown(&done).len(), 2);
}

fn some_field() -> impl Strategy<Value = Field> {
    let value = prop::sample::select(vec![
        "febrile neutropenia",
        "oral mucositis",
        "neutropenia",
        "nausea",
        "57 y",
        "58 y",
    ]);
    let name = prop::sample::select(vec![
        ("event_term", true),
        ("severity", true),
        ("age", false),
        ("study_id", false),
    ]);
    (value, name, 1u32..4).prop_map(|(value, (name, repeated), index)| {
        let field = of(name, value, value);
        if repeated { nth(field, "event", index) } else { field }
    })
}

proptest! {
    #[test]
    fn the_order_of_the_fields_changes_nothing(
        (ones, shuffled) in prop::collection::vec(some_field(), 0..8)
            .prop_flat_map(|fields| (Just(fields.clone()), Just(fields).prop_shuffle())),
        (others, mixed) in prop::collection::vec(some_field().prop_map(by_model), 0..8)
            .prop_flat_map(|fields| (Just(fields.clone()), Just(fields).prop_shuffle())),
    ) {
        let workflow = workflow("ae-report");
        let none = BTreeSet::new();
        prop_assert_eq!(reconcile(&workflow, ones, others, &none), reconcile(&workflow, shuffled, mixed, &none));
    }

    #[test]
    fn no_evidence_is_lost(
        ones in prop::collection::vec(some_field(), 0..8),
        others in prop::collection::vec(some_field().prop_map(by_model), 0..8),
    ) {
        let spans = |fields: &[Field]| -> BTreeSet<usize> {
            fields.iter().flat_map(|field| &field.evidence).map(|evidence| evidence.span.byte_start).collect()
        };
        let all = spans(&[ones.as_slice(), &others].concat());
        let done = reconcile(&workflow("ae-report"), ones, others, &BTreeSet::new());
        prop_assert_eq!(spans(&done.fields), all);
    }
}
