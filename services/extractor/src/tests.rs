//! Whole documents through the shipped bundle: what the ways of finding make of each other.

use std::sync::LazyLock;

use clinflow_core::FieldSet;
use clinflow_ingest::{Limits, ingest};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{AMBIGUOUS_DATE, Compiled, UNREAD, extract};

static BUNDLE: LazyLock<Compiled> = LazyLock::new(|| Compiled::read(&clinflow_workflow::shipped()).unwrap());

fn found(workflow: &str, text: &str) -> FieldSet {
    let text = ingest(text.as_bytes(), "text/plain", &Limits::default()).unwrap().text;
    extract(&text, BUNDLE.workflow(&workflow.parse().unwrap()).unwrap(), Uuid::nil())
}

fn values(set: &FieldSet) -> Vec<String> {
    let line = |field: &clinflow_core::Field| {
        let group = field
            .group
            .as_ref()
            .zip(field.index)
            .map(|(group, index)| format!("{group} {index} "))
            .unwrap_or_default();
        format!("{group}{} = {}", field.name, field.normalized.as_ref().map_or("?", |form| form.expose()))
    };
    set.fields.iter().map(line).collect()
}

const FORM: &str = "\
Protocol: ABX-104-301          Site: 104            Subject ID: 104-0032
AE #1
  Adverse event (verbatim) : oral mucositis
  Onset                    : 11-JAN-2026          End : ____________
  Serious?                 : [ ] Yes   [X] No
  Outcome                  : Not recovered
AE #2
  Adverse event (verbatim) : septic shock
  Serious?                 : [X] Yes   [ ] No
     [X] Death                          [ ] Life-threatening
OTHER MEDICATION
  1. amlodipine 5 mg PO QD
";

#[test]
fn a_form_with_two_events_gives_each_its_own_fields() {
    assert_eq!(
        values(&found("ae-report", FORM)),
        [
            "study_id = ABX-104-301",
            "site_id = 104",
            "subject_id = 104-0032",
            "event 1 event_term = oral mucositis",
            "event 1 onset_date = 2026-01-11",
            "event 1 serious = N",
            "event 1 outcome = NOT RECOVERED/NOT RESOLVED",
            "event 2 event_term = septic shock",
            "event 2 serious = Y",
            "event 2 seriousness_death = Y",
            "concomitant_drug 1 drug_name = amlodipine",
        ]
    );
}

#[test]
fn every_value_stands_where_its_evidence_says() {
    let set = found("ae-report", FORM);
    for field in &set.fields {
        let span = field.evidence[0].span;
        assert_eq!(span.of(FORM).unwrap(), field.value.expose());
        assert_eq!(
            FORM.chars().skip(span.start).take(span.end - span.start).collect::<String>(),
            field.value.expose()
        );
    }
}

#[test]
fn a_date_that_can_be_read_in_two_ways_is_left_to_a_person() {
    let set = found("ae-report", "Onset:  03/04/2026\n");
    assert_eq!(values(&set), ["event 1 onset_date = ?"]);
    assert_eq!(
        (set.findings[0].rule.as_str(), set.fields[0].findings[0].as_str()),
        (AMBIGUOUS_DATE, AMBIGUOUS_DATE)
    );
    let decided = found("ae-report", "Onset:  03/04/2026\nReport date: 25/04/2026\n");
    assert!(decided.findings.is_empty());
}

#[test]
fn answers_without_a_visible_tick_are_no_answer() {
    let set = found("ae-report", "Outcome    recovered       recovering      not recovered\n");
    assert_eq!(values(&set), ["event 1 outcome = ?"]);
    assert_eq!(set.findings[0].rule, UNREAD);
}

#[test]
fn a_row_that_was_seen_and_not_read_is_counted() {
    let text = "Sodium      138       mmol/L    136 - 145\nPotassium   4,1;3     mmol/L    3.5 - 5.1\n";
    let set = found("lab-report", text);
    assert_eq!((set.rows[0].found, set.rows[0].extracted), (2, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_text_can_be_searched_and_every_span_lies_on_characters(text in "([A-Za-z:µ☒ \\[\\]X0-9.|-]{0,40}\n){1,12}") {
        prop_assume!(!text.trim().is_empty());
        let set = found("lab-report", &text);
        for evidence in set.fields.iter().flat_map(|field| &field.evidence) {
            prop_assert!(evidence.span.of(&text).is_some());
        }
    }
}
