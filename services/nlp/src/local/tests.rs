//! What the local model makes of a story, case by case.

use crate::question::{Claim, Wanted};

use super::claims;

/// Everything the model knows.
fn everything() -> Vec<Wanted> {
    let fields = [
        ("", "age study_drug sex hospital_admission_date hospital_discharge_date reconsent_required"),
        ("event", "event_term onset_date end_date severity ctcae_grade outcome causality"),
        ("treatment", "drug_name dose route frequency"),
        ("concomitant_drug", "drug_name"),
        ("negated", "condition"),
        ("history", "condition"),
    ];
    let wanted = |(group, names): &(&str, &'static str)| {
        let group = Some((*group).to_owned()).filter(|group| !group.is_empty());
        names.split(' ').map(move |name| Wanted {
            name: name.to_owned(),
            group: group.clone(),
            kind: clinflow_workflow::FieldType::Text,
            label: String::new(),
            description: String::new(),
        })
    };
    fields.iter().flat_map(wanted).collect()
}

/// The claims of one group as `name[index] = normal form`.
fn told(text: &str, group: Option<&str>) -> Vec<String> {
    let shown = |claim: &Claim| {
        let index = claim.index.map(|index| format!("[{index}]")).unwrap_or_default();
        format!("{}{index} = {}", claim.name, claim.normalized.as_ref().unwrap().expose())
    };
    claims(text, &everything()).iter().filter(|claim| claim.group.as_deref() == group).map(shown).collect()
}

const STORY: &str = "A 61-year-old man with a history of gout took part. He received the first dose of QRS-77 on \
    02-FEB-2026. On 10-FEB-2026 severe pancreatitis was reported as an adverse event and he was admitted to hospital. \
    There was no jaundice. He was treated with meropenem 1 g IV every 8 hours. The pancreatitis resolved on \
    18-FEB-2026 and he was discharged on 19-FEB-2026. The investigator considered the pancreatitis possibly related \
    to QRS-77. His brother had asthma. If fever occurs he will be seen again.\n";

#[test]
fn an_event_is_told_with_its_onset_severity_outcome_and_cause() {
    let mut event = told(STORY, Some("event"));
    event.sort_unstable();
    assert_eq!(
        event,
        [
            "causality[1] = POSSIBLY RELATED",
            "end_date[1] = 2026-02-18",
            "event_term[1] = pancreatitis",
            "onset_date[1] = 2026-02-10",
            "outcome[1] = RECOVERED/RESOLVED",
            "severity[1] = SEVERE",
        ]
    );
}

#[test]
fn what_is_denied_past_possible_or_a_relatives_is_no_event() {
    assert_eq!(told(STORY, Some("negated")), ["condition[1] = jaundice"]);
    assert_eq!(told(STORY, Some("history")), ["condition[1] = gout"]);
}

#[test]
fn a_treatment_is_told_with_its_dose_and_the_study_drug_is_none() {
    assert_eq!(
        told(STORY, Some("treatment")),
        ["drug_name[1] = meropenem", "dose[1] = 1", "route[1] = INTRAVENOUS", "frequency[1] = Q8H",]
    );
}

#[test]
fn the_subject_the_study_drug_and_the_stay_are_told() {
    assert_eq!(
        told(STORY, None),
        [
            "age = 61",
            "sex = M",
            "study_drug = QRS-77",
            "hospital_admission_date = 2026-02-10",
            "hospital_discharge_date = 2026-02-19",
        ]
    );
}

#[test]
fn a_refused_admission_has_no_date() {
    assert_eq!(told("On 10-FEB-2026 he refused admission.", None), Vec::<String>::new());
}

#[test]
fn drugs_under_a_heading_for_other_drugs_are_taken_beside() {
    let text = "OTHER MEDICATION AT ONSET\n  1. amlodipine 5 mg PO QD\n  2. metformin 850 mg PO BID\n\nCOMMENTS\n  ibuprofen.\n";
    assert_eq!(
        told(text, Some("concomitant_drug")),
        ["drug_name[1] = amlodipine", "drug_name[2] = metformin"]
    );
}

#[test]
fn consenting_again_is_told_or_denied() {
    assert_eq!(told("All participants must re-consent.", None), ["reconsent_required = Y"]);
    assert_eq!(told("Re-consent is not required.", None), ["reconsent_required = N"]);
}

#[test]
fn only_what_is_wanted_is_said_and_every_span_is_its_value() {
    assert_eq!(claims(STORY, &[]), []);
    let age_only: Vec<Wanted> = everything().into_iter().filter(|wanted| wanted.name == "age").collect();
    assert_eq!(claims(STORY, &age_only).len(), 1);
    for claim in claims(STORY, &everything()) {
        assert_eq!(claim.span.unwrap().of(STORY), Some(claim.value.expose()));
    }
}
