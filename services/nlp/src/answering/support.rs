//! Whether an answer rests on what it cites: the check that no reader can talk its way around.
//!
//! An answer is put in words, so it cannot be compared letter for letter. What harms when it is invented are numbers:
//! every number of an answer must stand in one of the stretches it cites. The guardrail looks at the rest.

use clinflow_core::{Citation, field::Offsets};

/// Whether every citation lies in `text`, and every number of `answer` in one of them.
pub(crate) fn rests_on(answer: &str, citations: &[Citation], text: &str) -> bool {
    let offsets = Offsets::new(text);
    let mut cited = Vec::new();
    for citation in citations {
        let span = citation.span;
        match span.of(text) {
            Some(stretch) if !stretch.is_empty() && offsets.span(span.byte_start..span.byte_end) == span => {
                cited.extend(numbers(stretch));
            }
            _ => return false,
        }
    }
    numbers(answer).all(|number| cited.contains(&number))
}

/// The numbers of a text as they are written: runs of digits with the points and commas between them.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',')))
        .map(|run| run.trim_matches(['.', ',']))
        .filter(|run| !run.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Zoë took 1,500 mg on day 3.";

    fn cite(words: &str) -> Citation {
        let start = TEXT.find(words).unwrap();
        Citation { span: Offsets::new(TEXT).span(start..start + words.len()), page: None, field: None }
    }

    #[test]
    fn a_number_that_is_not_cited_is_not_supported() {
        assert!(rests_on("It was \"1,500 mg\".", &[cite("1,500 mg")], TEXT));
        assert!(!rests_on("It was 150 mg.", &[cite("1,500 mg")], TEXT));
        assert!(
            !rests_on("1,500 mg on day 3", &[cite("1,500 mg")], TEXT),
            "it stands in the text and is not cited"
        );
        assert!(rests_on("The document does not say.", &[], TEXT));
    }

    #[test]
    fn a_citation_outside_the_text_supports_nothing() {
        let good = cite("1,500 mg");
        for span in [
            clinflow_core::Span { byte_end: 900, ..good.span },
            clinflow_core::Span { start: 0, ..good.span },
            clinflow_core::Span { byte_end: good.span.byte_start, end: good.span.start, ..good.span },
        ] {
            assert!(!rests_on("It did.", &[Citation { span, ..good.clone() }], TEXT), "{span:?}");
        }
    }
}
