//! What counts as grounded, case by case.

use std::sync::Arc;

use clinflow_core::{
    AgentId, Evidence, Field, Phi, Role,
    field::{Alignment, Assertion, Confidence, Offsets, Source},
};
use clinflow_workflow::{CodeList, FieldSpec, FieldType, Term};

use super::{Ungrounded, check};

fn field(text: &str, value: &str, normalized: &str) -> Field {
    let start = text.find(value).unwrap();
    Field {
        name: "field".to_owned(),
        group: None,
        index: None,
        value: Phi::new(value),
        normalized: Some(Phi::new(normalized)),
        unit: None,
        codes: Vec::new(),
        assertion: Assertion::default(),
        evidence: vec![Evidence {
            span: Offsets::new(text).span(start..start + value.len()),
            page: None,
            status: Alignment::Verbatim,
        }],
        confidence: Confidence::FULL,
        source: Source::Model,
        agent_id: AgentId::new("w.nlp").unwrap(),
        invocation_id: uuid::Uuid::nil(),
        model: None,
        findings: Vec::new(),
    }
}

fn spec(kind: FieldType) -> FieldSpec {
    FieldSpec {
        name: "field".to_owned(),
        group: None,
        kind,
        agents: vec![Role::Extractor],
        label: None,
        cdisc: None,
        e2b: None,
        description: String::new(),
        required: false,
        phi: None,
    }
}

fn outcomes() -> FieldType {
    let term = |value: &str, synonyms: &[&str]| Term {
        value: value.to_owned(),
        synonyms: synonyms.iter().map(|synonym| (*synonym).to_owned()).collect(),
        codes: Vec::new(),
        units: Vec::new(),
    };
    FieldType::Code(Arc::new(CodeList::new(
        "outcome",
        vec![
            term("RECOVERED/RESOLVED", &["recovered", "resolved"]),
            term("NOT RECOVERED/NOT RESOLVED", &["not recovered", "not resolved", "ongoing"]),
            term("FATAL", &["died"]),
        ],
    )))
}

/// Whether `normalized` may be said of a document that says `value`.
fn grounded(kind: FieldType, value: &str, normalized: &str) -> Result<(), Ungrounded> {
    let text = format!("In 2026 the form says: {value}\nand no more.");
    check(&Offsets::new(&text), &field(&text, value, normalized), Some(&spec(kind)))
}

#[test]
fn a_date_follows_in_either_order_of_an_ambiguous_one_and_in_no_other() {
    for (value, normalized) in [
        ("09-JAN-2026", "2026-01-09"),
        ("12/01/2026", "2026-01-12"),
        ("12/01/2026", "2026-12-01"),
        ("09-JAN-2026 08:15", "2026-01-09"),
        ("UN-JAN-2026", "2026-01"),
        ("11-JAN", "2026-01-11"),
    ] {
        assert_eq!(grounded(FieldType::Date, value, normalized), Ok(()), "{value} {normalized}");
    }
    for (value, normalized) in [
        ("09-JAN-2026", "2026-01-19"),
        ("Jan 2026", "2026-01-09"),
        ("11-JAN", "2025-01-11"),
        ("soon", "2026-01-09"),
    ] {
        assert_eq!(
            grounded(FieldType::Date, value, normalized),
            Err(Ungrounded::NormalForm),
            "{value} {normalized}"
        );
    }
}

#[test]
fn numbers_are_exact() {
    for (value, normalized) in [
        ("0.30", "0.3"),
        ("<6", "<6"),
        ("[X] 3", "3"),
        ("Grade 3", "3"),
        ("gr. III", "3"),
        ("Amendment Two", "2"),
        ("non-reactive", "Non-reactive"),
        ("1,940", "1940"),
    ] {
        assert_eq!(grounded(FieldType::Number, value, normalized), Ok(()), "{value} {normalized}");
    }
    for (value, normalized) in
        [("0.30", "3"), ("<6", "6"), ("[ ] 3", "3"), ("142", "124"), ("1.5", "15"), ("-4.2", "4.2")]
    {
        assert_eq!(
            grounded(FieldType::Number, value, normalized),
            Err(Ungrounded::NormalForm),
            "{value} {normalized}"
        );
    }
}

#[test]
fn a_unit_is_the_one_that_is_written() {
    let with_unit = |value: &str, number: &str, unit: &str| {
        let text = format!("Dose: {value} daily");
        let field = Field { unit: Some(unit.to_owned()), ..field(&text, value, number) };
        check(&Offsets::new(&text), &field, Some(&spec(FieldType::Quantity)))
    };
    assert_eq!(with_unit("150 mg", "150", "mg"), Ok(()));
    assert_eq!(with_unit("300 mcg", "300", "ug"), Ok(()));
    assert_eq!(with_unit("57-year-old", "57", "a"), Ok(()));
    assert_eq!(with_unit("150 mg", "150", "g"), Err(Ungrounded::Unit));
    assert_eq!(
        with_unit("150", "150", "mg"),
        Err(Ungrounded::Unit),
        "no unit is written and a model says one"
    );
}

#[test]
fn a_negation_makes_another_term() {
    for (value, normalized) in [
        ("Recovered", "RECOVERED/RESOLVED"),
        ("Not recovered", "NOT RECOVERED/NOT RESOLVED"),
        ("resolved on 14-JAN", "RECOVERED/RESOLVED"),
    ] {
        assert_eq!(grounded(outcomes(), value, normalized), Ok(()), "{value}");
    }
    for (value, normalized) in [
        ("Not recovered", "RECOVERED/RESOLVED"),
        ("has not yet resolved", "RECOVERED/RESOLVED"),
        ("Recovered", "FATAL"),
        ("[ ] Recovered", "RECOVERED/RESOLVED"),
    ] {
        assert_eq!(grounded(outcomes(), value, normalized), Err(Ungrounded::NormalForm), "{value}");
    }
}

#[test]
fn yes_and_no_follow_from_boxes_and_words() {
    for (value, normalized) in [
        ("[X] Yes", "Y"),
        ("[X] No", "N"),
        ("[ ] Yes", "N"),
        ("[X] Hospitalisation (initial/prolonged)", "Y"),
        ("will be asked to re-consent", "Y"),
        ("re-consent is not required", "N"),
        ("yes - admitted overnight; no other criterion met", "Y"),
    ] {
        assert_eq!(grounded(FieldType::Boolean, value, normalized), Ok(()), "{value}");
        let opposite = if normalized == "Y" { "N" } else { "Y" };
        assert_eq!(grounded(FieldType::Boolean, value, opposite), Err(Ungrounded::NormalForm), "{value}");
    }
}

#[test]
fn words_keep_their_polarity() {
    assert_eq!(grounded(FieldType::Text, "febrile  neutropenia", "febrile neutropenia"), Ok(()));
    assert_eq!(grounded(FieldType::Text, "no pneumonia", "pneumonia"), Err(Ungrounded::NormalForm));
    assert_eq!(grounded(FieldType::Text, "pneumonia", "sepsis"), Err(Ungrounded::NormalForm));
    let text = "There was no pneumonia.";
    let mut negated = field(text, "no pneumonia", "pneumonia");
    negated.assertion.negated = true;
    assert_eq!(check(&Offsets::new(text), &negated, None), Ok(()));
}

#[test]
fn evidence_that_is_absent_elsewhere_or_outside_is_named() {
    let text = "Outcome: recovered, later mörtal. Outcome";
    let good = field(text, "recovered", "recovered");
    assert_eq!(check(&Offsets::new(text), &good, None), Ok(()));
    let changed = |change: fn(&mut Field)| {
        let mut field = good.clone();
        change(&mut field);
        check(&Offsets::new(text), &field, None).unwrap_err()
    };
    assert_eq!(changed(|field| field.evidence.clear()), Ungrounded::NoEvidence);
    assert_eq!(changed(|field| field.evidence[0].status = Alignment::Absent), Ungrounded::NoEvidence);
    assert_eq!(changed(|field| field.evidence[0].span.byte_end = 500), Ungrounded::OutsideText);
    assert_eq!(changed(|field| field.evidence[0].span.start = 1), Ungrounded::OutsideText);
    assert_eq!(changed(|field| field.value = Phi::new("fatal")), Ungrounded::OtherWords);
}

#[test]
fn a_value_may_be_put_together_from_stretches_and_line_ends() {
    let text = "febrile neutro-\npenia, severe";
    let mut broken = field(text, "febrile neutro-\npenia", "febrile neutropenia");
    broken.value = Phi::new("febrile neutropenia");
    assert_eq!(check(&Offsets::new(text), &broken, None), Ok(()));
    let mut assembled = field(text, "severe", "severe febrile");
    assembled.evidence.push(field(text, "febrile", "").evidence[0].clone());
    assembled.value = Phi::new("severe febrile");
    assert_eq!(check(&Offsets::new(text), &assembled, None), Ok(()));
}
