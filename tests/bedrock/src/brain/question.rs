//! The sentences of a document that answer a question, quoted.

use std::{collections::BTreeSet, ops::Range};

use clinflow_clinical::{Label, annotate, sentence};
use serde_json::{Value, json};

/// What is said when the document does not answer.
const NOT_SAID: &str = "The document does not say.";

/// At most so many sentences are quoted.
const MOST_QUOTES: usize = 3;

/// Words of questions that say nothing about what is asked.
const EMPTY_WORDS: [&str; 44] = [
    "what", "when", "where", "which", "who", "how", "why", "did", "does", "do", "is", "are", "was", "were",
    "the", "a", "an", "of", "to", "in", "on", "at", "for", "and", "or", "this", "that", "patient",
    "patients", "subject", "receive", "received", "have", "had", "has", "there", "any", "with", "by", "from",
    "it", "he", "she", "document",
];

/// What a word of a question asks for.
const ASKS_FOR: [(&str, &[Label]); 24] = [
    ("dose", &[Label::Dose]),
    ("dosage", &[Label::Dose]),
    ("when", &[Label::Date]),
    ("date", &[Label::Date]),
    ("day", &[Label::Date]),
    ("long", &[Label::Duration]),
    ("often", &[Label::Frequency]),
    ("route", &[Label::Route]),
    ("drug", &[Label::Drug]),
    ("drugs", &[Label::Drug]),
    ("medication", &[Label::Drug]),
    ("medications", &[Label::Drug]),
    ("medicine", &[Label::Drug]),
    ("treatment", &[Label::Drug]),
    ("treated", &[Label::Drug]),
    ("old", &[Label::Age]),
    ("age", &[Label::Age]),
    ("sex", &[Label::Sex]),
    ("severe", &[Label::Severity]),
    ("severity", &[Label::Severity]),
    ("outcome", &[Label::Outcome]),
    ("related", &[Label::Causality]),
    ("cause", &[Label::Causality]),
    ("event", &[Label::AdverseEvent, Label::Condition, Label::Symptom]),
];

/// The answer in words: the sentences that answer, quoted.
pub(crate) fn answer(document: &str, query: &str) -> String {
    let quotes: Vec<_> = quotes(document, query).iter().map(|quote| format!("\"{quote}\"")).collect();
    if quotes.is_empty() {
        return NOT_SAID.to_owned();
    }
    format!("The document says: {}", quotes.join(" "))
}

/// The answer in the shape of a schema that asks for `answer` and `quotes`.
pub(crate) fn quoted(document: &str, query: &str) -> Value {
    json!({"answer": answer(document, query), "quotes": quotes(document, query)})
}

/// The sentences that share most with the question, in the order of the document.
fn quotes<'d>(document: &'d str, query: &str) -> Vec<&'d str> {
    let question = question(query);
    let words: BTreeSet<String> = words(question).collect();
    let asked: BTreeSet<Label> = words
        .iter()
        .flat_map(|word| ASKS_FOR.iter().filter(move |(asks, _)| asks == word))
        .flat_map(|(_, labels)| labels.iter().copied())
        .collect();
    let content: BTreeSet<String> = words
        .into_iter()
        .filter(|word| !EMPTY_WORDS.contains(&word.as_str()))
        .map(|word| stem(&word))
        .collect();
    let labels: Vec<(usize, Label)> =
        annotate(document).entities.iter().map(|entity| (entity.span.byte_start, entity.label)).collect();
    let mut scored: Vec<(usize, Range<usize>)> = sentence::split(document)
        .into_iter()
        .map(|sentence| (score(document, &sentence, &content, &asked, &labels), sentence))
        .filter(|(score, _)| *score > 0)
        .collect();
    let best = scored.iter().map(|(score, _)| *score).max().unwrap_or_default();
    scored.retain(|(score, _)| *score * 4 >= best * 3);
    scored.into_iter().take(MOST_QUOTES).map(|(_, sentence)| document[sentence].trim()).collect()
}

/// The last line that asks something; what came before it is what was said earlier.
fn question(query: &str) -> &str {
    let lines = || query.lines().map(str::trim).filter(|line| !line.is_empty());
    lines().rfind(|line| line.contains('?')).or_else(|| lines().next_back()).unwrap_or_default()
}

/// How much of a question a sentence answers: three for every kind of thing that is asked for and is in it, four for every
/// word they share, two when it is the word that asks.
fn score(
    document: &str,
    sentence: &Range<usize>,
    content: &BTreeSet<String>,
    asked: &BTreeSet<Label>,
    labels: &[(usize, Label)],
) -> usize {
    let shared: BTreeSet<String> = words(&document[sentence.clone()]).map(|word| stem(&word)).collect();
    let asks = |word: &str| ASKS_FOR.iter().any(|(asks, _)| stem(asks) == word);
    let shared: usize = shared.intersection(content).map(|word| if asks(word) { 2 } else { 4 }).sum();
    let there = asked
        .iter()
        .filter(|asked| labels.iter().any(|(at, label)| label == *asked && sentence.contains(at)))
        .count();
    3 * there + shared
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// A word without its ending, roughly: "resolved", "resolves" and "resolve" are one.
fn stem(word: &str) -> String {
    let endings = ["ing", "ed", "es", "s", "e"];
    let stem = endings.iter().find_map(|ending| word.strip_suffix(ending).filter(|stem| stem.len() >= 4));
    stem.unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::answer;

    const STORY: &str = "A 61-year-old man with a history of gout took part. He received the first dose of QRS-77 \
        100 mg on 02-FEB-2026. On 10-FEB-2026 severe pancreatitis was reported. He was treated with meropenem 1 g IV \
        every 8 hours. The pancreatitis resolved on 18-FEB-2026.\n";

    #[test]
    fn a_question_is_answered_with_the_sentence_that_answers_it() {
        let expected = [
            (
                "What dose of meropenem did the patient receive?",
                "He was treated with meropenem 1 g IV every 8 hours.",
            ),
            ("When did the pancreatitis resolve?", "The pancreatitis resolved on 18-FEB-2026."),
            ("How old is the patient?", "A 61-year-old man with a history of gout took part."),
        ];
        for (question, sentence) in expected {
            assert_eq!(answer(STORY, question), format!("The document says: \"{sentence}\""), "{question}");
        }
    }

    #[test]
    fn what_the_document_does_not_say_is_said_not_to_be_there() {
        assert_eq!(answer(STORY, "Which laboratory analysed the biopsy?"), "The document does not say.");
    }

    #[test]
    fn only_the_last_question_counts() {
        let query = "Earlier: How old is the patient?\n\nWhen did the pancreatitis resolve?\n";
        assert!(answer(STORY, query).ends_with("18-FEB-2026.\""));
    }
}
