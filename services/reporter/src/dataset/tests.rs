//! What the datasets of a record hold.

use clinflow_workflow::Format;
use serde_json::{Value, json};

use super::files;
use crate::{
    facts::Facts,
    record::Record,
    testing::{case, record_of, said, workflow},
};

/// The dataset `name` of a record, where it is written.
fn dataset(record: &Record, name: &str) -> Option<Value> {
    let workflow = workflow(record.workflow_id.as_str(), &[Format::DatasetJson]);
    let files = files(&Facts::of(record, &workflow));
    let file = files.into_iter().find(|file| file.name == name)?;
    Some(serde_json::from_slice(&file.bytes).unwrap())
}

/// The cells of the column `name`.
fn column(dataset: &Value, name: &str) -> Vec<Value> {
    let columns = dataset["columns"].as_array().unwrap();
    let at = columns.iter().position(|column| column["name"] == name).unwrap();
    dataset["rows"].as_array().unwrap().iter().map(|row| row[at].clone()).collect()
}

#[test]
fn the_datasets_of_a_case_read_like_this() {
    let workflow = workflow("ae-report", &[Format::DatasetJson]);
    for file in files(&Facts::of(&case(), &workflow)) {
        let text = String::from_utf8(file.bytes).unwrap();
        let lines = text.replace(":[", ":[\n").replace("},{", "},\n{").replace("],[", "],\n[");
        insta::assert_snapshot!(file.name, lines);
    }
}

#[test]
fn what_did_not_happen_has_no_row() {
    let written = |change: fn(&mut clinflow_core::field::Assertion)| {
        let mut record = case();
        let term = record.fields.iter_mut().find(|field| field.name == "event_term").unwrap();
        change(&mut term.assertion);
        dataset(&record, "ae.json").is_some()
    };
    assert!(written(|_| {}));
    assert!(!written(|assertion| assertion.negated = true));
    assert!(!written(|assertion| assertion.hypothetical = true));
    assert!(!written(|assertion| assertion.historical = true));
    assert!(!written(|assertion| assertion.uncertain = true));
    assert!(!written(|assertion| assertion.experiencer = clinflow_core::field::Experiencer::Family));
    let mut record = case();
    // An attribute that is denied is left out, and the row stays.
    record.fields.iter_mut().find(|field| field.name == "severity").unwrap().assertion.negated = true;
    assert_eq!(column(&dataset(&record, "ae.json").unwrap(), "AESEV"), [Value::Null]);
}

#[test]
fn medical_history_is_of_the_past() {
    let mut history = said("condition", Some(("history", 1)), "hypertension", "hypertension");
    history.assertion.historical = true;
    let identity = [said("study_id", None, "S-1", ""), said("subject_id", None, "7", "")];
    let fields = identity.into_iter().chain([history]).collect();
    let dataset = dataset(&record_of("patient-narrative", fields), "mh.json").unwrap();
    assert_eq!(column(&dataset, "MHTERM"), ["hypertension"]);
}

#[test]
fn a_row_that_would_belong_to_nobody_is_not_written() {
    for missing in ["study_id", "subject_id"] {
        let mut record = case();
        record.fields.retain(|field| field.name != missing);
        assert_eq!(dataset(&record, "ae.json"), None, "{missing}");
    }
}

#[test]
fn a_report_that_withdraws_its_case_has_no_datasets() {
    let mut record = case();
    record.fields.push(said("report_type", None, "NULLIFICATION", "NULLIFICATION"));
    assert_eq!(dataset(&record, "ae.json"), None);
    assert_eq!(dataset(&record, "dm.json"), None);
}

#[test]
fn a_result_keeps_its_words_and_its_number_where_it_is_one() {
    let row = |name, index, value, normalized| said(name, Some(("row", index)), value, normalized);
    let mut unit = row("unit", 1, "x10^9/L", "10*9/L");
    unit.unit = Some("10*9/L".to_owned());
    let fields = vec![
        said("study_id", None, "S-1", ""),
        said("subject_id", None, "7", ""),
        said("collected_at", None, "12/01/2026 14:20", "2026-01-12T14:20"),
        row("test_name", 1, "White cells", "White cells"),
        row("result", 1, "7,90", "7.90"),
        unit,
        row("test_name", 2, "Anti-HCV", "Anti-HCV"),
        row("result", 2, "< 0,06", "<0.06"),
        row("test_name", 3, "HBsAg", "HBsAg"),
        row("result", 3, "Non-reactive", ""),
    ];
    let dataset = dataset(&record_of("lab-report", fields), "lb.json").unwrap();
    assert_eq!(column(&dataset, "LBTESTCD"), [json!("WBC"), Value::Null, Value::Null]);
    assert_eq!(column(&dataset, "LBTEST"), ["Leukocytes", "Anti-HCV", "HBsAg"]);
    assert_eq!(column(&dataset, "LBORRES"), ["7.90", "<0.06", "Non-reactive"]);
    assert_eq!(column(&dataset, "LBSTRESN"), [json!("7.90"), Value::Null, Value::Null]);
    assert_eq!(column(&dataset, "LBSTRESU"), [json!("10^9/L"), Value::Null, Value::Null]);
    // Said once, true of every result.
    assert_eq!(column(&dataset, "LBDTC"), ["2026-01-12T14:20"; 3]);
    assert_eq!(column(&dataset, "LBSEQ"), [1, 2, 3]);
}
