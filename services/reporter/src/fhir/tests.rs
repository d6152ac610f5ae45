//! What the Bundle of a record says.

use clinflow_core::field::{Assertion, Experiencer};
use clinflow_workflow::Format;
use serde_json::Value;

use super::file;
use crate::{
    facts::Facts,
    record::Record,
    testing::{case, record_of, said, workflow},
};

fn bundle(record: &Record) -> Value {
    let workflow = workflow(record.workflow_id.as_str(), &[Format::Fhir]);
    serde_json::from_slice(&file(&Facts::of(record, &workflow))).unwrap()
}

/// The resources of a kind.
fn all(bundle: &Value, kind: &str) -> Vec<Value> {
    let resources = bundle["entry"].as_array().unwrap().iter().map(|entry| entry["resource"].clone());
    resources.filter(|resource| resource["resourceType"] == kind).collect()
}

/// A narrative that says this of "sepsis", in `group`.
fn narrative(group: &str, assertion: Assertion) -> Value {
    let name = if group == "event" { "event_term" } else { "condition" };
    let mut field = said(name, Some((group, 1)), "sepsis", "sepsis");
    field.assertion = assertion;
    bundle(&record_of("patient-narrative", vec![field]))
}

fn verification(bundle: &Value) -> Option<String> {
    let condition = all(bundle, "Condition").pop()?;
    Some(condition["verificationStatus"]["coding"][0]["code"].as_str()?.to_owned())
}

#[test]
fn the_bundle_of_a_case_reads_like_this() {
    let workflow = workflow("ae-report", &[Format::Fhir]);
    let text = String::from_utf8(file(&Facts::of(&case(), &workflow))).unwrap();
    insta::assert_snapshot!("fhir.json", text.replace("{\"fullUrl\"", "\n{\"fullUrl\""));
}

#[test]
fn only_what_the_subject_has_is_an_adverse_event() {
    let is_event = |assertion| !all(&narrative("event", assertion), "AdverseEvent").is_empty();
    let plain = Assertion::default();
    assert!(is_event(plain));
    assert!(!is_event(Assertion { negated: true, ..plain }));
    assert!(!is_event(Assertion { uncertain: true, ..plain }));
    assert!(!is_event(Assertion { historical: true, ..plain }));
    assert!(!is_event(Assertion { hypothetical: true, ..plain }));
    assert!(!is_event(Assertion { experiencer: Experiencer::Family, ..plain }));
}

#[test]
fn a_denied_condition_is_refuted_a_suspected_one_unconfirmed_and_anothers_is_not_there() {
    let plain = Assertion::default();
    let negated = Assertion { negated: true, ..plain };
    assert_eq!(verification(&narrative("negated", negated)).as_deref(), Some("refuted"));
    assert_eq!(verification(&narrative("event", negated)).as_deref(), Some("refuted"));
    let uncertain = Assertion { uncertain: true, ..plain };
    assert_eq!(verification(&narrative("event", uncertain)).as_deref(), Some("unconfirmed"));
    let past = narrative("history", Assertion { historical: true, ..plain });
    assert_eq!(verification(&past).as_deref(), Some("confirmed"));
    assert_eq!(all(&past, "Condition")[0]["category"][0]["text"], "Medical history");
    for group in ["event", "history", "negated"] {
        let of_father = Assertion { experiencer: Experiencer::Family, ..negated };
        assert_eq!(verification(&narrative(group, of_father)), None, "{group}");
    }
}

#[test]
fn a_report_that_withdraws_its_case_says_only_which_document_it_is() {
    let mut record = case();
    record.fields.push(said("report_type", None, "NULLIFICATION", "NULLIFICATION"));
    let bundle = bundle(&record);
    assert_eq!(bundle["entry"].as_array().unwrap().len(), 1);
    assert_eq!(all(&bundle, "DocumentReference")[0]["status"], "entered-in-error");
}

#[test]
fn the_judgement_of_causality_goes_to_a_drug_only_where_there_is_one() {
    let mut record = case();
    let judged = |record: &Record| all(&bundle(record), "AdverseEvent")[0]["suspectEntity"].clone();
    assert_eq!(judged(&record)[0]["causality"][0]["assessment"]["text"], "POSSIBLY RELATED");
    record.fields.push(said("drug_name", Some(("suspect_drug", 2)), "EXA-17", ""));
    let both = judged(&record);
    assert_eq!(both.as_array().unwrap().len(), 2);
    assert!(both[0].get("causality").is_none() && both[1].get("causality").is_none());
}

#[test]
fn what_a_person_has_yet_to_settle_is_preliminary() {
    let mut record = case();
    assert_eq!(all(&bundle(&record), "Observation")[0]["status"], "final");
    record.status = clinflow_core::Status::NeedsReview;
    assert_eq!(all(&bundle(&record), "Observation")[0]["status"], "preliminary");
}

#[test]
fn every_resource_says_which_fields_it_rests_on() {
    let bundle = bundle(&case());
    let targets: Vec<Value> =
        all(&bundle, "Provenance").iter().map(|one| one["target"][0]["reference"].clone()).collect();
    for entry in bundle["entry"].as_array().unwrap() {
        let kind = entry["resource"]["resourceType"].as_str().unwrap();
        if !["DocumentReference", "Device", "Provenance"].contains(&kind) {
            assert!(targets.contains(&entry["fullUrl"]), "{kind}");
        }
    }
}
