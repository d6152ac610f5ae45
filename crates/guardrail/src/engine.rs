//! The policy, enforced here: deterministic, without a network, and linear in the text.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use clinflow_core::{Phi, field::Offsets};

use crate::{
    Action, Assessment, Content, Finding, PiiType, Policy, PolicyKind, Source, content,
    detect::{self, Identifier, Wanted},
    grounding::answer,
    mask::{self, Cut, mask, stands_alone},
    policy::{Actions, GroundingType, Measure, PiiMeasure},
    topic,
    visible::Visible,
};

/// The managed list of profanity.
const PROFANITY: &str = include_str!("../lexicon/profanity.txt");

/// Patterns of a policy are matched in windows, because one that tries every rest of a text would take quadratic time.
const WINDOW: usize = 8 << 10;
/// How much two windows share; no match of a pattern is longer.
const OVERLAP: usize = 1 << 10;

/// Enforces one policy.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    name: String,
    words: Vec<Refused>,
    finder: Option<AhoCorasick>,
}

/// A word that is refused.
#[derive(Debug)]
struct Refused {
    list: &'static str,
    actions: Actions<Measure>,
}

impl Engine {
    /// An engine for `policy`.
    pub fn new(policy: Policy) -> Self {
        let name = format!("{}/{}", policy.name, policy.sha256.get(..12).unwrap_or(&policy.sha256));
        let custom = policy.words.iter().map(|word| (word.text.as_str(), "custom", word.actions));
        let profane = policy
            .profanity
            .iter()
            .flat_map(|actions| PROFANITY.lines().map(|word| (word, "PROFANITY", *actions)));
        let (texts, words): (Vec<String>, Vec<Refused>) = custom
            .chain(profane)
            .map(|(text, list, actions)| (text.to_lowercase(), Refused { list, actions }))
            .unzip();
        // No more than 10,000 words of 100 characters: an automaton of that size can always be built.
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(texts)
            .ok();
        Self { policy, name, words, finder }
    }

    /// The policy's name and the beginning of its hash, for records.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Assesses a text. Masked identifiers do not block it; a blocked text is replaced by the policy's message.
    pub fn assess(&self, side: Source, content: &Content<'_>) -> Assessment {
        let mut findings = Vec::new();
        let visible = Visible::new(content.text);
        self.topics(side, content, visible.text(), &mut findings);
        self.filters(side, visible.text(), &mut findings);
        self.refused_words(side, content.text, &visible, &mut findings);
        let masked = self.sensitive(side, content.text, &mut findings);
        if side == Source::Output {
            self.grounding(content, &mut findings);
        }
        self.conclude(side, findings, masked)
    }

    /// Assesses the value of a field. `kind` says what the field holds, where its workflow knows: then the whole value
    /// is that, and need not be recognised.
    pub fn value(&self, kind: Option<PiiType>, value: &str) -> Assessment {
        let measure = kind
            .and_then(|kind| self.policy.pii.iter().find(|pii| pii.kind == kind))
            .and_then(|pii| Some((pii.kind, pii.actions.output?)));
        let masked = mask::replacement(kind.map_or("", PiiType::as_str));
        match measure {
            Some((kind, measure)) if !value.trim().is_empty() && value != masked => {
                let finding = Finding {
                    policy: PolicyKind::SensitiveInformation,
                    name: kind.as_str().to_owned(),
                    action: action_of(measure),
                    span: Some(Offsets::new(value).span(0..value.len())),
                };
                let text = if measure == PiiMeasure::Report { value.to_owned() } else { masked };
                self.conclude(Source::Output, vec![finding], text)
            }
            _ => self.quotation(value),
        }
    }

    /// Assesses words that repeat what a document says: what it states itself is nobody's advice.
    pub fn quotation(&self, words: &str) -> Assessment {
        let content = Content { text: words, grounding_source: Some(words), query: None };
        self.assess(Source::Output, &content)
    }

    fn conclude(&self, side: Source, mut findings: Vec<Finding>, masked: String) -> Assessment {
        findings.sort();
        findings.dedup();
        let blocked = findings.iter().any(|finding| finding.action == Action::Blocked);
        let text = match (blocked, side) {
            (false, _) => masked,
            (true, Source::Input) => self.policy.blocked_input.clone(),
            (true, Source::Output) => self.policy.blocked_output.clone(),
        };
        Assessment { findings, text: Phi::new(text), blocked }
    }

    fn topics(&self, side: Source, content: &Content<'_>, text: &str, findings: &mut Vec<Finding>) {
        for topic in &self.policy.topics {
            let Some(measure) = of(side, topic.actions) else { continue };
            if topic::is_about(topic, side, text, content.grounding_source) {
                findings.push(whole(PolicyKind::Topic, &topic.name, measure));
            }
        }
    }

    fn filters(&self, side: Source, text: &str, findings: &mut Vec<Finding>) {
        for filter in &self.policy.filters {
            let strength = if side == Source::Input { filter.input } else { filter.output };
            let (Some(measure), Some(least)) = (of(side, filter.actions), strength.acts_from()) else {
                continue;
            };
            if content::confidence(filter.kind, side, text).is_some_and(|confidence| confidence >= least) {
                findings.push(whole(PolicyKind::Content, filter.kind.as_str(), measure));
            }
        }
    }

    fn refused_words(
        &self,
        side: Source,
        original: &str,
        visible: &Visible<'_>,
        findings: &mut Vec<Finding>,
    ) {
        let Some(finder) = &self.finder else { return };
        let offsets = Offsets::new(original);
        for hit in finder.find_overlapping_iter(visible.text()) {
            let word = &self.words[hit.pattern().as_usize()];
            if let Some(measure) =
                of(side, word.actions).filter(|_| stands_alone(visible.text(), &hit.range()))
            {
                let span = Some(offsets.span(visible.original(&hit.range())));
                findings.push(Finding { span, ..whole(PolicyKind::Word, word.list, measure) });
            }
        }
    }

    /// Finds personal information, and returns the text with it masked.
    fn sensitive(&self, side: Source, text: &str, findings: &mut Vec<Finding>) -> String {
        let types: Vec<(PiiType, PiiMeasure)> =
            self.policy.pii.iter().filter_map(|pii| Some((pii.kind, of(side, pii.actions)?))).collect();
        let with = |reported: bool| {
            let chosen = |measure: PiiMeasure| (measure == PiiMeasure::Report) == reported;
            let types: Vec<_> = types.iter().filter(|(_, measure)| chosen(*measure)).copied().collect();
            move |text: &str| self.cuts(side, text, &types, reported)
        };
        let offsets = Offsets::new(text);
        let mut note = |cut: &Cut, action| {
            findings.push(Finding {
                policy: PolicyKind::SensitiveInformation,
                name: cut.name.clone(),
                action,
                span: Some(offsets.span(cut.range.clone())),
            });
        };
        for cut in with(true)(text) {
            note(&cut, Action::Detected);
        }
        let masked = mask(text, with(false));
        for cut in &masked.cuts {
            note(cut, if cut.grave { Action::Blocked } else { Action::Anonymized });
        }
        masked.text
    }

    /// What is to be cut out of a text: personal information of these types, and the patterns that are, or are not, only
    /// reported.
    fn cuts(&self, side: Source, text: &str, types: &[(PiiType, PiiMeasure)], reported: bool) -> Vec<Cut> {
        let visible = Visible::new(text);
        let wanted = Wanted::Types(types.iter().map(|(kind, _)| *kind).collect());
        let mut cuts: Vec<Cut> = detect::find(visible.text(), &wanted)
            .into_iter()
            .filter_map(|found| {
                let Identifier::Pii(kind) = found.identifier else { return None };
                let (_, measure) = types.iter().find(|(known, _)| *known == kind)?;
                let range = visible.original(&found.range);
                Some(Cut { range, name: kind.as_str().to_owned(), grave: *measure == PiiMeasure::Block })
            })
            .collect();
        for pattern in &self.policy.regexes {
            let Some(measure) = of(side, pattern.actions).filter(|m| (*m == PiiMeasure::Report) == reported)
            else {
                continue;
            };
            for window in windows(visible.text()) {
                let hits =
                    pattern.regex.find_iter(&visible.text()[window.clone()]).filter(|hit| !hit.is_empty());
                cuts.extend(hits.map(|hit| Cut {
                    range: visible.original(&(window.start + hit.start()..window.start + hit.end())),
                    name: pattern.name.clone(),
                    grave: measure == PiiMeasure::Block,
                }));
            }
        }
        cuts
    }

    fn grounding(&self, content: &Content<'_>, findings: &mut Vec<Finding>) {
        let Some(source) = content.grounding_source else { return };
        for filter in &self.policy.grounding {
            let score = match (filter.kind, content.query) {
                (GroundingType::Grounding, _) => answer::grounding(source, content.text),
                (GroundingType::Relevance, Some(query)) => answer::relevance(query, content.text, source),
                (GroundingType::Relevance, None) => continue,
            };
            if let Some(measure) = filter.action.filter(|_| score < filter.threshold) {
                findings.push(whole(PolicyKind::ContextualGrounding, filter.kind.as_str(), measure));
            }
        }
    }
}

/// What is done on one side.
fn of<A: Copy>(side: Source, actions: Actions<A>) -> Option<A> {
    match side {
        Source::Input => actions.input,
        Source::Output => actions.output,
    }
}

const fn action_of(measure: PiiMeasure) -> Action {
    match measure {
        PiiMeasure::Block => Action::Blocked,
        PiiMeasure::Anonymize => Action::Anonymized,
        PiiMeasure::Report => Action::Detected,
    }
}

/// A finding about the whole text.
fn whole(policy: PolicyKind, name: &str, measure: Measure) -> Finding {
    let action = match measure {
        Measure::Block => Action::Blocked,
        Measure::Report => Action::Detected,
    };
    Finding { policy, name: name.to_owned(), action, span: None }
}

/// Windows over a text, each sharing its end with the next one's beginning.
fn windows(text: &str) -> Vec<Range<usize>> {
    let mut windows = Vec::new();
    let mut start = 0;
    loop {
        let end = floor(text, start + WINDOW);
        windows.push(start..end);
        if end == text.len() {
            return windows;
        }
        start = floor(text, end - OVERLAP);
    }
}

/// The last character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
