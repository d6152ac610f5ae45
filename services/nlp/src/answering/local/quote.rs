//! Answers as quotations: what is said stands between quotation marks as it stands in the document.

use std::ops::Range;

use clinflow_core::{Citation, Phi, field::Offsets};
use clinflow_ingest::Text;

/// No answer quotes more places.
const MOST: usize = 12;

/// A stretch of the text with the field it is evidence of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) range: Range<usize>,
    pub(super) field: Option<String>,
    /// What the guardrail left of it: quoted instead of what stands there.
    pub(super) masked: Option<String>,
}

/// One thing an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quotation {
    /// What it is about, where that must be said.
    pub(super) about: Option<Place>,
    /// What is quoted.
    pub(super) said: Vec<Place>,
}

/// The answer, and what it rests on: first what is quoted, then what it is about.
pub(super) fn compose(quotations: &[Quotation], text: &Text) -> (Phi, Vec<Citation>) {
    let offsets = Offsets::new(&text.text);
    let mut parts: Vec<String> = Vec::new();
    let mut citations: Vec<Citation> = Vec::new();
    let mut cite = |range: &Range<usize>, field: Option<&String>| {
        let citation = Citation {
            span: offsets.span(range.clone()),
            page: text.page_of(range.start),
            field: field.cloned(),
        };
        if !citations.contains(&citation) {
            citations.push(citation);
        }
    };
    for quotation in quotations.iter().take(MOST) {
        let words =
            |place: &Place| flat(place.masked.as_deref().unwrap_or_else(|| &text.text[place.range.clone()]));
        let quoted: Vec<String> =
            quotation.said.iter().map(|place| format!("\"{}\"", words(place))).collect();
        let about = quotation.about.as_ref().map(words);
        let part = match about {
            Some(about) => format!("{about}: {}", quoted.join(" ")),
            None => quoted.join(" "),
        };
        for place in &quotation.said {
            cite(&place.range, place.field.as_ref());
        }
        if let Some(place) = &quotation.about {
            cite(&place.range, place.field.as_ref());
        }
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let more = if quotations.len() > MOST { "; and others" } else { "" };
    (Phi::new(format!("{}{more}", parts.join("; "))), citations)
}

/// A stretch on one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
