//! A long text in pieces that a model can answer about: cut where the text itself makes a break.

use std::ops::Range;

/// Breaks a text makes, the strongest first: a page, a blank line, a line, a word.
const BREAKS: [&str; 4] = ["\u{c}", "\n\n", "\n", " "];

/// Byte ranges of `text` that follow one another without a gap, none longer than `limit` bytes, each ending at the
/// strongest break of its second half; a stretch without any break is cut between two characters.
///
/// A `limit` below four bytes, the longest character, is taken as four.
pub fn chunks(text: &str, limit: usize) -> Vec<Range<usize>> {
    let limit = limit.max(4);
    let mut chunks = Vec::new();
    let mut start = 0;
    while text.len() - start > limit {
        let end = start + cut(&text[start..], limit);
        chunks.push(start..end);
        start = end;
    }
    if start < text.len() {
        chunks.push(start..text.len());
    }
    chunks
}

/// Where the first piece of a text longer than `limit` ends.
fn cut(text: &str, limit: usize) -> usize {
    let end = text.floor_char_boundary(limit);
    let half = text.floor_char_boundary(limit / 2);
    let last = BREAKS.iter().find_map(|mark| text[half..end].rfind(mark).map(|at| half + at + mark.len()));
    last.unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::chunks;

    #[test]
    fn a_text_is_cut_at_its_strongest_break() {
        let text = "one two\n\nthree four\nfive six sevens";
        let pieces: Vec<_> = chunks(text, 14).into_iter().map(|piece| &text[piece]).collect();
        assert_eq!(pieces, ["one two\n\n", "three four\n", "five six ", "sevens"]);
    }

    proptest! {
        #[test]
        fn pieces_are_short_and_together_are_the_text(text in "[aé\n\u{c} ]{0,80}", limit in 0usize..30) {
            let pieces = chunks(&text, limit);
            prop_assert!(pieces.iter().all(|piece| piece.len() <= limit.max(4) && !piece.is_empty()));
            let whole: String = pieces.into_iter().map(|piece| &text[piece]).collect();
            prop_assert_eq!(whole, text);
        }
    }
}
