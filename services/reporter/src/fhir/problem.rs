//! What went wrong with the subject: AdverseEvents, Conditions, and stays in hospital.

use super::{
    bundle::{Bundle, said, to},
    element::{
        AE_RESEARCH, coded, concept, date, extension, fhir_code, hl7, local_time, nested, period, words,
    },
    subject::Subject,
};
use crate::{
    facts::{Fact, Row, Standing},
    json::{Node, Object},
    sdtm::{AE, HO, MH},
};

/// Adds events, conditions and stays. `treatments` are the study treatments.
pub(super) fn put(bundle: &mut Bundle<'_>, subject: &Subject, treatments: &[String]) {
    let facts = bundle.facts;
    for row in &facts.rows {
        let topic = row.domain.topic.and_then(|topic| row.fact(topic));
        match (row.standing, topic) {
            (Standing::Elsewhere, _) => {}
            (Standing::Present, _) if row.domain == &AE => event(bundle, row, subject, treatments),
            (standing, Some(topic)) if row.domain == &AE => {
                condition(bundle, &row.place, &topic, standing, subject, Some(row));
            }
            (standing, Some(topic)) if row.domain == &MH => {
                condition(bundle, &row.place, &topic, standing, subject, Some(row));
            }
            (Standing::Present, _) if row.domain == &HO => stay(bundle, row, subject),
            _ => {}
        }
    }
    for fact in &facts.refuted {
        condition(bundle, &fact.path(), fact, Standing::Refuted, subject, None);
    }
}

/// The criteria of seriousness: variable, code of E2B(R3), code of the NCI Thesaurus.
const CRITERIA: [(&str, &str, &str); 6] = [
    ("AESDTH", "34", "C48275"),
    ("AESLIFE", "21", "C84266"),
    ("AESHOSP", "33", "C83052"),
    ("AESDISAB", "35", "C11338"),
    ("AESCONG", "12", "C83117"),
    ("AESMIE", "26", "C82521"),
];

fn event<'a>(bundle: &mut Bundle<'a>, row: &Row<'a>, subject: &Subject, treatments: &[String]) {
    let term = row.fact("AETERM").map_or_else(Object::new, |fact| coded(&fact));
    let onset = row.fact("AESTDTC");
    let serious = row.value("AESER").map(|value| match value {
        "Y" => "Serious",
        _ => "Non-serious",
    });
    let bound = |variable, system| {
        let fact = row.fact(variable)?;
        // The value sets are required: a term without a code in them has no place here.
        fhir_code(&fact, system).map(|_| coded(&fact))
    };
    let causality = row.fact("AEREL");
    let suspects = treatments.iter().map(|treatment| {
        // With two drugs under suspicion the document's judgement may be about either.
        let judged = causality
            .filter(|_| treatments.len() == 1)
            .map(|fact| Node::List(vec![Object::new().with("assessment", coded(&fact)).into()]));
        Object::new().with("instance", to(treatment)).maybe("causality", judged).into()
    });
    let members = Object::new()
        .list("extension", extensions(row))
        .with("actuality", "actual")
        .with("event", term)
        .with("subject", to(&subject.patient))
        .maybe("date", onset.and_then(|fact| date(&fact)))
        .maybe("_date", onset.and_then(|fact| local_time(&fact)))
        .maybe("seriousness", serious.map(|code| concept(hl7("adverse-event-seriousness", code))))
        .maybe("severity", bound("AESEV", "adverse-event-severity"))
        .maybe("outcome", bound("AEOUT", "adverse-event-outcome"))
        .list("suspectEntity", suspects.collect())
        .list("referenceDocument", vec![to(&bundle.document)])
        .list("study", subject.study.iter().map(|study| to(study)).collect());
    bundle.tell("AdverseEvent", &row.place, members, row.facts());
}

/// What R4 has no element for: the criteria of seriousness, the end, the grade, the action taken, and the judgement of
/// causality where it is about no drug by name.
fn extensions(row: &Row<'_>) -> Vec<Node> {
    let mut extensions = Vec::new();
    for (variable, e2b, nci) in CRITERIA {
        let Some(present) = row.value(variable) else { continue };
        let coding =
            |system: &str, code: &str| Object::new().with("system", system).with("code", code).into();
        let codes = vec![
            coding("urn:oid:2.16.840.1.113883.3.989.2.1.1.19", e2b),
            coding("http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl", nci),
        ];
        let criterion = vec![
            extension("criterionCode", "valueCodeableConcept", Object::new().with("coding", codes)),
            extension("criterionPresent", "valueBoolean", Node::Flag(present == "Y")),
        ];
        extensions.push(nested(format!("{AE_RESEARCH}seriousness-criteria"), criterion));
    }
    if let Some(end) = row.fact("AEENDTC").and_then(|fact| date(&fact)) {
        extensions.push(extension(format!("{AE_RESEARCH}resolve-date"), "valueDateTime", end));
    }
    for (variable, name) in [("AETOXGR", "toxicity-grade"), ("AEACN", "action-taken"), ("AEREL", "causality")]
    {
        extensions.extend(row.fact(variable).map(|fact| said(name, coded(&fact))));
    }
    extensions
}

/// A condition, as far as it is one.
fn condition<'a>(
    bundle: &mut Bundle<'a>,
    place: &str,
    topic: &Fact<'a>,
    standing: Standing,
    subject: &Subject,
    row: Option<&Row<'a>>,
) {
    let verified = match standing {
        Standing::Refuted => "refuted",
        Standing::Suspected => "unconfirmed",
        Standing::Present | Standing::Past | Standing::Elsewhere => "confirmed",
    };
    let history = standing == Standing::Past
        || (standing == Standing::Present && row.is_some_and(|row| row.domain == &MH));
    let category = history.then(|| words("Medical history").into());
    // When something began that did not happen is no question.
    let when = row.filter(|_| standing != Standing::Refuted);
    let of =
        |variables: [&str; 2]| when.and_then(|row| variables.into_iter().find_map(|name| row.fact(name)));
    let (onset, end) = (of(["MHSTDTC", "AESTDTC"]), of(["MHENDTC", "AEENDTC"]));
    let members = Object::new()
        .with("verificationStatus", concept(hl7("condition-ver-status", verified)))
        .list("category", category.into_iter().collect())
        .with("code", coded(topic))
        .with("subject", to(&subject.patient))
        .maybe("onsetDateTime", onset.and_then(|fact| date(&fact)))
        .maybe("abatementDateTime", end.and_then(|fact| date(&fact)));
    bundle.tell("Condition", place, members, [Some(*topic), onset, end].into_iter().flatten());
}

/// A stay in hospital.
fn stay<'a>(bundle: &mut Bundle<'a>, row: &Row<'a>, subject: &Subject) {
    let (start, end) = (row.fact("HOSTDTC"), row.fact("HOENDTC"));
    let class = hl7("v3-ActCode", "IMP");
    let ended = end.and_then(|end| date(&end)).is_some();
    let members = Object::new()
        .with("status", if ended { "finished" } else { "unknown" })
        .with("class", class)
        .with("subject", to(&subject.patient))
        .maybe("period", period(start, end));
    bundle.tell("Encounter", &row.place, members, row.facts());
}
