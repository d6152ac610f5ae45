//! The shipped rules, each broken once and kept once.

use clinflow_core::{Field, Phi, Severity};
use jiff::civil::{Date, date};

use super::judge;
use crate::testing::{nth, pattern, workflow};

const TODAY: Date = date(2026, 3, 1);

/// A field whose value is its normal form; where it stands does not matter here.
fn field(path: &str, index: u32, value: &str) -> Field {
    match path.split_once('.') {
        Some((group, name)) => nth(pattern(value, name, value, value), group, index),
        None => pattern(value, path, value, value),
    }
}

/// The rules of a workflow that the fields break, each with the field and repetition it is about.
fn broken(id: &str, fields: &[(&str, u32, &str)]) -> Vec<(String, String, Option<u32>)> {
    let fields: Vec<Field> = fields.iter().map(|(path, index, value)| field(path, *index, value)).collect();
    judge(&workflow(id), &fields, TODAY)
        .into_iter()
        .map(|said| (said.finding.rule, said.finding.field.unwrap_or_default(), said.finding.index))
        .collect()
}

/// One broken rule.
fn one(rule: &str, field: &str, index: Option<u32>) -> Vec<(String, String, Option<u32>)> {
    vec![(rule.to_owned(), field.to_owned(), index)]
}

#[test]
fn a_start_after_its_end_is_found_in_its_repetition() {
    let dates = |onset: &'static str| {
        broken(
            "ae-report",
            &[
                ("event.onset_date", 1, "2026-01-09"),
                ("event.end_date", 1, "2026-01-14"),
                ("event.onset_date", 2, onset),
                ("event.end_date", 2, "2026-01-10"),
            ],
        )
    };
    assert_eq!(dates("2026-01-11"), one("X-DATE-01", "end_date", Some(2)));
    assert_eq!(dates("2026-01"), [], "only common precision is compared");
}

#[test]
fn nothing_is_later_than_the_document_and_the_document_not_later_than_today() {
    assert_eq!(
        broken("ae-report", &[("document_date", 0, "2026-01-15"), ("event.onset_date", 1, "2026-01-16")]),
        one("X-DATE-02", "onset_date", Some(1))
    );
    assert_eq!(
        broken("ae-report", &[("document_date", 0, "2026-03-02")]),
        one("X-DATE-03", "document_date", None)
    );
    assert_eq!(broken("ae-report", &[("document_date", 0, "2026-03-01")]), []);
    assert_eq!(
        broken("ae-report", &[("document_date", 0, "02/04/2026")]),
        [],
        "4 February is another reading"
    );
}

#[test]
fn seriousness_and_its_criteria_go_together() {
    let hospitalised = ("event.seriousness_hospitalisation", 1, "Y");
    assert_eq!(
        broken("ae-report", &[hospitalised]),
        one("AE-SER-01", "serious", Some(1)),
        "absent is not yes"
    );
    assert_eq!(broken("ae-report", &[hospitalised, ("event.serious", 1, "Y")]), []);
    assert_eq!(broken("ae-report", &[("event.serious", 1, "Y")]), one("AE-SER-02", "serious", Some(1)));
    assert_eq!(
        broken("ae-report", &[hospitalised, ("event.serious", 2, "N")]),
        one("AE-SER-01", "serious", Some(1)),
        "another event's flag does not count"
    );
}

#[test]
fn an_outcome_and_an_end_date_go_together() {
    assert_eq!(
        broken("ae-report", &[("event.outcome", 1, "RECOVERED/RESOLVED")]),
        one("AE-OUT-01", "end_date", Some(1))
    );
    assert_eq!(
        broken(
            "ae-report",
            &[("event.outcome", 1, "NOT RECOVERED/NOT RESOLVED"), ("event.end_date", 1, "2026-01-14")]
        ),
        one("AE-OUT-02", "end_date", Some(1))
    );
}

#[test]
fn death_and_a_fatal_outcome_go_together() {
    let fatal = ("event.outcome", 1, "FATAL");
    assert_eq!(
        broken("ae-report", &[fatal, ("event.seriousness_death", 1, "N")]),
        one("AE-OUT-03", "outcome", Some(1))
    );
    assert_eq!(broken("ae-report", &[fatal]), [], "where the criterion is not stated nothing disagrees");
    assert_eq!(
        broken("ae-report", &[fatal, ("event.ctcae_grade", 1, "3")]),
        one("AE-OUT-04", "ctcae_grade", Some(1))
    );
}

#[test]
fn flags_are_recomputed_from_the_range() {
    let row = |result: &'static str, flag: &'static str| {
        broken(
            "lab-report",
            &[
                ("row.test_name", 1, "Potassium"),
                ("row.result", 1, result),
                ("row.reference_low", 1, "3.5"),
                ("row.reference_high", 1, "5.1"),
                ("row.flag", 1, flag),
            ],
        )
    };
    assert_eq!(row("5.9", "HIGH"), []);
    assert_eq!(row("5.9", "ABNORMAL"), []);
    assert_eq!(row("5.9", "NORMAL"), one("LB-RNG-02", "flag", Some(1)));
    assert_eq!(row("4.0", "LOW"), one("LB-RNG-02", "flag", Some(1)));
}

#[test]
fn a_document_about_two_subjects_is_found() {
    assert_eq!(
        broken("ae-report", &[("subject_id", 0, "104-0032"), ("subject_id", 0, "104-0033")]),
        one("X-SUBJ-01", "subject_id", None)
    );
}

#[test]
fn a_finding_names_and_quotes_its_fields_and_knows_where_they_stand() {
    let fields = [field("event.onset_date", 1, "2026-01-20"), field("event.end_date", 1, "2026-01-14")];
    let said = judge(&workflow("ae-report"), &fields, TODAY);
    assert_eq!(said[0].about, [0, 1]);
    assert_eq!(said[0].finding.severity, Severity::Review);
    let expected =
        "`onset_date` (2026-01-20) is after `end_date` (2026-01-14): one of the two dates is wrong.";
    assert_eq!(said[0].finding.message, Phi::new(expected));
}
