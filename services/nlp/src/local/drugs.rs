//! The study drug, drugs given to treat an event, and drugs taken beside.

use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use clinflow_clinical::{Entity, Label, quantity};
use regex::Regex;

use super::{
    claims::{Claims, Said},
    story::{Story, folded, is_about_patient, is_current, says},
};

/// A sponsor's code for a product: "ABX-104", "MKV330".
static CODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b[A-Z]{2,6}-?[0-9]{1,5}\b")
        .expect("the pattern is a constant, and every test of this file compiles it")
});

/// What stands right before a study drug.
const BEFORE_STUDY_DRUG: [&str; 14] = [
    "study drug",
    "study treatment",
    "treatment arm:",
    "dose of",
    "doses of",
    "randomised to",
    "randomized to",
    "related to",
    "treatment with",
    "trial of",
    "of oral",
    "since starting",
    "had taken",
    "on study drug",
];

/// What says that a drug was given now.
const GIVEN: [&str; 14] = [
    "treated with",
    "given",
    "received",
    "administered",
    "started on",
    "was started",
    "after",
    "repleted",
    "dose",
    "therapy",
    "commenced",
    "infusion of",
    "injection of",
    "treatment",
];

/// What says that a drug was not given.
const NOT_GIVEN: [&str; 6] =
    ["could not be", "was not given", "not given", "withheld", "ran out of", "not started"];

/// What heads a list of drugs taken beside.
const BESIDE: [&str; 8] = [
    "other medication",
    "other medications",
    "other medicines",
    "concomitant",
    "co-medication",
    "comedication",
    "anything else she takes",
    "anything else he takes",
];

/// Says the study drug, the treatments and the concomitant drugs.
pub(super) fn tell(story: &Story<'_>, claims: &mut Claims<'_>) {
    let study_drug = study_drug(story);
    if let Some(place) = study_drug.clone() {
        claims.say(story, "study_drug", None, Said { place, ..Said::default() });
    }
    let study_drug = study_drug.map(|place| folded(&story.text[place]));
    if claims.wants_group("treatment") {
        treatments(story, claims, study_drug.as_deref());
    }
    if claims.wants_group("concomitant_drug") {
        beside(story, claims, study_drug.as_deref());
    }
}

/// The product most often spoken of as the study drug, where it is spoken of so first. A code must be, at least once;
/// a name that could be any drug's, twice.
fn study_drug(story: &Story<'_>) -> Option<Range<usize>> {
    let codes = CODE.find_iter(story.text).map(|hit| hit.range()).filter(|range| {
        let joined = |c: char| c.is_alphanumeric() || matches!(c, '-' | '/' | '.');
        !story.text[..range.start].ends_with(joined)
            && !story.text[range.end..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '/'))
    });
    let names = story
        .entities
        .iter()
        .filter(|entity| entity.label == Label::Drug && !is_generic(&folded(story.words(entity))));
    let places = codes.map(|range| (range, 1)).chain(names.map(|entity| (bytes(entity), 2)));
    let mut candidates: BTreeMap<String, Candidate> = BTreeMap::new();
    for (place, needed) in places {
        let before = folded(&story.text[floor(story.text, place.start.saturating_sub(30))..place.start]);
        let spoken_of = BEFORE_STUDY_DRUG.iter().any(|cue| before.ends_with(cue));
        let candidate = candidates.entry(folded(&story.text[place.clone()])).or_insert_with(|| Candidate {
            place: place.clone(),
            needed,
            spoken_of: 0,
            mentions: 0,
        });
        candidate.mentions += 1;
        if spoken_of {
            if candidate.spoken_of == 0 {
                candidate.place = place;
            }
            candidate.spoken_of += 1;
        }
    }
    let likely = candidates.into_values().filter(|candidate| candidate.spoken_of >= candidate.needed);
    likely
        .max_by_key(|candidate| (candidate.spoken_of, candidate.mentions, usize::MAX - candidate.place.start))
        .map(|candidate| candidate.place)
}

/// A product that may be the study drug.
struct Candidate {
    place: Range<usize>,
    /// How often it must be spoken of as the study drug.
    needed: u32,
    spoken_of: u32,
    mentions: u32,
}

/// True for words that stand for the study drug without naming it.
fn is_generic(name: &str) -> bool {
    name.starts_with("study ")
        || name.starts_with("investigational ")
        || matches!(name, "placebo" | "imp" | "ip")
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Says the drugs given now, each where its dose stands, else where it is named first.
fn treatments(story: &Story<'_>, claims: &mut Claims<'_>, study_drug: Option<&str>) {
    let mut chosen: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for (at, entity) in story.entities.iter().enumerate() {
        let name = folded(story.words(entity));
        if entity.label != Label::Drug || !is_current(entity) || is_generic(&name) {
            continue;
        }
        let segment = folded(&story.text[story.segment(story.segment_at(entity.span.byte_start))]);
        let is_study_drug =
            study_drug.is_some_and(|study_drug| name == study_drug || says(&segment, &["first dose"]));
        if is_study_drug || says(&segment, &NOT_GIVEN) || says(&segment, &BESIDE) {
            continue;
        }
        let has_dose = parts(story, at).next().is_some();
        if has_dose || says(&segment, &GIVEN) {
            let known = chosen.entry(name).or_insert((at, has_dose));
            if has_dose && !known.1 {
                *known = (at, true);
            }
        }
    }
    let mut chosen: Vec<_> = chosen.into_values().map(|(at, _)| at).collect();
    chosen.sort_unstable();
    for (index, at) in (1..).zip(chosen) {
        tell_drug(story, claims, ("treatment", index), at);
    }
}

/// The doses, routes and frequencies that belong to mention number `drug`.
fn parts<'s>(story: &'s Story<'_>, drug: usize) -> impl Iterator<Item = &'s Entity> + 's {
    let segment = story.segment(story.segment_at(story.entities[drug].span.byte_start));
    let part = |label| matches!(label, Label::Dose | Label::Route | Label::Frequency);
    story.entities[story.within(&segment)]
        .iter()
        .filter(move |entity| part(entity.label) && entity.links.contains(&drug))
}

/// Says a drug with the first dose, route and frequency that belong to it.
fn tell_drug(story: &Story<'_>, claims: &mut Claims<'_>, repetition: (&str, u32), drug: usize) {
    let entity = &story.entities[drug];
    let name = Said { place: bytes(entity), codes: entity.codes.clone(), ..Said::default() };
    claims.say(story, "drug_name", Some(repetition), name);
    let first = |label| parts(story, drug).find(|part| part.label == label);
    if let Some(dose) = first(Label::Dose)
        && let Some(amount) = quantity::parse_quantity(story.words(dose))
    {
        let high = amount.high.as_ref().map(|high| format!("-{high}")).unwrap_or_default();
        let said = Said {
            place: bytes(dose),
            normalized: Some(format!("{}{high}", amount.low)),
            unit: amount.unit.map(|unit| unit.ucum.to_owned()),
            ..Said::default()
        };
        claims.say(story, "dose", Some(repetition), said);
    }
    for (name, label) in [("route", Label::Route), ("frequency", Label::Frequency)] {
        if let Some(part) = first(label) {
            let said = Said {
                place: bytes(part),
                normalized: part.normalized.clone(),
                codes: part.codes.clone(),
                ..Said::default()
            };
            claims.say(story, name, Some(repetition), said);
        }
    }
}

/// Says the drugs under a heading for drugs taken beside, up to the next empty line.
fn beside(story: &Story<'_>, claims: &mut Claims<'_>, study_drug: Option<&str>) {
    let mut index = 0;
    let mut end = 0;
    for number in 0..story.segments() {
        let segment = story.segment(number);
        if segment.start < end || !says(&folded(&story.text[segment.clone()]), &BESIDE) {
            continue;
        }
        end = story.text[segment.end..].find("\n\n").map_or(story.text.len(), |length| segment.end + length);
        for entity in story.labelled(&(segment.start..end), Label::Drug) {
            let past_or_denied = entity.assertion.negated || !is_about_patient(entity);
            if past_or_denied || study_drug == Some(folded(story.words(entity)).as_str()) {
                continue;
            }
            index += 1;
            let said = Said { place: bytes(entity), codes: entity.codes.clone(), ..Said::default() };
            claims.say(story, "drug_name", Some(("concomitant_drug", index)), said);
        }
    }
}

fn bytes(entity: &Entity) -> Range<usize> {
    entity.span.byte_start..entity.span.byte_end
}
