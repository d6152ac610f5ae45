//! Whether a mention is denied, past, only possible, doubtful, or about somebody else (after ConText).
//!
//! A trigger ("no", "history of", "if") reaches from itself over the mentions before or behind it in its segment,
//! until something ends the statement ("but", "who presents with"). A pseudo-trigger ("no increase") reaches
//! nothing and hides the trigger inside it. The kind of section decides for what has no trigger: a bare
//! "Hypertension." under Past Medical History is history.
//!
//! The phrases are in `lexicon/context.tsv`; to teach it one, add it to the row of its kind and direction.

mod trigger;

use std::{ops::Range, sync::LazyLock};

use clinflow_core::field::{Assertion, Experiencer};

use crate::{fold::Folded, section};
use trigger::{Direction, Role, Rules};

/// The triggers found in one text.
pub(crate) struct Context<'t> {
    text: &'t str,
    rules: &'static Rules,
    /// Where each trigger stands and which phrase it is, in order and disjoint.
    triggers: Vec<(Range<usize>, usize)>,
}

impl<'t> Context<'t> {
    /// Looks for every trigger of the text.
    pub(crate) fn new(folded: &Folded<'t>) -> Self {
        static SHIPPED: LazyLock<Rules> = LazyLock::new(|| {
            Rules::compile().expect("the table is a constant, and `the_shipped_triggers_compile` compiles it")
        });
        let rules: &'static Rules = &SHIPPED;
        Self { text: folded.original(), rules, triggers: rules.find(folded) }
    }

    /// What the context says about the mention at `target` in `segment`, inside a section of kind `section`.
    pub(crate) fn judge(
        &self,
        segment: &Range<usize>,
        target: &Range<usize>,
        section: Option<section::Kind>,
    ) -> Assertion {
        let mut assertion = section.map(by_section).unwrap_or_default();
        let around = self.around(segment, target);
        let behind = around.partition_point(|(place, _)| place.end <= target.start);
        self.walk(around[..behind].iter().rev(), target, true, &mut assertion);
        self.walk(around[behind..].iter(), target, false, &mut assertion);
        assertion
    }

    /// Walks from the mention outwards over the triggers on one side: a cue speaks unless a stop came before it.
    fn walk<'c>(
        &self,
        triggers: impl Iterator<Item = &'c (Range<usize>, usize)>,
        target: &Range<usize>,
        before: bool,
        assertion: &mut Assertion,
    ) {
        let mut stops: Vec<Role> = Vec::new();
        for (place, phrase) in triggers {
            let words = if before {
                &self.text[place.end..target.start]
            } else {
                &self.text[target.end..place.start]
            };
            let roles = self.rules.roles(*phrase);
            for role in roles {
                if let Role::Cue { property, direction, reach } = role
                    && direction.reaches(before, words)
                    && within(words, *reach)
                    && !stops.iter().any(|stop| stop.stops(*property))
                {
                    property.apply(assertion);
                }
            }
            for stop in roles.iter().filter(|role| matches!(role, Role::Stop(_))) {
                if !stops.contains(stop) {
                    stops.push(*stop);
                }
            }
        }
    }

    /// The triggers of `segment` before and behind `target`. One that lies in the mention is part of it: "without
    /// murmurs" as one finding denies nothing. One that runs into the mention is read again without the mention's
    /// words: of "no change" before the mention "change in vision" the "no" remains.
    fn around(&self, segment: &Range<usize>, target: &Range<usize>) -> Vec<(Range<usize>, usize)> {
        let mut around = Vec::new();
        for (place, phrase) in self.inside(segment) {
            if place.end <= target.start || target.end <= place.start {
                around.push((place.clone(), *phrase));
            } else if place.start < target.start {
                around.extend(self.reread(place.start..target.start));
            } else if target.end < place.end {
                around.extend(self.reread(target.end..place.end));
            }
        }
        around
    }

    /// The triggers in a piece of the text.
    fn reread(&self, piece: Range<usize>) -> impl Iterator<Item = (Range<usize>, usize)> + use<> {
        let found = self.rules.find(&Folded::new(&self.text[piece.clone()]));
        found
            .into_iter()
            .map(move |(place, phrase)| (piece.start + place.start..piece.start + place.end, phrase))
    }

    /// The triggers that lie in `segment` whole.
    fn inside(&self, segment: &Range<usize>) -> &[(Range<usize>, usize)] {
        let first = self.triggers.partition_point(|(place, _)| place.start < segment.start);
        let last = self.triggers.partition_point(|(place, _)| place.end <= segment.end);
        &self.triggers[first..last.max(first)]
    }
}

/// True when at most `reach` words are in `between`.
fn within(between: &str, reach: Option<usize>) -> bool {
    reach.is_none_or(|reach| between.split_whitespace().take(reach + 1).count() <= reach)
}

/// What a kind of section says about the mentions in it.
fn by_section(kind: section::Kind) -> Assertion {
    match kind {
        section::Kind::PastHistory | section::Kind::SurgicalHistory | section::Kind::SocialHistory => {
            Assertion { historical: true, ..Assertion::default() }
        }
        section::Kind::FamilyHistory => {
            Assertion { experiencer: Experiencer::Family, ..Assertion::default() }
        }
        _ => Assertion::default(),
    }
}

/// What a cue says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Property {
    Negated,
    Historical,
    Hypothetical,
    Uncertain,
    Family,
    Other,
}

impl Property {
    fn apply(self, assertion: &mut Assertion) {
        match self {
            Self::Negated => assertion.negated = true,
            Self::Historical => assertion.historical = true,
            Self::Hypothetical => assertion.hypothetical = true,
            Self::Uncertain => assertion.uncertain = true,
            Self::Family => assertion.experiencer = Experiencer::Family,
            Self::Other => assertion.experiencer = Experiencer::Other,
        }
    }
}

impl Direction {
    /// Whether a cue of this direction can reach a mention on this side over the words between.
    fn reaches(self, forward: bool, between: &str) -> bool {
        // A semicolon parts statements as "but" does.
        match self {
            Self::Forward => forward && !between.contains(';'),
            Self::Backward => !forward && !between.contains(';'),
            Self::Answer => {
                let joint = between.trim();
                !forward
                    && !joint.is_empty()
                    && joint.chars().all(|c| matches!(c, ':' | '-' | '\u{2013}' | '=' | '?'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clinflow_core::field::{Assertion, Experiencer};

    use crate::Annotator;

    /// What the context says about `mention` in `text`.
    fn judge(text: &str, mention: &str) -> Assertion {
        let at = text.find(mention).unwrap();
        let target = at..at + mention.len();
        Annotator::new().judge(text, std::slice::from_ref(&target))[0].as_ref().unwrap().assertion
    }

    #[test]
    fn a_denial_reaches_over_a_list_and_ends_at_but() {
        let text = "Denies chest pain, nausea, or vomiting but has fever.";
        assert!(judge(text, "chest pain").negated && judge(text, "vomiting").negated);
        assert!(!judge(text, "fever").negated);
        assert!(!judge("No chest pain. Fever since Monday.", "Fever").negated);
        assert!(judge("1.No evidence of pneumonia", "pneumonia").negated);
    }

    #[test]
    fn a_denial_may_follow_the_mention() {
        assert!(judge("Pulmonary embolism was ruled out.", "Pulmonary embolism").negated);
        assert!(judge("Fever: none", "Fever").negated);
        assert!(judge("The screen is negative for sepsis.", "sepsis").negated);
        assert!(!judge("Positive for chest pain, no palpitations.", "chest pain").negated);
    }

    #[test]
    fn what_only_looks_like_a_denial_denies_nothing() {
        assert!(!judge("No increase in the pleural effusion.", "pleural effusion").negated);
        assert!(!judge("Gram negative sepsis.", "sepsis").negated);
        let doubted = judge("Sepsis could not be ruled out.", "Sepsis");
        assert!(doubted.uncertain && !doubted.negated);
    }

    #[test]
    fn a_cue_inside_the_mention_is_part_of_it_and_one_that_runs_into_it_is_not() {
        assert!(!judge("Regular S1 and S2 without murmurs.", "S1 and S2 without murmurs").negated);
        assert!(judge("There was no change in vision.", "change in vision").negated);
    }

    #[test]
    fn the_past_is_told_from_triggers_and_sections() {
        assert!(judge("History of myocardial infarction.", "myocardial infarction").historical);
        assert!(judge("She had a stroke 3 years ago.", "stroke").historical);
        assert!(judge("PAST MEDICAL HISTORY\n\nHypertension.\n", "Hypertension").historical);
        let text = "A man with a history of gout who presents with cough.";
        assert!(judge(text, "gout").historical && !judge(text, "cough").historical);
        assert!(!judge("HISTORY OF PRESENT ILLNESS: Two-day history of fever.", "fever").historical);
    }

    #[test]
    fn instructions_speak_of_what_may_come() {
        let text = "Call if there is redness, fever or pus.";
        assert!(judge(text, "redness").hypothetical && judge(text, "pus").hypothetical);
        assert!(!judge("He has fever.", "fever").hypothetical);
    }

    #[test]
    fn relatives_have_their_own_diseases() {
        let mother = judge("Her mother had breast cancer.", "breast cancer");
        assert_eq!(mother.experiencer, Experiencer::Family);
        let family = judge("FAMILY HISTORY: colon cancer.", "colon cancer");
        assert_eq!(family.experiencer, Experiencer::Family);
        assert_eq!(judge("His mother reports fever.", "fever").experiencer, Experiencer::Patient);
    }
}
