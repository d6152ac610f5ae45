//! The fields of a document, in the shape that a schema asks for.

use std::ops::Range;

use clinflow_clinical::sentence;
use clinflow_core::{Phi, field::Experiencer};
use clinflow_nlp::{
    local,
    question::{Claim, Wanted},
};
use clinflow_workflow::FieldType;
use serde_json::{Value, json};

use crate::error::Refusal;

/// A medicine that no document speaks of.
const INVENTED: &str = "Zorvexatinib";

/// The answer about a document: an object with `claims`, as the schema describes it.
pub(crate) fn answer(document: &str, schema: &Value) -> Result<Value, Refusal> {
    let wanted = wanted(schema)?;
    let claims = local::claims(document, &wanted);
    let sentences = sentence::split(document);
    let said: Vec<_> = claims.iter().map(|claim| said(document, &sentences, claim)).collect();
    Ok(json!({"claims": said}))
}

/// The answer with a claim more, of which the document says nothing. A drug where one is asked for.
pub(crate) fn invent(mut answer: Value, schema: &Value) -> Result<Value, Refusal> {
    let wanted = wanted(schema)?;
    let field = wanted.iter().find(|field| field.name == "drug_name").or_else(|| wanted.first());
    let field = field.ok_or_else(|| Refusal::invalid("the schema asks for nothing"))?;
    let quote = format!("{INVENTED} was given.");
    let index = field.group.as_ref().map(|_| 9);
    let claim = claim_json(&field.path(), index, INVENTED, Some(INVENTED), None, &quote, None);
    if let Some(claims) = answer["claims"].as_array_mut() {
        claims.push(claim);
    }
    Ok(answer)
}

/// The fields that a schema lists as what `field` can be.
fn wanted(schema: &Value) -> Result<Vec<Wanted>, Refusal> {
    let fields = schema.pointer("/properties/claims/items/properties/field/enum").and_then(Value::as_array);
    let fields = fields.ok_or_else(|| {
        Refusal::invalid(
            "this model knows one schema: `claims`, whose items say in `field.enum` what is wanted",
        )
    })?;
    let wanted = fields.iter().filter_map(Value::as_str).map(|path| {
        let (group, name) =
            path.split_once('.').map_or((None, path), |(group, name)| (Some(group.to_owned()), name));
        Wanted {
            name: name.to_owned(),
            group,
            kind: FieldType::Text,
            label: String::new(),
            description: String::new(),
        }
    });
    Ok(wanted.collect())
}

fn said(document: &str, sentences: &[Range<usize>], claim: &Claim) -> Value {
    let path = match &claim.group {
        Some(group) => format!("{group}.{}", claim.name),
        None => claim.name.clone(),
    };
    let value = claim.value.expose();
    let quote = claim.span.map_or(value, |span| quote(document, sentences, span.byte_start..span.byte_end));
    let normalized = claim.normalized.as_ref().map(Phi::expose);
    claim_json(&path, claim.index, value, normalized, claim.unit.as_deref(), quote, Some(claim))
}

fn claim_json(
    path: &str,
    index: Option<u32>,
    value: &str,
    normalized: Option<&str>,
    unit: Option<&str>,
    quote: &str,
    claim: Option<&Claim>,
) -> Value {
    let assertion = claim.map(|claim| claim.assertion).unwrap_or_default();
    let experiencer = match assertion.experiencer {
        Experiencer::Patient => "patient",
        Experiencer::Family => "family",
        Experiencer::Other => "other",
    };
    json!({
        "field": path, "index": index, "value": value, "normalized": normalized, "unit": unit, "quote": quote,
        "negated": assertion.negated, "historical": assertion.historical, "hypothetical": assertion.hypothetical,
        "uncertain": assertion.uncertain, "experiencer": experiencer,
    })
}

/// A stretch of the document that can be found again and leads to the value: the value's sentence from behind any
/// earlier mention of the same words, and as much before it as makes the stretch the first of its kind.
fn quote<'d>(document: &'d str, sentences: &[Range<usize>], value: Range<usize>) -> &'d str {
    let words = &document[value.clone()];
    let at = sentences.partition_point(|sentence| sentence.start <= value.start).saturating_sub(1);
    let end = sentences.get(at).map_or(value.end, |sentence| sentence.end.max(value.end));
    let leads_to_value = |start: usize| {
        let quote = &document[start..end];
        document.find(quote) == Some(start) && quote.find(words) == Some(value.start - start)
    };
    let starts = sentences[..=at.min(sentences.len().saturating_sub(1))].iter().rev().take(4);
    let mut starts = starts.map(|sentence| sentence.start).chain([value.start]);
    let start = starts.find(|start| *start <= value.start && leads_to_value(*start));
    // Where no sentence will do, the words right before the value.
    let start = start.or_else(|| {
        let before = document[..value.start].char_indices().rev().map(|(start, _)| start).take(400);
        before.into_iter().find(|start| leads_to_value(*start))
    });
    &document[start.unwrap_or(value.start)..end]
}

#[cfg(test)]
mod tests;
