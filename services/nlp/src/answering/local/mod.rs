//! The local model's answers: found by rules among the validated fields, then among the sentences, and given as
//! quotations. It costs nothing, needs no network, and answers the same question the same way for ever.
//!
//! It does not reason. A question names what it is about (a drug, an event, a test) and which side of it is wanted (its
//! dose, its onset, its result); where a field or a sentence has all of that, it is quoted, and else the document does
//! not say. To teach it a word, add it to `words`.

mod fields;
mod quote;
mod sentences;
mod words;

use std::sync::Arc;

use clinflow_clinical::annotate;
use clinflow_core::{Citation, Failure, FieldSet, Phi};
use clinflow_ingest::Text;
use clinflow_workflow::Workflow;

use self::{fields::Fields, sentences::Sentences};
use super::material::{Answered, Exchange, Material, NOT_SAID};

/// Id and version of the rules.
const MODEL: &str = "local/1";

/// An answer in a task that may take its thread.
///
/// # Errors
///
/// Only when the rules panic.
pub async fn answered(question: &Phi, material: &Material<'_>) -> Result<Answered, Failure> {
    let question = question.clone();
    let (text, fields, workflow) =
        (Arc::clone(material.text), Arc::clone(material.fields), Arc::clone(material.workflow));
    let earlier = material.earlier.to_vec();
    // Reading a long text takes longer than a task may keep its thread.
    let (answer, citations) =
        tokio::task::spawn_blocking(move || answer(question.expose(), &text, &fields, &workflow, &earlier))
            .await
            // The words of a panic may quote the document.
            .map_err(|_| Failure::park("model.panicked", anyhow::anyhow!("the local model panicked")))?;
    Ok(Answered { answer, citations, model: MODEL.to_owned(), prompt: None, cost_nano_usd: 0 })
}

/// What the fields and the text say to `question`, and where.
pub fn answer(
    question: &str,
    text: &Text,
    fields: &FieldSet,
    workflow: &Workflow,
    earlier: &[Exchange],
) -> (Phi, Vec<Citation>) {
    let fields = Fields::new(fields, workflow, text);
    let sentences = Sentences::read(&text.text);
    let found = readings(question, earlier).iter().find_map(|reading| {
        let known = fields.find(reading);
        let quotations = match fields.study_drug_beside(reading, &known) {
            Some(drug) => {
                let about = Reading { terms: [reading.terms.as_slice(), &drug].concat(), ..reading.clone() };
                sentences.find(&about).into_iter().chain(known).collect()
            }
            None => known,
        };
        let quotations = if quotations.is_empty() { sentences.find(reading) } else { quotations };
        (!quotations.is_empty()).then_some(quotations)
    });
    match found {
        Some(quotations) => quote::compose(&quotations, text),
        None => (Phi::new(NOT_SAID), Vec::new()),
    }
}

/// One way to understand a question.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    /// What is asked, each term once.
    terms: Vec<String>,
    /// Those among them that name something: a drug, a disease, a code. No answer does without them.
    names: Vec<String>,
    /// Only fields that stand beside one of these are meant, by path: what the answer before was about.
    beside: Vec<String>,
}

/// The ways to understand a question, the likeliest first.
fn readings(question: &str, earlier: &[Exchange]) -> Vec<Reading> {
    let own = reading(question);
    let Some(before) = earlier.last().filter(|_| refers_back(question)) else {
        return own;
    };
    let beside: Vec<String> = before.citations.iter().filter_map(|citation| citation.field.clone()).collect();
    let mut readings = Vec::new();
    if !beside.is_empty() {
        readings.extend(own.iter().map(|own| Reading { beside: beside.clone(), ..own.clone() }));
    }
    let what = reading(before.question.expose());
    // What is asked now comes first; what it is about was said before, in the question or in its answer.
    for (own, before) in own.iter().flat_map(|own| what.iter().map(move |before| (own, before))) {
        let mut both = own.clone();
        both.terms.extend(before.names.iter().cloned());
        both.names.extend(before.names.iter().cloned());
        if before.names.is_empty() || own.terms.is_empty() {
            both.terms.extend(before.terms.iter().cloned());
        }
        readings.push(distinct(both));
    }
    readings
}

/// A question by itself: in its own words, and in the names that the lexicon prefers.
fn reading(question: &str) -> Vec<Reading> {
    let plain = words::plain(question);
    let mut names = Vec::new();
    let mut preferred = question.to_owned();
    let mentions = annotate(question).entities;
    for entity in mentions.iter().rev().filter(|entity| names_something(entity.label)) {
        let written = entity.span.of(question).unwrap_or_default();
        names.extend(words::terms(written));
        if let Some(name) = &entity.preferred {
            preferred.replace_range(entity.span.byte_start..entity.span.byte_end, name);
        }
    }
    // A code, or a name the lexicon does not know: a word with a digit or a capital in the middle of the question.
    for word in question.split_whitespace().skip(1) {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        if bare.chars().any(|c| c.is_ascii_digit() || c.is_uppercase()) && bare != "I" {
            names.extend(words::terms(bare));
        }
    }
    names.retain(|name| is_name(name));
    let own = distinct(Reading { terms: words::terms(&plain).collect(), names, beside: Vec::new() });
    if preferred == question {
        return vec![own];
    }
    let other_names = mentions
        .iter()
        .filter(|entity| names_something(entity.label))
        .filter_map(|entity| entity.preferred.as_deref())
        .flat_map(words::terms)
        .filter(|name| is_name(name))
        .collect();
    let other = Reading {
        terms: words::terms(&words::plain(&preferred)).collect(),
        names: other_names,
        beside: Vec::new(),
    };
    vec![own, distinct(other)]
}

/// Whether a term names something.
fn is_name(term: &str) -> bool {
    !words::is_faint(term) && !words::is_general(term)
}

/// Whether a mention names something, rather than a property of it.
const fn names_something(label: clinflow_clinical::Label) -> bool {
    use clinflow_clinical::Label;
    matches!(
        label,
        Label::Drug
            | Label::Condition
            | Label::Symptom
            | Label::AdverseEvent
            | Label::Procedure
            | Label::LabTest
            | Label::Anatomy
    )
}

/// Each term and name once, in order.
fn distinct(reading: Reading) -> Reading {
    let once = |all: Vec<String>| {
        let mut kept: Vec<String> = Vec::with_capacity(all.len());
        for one in all {
            if !kept.contains(&one) {
                kept.push(one);
            }
        }
        kept
    };
    Reading { terms: once(reading.terms), names: once(reading.names), beside: reading.beside }
}

/// Whether a question needs the one before it: it goes on with "and", or speaks of "it".
fn refers_back(question: &str) -> bool {
    let folded = question.to_lowercase();
    let mut words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    let goes_on = matches!(words.peek(), Some(&("and" | "also" | "so" | "then")))
        || folded.trim_start().starts_with("what about")
        || folded.trim_start().starts_with("how about");
    goes_on
        || words.any(|word| {
            matches!(word, "it" | "its" | "that" | "this" | "they" | "them" | "those" | "these" | "one")
        })
}

#[cfg(test)]
mod tests;
