//! What a report looks like: reviewed as prose.

use clinflow_workflow::Format;

use super::files;
use crate::testing::{case, record, workflow};

fn names(outputs: &[Format]) -> Vec<String> {
    let files = files(&record(), &workflow("ae-report", outputs));
    files.into_iter().map(|file| file.name).collect()
}

#[test]
fn the_files_of_a_report_read_like_this() {
    for file in files(&record(), &workflow("ae-report", &[Format::Json, Format::Csv])) {
        insta::assert_snapshot!(file.name, String::from_utf8(file.bytes).unwrap());
    }
}

#[test]
fn the_record_is_always_written_and_comes_first_and_nothing_is_written_that_was_not_asked_for() {
    assert_eq!(names(&[]), ["record.json"]);
    assert_eq!(names(&[Format::Json]), ["record.json"]);
    assert_eq!(names(&[Format::Csv]), ["record.json", "fields.csv", "event.csv", "negated.csv"]);
    assert_eq!(names(&[Format::Json, Format::Fhir]), ["record.json", "fhir.json"]);
}

#[test]
fn a_dataset_without_rows_is_no_file() {
    let names = |record| {
        let files = files(&record, &workflow("ae-report", &[Format::DatasetJson]));
        files.into_iter().map(|file| file.name).collect::<Vec<_>>()
    };
    assert_eq!(names(case()), ["record.json", "dm.json", "ex.json", "cm.json", "ae.json"]);
    let mut without_drugs = case();
    without_drugs.fields.retain(|field| field.name != "drug_name");
    assert_eq!(names(without_drugs), ["record.json", "dm.json", "ae.json"]);
}

#[test]
fn a_group_named_like_the_long_table_does_not_replace_it() {
    let mut record = record();
    for field in &mut record.fields {
        field.group = field.group.as_ref().map(|_| "fields".to_owned());
    }
    let files = files(&record, &workflow("ae-report", &[Format::Csv]));
    let names: Vec<_> = files.into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["record.json", "fields.csv", "fields-group.csv"]);
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    let workflow = workflow("ae-report", &Format::ALL);
    assert_eq!(files(&case(), &workflow), files(&case(), &workflow));
}
