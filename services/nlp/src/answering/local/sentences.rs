//! Answers among the sentences: the ones that speak of everything the question names and hold what it asks for.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use clinflow_clinical::{Entity, Label, annotate, sentence};

use super::{
    Reading,
    quote::{Place, Quotation},
    words,
};

/// What can be asked for by its kind, and the mentions that are of it: a sentence without one does not answer.
const KINDS: [(&str, &[Label]); 10] = [
    ("date", &[Label::Date]),
    ("dose", &[Label::Dose]),
    ("route", &[Label::Route]),
    ("frequency", &[Label::Frequency]),
    ("duration", &[Label::Duration]),
    ("age", &[Label::Age]),
    ("sex", &[Label::Sex]),
    ("severity", &[Label::Severity]),
    ("grade", &[Label::Severity]),
    ("causality", &[Label::Causality]),
];

/// A sentence that has less of what is asked, by weight, is no answer: in percent.
const ENOUGH: u32 = 75;

/// An answer quotes no longer stretch, in bytes.
const LONGEST: usize = 400;

/// The sentences of a text.
pub(super) struct Sentences<'t> {
    text: &'t str,
    sentences: Vec<Sentence>,
    /// In how many sentences a term stands.
    frequency: HashMap<String, u32>,
}

struct Sentence {
    range: Range<usize>,
    terms: HashSet<String>,
    mentions: Vec<(Label, Range<usize>)>,
}

impl<'t> Sentences<'t> {
    /// Reads `text`.
    pub(super) fn read(text: &'t str) -> Self {
        let entities = annotate(text).entities;
        let sentences: Vec<_> =
            sentence::split(text).into_iter().map(|range| read(text, range, &entities)).collect();
        let mut frequency: HashMap<String, u32> = HashMap::new();
        for term in sentences.iter().flat_map(|sentence| &sentence.terms) {
            *frequency.entry(term.clone()).or_default() += 1;
        }
        Self { text, sentences, frequency }
    }

    /// The one or two sentences that say most of what is asked.
    pub(super) fn find(&self, reading: &Reading) -> Vec<Quotation> {
        // No sentence says "reason"; it says "because", or nothing at all.
        let says = |term: &&String| !words::is_faint(term) && term.as_str() != "reason";
        let strong: Vec<&String> = reading.terms.iter().filter(says).collect();
        if strong.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<Fit<'_>> = self
            .sentences
            .iter()
            .enumerate()
            .filter_map(|(at, sentence)| {
                let before = at.checked_sub(1).and_then(|before| self.sentences.get(before));
                self.fit(sentence, before, &strong, reading)
            })
            .collect();
        // Of equals the one that needs no other, then the shortest, then the first.
        found.sort_by_key(|fit| {
            (u32::MAX - fit.percent, fit.after.is_some(), fit.sentence.range.len(), fit.sentence.range.start)
        });
        let Some(best) = found.first().map(|fit| (fit.percent, fit.after.is_some())) else {
            return Vec::new();
        };
        found.truncate(2);
        found.retain(|fit| (fit.percent, fit.after.is_some()) == best);
        found.sort_by_key(|fit| fit.sentence.range.start);
        found.into_iter().map(|fit| self.quotation(&fit, &strong)).collect()
    }

    /// How much of what is asked a sentence says; `None` when it is no answer. What it is about may have been named in
    /// the sentence before.
    fn fit<'s>(
        &self,
        sentence: &'s Sentence,
        before: Option<&'s Sentence>,
        strong: &[&String],
        reading: &Reading,
    ) -> Option<Fit<'s>> {
        if self.is_beside_the_point(sentence) {
            return None;
        }
        let asked = KINDS.iter().map(|(kind, _)| *kind).filter(|kind| strong.iter().any(|term| term == kind));
        if !asked.clone().all(|kind| self.holds(sentence, kind)) {
            return None;
        }
        // A kind alone ("when?") is held by half of all sentences.
        let only_kinds = strong.iter().all(|term| is_kind(term));
        if only_kinds && asked.clone().any(|kind| kind == "date") {
            return None;
        }
        let names_all = |has: &dyn Fn(&str) -> bool| reading.names.iter().all(|name| has(name));
        let here = |term: &str| sentence.terms.contains(term);
        let after = if names_all(&here) {
            None
        } else {
            // Only names may stand in the sentence before: it says who, this one says what.
            let before = before.filter(|_| strong.iter().any(|term| here(term)))?;
            names_all(&|name| here(name) || before.terms.contains(name)).then_some(before)?.into()
        };
        let (mut all, mut said) = (0, 0);
        for term in strong {
            let weight = self.weight(term);
            let is_named = reading.names.contains(term);
            all += weight;
            said += if here(term) || is_named { weight } else { 0 };
        }
        let percent = said * 100 / all.max(1);
        (percent >= ENOUGH).then_some(Fit { percent, sentence, after })
    }

    /// Whether a sentence says what would be, or was said in another message: it begins with a condition, or is quoted.
    fn is_beside_the_point(&self, sentence: &Sentence) -> bool {
        let first = self.text[sentence.range.clone()].split_whitespace().next().unwrap_or_default();
        ["if", "should", "unless", ">"].iter().any(|word| first.eq_ignore_ascii_case(word))
    }

    /// Whether a sentence has something of a kind, or a form's cell for it: "Sex: F".
    fn holds(&self, sentence: &Sentence, kind: &str) -> bool {
        let labelled = || {
            let text = &self.text[sentence.range.clone()];
            text.split_once(':').is_some_and(|(label, _)| words::terms(label).any(|term| term == kind))
        };
        sentence.of_kind(kind).next().is_some() || labelled()
    }

    /// A rare term says more. Integers, so that every machine chooses the same sentence.
    fn weight(&self, term: &str) -> u32 {
        let total = u32::try_from(self.sentences.len()).unwrap_or(u32::MAX).max(1);
        let with = self.frequency.get(term).copied().unwrap_or(0).max(1);
        4 + (total / with).max(1).ilog2()
    }

    fn quotation(&self, fit: &Fit<'_>, strong: &[&String]) -> Quotation {
        let whole = self.short(fit.sentence, strong);
        let kinds = KINDS.iter().map(|(kind, _)| *kind).filter(|kind| strong.iter().any(|term| term == kind));
        let place = |range: Range<usize>| Place { range, field: None, masked: None };
        let mut said: Vec<Place> = kinds
            .flat_map(|kind| fit.sentence.of_kind(kind))
            .filter(|range| whole.start <= range.start && range.end <= whole.end)
            .map(|range| place(range.clone()))
            .collect();
        // One dose is the dose; of two, the sentence must say which is which.
        said.truncate(usize::from(said.len() == 1));
        said.extend(fit.after.map(|before| place(self.short(before, strong))));
        said.push(place(whole));
        Quotation { about: None, said }
    }

    /// The sentence, or of a long one the line that says most.
    fn short(&self, sentence: &Sentence, strong: &[&String]) -> Range<usize> {
        if sentence.range.len() <= LONGEST {
            return sentence.range.clone();
        }
        let mut start = sentence.range.start;
        let mut lines = Vec::new();
        for line in self.text[sentence.range.clone()].split_inclusive('\n') {
            let trimmed = line.trim_end();
            let lead = trimmed.len() - trimmed.trim_start().len();
            lines.push(start + lead..start + trimmed.len());
            start += line.len();
        }
        let says = |line: &Range<usize>| {
            let terms: HashSet<String> = words::terms(&self.text[line.clone()]).collect();
            strong.iter().filter(|term| terms.contains(term.as_str())).count()
        };
        let best = lines
            .iter()
            .filter(|line| !line.is_empty())
            .max_by_key(|line| (says(line), usize::MAX - line.start));
        best.cloned().unwrap_or_else(|| sentence.range.clone())
    }
}

/// A sentence that answers.
struct Fit<'s> {
    /// How much of what is asked it says.
    percent: u32,
    sentence: &'s Sentence,
    /// The sentence before it, where that names what this one is about.
    after: Option<&'s Sentence>,
}

/// Whether a term asks for a kind of thing.
fn is_kind(term: &str) -> bool {
    KINDS.iter().any(|(kind, _)| *kind == term)
}

impl Sentence {
    /// The mentions of a kind.
    fn of_kind<'s>(&'s self, kind: &str) -> impl Iterator<Item = &'s Range<usize>> + use<'s> {
        let labels = KINDS.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, labels)| labels);
        self.mentions.iter().filter(move |(label, _)| labels.contains(label)).map(|(_, range)| range)
    }
}

/// The term under which a kind of mention is asked for, where none of [`KINDS`] is that.
const fn spoken(label: Label) -> Option<&'static str> {
    match label {
        Label::Drug => Some("drug"),
        Label::Condition => Some("condition"),
        Label::Symptom => Some("symptom"),
        Label::AdverseEvent => Some("event"),
        Label::LabTest => Some("test"),
        Label::Outcome => Some("outcome"),
        Label::ActionTaken => Some("action"),
        Label::Seriousness => Some("serious"),
        _ => None,
    }
}

/// A sentence with its terms: its words, the preferred names of what it mentions, and the kinds of it.
fn read(text: &str, range: Range<usize>, entities: &[Entity]) -> Sentence {
    let first = entities.partition_point(|entity| entity.span.byte_start < range.start);
    let last = entities.partition_point(|entity| entity.span.byte_start < range.end);
    let inside = &entities[first..last.max(first)];
    let mut terms: HashSet<String> = words::terms(&words::plain(&text[range.clone()])).collect();
    let mut mentions = Vec::new();
    for entity in inside {
        terms.extend(entity.preferred.as_deref().into_iter().flat_map(words::terms));
        // What might come, or is a relative's, is not what is asked for.
        let is_fact = !entity.assertion.hypothetical
            && entity.assertion.experiencer == clinflow_core::field::Experiencer::Patient;
        if is_fact {
            terms.extend(spoken(entity.label).map(str::to_owned));
            mentions.push((entity.label, entity.span.byte_start..entity.span.byte_end));
        }
    }
    for (kind, labels) in KINDS {
        if mentions.iter().any(|(label, _)| labels.contains(label)) {
            terms.insert(kind.to_owned());
        }
    }
    Sentence { range, terms, mentions }
}
