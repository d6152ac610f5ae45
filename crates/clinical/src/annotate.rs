//! The one entry: a text in, everything found in it out.

use std::{ops::Range, sync::LazyLock};

use clinflow_core::{
    Span,
    field::{Assertion, Code, Offsets},
};

use crate::{
    assertion::Context,
    dates, demographics,
    fold::Folded,
    label::Label,
    lexicon::{Lexicon, Morphology, is_modifier},
    mention::{Mention, settle},
    quantity, relation, section, sentence,
};

/// Everything found in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotation {
    /// The sections, in text order.
    pub sections: Vec<Section>,
    /// The mentions, in text order and without overlaps.
    pub entities: Vec<Entity>,
}

/// A heading and what stands under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The heading with its colon.
    pub heading: Span,
    /// From the heading's end to the next heading.
    pub body: Span,
    /// What it is about.
    pub kind: section::Kind,
}

/// A mention of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub label: Label,
    /// The name the lexicon prefers for it; `None` when it was known by its form or its ending only.
    pub preferred: Option<String>,
    /// Its codes in terminologies that may be shipped.
    pub codes: Vec<Code>,
    /// Its ConText properties.
    pub assertion: Assertion,
    /// The section it stands in, by its place in [`Annotation::sections`].
    pub section: Option<usize>,
    /// The mentions it belongs to, by their places in [`Annotation::entities`]: a dose to its drug, an adverse
    /// event to the drugs it is attributed to, a result to its test, a unit to its result, a severity to its event.
    pub links: Vec<usize>,
    /// Its normal form where it has one: an ISO 8601 date or duration, a number, a UCUM unit, a CDISC term.
    pub normalized: Option<String>,
}

/// What the context says about a stretch of text somebody else chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The stretch.
    pub span: Span,
    /// Its ConText properties.
    pub assertion: Assertion,
    /// The section it stands in, by its place in the text's sections.
    pub section: Option<usize>,
}

/// The compiled annotator. Making one compiles nothing that is compiled already, so it is cheap to have.
#[derive(Clone, Copy)]
pub struct Annotator {
    lexicon: &'static Lexicon,
    morphology: &'static Morphology,
}

impl Annotator {
    /// The annotator of the shipped lexicon. The first one in a process compiles the automatons.
    pub fn new() -> Self {
        Self { lexicon: Lexicon::shipped(), morphology: Morphology::shipped() }
    }

    /// Everything found in `text`.
    pub fn annotate(&self, text: &str) -> Annotation {
        let layout = Layout::new(text);
        let folded = Folded::new(text);
        let context = Context::new(&folded);
        let mentions = self.mentions(text, &folded);

        let mut entities: Vec<_> = mentions
            .into_iter()
            .map(|mention| {
                let (assertion, section) = layout.judge(&context, &mention.range);
                Entity {
                    span: layout.offsets.span(mention.range),
                    label: mention.label,
                    preferred: mention.preferred,
                    codes: mention.codes,
                    assertion,
                    section,
                    links: Vec::new(),
                    normalized: mention.normalized,
                }
            })
            .collect();
        relation::link(text, &layout.segments, &mut entities);
        Annotation { sections: layout.sections(), entities }
    }

    /// What the context says about each of `targets`, given as byte ranges of `text`, in the same order. A range
    /// that does not lie in `text` on character boundaries has `None`.
    pub fn judge(&self, text: &str, targets: &[Range<usize>]) -> Vec<Option<Target>> {
        let layout = Layout::new(text);
        let context = Context::new(&Folded::new(text));
        targets
            .iter()
            .map(|range| {
                text.get(range.clone())?;
                let (assertion, section) = layout.judge(&context, range);
                Some(Target { span: layout.offsets.span(range.clone()), assertion, section })
            })
            .collect()
    }

    /// Every mention, settled.
    fn mentions(&self, text: &str, folded: &Folded<'_>) -> Vec<Mention> {
        let known: Vec<_> = self.lexicon.find_in(folded);
        let tests: Vec<_> =
            known.iter().filter(|hit| hit.entry.label == Label::LabTest).map(|hit| hit.range.end).collect();
        let mut mentions: Vec<_> = dates::find(text).collect();
        mentions.extend(demographics::find(text));
        mentions.extend(quantity::find(text, &tests));
        mentions.extend(known.into_iter().map(|hit| Mention {
            range: hit.range,
            label: hit.entry.label,
            preferred: Some(hit.entry.preferred.to_owned()),
            codes: hit.entry.codes.clone(),
            normalized: hit.entry.term().map(str::to_owned),
        }));
        // Single words come last: of equal stretches, the one the lexicon knows stays.
        mentions.extend(words(text).filter_map(|range| {
            let label = self.morphology.label(&text[range.clone()])?;
            Some(Mention::normal(range, label, None))
        }));
        qualify(text, settle(mentions))
    }
}

/// Lets conditions and symptoms begin with the adjectives that say which they are: "acute interstitial nephritis".
/// How bad they are is a fact of its own and stays outside.
fn qualify(text: &str, mut mentions: Vec<Mention>) -> Vec<Mention> {
    let mut free_from = 0;
    for mention in &mut mentions {
        if matches!(mention.label, Label::Condition | Label::Symptom) {
            while let Some(start) = adjective_before(text, free_from, mention.range.start) {
                mention.range.start = start;
            }
        }
        free_from = mention.range.end;
    }
    mentions
}

/// Where the qualifying adjective begins that ends one blank before `end`, if it begins at or behind `from`.
fn adjective_before(text: &str, from: usize, end: usize) -> Option<usize> {
    let before = text[from..end].strip_suffix([' ', '\n'])?;
    let word = before.rsplit([' ', '\n', '(', ',', '/']).next()?;
    is_modifier(word).then(|| from + before.len() - word.len())
}

impl Default for Annotator {
    fn default() -> Self {
        Self::new()
    }
}

/// Everything found in `text`, by the shipped annotator.
pub fn annotate(text: &str) -> Annotation {
    static SHIPPED: LazyLock<Annotator> = LazyLock::new(Annotator::new);
    SHIPPED.annotate(text)
}

/// How a text is laid out: its sections and segments.
struct Layout<'t> {
    offsets: Offsets<'t>,
    found: Vec<section::Section>,
    segments: Vec<Range<usize>>,
}

impl<'t> Layout<'t> {
    fn new(text: &'t str) -> Self {
        let headings = section::headings(text);
        let mut segments = Vec::new();
        for segment in sentence::split(text) {
            let mut start = segment.start;
            // No statement goes on over a heading.
            let from = headings.partition_point(|(heading, _)| heading.start <= start);
            for (heading, _) in headings[from..].iter().take_while(|(heading, _)| heading.start < segment.end)
            {
                segments.push(start..heading.start);
                start = heading.start;
            }
            segments.push(start..segment.end);
        }
        let found = section::find(text);
        Self { offsets: Offsets::new(text), found, segments }
    }

    /// The context's word on `range`, and the section it stands in.
    fn judge(&self, context: &Context<'_>, range: &Range<usize>) -> (Assertion, Option<usize>) {
        let at = self.segments.partition_point(|segment| segment.end <= range.start);
        // A stretch of nothing but white space lies in no segment and has no context but itself.
        let segment = self.segments.get(at).map_or_else(
            || range.clone(),
            |first| {
                let last = self.segments.partition_point(|segment| segment.start < range.end);
                first.start.min(range.start)
                    ..self.segments[..last].last().map_or(range.end, |last| last.end.max(range.end))
            },
        );
        let after = self.found.partition_point(|section| section.heading.start <= range.start);
        let section = after.checked_sub(1);
        (context.judge(&segment, range, section.map(|section| self.found[section].kind)), section)
    }

    fn sections(&self) -> Vec<Section> {
        let span = |range: &Range<usize>| self.offsets.span(range.clone());
        self.found
            .iter()
            .map(|found| Section { heading: span(&found.heading), body: span(&found.body), kind: found.kind })
            .collect()
    }
}

/// The words of a text that have at least six letters and no others: shorter ones have no telling ending.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut next = 0;
    std::iter::from_fn(move || {
        loop {
            let bytes = text.as_bytes();
            let start = next + bytes[next..].iter().position(u8::is_ascii_alphabetic)?;
            let length =
                bytes[start..].iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(bytes.len() - start);
            next = start + length;
            let whole = !text[..start].ends_with(char::is_alphanumeric)
                && !text[next..].starts_with(char::is_alphanumeric);
            if length >= 6 && whole {
                return Some(start..next);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Annotation, Annotator, annotate};
    use crate::{Label, section};

    /// Each mention of `text` with its label and normal form, or else its preferred name.
    fn facts(text: &str) -> Vec<(&str, Label, Option<String>)> {
        let entities = annotate(text).entities;
        let fact = |entity: super::Entity| {
            (entity.span.of(text).unwrap(), entity.label, entity.normalized.or(entity.preferred))
        };
        entities.into_iter().map(fact).collect()
    }

    #[test]
    fn a_narrative_sentence_yields_its_facts_with_normal_forms() {
        let text = "A 57-year-old woman took aspirin 150 mg PO BID from 20-DEC-2025; ANC was 0.3 x10^9/L.";
        let some = |normal: &str| Some(normal.to_owned());
        assert_eq!(
            facts(text),
            [
                ("57-year-old", Label::Age, some("57 YEARS")),
                ("woman", Label::Sex, some("F")),
                ("aspirin", Label::Drug, some("acetylsalicylic acid")),
                ("150 mg", Label::Dose, some("150 mg")),
                ("PO", Label::Route, some("ORAL")),
                ("BID", Label::Frequency, some("BID")),
                ("20-DEC-2025", Label::Date, some("2025-12-20")),
                ("ANC", Label::LabTest, some("neutrophils")),
                ("0.3", Label::LabValue, some("0.3")),
                ("x10^9/L", Label::Unit, some("10*9/L")),
            ]
        );
    }

    #[test]
    fn the_regulatory_words_of_an_event_carry_their_terms() {
        let text = "Grade 3 acute pancreatitis, hospitalized; study drug permanently discontinued; recovered with sequelae.";
        let terms: Vec<_> =
            facts(text).into_iter().map(|(_, label, normal)| (label, normal.unwrap())).collect();
        assert_eq!(
            terms,
            [
                (Label::Severity, "CTCAE grade 3".to_owned()),
                (Label::Condition, "pancreatitis".to_owned()),
                (Label::Seriousness, "HOSPITALIZATION".to_owned()),
                (Label::Drug, "study drug".to_owned()),
                (Label::ActionTaken, "DRUG WITHDRAWN".to_owned()),
                (Label::Outcome, "RECOVERED/RESOLVED WITH SEQUELAE".to_owned()),
            ]
        );
    }

    #[test]
    fn a_mention_knows_its_section_and_the_section_speaks_for_it() {
        let text = "PAST MEDICAL HISTORY\n\nHypertension.\n\nPLAN\n\nTreat pneumonia.";
        let Annotation { sections, entities } = annotate(text);
        assert_eq!(sections[0].kind, section::Kind::PastHistory);
        let found: Vec<_> =
            entities.iter().map(|e| (e.span.of(text).unwrap(), e.section, e.assertion.historical)).collect();
        assert_eq!(found, [("Hypertension", Some(0), true), ("pneumonia", Some(1), false)]);
    }

    #[test]
    fn adjectives_that_say_which_disease_it_is_belong_to_it_and_severity_does_not() {
        assert_eq!(
            facts("Severe acute interstitial nephritis."),
            [
                ("Severe", Label::Severity, Some("SEVERE".to_owned())),
                ("acute interstitial nephritis", Label::Condition, Some("interstitial nephritis".to_owned())),
            ]
        );
    }

    #[test]
    fn a_target_off_character_boundaries_has_no_answer() {
        assert_eq!(Annotator::new().judge("°C", std::slice::from_ref(&(1..2))), [None]);
        assert_eq!(Annotator::new().judge("C", std::slice::from_ref(&(0..9))), [None]);
    }

    proptest! {
        #[test]
        fn mentions_lie_in_order_without_overlap_and_their_two_counts_agree(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "no", "fever", "µg", "5 mg", "aspirin", "°C", "38.9", "HISTORY:", "\n", "–", "rash", "BID", "é", "if",
                    "WBC", "<", "10^9/L", ";", "12/01/2026", "Crohn’s disease", "severe", "acute", "due to", "3 days",
                ]),
                0..40,
            )
        ) {
            let text = words.join(" ");
            let Annotation { sections, entities } = annotate(&text);
            let mut end = 0;
            for entity in &entities {
                let span = entity.span;
                prop_assert!(span.byte_start >= end && span.byte_start < span.byte_end);
                let written = span.of(&text).unwrap();
                prop_assert_eq!(written.chars().count(), span.end - span.start);
                prop_assert_eq!(text[..span.byte_start].chars().count(), span.start);
                prop_assert!(entity.links.iter().all(|link| *link < entities.len()));
                prop_assert!(entity.section.is_none_or(|section| section < sections.len()));
                end = span.byte_end;
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,120}") {
            let _ = annotate(&text);
        }
    }
}
