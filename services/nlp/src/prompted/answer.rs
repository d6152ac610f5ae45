//! What a language model answered, read as claims; nothing in it is believed before it is found in the text.

use std::{collections::HashMap, ops::Range};

use clinflow_core::{
    Phi,
    field::{Assertion, Experiencer, Offsets},
};
use serde::Deserialize;

use crate::question::{Claim, Wanted};

/// Why an answer cannot be used, in words for the model; never a word of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON of the shape that was asked for.
    #[error("it was not JSON of the given schema")]
    Shape,
    /// It names a field that was not asked for.
    #[error("it named a field that was not asked for")]
    Field,
    /// It was cut off.
    #[error("it was cut off")]
    CutOff,
    /// Its provider could not read what the model produced.
    #[error("it was malformed")]
    Malformed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    claims: Vec<Said>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    field: String,
    index: Option<u32>,
    value: String,
    normalized: Option<String>,
    unit: Option<String>,
    quote: String,
    negated: bool,
    historical: bool,
    hypothetical: bool,
    uncertain: bool,
    experiencer: Experiencer,
}

/// Reads an answer about the piece at `piece` of `text`.
///
/// # Errors
///
/// Why it cannot be used, as a whole: half of an answer would be silently incomplete.
pub fn claims(
    answer: &str,
    wanted: &[Wanted],
    text: &Offsets<'_>,
    piece: &Range<usize>,
) -> Result<Vec<Claim>, Unreadable> {
    let answer: Answer = serde_json::from_str(bare(answer)).map_err(|_| Unreadable::Shape)?;
    let fields: HashMap<String, &Wanted> = wanted.iter().map(|field| (field.path(), field)).collect();
    let claim = |said: Said| {
        let field = fields.get(&said.field).ok_or(Unreadable::Field)?;
        Ok(claim(said, field, text, piece))
    };
    answer.claims.into_iter().map(claim).collect()
}

/// The JSON in an answer: some models put it between fences, whatever they are told.
pub(super) fn bare(answer: &str) -> &str {
    let answer = answer.trim();
    let Some(inside) = answer.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else {
        return answer;
    };
    inside.strip_prefix("json").unwrap_or(inside).trim()
}

fn claim(said: Said, field: &Wanted, text: &Offsets<'_>, piece: &Range<usize>) -> Claim {
    let place = place(text.text(), piece, &said.quote, &said.value);
    let codes = match &field.kind {
        clinflow_workflow::FieldType::Code(list) => {
            said.normalized.as_deref().and_then(|form| list.term(form)).map(|term| term.codes.clone())
        }
        _ => None,
    };
    Claim {
        name: field.name.clone(),
        group: field.group.clone(),
        // A repetition without a number is the first; a number for no group means nothing.
        index: field.group.as_ref().map(|_| said.index.unwrap_or(1).max(1)),
        value: Phi::new(said.value),
        normalized: said.normalized.filter(|form| !form.is_empty()).map(Phi::new),
        unit: said.unit.filter(|unit| !unit.is_empty()),
        codes: codes.unwrap_or_default(),
        assertion: Assertion {
            negated: said.negated,
            historical: said.historical,
            hypothetical: said.hypothetical,
            uncertain: said.uncertain,
            experiencer: said.experiencer,
        },
        span: place.map(|place| text.span(place)),
    }
}

/// Where the value stands, when the quote stands in the piece and the value in the quote.
fn place(text: &str, piece: &Range<usize>, quote: &str, value: &str) -> Option<Range<usize>> {
    if quote.is_empty() || value.is_empty() {
        return None;
    }
    let quoted = piece.start + text[piece.clone()].find(quote)?;
    let start = quoted + quote.find(value)?;
    Some(start..start + value.len())
}

/// The claims of several pieces as those of one text: a repetition of a later piece is another repetition.
pub fn join(pieces: Vec<Vec<Claim>>) -> Vec<Claim> {
    let mut last: HashMap<String, u32> = HashMap::new();
    let mut all = Vec::new();
    for claims in pieces {
        let before = last.clone();
        for mut claim in claims {
            if let (Some(group), Some(index)) = (&claim.group, claim.index) {
                let index = index.saturating_add(before.get(group).copied().unwrap_or_default());
                let highest = last.entry(group.clone()).or_default();
                *highest = index.max(*highest);
                claim.index = Some(index);
            }
            all.push(claim);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use clinflow_core::field::Offsets;
    use clinflow_workflow::FieldType;
    use serde_json::json;

    use super::{Unreadable, claims, join};
    use crate::question::Wanted;

    const TEXT: &str = "Mild rash on day 2. No fever. Rash was severe.";

    fn wanted() -> Vec<Wanted> {
        vec![Wanted {
            name: "event_term".to_owned(),
            group: Some("event".to_owned()),
            kind: FieldType::Text,
            label: "adverse_event".to_owned(),
            description: "The event".to_owned(),
        }]
    }

    fn said(field: &str, index: u32, value: &str, quote: &str) -> serde_json::Value {
        json!({"field": field, "index": index, "value": value, "normalized": null, "unit": null, "quote": quote,
               "negated": false, "historical": false, "hypothetical": false, "uncertain": false,
               "experiencer": "patient"})
    }

    #[test]
    fn a_value_stands_where_its_quote_does_and_not_where_it_occurs_first() {
        let offsets = Offsets::new(TEXT);
        let answer = json!({"claims": [said("event.event_term", 1, "Rash", "Rash was severe")]}).to_string();
        let found =
            claims(&format!("```json\n{answer}\n```"), &wanted(), &offsets, &(0..TEXT.len())).unwrap();
        assert_eq!(found[0].span.unwrap().byte_start, 30);
    }

    #[test]
    fn an_answer_is_read_as_a_whole_or_not_at_all() {
        let read = |answer: &str| claims(answer, &wanted(), &Offsets::new(TEXT), &(0..TEXT.len()));
        let half = json!({"claims": [said("event.event_term", 1, "rash", "rash")]}).to_string();
        assert_eq!(read(&half[..half.len() - 4]), Err(Unreadable::Shape));
        assert_eq!(read("I am sorry, but"), Err(Unreadable::Shape));
        let stranger = json!({"claims": [said("event.wish", 1, "rash", "rash")]}).to_string();
        assert_eq!(read(&stranger), Err(Unreadable::Field));
    }

    #[test]
    fn repetitions_of_a_later_piece_are_other_repetitions() {
        let one = |index, value: &str| {
            let answer = json!({"claims": [said("event.event_term", index, value, value)]}).to_string();
            claims(&answer, &wanted(), &Offsets::new(TEXT), &(0..TEXT.len())).unwrap()
        };
        let indexes: Vec<_> = join(vec![one(1, "rash"), one(1, "fever"), one(2, "Rash")])
            .iter()
            .map(|claim| claim.index)
            .collect();
        assert_eq!(indexes, [Some(1), Some(2), Some(4)]);
    }
}
