//! A text as the local model reads it: what the annotator found, sentence by sentence.

use std::ops::Range;

use clinflow_clinical::{Entity, Label, annotate, sentence};
use clinflow_core::{
    Span,
    field::{Experiencer, Offsets},
};

/// Words that deny what comes after them.
const DENIALS: [&str; 8] =
    ["no", "not", "never", "without", "denies", "denied", "negative for", "absence of"];

/// A text with its mentions and segments.
pub(super) struct Story<'t> {
    pub(super) text: &'t str,
    /// The mentions, in text order.
    pub(super) entities: Vec<Entity>,
    /// Sentences, list items and table lines, in text order.
    segments: Vec<Range<usize>>,
    offsets: Offsets<'t>,
}

impl<'t> Story<'t> {
    /// Reads `text`.
    pub(super) fn read(text: &'t str) -> Self {
        let mut entities = annotate(text).entities;
        for entity in &mut entities {
            // A quoted mail is what somebody said earlier, in another message.
            let line = text[..entity.span.byte_start].rfind('\n').map_or(0, |newline| newline + 1);
            if text[line..].starts_with('>') {
                entity.assertion.experiencer = Experiencer::Other;
            }
        }
        let mut story = Self { text, entities, segments: sentence::split(text), offsets: Offsets::new(text) };
        story.affirm_what_ended();
        story
    }

    /// "The rash resolved" denies the rash from then on, but says that there was one: a condition with an outcome after
    /// it, and no denial before it in its sentence, was there.
    fn affirm_what_ended(&mut self) {
        let ended: Vec<usize> = self
            .entities
            .iter()
            .filter(|entity| entity.label == Label::Outcome)
            .flat_map(|outcome| outcome.links.iter().map(|owner| (*owner, outcome.span.byte_start)))
            .filter(|(owner, outcome)| self.entities[*owner].span.byte_end <= *outcome)
            .map(|(owner, _)| owner)
            .collect();
        for owner in ended {
            let at = self.entities[owner].span.byte_start;
            let before = folded(&self.text[self.segment(self.segment_at(at)).start..at]);
            if !says(&before, &DENIALS) {
                self.entities[owner].assertion.negated = false;
            }
        }
    }

    /// The segment that byte `at` lies in, or the one before it.
    pub(super) fn segment_at(&self, at: usize) -> usize {
        self.segments.partition_point(|segment| segment.start <= at).saturating_sub(1)
    }

    /// The bytes of segment number `segment`; empty at the end of the text when there is none.
    pub(super) fn segment(&self, segment: usize) -> Range<usize> {
        self.segments.get(segment).cloned().unwrap_or(self.text.len()..self.text.len())
    }

    /// How many segments there are.
    pub(super) fn segments(&self) -> usize {
        self.segments.len()
    }

    /// The numbers of the mentions that begin in `range`.
    pub(super) fn within(&self, range: &Range<usize>) -> Range<usize> {
        let first = self.entities.partition_point(|entity| entity.span.byte_start < range.start);
        let end = self.entities.partition_point(|entity| entity.span.byte_start < range.end);
        first..end.max(first)
    }

    /// The mentions of `label` that begin in `range`.
    pub(super) fn labelled(&self, range: &Range<usize>, label: Label) -> impl Iterator<Item = &Entity> {
        self.entities[self.within(range)].iter().filter(move |entity| entity.label == label)
    }

    /// The words of a mention.
    pub(super) fn words(&self, entity: &Entity) -> &'t str {
        entity.span.of(self.text).unwrap_or_default()
    }

    /// The span of a stretch of bytes.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        self.offsets.span(range)
    }
}

/// True for a fact about the patient, past or present, affirmed or denied, that is not merely possible.
pub(super) fn is_about_patient(entity: &Entity) -> bool {
    entity.assertion.experiencer == Experiencer::Patient && !entity.assertion.hypothetical
}

/// True for something the patient has or had done now: affirmed, not of the past, not merely possible.
pub(super) fn is_current(entity: &Entity) -> bool {
    is_about_patient(entity) && !entity.assertion.negated && !entity.assertion.historical
}

/// A text in lower case with single spaces.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// Whether one of `phrases` stands in a folded text as whole words.
pub(super) fn says(folded: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| find_word(folded, phrase).is_some())
}

/// Where `phrase` stands in `text` as whole words, the first time.
pub(super) fn find_word(text: &str, phrase: &str) -> Option<usize> {
    text.match_indices(phrase).map(|(at, _)| at).find(|at| {
        !text[..*at].ends_with(char::is_alphanumeric)
            && !text[at + phrase.len()..].starts_with(char::is_alphanumeric)
    })
}
