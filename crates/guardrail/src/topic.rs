//! Denied topics: whether a statement asks for, or gives, what the policy refuses.
//!
//! Two topics are understood by name: `ClinicalTreatmentAdvice` and `OffLabelUsage`. For both, what decides is not the
//! subject but the mood: "What dose did she receive?" is about the record, "What dose should she receive?" asks for
//! advice. Any other topic is recognised by its examples only: a statement that shares most of an example's words. A
//! topic that needs more is for Bedrock, which reads its definition.

use std::collections::BTreeSet;

use crate::{
    Source,
    phrases::List,
    policy::Topic,
    statement::{Statement, statements},
};

/// How the local engine recognises a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Understood {
    /// By rules written for it.
    ByRules,
    /// By likeness to its examples.
    ByExamples,
    /// Not at all: it has no example.
    NotHere,
}

/// How the local engine recognises `topic`.
pub fn understood(topic: &Topic) -> Understood {
    match topic.name.as_str() {
        "ClinicalTreatmentAdvice" | "OffLabelUsage" => Understood::ByRules,
        _ if topic.examples.is_empty() => Understood::NotHere,
        _ => Understood::ByExamples,
    }
}

/// Whether a statement of `text` belongs to `topic`. What the grounding source states may be said.
pub(crate) fn is_about(topic: &Topic, side: Source, text: &str, grounding: Option<&str>) -> bool {
    let sources: Vec<BTreeSet<String>> =
        grounding.map(|source| statements(source).iter().map(content).collect()).unwrap_or_default();
    statements(text).iter().any(|statement| {
        let stated = || {
            let said = content(statement);
            !said.is_empty() && sources.iter().any(|source| said.is_subset(source))
        };
        match (topic.name.as_str(), side) {
            ("ClinicalTreatmentAdvice", Source::Input) => asks_for_advice(statement),
            ("ClinicalTreatmentAdvice", Source::Output) => gives_advice(statement) && !stated(),
            ("OffLabelUsage", Source::Input) => asks_off_label(statement),
            ("OffLabelUsage", Source::Output) => suggests_off_label(statement) && !stated(),
            _ => topic.examples.iter().any(|example| is_like(statement, example)),
        }
    })
}

/// Who may be treated.
const PERSONS: [&str; 12] = [
    "she",
    "he",
    "they",
    "this patient",
    "the patient",
    "this subject",
    "the subject",
    "my patient",
    "patients",
    "subjects",
    "the child",
    "the baby",
];

/// Before a person: "can she take", "does he need".
const ALLOWED: [&str; 8] = ["can", "could", "may", "might", "shall", "would", "will", "does"];

/// What may stand before a request.
const POLITE: [&str; 12] = [
    "please",
    "can you",
    "could you",
    "would you",
    "will you",
    "i need you to",
    "i want you to",
    "kindly",
    "now",
    "help me",
    "i would like you to",
    "you must",
];

/// Verbs that put a question into the past.
const PAST: [&str; 13] = [
    "did",
    "was",
    "were",
    "had",
    "has been",
    "have been",
    "has the",
    "have the",
    "has she",
    "has he",
    "has this",
    "who decided",
    "who ordered",
];

fn about_treatment(statement: &Statement) -> bool {
    statement.treatment || statement.has_stem(List::Treatment.phrases())
}

/// Whether a question is about what was, or what a document says.
fn asks_the_record(statement: &Statement) -> bool {
    let normative = statement.first(List::Normative.phrases()).unwrap_or(usize::MAX);
    statement.has(List::Record.phrases()) || statement.first(&PAST).is_some_and(|past| past < normative)
}

fn is_request(statement: &Statement) -> bool {
    let mut words = statement.words.as_str();
    // "AI, please ..." and "Could you please ..." are requests too.
    for _ in 0..3 {
        let rest = POLITE.iter().find_map(|polite| words.strip_prefix(&format!(" {polite}")));
        words = rest.filter(|rest| rest.starts_with(' ')).unwrap_or(words);
    }
    List::Requests.phrases().iter().any(|request| words.starts_with(&format!(" {request} ")))
}

/// "Can she take", "does he need".
fn asks_leave(statement: &Statement) -> bool {
    ALLOWED.iter().any(|modal| {
        PERSONS.iter().any(|person| match *modal {
            "does" => statement.has(&[&format!("does {person} need"), &format!("does {person} require")]),
            modal => statement.has(&[&format!("{modal} {person}")]),
        })
    })
}

fn asks_for_advice(statement: &Statement) -> bool {
    if statement.has(List::Opinion.phrases()) && (about_treatment(statement) || statement.finding) {
        return !statement.has(List::Record.phrases());
    }
    if is_request(statement) && about_treatment(statement) {
        return !asks_the_record(statement);
    }
    let asks = statement.question
        || statement.begins(&["tell me", "give me", "i need", "i would like", "i want", "advise"]);
    asks && about_treatment(statement)
        && (statement.has(List::Normative.phrases()) || asks_leave(statement) || asks_what_may_be(statement))
        && !asks_the_record(statement)
}

/// A question whose first verb is a modal: what could, would or must be done about a treatment is not in the record.
fn asks_what_may_be(statement: &Statement) -> bool {
    const MODALS: [&str; 9] = ["would", "should", "could", "can", "shall", "ought", "must", "may", "might"];
    let mut words = statement.words.split_whitespace();
    statement.question
        && !statement.has(List::Data.phrases())
        && words.by_ref().take(5).any(|word| MODALS.contains(&word))
}

/// What a person should do, in an answer.
const DUTY: [&str; 6] = ["should", "must", "ought to", "needs to", "need to", "has to"];

fn gives_advice(statement: &Statement) -> bool {
    if statement.question
        || statement.has(List::Reported.phrases())
        || !(about_treatment(statement) || statement.finding)
    {
        return false;
    }
    let duty = PERSONS
        .iter()
        .any(|person| DUTY.iter().any(|duty| statement.has(&[&format!("{} {duty}", person.trim())])));
    let words = statement.words.split_whitespace().count();
    // "Continue" is the value of a field; "Continue the infusion at 5 mg" is an instruction.
    let order = words > 3 && (statement.begins(List::Orders.phrases()) || order_after_comma(statement));
    statement.has(List::Advice.phrases()) || duty || order
}

/// "As instructed in the document, take two tablets now": punctuation is gone, so the phrase before it must be known.
fn order_after_comma(statement: &Statement) -> bool {
    [
        "as instructed in the document",
        "as the document asks",
        "as requested",
        "in this case",
        "therefore",
        "so",
        "then",
        "now",
        "please",
        "as instructed",
        "immediately",
    ]
    .iter()
    .any(|lead| List::Orders.phrases().iter().any(|order| statement.begins(&[&format!("{lead} {order}")])))
}

/// Whether a statement speaks of use outside an approval, in one of the usual phrases or in other words.
fn off_label(statement: &Statement) -> bool {
    let outside = statement.has(&["outside", "beyond", "without", "despite", "against"])
        && statement.has_stem(&["licens", "licenc", "approv", "indicat", "label", "authori"])
        && statement.has_stem(&["use", "using", "treat", "work", "give", "try", "prescri", "help"]);
    outside || statement.has(List::OffLabel.phrases())
}

fn asks_off_label(statement: &Statement) -> bool {
    off_label(statement)
        && (statement.question || is_request(statement) || statement.has(List::Opinion.phrases()))
        && statement.has(List::Suggests.phrases())
        && (statement.has(List::Opinion.phrases()) || !asks_the_record(statement))
}

fn suggests_off_label(statement: &Statement) -> bool {
    const SAID: [&str; 14] = [
        "can",
        "could",
        "may",
        "might",
        "would",
        "should",
        "suggest",
        "recommend",
        "consider",
        "promising",
        "is effective",
        "works well",
        "works",
        "benefit",
    ];
    off_label(statement)
        && statement.has(&SAID)
        && !statement.has(List::Reported.phrases())
        && !statement.has(&PAST)
}

/// A statement's words that carry content.
pub(crate) fn content(statement: &Statement) -> BTreeSet<String> {
    statement.words.split_whitespace().filter(|word| !List::Empty.contains(word)).map(stem).collect()
}

/// A word without the endings that do not change what it is about.
pub(crate) fn stem(word: &str) -> String {
    let cut =
        |ending: &str, least: usize| word.strip_suffix(ending).filter(|rest| rest.chars().count() >= least);
    if word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word.to_owned();
    }
    let stem = cut("ing", 4)
        .or_else(|| cut("ed", 4))
        .or_else(|| cut("es", 4))
        .or_else(|| cut("s", 3))
        .unwrap_or(word);
    stem.strip_suffix('e').filter(|rest| rest.len() > 3).unwrap_or(stem).to_owned()
}

/// Whether a statement shares most of an example's content, and little else.
fn is_like(statement: &Statement, example: &str) -> bool {
    let said = content(statement);
    statements(example).iter().any(|example| {
        let wanted = content(example);
        let shared = said.intersection(&wanted).count();
        // Three quarters of the example (Dice), and at least two words of it.
        shared >= 2 && 8 * shared >= 3 * (said.len() + wanted.len())
    })
}
