//! Drugs: MedicationStatements, of the study treatment and of others.

use super::{
    bundle::{Bundle, to},
    element::{coded, date, period, quantity, words},
    subject::Subject,
};
use crate::{
    facts::{Row, Standing},
    json::Object,
    sdtm::{CM, Domain, EX},
};

/// The variables of a drug in its domain.
struct Names {
    treatment: &'static str,
    dose: &'static str,
    route: &'static str,
    frequency: &'static str,
    start: &'static str,
    end: &'static str,
    indication: Option<&'static str>,
    lot: Option<&'static str>,
    category: &'static str,
}

const STUDY_TREATMENT: Names = Names {
    treatment: "EXTRT",
    dose: "EXDOSE",
    route: "EXROUTE",
    frequency: "EXDOSFRQ",
    start: "EXSTDTC",
    end: "EXENDTC",
    indication: None,
    lot: Some("EXLOT"),
    category: "Study treatment",
};

const OTHER: Names = Names {
    treatment: "CMTRT",
    dose: "CMDOSE",
    route: "CMROUTE",
    frequency: "CMDOSFRQ",
    start: "CMSTDTC",
    end: "CMENDTC",
    indication: Some("CMINDC"),
    lot: None,
    category: "Concomitant medication",
};

/// Adds the drugs that were taken; answers the references of the study treatments, which are what an adverse event may
/// be laid to.
pub(super) fn put(bundle: &mut Bundle<'_>, subject: &Subject) -> Vec<String> {
    let mut treatments = Vec::new();
    for row in bundle.facts.rows.iter().filter(|row| row.standing == Standing::Present) {
        if let Some(names) = names(row.domain) {
            let statement = statement(row, names, subject);
            let reference = bundle.tell("MedicationStatement", &row.place, statement, row.facts());
            if row.domain == &EX {
                treatments.push(reference);
            }
        }
    }
    treatments
}

fn names(domain: &Domain) -> Option<&'static Names> {
    [(&EX, &STUDY_TREATMENT), (&CM, &OTHER)]
        .into_iter()
        .find_map(|(of, names)| (of == domain).then_some(names))
}

fn statement(row: &Row<'_>, names: &Names, subject: &Subject) -> Object {
    let drug = row.fact(names.treatment).map_or_else(Object::new, |fact| coded(&fact));
    let lot = names.lot.and_then(|variable| row.value(variable));
    // A statement has no place for a lot number; a Medication has, and lives inside the statement.
    let contained = lot.map(|lot| {
        Object::new()
            .with("resourceType", "Medication")
            .with("id", "drug")
            .with("code", drug.clone())
            .with("batch", Object::new().with("lotNumber", lot))
    });
    let ended = row.fact(names.end).and_then(|end| date(&end)).is_some();
    let statement = Object::new()
        .list("contained", contained.into_iter().map(Into::into).collect())
        .with("status", if ended { "completed" } else { "unknown" })
        .with("category", words(names.category));
    let statement = match lot {
        Some(_) => statement.with("medicationReference", to("#drug")),
        None => statement.with("medicationCodeableConcept", drug),
    };
    let reason = names.indication.and_then(|variable| row.fact(variable)).map(|fact| coded(&fact).into());
    statement
        .with("subject", to(&subject.patient))
        .maybe("effectivePeriod", period(row.fact(names.start), row.fact(names.end)))
        .list("reasonCode", reason.into_iter().collect())
        .list("dosage", dosage(row, names).into_iter().map(Into::into).collect())
}

/// How the drug was given; `None` where the document does not say.
fn dosage(row: &Row<'_>, names: &Names) -> Option<Object> {
    let (dose, route, frequency) = (row.fact(names.dose), row.fact(names.route), row.fact(names.frequency));
    if dose.is_none() && route.is_none() && frequency.is_none() {
        return None;
    }
    let amount = dose.and_then(|fact| quantity(fact.value(), fact.field.unit.as_deref()));
    let in_words = dose.filter(|_| amount.is_none()).map(|fact| fact.value());
    let amount = amount.map(|quantity| Object::new().with("doseQuantity", quantity).into());
    Some(
        Object::new()
            .maybe("text", in_words)
            .maybe("timing", frequency.map(|fact| Object::new().with("code", coded(&fact))))
            .maybe("route", route.map(|fact| coded(&fact)))
            .list("doseAndRate", amount.into_iter().collect()),
    )
}
