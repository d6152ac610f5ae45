//! Who the story is about: age and sex.

use clinflow_clinical::{Label, demographics};

use super::{
    claims::{Claims, Said},
    story::{Story, is_about_patient},
};

/// Says the first age and the first sex that are the patient's.
pub(super) fn tell(story: &Story<'_>, claims: &mut Claims<'_>) {
    let first =
        |label| story.entities.iter().find(|entity| entity.label == label && is_about_patient(entity));
    if let Some(entity) = first(Label::Age)
        && let Some(age) = demographics::age(story.words(entity))
    {
        let said = Said {
            place: entity.span.byte_start..entity.span.byte_end,
            normalized: Some(age.value.to_string()),
            unit: Some(age.unit.ucum().to_owned()),
            ..Said::default()
        };
        claims.say(story, "age", None, said);
    }
    if let Some(entity) = first(Label::Sex)
        && let Some(sex) = demographics::sex(story.words(entity))
    {
        let said = Said {
            place: entity.span.byte_start..entity.span.byte_end,
            normalized: Some(sex.preferred.to_owned()),
            codes: sex.codes.clone(),
            ..Said::default()
        };
        claims.say(story, "sex", None, said);
    }
}
