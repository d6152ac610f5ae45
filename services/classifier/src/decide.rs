//! Which workflow a text belongs to: form markers first, vocabulary second, and a margin between the best and the
//! second. Counts only, so the order of pages does not matter. No model is asked.

use clinflow_core::WorkflowId;
use clinflow_workflow::{Bundle, Classify};

/// The least score that is taken for a document of a workflow: a title of a form, or two of its headings.
/// Vocabulary alone, which every clinical text shares, does not reach it on a page or two.
const MINIMUM: u32 = 45;

/// How far the best must be ahead of the second, in thousandths of the best: closer than a tenth is a guess.
const MARGIN: u32 = 100;

/// What the text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The best workflow, when it is good enough.
    pub workflow: Option<WorkflowId>,
    /// The kind of document that was recognised best, whether or not it is good enough; empty when nothing spoke
    /// for any.
    pub document_type: String,
    /// How far the best is ahead of the second, in thousandths of the best.
    pub margin: u32,
}

/// Decides.
pub fn decide(text: &str, bundle: &Bundle) -> Decision {
    let lower = text.to_lowercase();
    let words = Words::of(&lower);
    let mut scores: Vec<_> =
        bundle.workflows().map(|workflow| (score(text, &words, &workflow.classify), workflow)).collect();
    // Bundles list workflows by id and the sort is stable, so equals keep that order.
    scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let Some((best, workflow)) = scores.first().filter(|(best, _)| *best > 0) else {
        return Decision { workflow: None, document_type: String::new(), margin: 0 };
    };
    let second = scores.get(1).map_or(0, |(second, _)| *second);
    let margin = u32::try_from(u64::from(best - second) * 1000 / u64::from(*best)).unwrap_or(1000);
    let good = *best >= MINIMUM && margin >= MARGIN;
    Decision {
        workflow: good.then(|| workflow.id.clone()),
        document_type: workflow.document_type.clone(),
        margin,
    }
}

/// What speaks for a workflow.
fn score(text: &str, words: &Words<'_>, classify: &Classify) -> u32 {
    let markers: u32 = classify
        .markers
        .iter()
        .filter(|marker| marker.pattern.is_match(text))
        .map(|marker| marker.weight)
        .sum();
    let vocabulary: u32 = classify
        .vocabulary
        .iter()
        .flat_map(|group| {
            group.terms.iter().map(|term| words.count(term).min(group.at_most).saturating_mul(group.weight))
        })
        .sum();
    markers.saturating_add(vocabulary)
}

/// The words of a text, counted.
struct Words<'a> {
    text: &'a str,
    counts: std::collections::HashMap<&'a str, u32>,
}

impl<'a> Words<'a> {
    /// Counts the words of a text that is in lower case.
    fn of(text: &'a str) -> Self {
        let mut counts = std::collections::HashMap::new();
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            *counts.entry(word).or_default() += 1;
        }
        Self { text, counts }
    }

    /// How often a term occurs; a term of several words is looked for as it is written.
    fn count(&self, term: &str) -> u32 {
        if term.chars().all(char::is_alphanumeric) {
            return self.counts.get(term).copied().unwrap_or_default();
        }
        u32::try_from(self.text.matches(term).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use clinflow_workflow::shipped;

    use super::*;

    fn bundle() -> Bundle {
        Bundle::read(&shipped()).unwrap()
    }

    #[test]
    fn a_text_that_belongs_nowhere_is_forced_into_no_workflow() {
        let decision = decide("Milk, eggs, two onions and a related outcome.", &bundle());
        assert_eq!(decision.workflow, None);
        assert_eq!(
            decide("", &bundle()),
            Decision { workflow: None, document_type: String::new(), margin: 0 }
        );
    }

    #[test]
    fn the_order_of_pages_does_not_matter() {
        let (first, second) =
            ("LABORATORY REPORT\nSpecimen: serum\n", "Reference range\nHaemoglobin 132 g/L\n");
        let bundle = bundle();
        assert_eq!(
            decide(&format!("{first}\u{c}{second}"), &bundle),
            decide(&format!("{second}\u{c}{first}"), &bundle)
        );
    }
}
