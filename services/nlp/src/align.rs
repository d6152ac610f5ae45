//! Where in a text a claim stands. A model is never believed: what it says must be found again.

use std::{cell::OnceCell, ops::Range};

use clinflow_core::{
    Evidence, Span,
    field::{Alignment, Offsets},
};
use clinflow_ingest::Text;

/// Finds values in one text.
pub struct Aligner<'t> {
    text: &'t Text,
    offsets: Offsets<'t>,
    folded: OnceCell<Folded>,
}

impl<'t> Aligner<'t> {
    /// An aligner for `text`.
    pub fn new(text: &'t Text) -> Self {
        Self { text, offsets: Offsets::new(&text.text), folded: OnceCell::new() }
    }

    /// The evidence for `value`: at `span` if the text there is the value, else where the value is found first, letter
    /// for letter or but for case and white space. A value that is found nowhere has evidence that says so, so that
    /// the validator can block it: it is never dropped silently.
    pub fn evidence(&self, value: &str, span: Option<Span>) -> Evidence {
        let (range, status) = span
            .and_then(|span| self.at(value, &span))
            .or_else(|| self.verbatim(value))
            .or_else(|| self.normalised(value))
            .unwrap_or((0..0, Alignment::Absent));
        let page = if status == Alignment::Absent { None } else { self.text.page_of(range.start) };
        Evidence { span: self.offsets.span(range), page, status }
    }

    /// The text at `span`, if it is the value.
    fn at(&self, value: &str, span: &Span) -> Option<(Range<usize>, Alignment)> {
        let range = span.byte_start..span.byte_end;
        let written = self.text.text.get(range.clone()).filter(|written| !written.is_empty())?;
        if written == value {
            return Some((range, Alignment::Verbatim));
        }
        (fold(written).text == fold(value).text).then_some((range, Alignment::Normalised))
    }

    fn verbatim(&self, value: &str) -> Option<(Range<usize>, Alignment)> {
        whole_word(&self.text.text, value).map(|range| (range, Alignment::Verbatim))
    }

    fn normalised(&self, value: &str) -> Option<(Range<usize>, Alignment)> {
        let folded = self.folded.get_or_init(|| fold(&self.text.text));
        let range = whole_word(&folded.text, fold(value).text.trim())?;
        Some((folded.place(&range), Alignment::Normalised))
    }
}

/// The first place where `value` stands without a letter or digit touching it.
fn whole_word(text: &str, value: &str) -> Option<Range<usize>> {
    if value.trim().is_empty() {
        return None;
    }
    text.match_indices(value).map(|(at, _)| at..at + value.len()).find(|range| {
        let joined = |left: Option<char>, right: Option<char>| {
            left.is_some_and(char::is_alphanumeric) && right.is_some_and(char::is_alphanumeric)
        };
        !joined(text[..range.start].chars().next_back(), value.chars().next())
            && !joined(value.chars().next_back(), text[range.end..].chars().next())
    })
}

/// A text in lower case with single spaces, and where each of its bytes came from.
struct Folded {
    text: String,
    /// For each byte, the bytes of the character it came from.
    sources: Vec<Range<usize>>,
}

impl Folded {
    /// The original bytes of a stretch that is not empty.
    fn place(&self, range: &Range<usize>) -> Range<usize> {
        self.sources[range.start].start..self.sources[range.end - 1].end
    }
}

/// Folds a text. A word broken at the end of a line is put together: "neutro-\npenia".
fn fold(text: &str) -> Folded {
    let mut folded =
        Folded { text: String::with_capacity(text.len()), sources: Vec::with_capacity(text.len()) };
    let mut add = |character: char, source: &Range<usize>| {
        folded.text.push(character);
        folded.sources.resize(folded.text.len(), source.clone());
    };
    let mut last = ' ';
    for (at, character) in text.char_indices() {
        let source = at..at + character.len_utf8();
        let broken = character == '-' && text[source.end..].starts_with('\n')
            || character == '\n' && text[..at].ends_with('-');
        if broken {
            continue;
        }
        if character.is_whitespace() {
            if !last.is_whitespace() {
                add(' ', &source);
            }
        } else {
            character.to_lowercase().for_each(|lower| add(lower, &source));
        }
        last = character;
    }
    folded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Aligner, Alignment, Text};

    fn text(text: &str) -> Text {
        Text {
            schema: Text::SCHEMA.to_owned(),
            media_type: "text/plain".to_owned(),
            text: text.to_owned(),
            pages: Vec::new(),
        }
    }

    /// What is found for a value without a span.
    fn found<'t>(text: &'t Text, value: &str) -> (&'t str, Alignment) {
        let evidence = Aligner::new(text).evidence(value, None);
        (evidence.span.of(&text.text).unwrap(), evidence.status)
    }

    #[test]
    fn a_value_is_found_letter_for_letter_or_but_for_case_and_spaces() {
        let text = text("Rashes, then Febrile\n  NEUTROPENIA and a neutro-\ncyte; µg rash.");
        assert_eq!(found(&text, "rash"), ("rash", Alignment::Verbatim), "not inside `Rashes`");
        assert_eq!(found(&text, "febrile neutropenia"), ("Febrile\n  NEUTROPENIA", Alignment::Normalised));
        assert_eq!(found(&text, "neutrocyte"), ("neutro-\ncyte", Alignment::Normalised));
        assert_eq!(found(&text, "sepsis"), ("", Alignment::Absent));
        assert_eq!(found(&text, ""), ("", Alignment::Absent));
    }

    #[test]
    fn a_span_counts_only_if_the_text_there_is_the_value() {
        let text = text("pain, pain");
        let aligner = Aligner::new(&text);
        let second = aligner.offsets.span(6..10);
        assert_eq!(aligner.evidence("pain", Some(second)).span.byte_start, 6);
        let beside = aligner.offsets.span(4..9);
        assert_eq!(aligner.evidence("pain", Some(beside)).span.byte_start, 0);
        let outside = clinflow_core::Span { byte_end: 99, ..second };
        assert_eq!(aligner.evidence("pain", Some(outside)).span.byte_start, 0);
    }

    proptest! {
        #[test]
        fn what_is_found_is_the_value_but_for_case_and_spaces(content in "[aBé \n-]{0,60}", value in "[abé ]{1,4}") {
            let text = text(&content);
            let (written, status) = found(&text, &value);
            match status {
                Alignment::Verbatim => prop_assert_eq!(written, value.as_str()),
                Alignment::Normalised => {
                    let (written, value) = (super::fold(written).text, super::fold(&value).text);
                    prop_assert_eq!(written.trim(), value.trim());
                }
                _ => prop_assert_eq!(written, ""),
            }
        }
    }
}
