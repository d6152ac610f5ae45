//! Laboratory results: Observations and the Specimen they were measured in.

use super::{
    bundle::{Bundle, observed, to},
    element::{coded, concept, date, hl7, local_time, quantity},
    subject::Subject,
};
use crate::{
    facts::{Row, Standing},
    json::{Node, Object},
    sdtm::LB,
};

/// Adds the results, and the specimens that the document names.
pub(super) fn put(bundle: &mut Bundle<'_>, subject: &Subject) {
    let mut specimens: Vec<(String, String)> = Vec::new();
    let facts = bundle.facts;
    for row in facts.rows.iter().filter(|row| row.domain == &LB) {
        if !matches!(row.standing, Standing::Present | Standing::Suspected) || row.value("LBORRES").is_none()
        {
            continue;
        }
        let sample = ["LBREFID", "LBSPEC", "LBDTC"].map(|variable| row.value(variable).unwrap_or_default());
        let specimen = (sample[0].len() + sample[1].len() > 0).then(|| {
            let place = sample.join("/");
            let known =
                specimens.iter().find(|(other, _)| *other == place).map(|(_, reference)| reference.clone());
            known.unwrap_or_else(|| {
                let reference = specimen(bundle, row, &place, subject);
                specimens.push((place, reference.clone()));
                reference
            })
        });
        let members = observation(bundle, row, subject, specimen.as_deref());
        bundle.tell("Observation", &row.place, members, row.facts());
    }
}

fn specimen<'a>(bundle: &mut Bundle<'a>, row: &Row<'a>, place: &str, subject: &Subject) -> String {
    let told = ["LBREFID", "LBSPEC", "LBDTC"].map(|variable| row.fact(variable));
    let [accession, kind, collected] = told;
    let collection = collected.and_then(|fact| {
        let day = date(&fact)?;
        Some(Object::new().with("collectedDateTime", day).maybe("_collectedDateTime", local_time(&fact)))
    });
    let members = Object::new()
        .maybe("accessionIdentifier", accession.map(|fact| Object::new().with("value", fact.value())))
        .maybe("type", kind.map(|fact| coded(&fact)))
        .with("subject", to(&subject.patient))
        .maybe("collection", collection);
    bundle.tell("Specimen", place, members, told.into_iter().flatten())
}

fn observation(bundle: &Bundle<'_>, row: &Row<'_>, subject: &Subject, specimen: Option<&str>) -> Object {
    let test = row.fact("LBTEST").map_or_else(Object::new, |fact| coded(&fact));
    let unit = row.fact("LBORRESU").and_then(|fact| fact.field.unit.as_deref());
    let collected = row.fact("LBDTC");
    let result = row.value("LBORRES").unwrap_or_default();
    let members = Object::new()
        .with("status", observed(bundle.facts, row.standing))
        .with("category", vec![concept(hl7("observation-category", "laboratory")).into()])
        .with("code", test)
        .with("subject", to(&subject.patient))
        .maybe("effectiveDateTime", collected.and_then(|fact| date(&fact)))
        .maybe("_effectiveDateTime", collected.and_then(|fact| local_time(&fact)))
        .list(
            "performer",
            row.value("LBNAM").map(|name| Object::new().with("display", name).into()).into_iter().collect(),
        );
    let members = match quantity(result, unit) {
        Some(quantity) => members.with("valueQuantity", quantity),
        None => members.with("valueString", result),
    };
    let flag = row.value("LBNRIND").and_then(interpretation);
    members
        .list(
            "interpretation",
            flag.into_iter().map(|code| concept(hl7("v3-ObservationInterpretation", code)).into()).collect(),
        )
        .maybe("specimen", specimen.map(to))
        .list("referenceRange", range(row, unit).into_iter().collect())
}

/// The code of HL7 for CDISC's indicator.
fn interpretation(indicator: &str) -> Option<&'static str> {
    match indicator {
        "HIGH" => Some("H"),
        "LOW" => Some("L"),
        "NORMAL" => Some("N"),
        "ABNORMAL" => Some("A"),
        _ => None,
    }
}

/// The reference range: limits that are numbers as quantities, anything else in words.
fn range(row: &Row<'_>, unit: Option<&str>) -> Option<Node> {
    let [low, high] = ["LBORNRLO", "LBORNRHI"].map(|variable| row.value(variable));
    let limit =
        |value: Option<&str>| value.and_then(|value| quantity(value, unit)).filter(|_| !compared(value));
    let (bottom, top) = (limit(low), limit(high));
    let rest: Vec<&str> = [(low, bottom.is_none()), (high, top.is_none())]
        .into_iter()
        .filter_map(|(value, in_words)| value.filter(|_| in_words))
        .collect();
    if low.is_none() && high.is_none() {
        return None;
    }
    let text = (!rest.is_empty()).then(|| rest.join(" - "));
    Some(Object::new().maybe("low", bottom).maybe("high", top).maybe("text", text).into())
}

/// True for a value that begins with a comparison: a limit is a SimpleQuantity, which has none.
fn compared(value: Option<&str>) -> bool {
    value.is_some_and(|value| value.starts_with(['<', '>']))
}
