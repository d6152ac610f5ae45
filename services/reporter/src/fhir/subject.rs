//! Whom the document is about: Patient, ResearchStudy, ResearchSubject, and what is said about them.

use super::{
    bundle::{Bundle, observed, to},
    element::{coded, concept, hl7, quantity, unknown},
};
use crate::{
    facts::{Fact, Standing},
    json::{Node, Object},
};

/// The references that other resources make.
pub(super) struct Subject {
    /// The Patient.
    pub(super) patient: String,
    /// The ResearchStudy, where the document names one.
    pub(super) study: Option<String>,
}

/// Adds the subject. The Patient has the number it has in the study, and nothing else that could identify it; without a
/// number it is a Patient nobody knows.
pub(super) fn put(bundle: &mut Bundle<'_>) -> Subject {
    let facts = bundle.facts;
    let row = &facts.subject;
    let (number, sex) = (row.fact("SUBJID"), row.fact("SEX"));
    let number_in = |system: &str| {
        let value = facts.usubjid().or_else(|| number.map(|fact| fact.value().to_owned()))?;
        Some(vec![Object::new().with("system", system).with("value", value).into()])
    };
    let members = Object::new()
        .list("identifier", number_in("urn:clinflow:subject").unwrap_or_default())
        .maybe("gender", sex.and_then(|fact| gender(fact.value())));
    let patient = bundle.tell("Patient", "subject", members, number.into_iter().chain(sex));
    let study = facts.study.map(|study| {
        let identifier = Object::new().with("system", "urn:clinflow:study").with("value", study.value());
        let members = Object::new().with("identifier", vec![identifier.into()]).with("_status", unknown());
        bundle.tell("ResearchStudy", "study", members, [study])
    });
    if let (Some(study), Some(number)) = (&study, number) {
        let identifier =
            Object::new().with("system", "urn:clinflow:subject-number").with("value", number.value());
        let members = Object::new()
            .with("identifier", vec![identifier.into()])
            .with("_status", unknown())
            .with("study", to(study))
            .with("individual", to(&patient));
        bundle.tell("ResearchSubject", "subject", members, facts.study.into_iter().chain([number]));
    }
    for (variable, loinc) in [("AGE", "30525-0"), ("RACE", "32624-9")] {
        if let Some(fact) = row.fact(variable) {
            describe(bundle, &patient, &fact, loinc);
        }
    }
    Subject { patient, study }
}

/// An Observation of something the subject is.
fn describe<'a>(bundle: &mut Bundle<'a>, patient: &str, fact: &Fact<'a>, loinc: &str) {
    let code = Object::new().with("system", "http://loinc.org").with("code", loinc);
    let members = Object::new()
        .with("status", observed(bundle.facts, Standing::Present))
        .with("category", vec![concept(hl7("observation-category", "social-history")).into()])
        .with("code", concept(code.into()))
        .with("subject", to(patient));
    let value: (&'static str, Node) = match quantity(fact.value(), fact.field.unit.as_deref()) {
        Some(quantity) => ("valueQuantity", quantity.into()),
        None => ("valueCodeableConcept", coded(fact).into()),
    };
    bundle.tell("Observation", &fact.path(), members.with(value.0, value.1), [*fact]);
}

/// FHIR's administrative gender for CDISC's sex.
fn gender(sex: &str) -> Option<&'static str> {
    match sex {
        "M" => Some("male"),
        "F" => Some("female"),
        "U" => Some("unknown"),
        _ => None,
    }
}
