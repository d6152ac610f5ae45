//! When the patient came to hospital, and when the patient left it.

use std::ops::Range;

use clinflow_clinical::{Entity, Label};

use super::{
    claims::{Claims, Said},
    story::{Story, find_word, folded, is_about_patient},
};

/// What says that somebody was admitted.
const ADMITTED: [&str; 8] = [
    "admitted",
    "hospitalised",
    "hospitalized",
    "admission",
    "adm",
    "to hospital",
    "taken to the hospital",
    "in hospital",
];

/// What says that somebody left hospital.
const DISCHARGED: [&str; 6] = ["discharged", "discharge", "d/c", "went home", "home", "left hospital"];

/// Words that undo the one after them.
const UNDONE: [&str; 6] = ["not", "refused", "no", "declined", "without", "before"];

/// Says both dates, each from the first sentence that has one.
pub(super) fn tell(story: &Story<'_>, claims: &mut Claims<'_>) {
    for (name, cues) in
        [("hospital_admission_date", &ADMITTED[..]), ("hospital_discharge_date", &DISCHARGED[..])]
    {
        if !claims.wants(name) {
            continue;
        }
        if let Some(date) =
            (0..story.segments()).find_map(|segment| date_at(story, &story.segment(segment), cues))
        {
            let said = Said {
                place: date.span.byte_start..date.span.byte_end,
                normalized: date.normalized.clone(),
                ..Said::default()
            };
            claims.say(story, name, None, said);
        }
    }
}

/// The date nearest to the first of `cues` in a segment, counted in bytes; a stay "from ... to ..." gives its second
/// date only to a discharge. A date less exact than a day says too little.
fn date_at<'s>(story: &'s Story<'_>, segment: &Range<usize>, cues: &[&str]) -> Option<&'s Entity> {
    let text = story.text[segment.clone()].to_lowercase();
    // Lower case may change lengths; then places are lost, and so is the segment.
    if text.len() != segment.len() {
        return None;
    }
    let (cue, at) = cues.iter().find_map(|cue| find_word(&text, cue).map(|at| (*cue, segment.start + at)))?;
    let before = folded(&story.text[segment.start..at]);
    if before.split(' ').rev().take(2).any(|word| UNDONE.contains(&word)) {
        return None;
    }
    let end = at + cue.len();
    let distance = |entity: &&Entity| {
        if entity.span.byte_start >= end {
            entity.span.byte_start - end
        } else {
            at.saturating_sub(entity.span.byte_end)
        }
    };
    let nearest = story
        .labelled(segment, Label::Date)
        .filter(|entity| is_about_patient(entity) && is_day(entity))
        .min_by_key(|entity| (distance(entity), entity.span.byte_start))?;
    // "Home" is also where people eat; only a date right after it makes it a departure.
    (cue != "home" || (nearest.span.byte_start >= end && distance(&nearest) <= 4)).then_some(nearest)
}

/// True for a date exact to the day.
pub(super) fn is_day(entity: &Entity) -> bool {
    let is_day = |iso: &str| {
        iso.len() >= 10 && iso.as_bytes()[..4].iter().all(u8::is_ascii_digit) && !iso.contains("---")
    };
    entity.normalized.as_deref().is_some_and(is_day)
}
