//! What the patient does not have, and what the patient had before.

use std::collections::BTreeSet;

use clinflow_clinical::{Entity, Label};

use super::{
    claims::{Claims, Said},
    events::is_generic,
    story::{Story, folded, is_about_patient},
    term,
};

/// Says each denied condition or symptom (`negated`) and each condition or procedure of the past (`history`) once.
pub(super) fn tell(story: &Story<'_>, claims: &mut Claims<'_>) {
    let denied = |entity: &Entity| {
        entity.assertion.negated && matches!(entity.label, Label::Condition | Label::Symptom)
    };
    let past = |entity: &Entity| {
        entity.assertion.historical
            && !entity.assertion.negated
            && matches!(entity.label, Label::Condition | Label::Procedure)
    };
    list(story, claims, "negated", denied);
    list(story, claims, "history", past);
}

fn list(story: &Story<'_>, claims: &mut Claims<'_>, group: &str, belongs: impl Fn(&Entity) -> bool) {
    if !claims.wants_group(group) {
        return;
    }
    let mut seen = BTreeSet::new();
    let mut index = 0;
    for entity in story.entities.iter().filter(|entity| is_about_patient(entity) && belongs(entity)) {
        let place = term::whole(story, entity);
        if is_generic(entity) || !seen.insert(folded(&story.text[place.clone()])) {
            continue;
        }
        index += 1;
        let said =
            Said { place, codes: entity.codes.clone(), assertion: entity.assertion, ..Said::default() };
        claims.say(story, "condition", Some((group, index)), said);
    }
}
