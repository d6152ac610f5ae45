//! Whether an answer follows from its source, and answers its question: contextual grounding.
//!
//! Numbers with their units, dates, clinical entities and polarity must follow exactly; one that does not makes the
//! score 0. For the rest the score is the share of content words that the source has. The score of an answer is that of
//! its worst statement, so that one invention is not outvoted by what is true.

use std::collections::{BTreeMap, BTreeSet};

use clinflow_clinical::{Label, dates, lexicon::Lexicon, quantity::ucum};

use super::{
    locate::runs,
    token::{Token, tokens},
};
use crate::{
    detect,
    phrases::List,
    statement::statements,
    topic::{content, stem},
    words::negates,
};

/// Words that say how something is told and not what.
const TELLING: [&str; 54] = [
    "patient",
    "subject",
    "participant",
    "man",
    "woman",
    "person",
    "received",
    "report",
    "document",
    "according",
    "state",
    "record",
    "event",
    "answer",
    "outcome",
    "value",
    "result",
    "given",
    "gave",
    "took",
    "taken",
    "date",
    "yes",
    "say",
    "said",
    "show",
    "mention",
    "describe",
    "list",
    "include",
    "following",
    "also",
    "there",
    "had",
    "has",
    "have",
    "then",
    "than",
    "its",
    "their",
    "about",
    "per",
    "both",
    "each",
    "level",
    "measured",
    "observed",
    "note",
    "investigator",
    "protocol",
    "highest",
    "lowest",
    "maximum",
    "peak",
];

fn is_telling(stemmed: &str) -> bool {
    TELLING.iter().any(|word| stem(word) == stemmed)
}

/// Words that turn what follows around, beside negations.
const DOUBTS: [&str; 5] = ["unlikely", "doubtful", "excluded", "unrelated", "improbable"];

/// Separates clauses, so that a negation does not reach across.
const CLAUSE: &str = "|";

/// What a stretch of text claims.
struct Claims {
    tokens: Vec<Token>,
    /// Content, by stem or by the lexicon's name, with the polarities in which it stands.
    content: BTreeMap<String, BTreeSet<bool>>,
    /// Drugs, conditions, symptoms, procedures and tests, by the lexicon's name.
    entities: BTreeSet<String>,
    /// Dates in ISO 8601; an ambiguous one in both readings.
    dates: BTreeSet<String>,
}

/// How well `answer` follows from `source`, in thousandths.
pub(crate) fn grounding(source: &str, answer: &str) -> u16 {
    let known = claims(source);
    let mut worst = 1000;
    for range in clinflow_clinical::sentence::split(answer) {
        worst = worst.min(statement(&known, &answer[range]));
    }
    worst
}

fn statement(known: &Claims, said: &str) -> u16 {
    let claims = claims(said);
    let entities = claims.entities.iter().all(|entity| known.entities.contains(entity));
    let polarity = claims.content.iter().all(|(word, said)| {
        known.content.get(word).is_none_or(|known| said.iter().any(|one| known.contains(one)))
    });
    let dates = dates_in(said)
        .into_iter()
        .all(|(_, readings)| readings.is_empty() || readings.iter().any(|date| known.dates.contains(date)));
    if !(entities && polarity && dates && amounts(known, &claims, said)) {
        return 0;
    }
    let content: Vec<&String> = claims.content.keys().filter(|word| !is_telling(word)).collect();
    let found = content.iter().filter(|word| known.content.contains_key(**word)).count();
    match content.len() {
        0 => 1000,
        all => u16::try_from(1000 * found / all).unwrap_or(0),
    }
}

/// Whether every number of a statement stands in the source with the unit it has here. Those of dates are judged as
/// dates.
fn amounts(known: &Claims, claims: &Claims, said: &str) -> bool {
    let dates = dates_in(said);
    let in_date = |token: &Token| {
        dates.iter().any(|(range, readings)| {
            !readings.is_empty() && range.start <= token.range.start && token.range.end <= range.end
        })
    };
    claims.tokens.iter().enumerate().filter(|(_, token)| token.number && !in_date(token)).all(|(at, _)| {
        let mut end = at + 1;
        while let Some(next) = claims.tokens.get(end)
            && end - at < 7
            && belongs(next, &said[claims.tokens[end - 1].range.end..next.range.start])
        {
            end += 1;
        }
        let compared = at.checked_sub(1).map(|before| claims.tokens[before].normal.as_str());
        let compared = compared.filter(|sign| matches!(*sign, "<" | ">" | "<=" | ">="));
        runs(&known.tokens, &claims.tokens[at..end]).any(|found| {
            let before = found.checked_sub(1).map(|before| known.tokens[before].normal.as_str());
            before.filter(|sign| matches!(*sign, "<" | ">" | "<=" | ">=")) == compared
        })
    })
}

/// Whether a token belongs to the number before it: a unit, or a sign of one.
fn belongs(token: &Token, gap: &str) -> bool {
    gap.trim().is_empty()
        && (matches!(token.normal.as_str(), "/" | "*" | "^" | "%" | "\u{b0}")
            || ucum(&token.normal).is_some()
            || (token.number && gap.is_empty()))
}

/// The dates of a text, with their readings in ISO 8601.
fn dates_in(text: &str) -> Vec<(std::ops::Range<usize>, Vec<String>)> {
    detect::dates(text)
        .into_iter()
        .map(|range| {
            let readings = dates::parse(&text[range.clone()]).map_or_else(
                |_| Vec::new(),
                |date| [Some(date), date.swapped()].into_iter().flatten().map(|date| date.iso()).collect(),
            );
            (range, readings)
        })
        .collect()
}

fn claims(text: &str) -> Claims {
    const ENTITIES: [Label; 5] =
        [Label::Drug, Label::Condition, Label::Symptom, Label::Procedure, Label::LabTest];
    let all = tokens(text);
    let hits = Lexicon::shipped().find(text);
    let mut content: BTreeMap<String, BTreeSet<bool>> = BTreeMap::new();
    let mut entities = BTreeSet::new();
    let mut before: Vec<&str> = Vec::new();
    for (at, token) in all.iter().enumerate() {
        let gap = if at == 0 { "" } else { &text[all[at - 1].range.end..token.range.start] };
        if gap.contains([',', ';', '.', ':', '\n'])
            || matches!(token.normal.as_str(), "but" | "although" | "while")
        {
            before.push(CLAUSE);
        }
        let negated = before
            .iter()
            .rev()
            .take(6)
            .take_while(|word| **word != CLAUSE)
            .any(|word| negates(word) || DOUBTS.contains(word));
        let hit =
            hits.iter().find(|hit| hit.range.start <= token.range.start && token.range.end <= hit.range.end);
        let key = match hit {
            Some(hit) => format!("={}", hit.entry.preferred.to_lowercase()),
            None => stem(&token.normal),
        };
        if let Some(hit) = hit.filter(|hit| ENTITIES.contains(&hit.entry.label)) {
            entities.insert(hit.entry.preferred.to_lowercase());
        }
        let counts = hit.is_some()
            || token.number
            || (token.normal.chars().count() > 2
                && !negates(&token.normal)
                && !List::Empty.contains(&token.normal));
        if counts {
            content.entry(key).or_default().insert(negated);
        }
        before.push(&token.normal);
    }
    let dates = dates_in(text).into_iter().flat_map(|(_, readings)| readings).collect();
    Claims { tokens: all, content, entities, dates }
}

/// How well `answer` answers `query`, in thousandths: the share of the question's content that the answer has, or that
/// the statements of the source have which the answer is about.
pub(crate) fn relevance(query: &str, answer: &str, source: &str) -> u16 {
    let asked: BTreeSet<String> =
        statements(query).iter().flat_map(content).filter(|word| !is_telling(word)).collect();
    let mut told: BTreeSet<String> = statements(answer).iter().flat_map(content).collect();
    let mut about = BTreeSet::new();
    for statement in statements(source) {
        let words = content(&statement);
        if words.intersection(&told).next().is_some() {
            about.extend(words);
        }
    }
    told.extend(about);
    match asked.len() {
        0 => 1000,
        all => u16::try_from(1000 * asked.intersection(&told).count() / all).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::grounding;

    const SOURCE: &str = "On 09-JAN-2026 he developed febrile neutropenia; ANC was 0.3 10*9/L. There was no pneumonia. \
                          Tacrolimus 2 mg was given twice daily. He recovered.";

    #[test]
    fn numbers_units_dates_entities_and_polarity_must_follow() {
        for said in [
            "Tacrolimus 2 mg twice daily.",
            "ANC was 0.3 10*9/L on 2026-01-09.",
            "There was no pneumonia.",
            "The document does not say.",
        ] {
            assert!(grounding(SOURCE, said) >= 700, "{said}");
        }
        for said in [
            "Tacrolimus 3 mg twice daily.",
            "Tacrolimus 2 g twice daily.",
            "ANC was 0.3 10*9/L on 2026-01-10.",
            "There was pneumonia.",
            "He did not recover.",
            "Warfarin was given twice daily.",
            "ANC was <0.3 10*9/L.",
            "One event of grade 1 febrile neutropenia.",
        ] {
            assert!(grounding(SOURCE, said) < 700, "{said}");
        }
    }
}
