//! The whole step, from what the branches found to what may leave.

use clinflow_core::{
    Evidence, FieldSet, Phi, Role, Severity,
    field::{Alignment, RowCount},
};
use jiff::civil::date;
use proptest::prelude::*;

use super::{Input, Validated, validate};
use crate::testing::{by_model, nth, pattern, set, text, workflow};

const TEXT: &str = "Study ABX-104-301, subject 104-0032, age 57 y.\nAE 1: febrile neutropenia, onset 09-JAN-2026, \
                    recovered 14-JAN-2026.\nNo sepsis.";

fn validated(sets: Vec<FieldSet>, missing: &[&str]) -> Validated {
    let missing: Vec<String> = missing.iter().map(|branch| (*branch).to_owned()).collect();
    let text = text(TEXT);
    let workflow = workflow("ae-report");
    validate(Input { text: &text, workflow: &workflow, sets, missing: &missing, today: date(2026, 3, 1) })
}

/// What the patterns found: everything that the workflow requires.
fn extractor() -> FieldSet {
    set(
        Role::Extractor,
        vec![
            pattern(TEXT, "study_id", "ABX-104-301", "ABX-104-301"),
            pattern(TEXT, "subject_id", "104-0032", "104-0032"),
            nth(pattern(TEXT, "event_term", "febrile neutropenia", "febrile neutropenia"), "event", 1),
            nth(pattern(TEXT, "onset_date", "09-JAN-2026", "2026-01-09"), "event", 1),
        ],
    )
}

fn nlp() -> FieldSet {
    let onset = pattern(TEXT, "onset_date", "09-JAN-2026", "2026-01-09");
    let term = pattern(TEXT, "event_term", "neutropenia", "neutropenia");
    set(Role::Nlp, vec![by_model(nth(onset, "event", 1)), by_model(nth(term, "event", 1))])
}

/// Findings as rule, field and severity.
fn said(validated: &Validated) -> Vec<(&str, &str, Severity)> {
    let findings = validated.fields.findings.iter();
    findings
        .map(|finding| (finding.rule.as_str(), finding.field.as_deref().unwrap_or("-"), finding.severity))
        .collect()
}

#[test]
fn sources_that_agree_and_break_no_rule_need_no_review() {
    let done = validated(vec![extractor(), nlp()], &[]);
    assert_eq!(said(&done), []);
    assert!(!done.needs_review);
    assert_eq!(done.fields.role, Role::Validator);
    assert_eq!(done.fields.fields.len(), 4);
    assert_eq!(done.fields.fields[3].confidence.thousandths(), 970);
}

#[test]
fn a_claim_that_the_text_does_not_make_is_withheld_and_needs_review() {
    let mut invented = by_model(pattern(TEXT, "sex", "sepsis", "F"));
    invented.value = Phi::new("female");
    invented.evidence = vec![Evidence { status: Alignment::Absent, ..invented.evidence[0].clone() }];
    let mut model = nlp();
    model.fields.push(invented);
    let done = validated(vec![extractor(), model], &[]);
    assert_eq!(said(&done), [("GRD-01", "sex", Severity::Block)]);
    assert!(done.needs_review);
    assert!(done.fields.fields.iter().all(|field| field.name != "sex"));
}

#[test]
fn a_disagreement_is_a_finding_that_names_both_values() {
    let mut model = nlp();
    model.fields[0] = by_model(nth(pattern(TEXT, "onset_date", "14-JAN-2026", "2026-01-14"), "event", 1));
    let done = validated(vec![extractor(), model], &[]);
    assert_eq!(said(&done), [("GRD-02", "onset_date", Severity::Review)]);
    let message = done.fields.findings[0].message.expose();
    assert!(message.ends_with("the pattern has `2026-01-09`, the model `2026-01-14`"), "{message}");
    let onset = done.fields.fields.iter().find(|field| field.name == "onset_date").unwrap();
    assert_eq!((onset.best(), onset.findings.as_slice()), ("2026-01-09", &["GRD-02".to_owned()][..]));
    assert_eq!(onset.confidence.thousandths(), 450);
}

#[test]
fn a_coded_value_is_said_in_the_terms_of_the_workflow() {
    let mut model = nlp();
    model.fields.push(by_model(nth(pattern(TEXT, "outcome", "recovered", "better"), "event", 1)));
    let done = validated(vec![extractor(), model], &[]);
    let outcome = done.fields.fields.iter().find(|field| field.name == "outcome").unwrap();
    assert_eq!(outcome.best(), "RECOVERED/RESOLVED");
    assert!(outcome.codes.iter().any(|code| code.system == "E2B E.i.7" && code.code == "1"));
}

#[test]
fn a_missing_branch_makes_the_result_partial() {
    let done = validated(vec![extractor()], &["nlp"]);
    assert_eq!(said(&done), [("PARTIAL-01", "-", Severity::Review)]);
    assert!(done.needs_review);
}

#[test]
fn rows_that_were_counted_and_not_extracted_need_review() {
    let mut patterns = extractor();
    patterns.rows = vec![RowCount { group: "event".to_owned(), found: 2, extracted: 1 }];
    let done = validated(vec![patterns, nlp()], &[]);
    assert_eq!(said(&done), [("ROWS-01", "-", Severity::Review)]);
    assert_eq!(done.fields.rows[0].found, 2);
}

#[test]
fn a_row_of_which_every_field_was_withheld_is_no_longer_extracted() {
    let mut patterns = extractor();
    patterns.rows = vec![RowCount { group: "event".to_owned(), found: 1, extracted: 1 }];
    for field in &mut patterns.fields[2..] {
        field.evidence.clear();
    }
    let done = validated(vec![patterns], &[]);
    assert_eq!(done.fields.rows[0].extracted, 0);
    assert!(said(&done).contains(&("ROWS-01", "-", Severity::Review)));
}

#[test]
fn a_required_field_that_is_not_there_needs_review() {
    let mut patterns = extractor();
    patterns.fields.remove(1);
    assert_eq!(said(&validated(vec![patterns, nlp()], &[])), [("REQ-01", "subject_id", Severity::Review)]);
    assert_eq!(said(&validated(vec![], &[])).len(), 3, "without any event the event's term is missing, too");
}

proptest! {
    #[test]
    fn the_order_of_the_branches_changes_nothing(first in any::<bool>()) {
        let sets = if first { vec![extractor(), nlp()] } else { vec![nlp(), extractor()] };
        prop_assert_eq!(validated(sets, &[]), validated(vec![extractor(), nlp()], &[]));
    }
}
