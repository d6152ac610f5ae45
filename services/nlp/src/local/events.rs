//! The events a story is about: which conditions are told as events, when they began, how bad they were, how they
//! ended and what the investigator thinks of the cause.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use clinflow_clinical::{Entity, Label, attributes};

use super::{
    claims::{Claims, Said},
    stay::is_day,
    story::{Story, find_word, folded, is_about_patient, is_current, says},
    term,
};

/// What marks a condition in the same sentence as an event.
const CUES: [&str; 9] =
    ["adverse event", "sae", "ae", "event:", "event", "reaction", "dx:", "diagnosis of", "was reported as"];

/// A condition is an event of the story when at least this many things are told of it: a severity, an outcome, a
/// causality, that a drug is blamed, or that it is called an event. One alone is said of every complaint.
const TOLD: usize = 2;

/// True for a word that stands for any event ("adverse event") and names none.
pub(super) fn is_generic(entity: &Entity) -> bool {
    entity.preferred.as_deref() == Some("side effect")
}

/// Says the events, in the order in which the story comes to them.
pub(super) fn tell(story: &Story<'_>, claims: &mut Claims<'_>) {
    if !claims.wants_group("event") {
        return;
    }
    let mut events: Vec<Event> =
        concepts(story).into_iter().filter_map(|mentions| Event::read(story, &mentions)).collect();
    events.sort_by_key(|event| event.term.start);
    for (index, event) in (1..).zip(events) {
        let repetition = Some(("event", index));
        let term = Said { place: event.term, codes: event.codes, ..Said::default() };
        claims.say(story, "event_term", repetition, term);
        let told = [
            ("onset_date", event.onset),
            ("end_date", event.end),
            ("severity", event.severity),
            ("ctcae_grade", event.grade),
            ("outcome", event.outcome),
            ("causality", event.causality),
        ];
        for (name, said) in told {
            if let Some(said) = said {
                claims.say(story, name, repetition, said);
            }
        }
    }
}

/// The mentions of each condition or symptom of the patient, by their numbers. Two names are one condition when the
/// lexicon prefers one name for both, or when one is the last word of the other ("the haemorrhage").
fn concepts(story: &Story<'_>) -> Vec<Vec<usize>> {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, entity) in story.entities.iter().enumerate() {
        if is_problem(entity) && is_about_patient(entity) && !is_generic(entity) {
            let name = entity.preferred.as_deref().map_or_else(|| folded(story.words(entity)), folded);
            by_name.entry(name).or_default().push(at);
        }
    }
    let names: Vec<String> = by_name.keys().cloned().collect();
    for short in names.iter().filter(|name| !name.contains(' ')) {
        let mut longer = names
            .iter()
            .filter(|name| name.strip_suffix(short.as_str()).is_some_and(|rest| rest.ends_with(' ')));
        if let (Some(long), None) = (longer.next(), longer.next())
            && let Some(mentions) = by_name.remove(short)
        {
            by_name.entry(long.clone()).or_default().extend(mentions);
        }
    }
    let sorted = |mut mentions: Vec<usize>| {
        mentions.sort_unstable();
        mentions
    };
    by_name.into_values().map(sorted).collect()
}

fn is_problem(entity: &Entity) -> bool {
    matches!(entity.label, Label::Condition | Label::Symptom | Label::AdverseEvent)
}

/// What is told of one event.
struct Event {
    term: Range<usize>,
    codes: Vec<clinflow_core::field::Code>,
    onset: Option<Said>,
    end: Option<Said>,
    severity: Option<Said>,
    grade: Option<Said>,
    outcome: Option<Said>,
    causality: Option<Said>,
}

impl Event {
    /// Reads what is told of the condition with these mentions; `None` when it is no event.
    fn read(story: &Story<'_>, mentions: &[usize]) -> Option<Self> {
        let mut told = Told::default();
        for mention in mentions {
            told.read(story, *mention);
        }
        let current = |at: &&usize| is_current(&story.entities[**at]);
        let first = mentions.iter().find(current)?;
        let anchor = *told.anchor.as_ref().or(told.called.as_ref()).unwrap_or(first);
        let count = [
            told.severity.is_some() || told.grade.is_some(),
            told.outcome.is_some(),
            told.causality.is_some(),
            told.blamed,
            told.called.is_some(),
        ];
        if count.into_iter().filter(|is_told| *is_told).count() < TOLD {
            return None;
        }
        let entity = &story.entities[anchor];
        Some(Self {
            term: term::whole(story, entity),
            codes: entity.codes.clone(),
            onset: onset(story, anchor),
            end: told.end,
            severity: told.severity,
            grade: told.grade,
            outcome: told.outcome,
            causality: told.causality,
        })
    }
}

/// What has been found so far about one condition.
#[derive(Default)]
struct Told {
    /// The first mention with a severity.
    anchor: Option<usize>,
    /// The first mention that is called an event.
    called: Option<usize>,
    blamed: bool,
    severity: Option<Said>,
    grade: Option<Said>,
    outcome: Option<Said>,
    end: Option<Said>,
    causality: Option<Said>,
}

impl Told {
    /// Adds what the sentence of one mention tells, and the sentences after it that name no other condition.
    fn read(&mut self, story: &Story<'_>, mention: usize) {
        let entity = &story.entities[mention];
        let number = story.segment_at(entity.span.byte_start);
        let segment = story.segment(number);
        let current = is_current(entity);
        if current {
            self.blamed |= entity.label == Label::AdverseEvent;
            if says(&folded(&story.text[segment.clone()]), &CUES) {
                self.called.get_or_insert(mention);
            }
            for severity in linked(story, &segment, Label::Severity, mention) {
                self.anchor.get_or_insert(mention);
                let said = said(severity);
                match said.normalized.as_deref().and_then(|term| term.strip_prefix("CTCAE grade ")) {
                    Some(grade) => {
                        let grade = Some(grade.to_owned());
                        self.grade.get_or_insert(Said { normalized: grade, ..said });
                    }
                    None => {
                        self.severity.get_or_insert(said);
                    }
                }
            }
        }
        // How it stands is what was said last.
        for outcome in linked(story, &segment, Label::Outcome, mention) {
            self.end = date_of(story, &segment, outcome).map(said).or_else(|| self.end.take());
            self.outcome = Some(said(outcome));
        }
        for place in reach(story, mention, number) {
            if let Some(causality) = causality(story, &place) {
                self.causality.get_or_insert(causality);
            }
            if place.start >= segment.end
                && let Some(outcome) =
                    story.labelled(&place, Label::Outcome).find(|outcome| is_about_patient(outcome))
            {
                self.outcome.get_or_insert_with(|| said(outcome));
            }
        }
    }
}

/// The mentions of `label` in a segment that belong to mention number `owner`.
fn linked<'s>(
    story: &'s Story<'_>,
    segment: &Range<usize>,
    label: Label,
    owner: usize,
) -> impl Iterator<Item = &'s Entity> + 's {
    story.entities[story.within(segment)].iter().filter(move |entity| {
        entity.label == label && entity.links.contains(&owner) && is_about_patient(entity)
    })
}

/// The stretches in which statements are about mention number `mention`: from it to the next condition in its
/// sentence, and the next sentence if neither names one.
fn reach(story: &Story<'_>, mention: usize, number: usize) -> impl Iterator<Item = Range<usize>> {
    let segment = story.segment(number);
    let other = |range: &Range<usize>| {
        let mut within = story.within(range).map(|at| (at, &story.entities[at]));
        let found = within.find(|(at, entity)| *at != mention && is_problem(entity) && !is_generic(entity));
        found.map(|(_, entity)| entity.span.byte_start)
    };
    let rest = story.entities[mention].span.byte_end..segment.end;
    let end = other(&rest);
    let next = story.segment(number + 1);
    let apart = next.is_empty() || story.text[segment.end..next.start].contains("\n\n");
    let goes_on = end.is_none() && !apart && other(&next).is_none();
    [Some(rest.start..end.unwrap_or(rest.end)), goes_on.then_some(next)].into_iter().flatten()
}

/// What the investigator says of the cause in `place`; a sponsor's view is another one.
fn causality(story: &Story<'_>, place: &Range<usize>) -> Option<Said> {
    let text = &story.text[place.clone()];
    let lower = text.to_ascii_lowercase();
    let sponsor = find_word(&lower, "sponsor").map_or(place.end, |at| place.start + at);
    let own = place.start..sponsor;
    if let Some(entity) = story.labelled(&own, Label::Causality).find(|entity| !entity.assertion.hypothetical)
    {
        return Some(said(entity));
    }
    // The bare word is a fact only where somebody judges: it also relates dates and people.
    let at = find_word(&lower[..own.len()], "related to")?;
    let before = lower[..at].trim_end();
    let judged = before.is_empty()
        || ["as", "considered", "assessed", "judged", "deemed", "is", "be"]
            .iter()
            .any(|word| before.ends_with(word));
    let entry = attributes::causality("related")?;
    judged.then(|| Said {
        place: place.start + at..place.start + at + "related".len(),
        normalized: Some(entry.preferred.to_owned()),
        codes: entry.codes.clone(),
        ..Said::default()
    })
}

/// When the event at mention number `anchor` began: the date beside the word "onset", else the nearest date before
/// it in its sentence, else the next one there, else the last one before its sentence.
fn onset(story: &Story<'_>, anchor: usize) -> Option<Said> {
    let entity = &story.entities[anchor];
    let segment = story.segment(story.segment_at(entity.span.byte_start));
    let is_onset = |date: &&Entity| is_about_patient(date) && is_day(date) && !ends_something(story, date);
    let dates: Vec<&Entity> = story.labelled(&segment, Label::Date).filter(is_onset).collect();
    let said_to_begin = |date: &&&Entity| {
        let before = folded(&story.text[segment.start..date.span.byte_start]);
        ["onset", "began", "started", "since", "from"].iter().any(|word| before.ends_with(word))
    };
    let before = || dates.iter().rev().find(|date| date.span.byte_end <= entity.span.byte_start);
    let chosen = dates.iter().find(said_to_begin).or_else(before).or_else(|| dates.first());
    let earlier = || {
        let earlier = story.within(&(0..segment.start)).rev().map(|at| &story.entities[at]);
        earlier.take(EARLIER).find(|date| date.label == Label::Date && is_onset(date))
    };
    chosen.copied().or_else(earlier).map(said)
}

/// A date further back than this many mentions belongs to another part of the story.
const EARLIER: usize = 40;

/// Whether the words before a date say that something ended on it.
fn ends_something(story: &Story<'_>, date: &Entity) -> bool {
    let segment = story.segment(story.segment_at(date.span.byte_start));
    let before = folded(&story.text[segment.start..date.span.byte_start]);
    let tail: Vec<&str> = before.split(' ').rev().take(4).collect();
    let ends = [
        "resolved",
        "recovered",
        "discharged",
        "home",
        "gone",
        "ended",
        "stopped",
        "until",
        "resolution",
        "died",
    ];
    tail.iter().any(|word| ends.contains(&word.trim_matches(|c: char| !c.is_alphanumeric())))
}

/// The date on which an outcome was reached: right after it, else the last one before it.
fn date_of<'s>(story: &'s Story<'_>, segment: &Range<usize>, outcome: &Entity) -> Option<&'s Entity> {
    let is_end = matches!(outcome.normalized.as_deref(), Some(term) if term.starts_with("RECOVERED") || term == "FATAL");
    let dates: BTreeSet<usize> = story
        .within(segment)
        .filter(|at| story.entities[*at].label == Label::Date && is_day(&story.entities[*at]))
        .collect();
    let after = dates.iter().find(|at| story.entities[**at].span.byte_start >= outcome.span.byte_end);
    let before = dates.iter().rev().find(|at| story.entities[**at].span.byte_end <= outcome.span.byte_start);
    is_end.then_some(after.or(before)).flatten().map(|at| &story.entities[*at])
}

/// A mention with its normal form.
fn said(entity: &Entity) -> Said {
    Said {
        place: entity.span.byte_start..entity.span.byte_end,
        normalized: entity.normalized.clone().or_else(|| entity.preferred.clone()),
        codes: entity.codes.clone(),
        ..Said::default()
    }
}
