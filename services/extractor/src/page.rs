//! A text as the lines and chunks a reader of forms sees: what stands together, and what two spaces part.

use std::ops::Range;

use regex::Regex;

/// A text cut into lines and chunks.
pub(crate) struct Page<'a> {
    pub(crate) text: &'a str,
    pub(crate) lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Its bytes, without the line break.
    pub(crate) bytes: Range<usize>,
    /// What stands on it, from left to right; empty for a blank line, a rule and an ignored line.
    pub(crate) chunks: Vec<Chunk>,
}

/// What stands together: parted from its neighbours by two blanks, a tab or a vertical rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Its bytes in the text.
    pub(crate) bytes: Range<usize>,
    /// Its columns on the line, in characters.
    pub(crate) columns: Range<usize>,
}

impl<'a> Page<'a> {
    /// Cuts `text`. Lines that match one of `ignored` keep their place and have no chunks.
    pub(crate) fn new(text: &'a str, ignored: &[Regex]) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        for piece in text.split_inclusive(['\n', '\u{c}']) {
            let line = piece.trim_end_matches(['\n', '\r', '\u{c}']);
            let skip = ignored.iter().any(|regex| regex.is_match(line));
            let chunks = if skip { Vec::new() } else { chunks(line, start) };
            lines.push(Line { bytes: start..start + line.len(), chunks });
            start += piece.len();
        }
        Self { text, lines }
    }

    /// The words of a chunk.
    pub(crate) fn words(&self, chunk: &Chunk) -> &'a str {
        &self.text[chunk.bytes.clone()]
    }

    /// The line that holds `byte`.
    pub(crate) fn line_of(&self, byte: usize) -> usize {
        self.lines.partition_point(|line| line.bytes.start <= byte).saturating_sub(1)
    }
}

/// Characters that draw rules and boxes and say nothing.
const fn is_rule(character: char) -> bool {
    matches!(character, '|' | '\u{a6}' | '\u{2500}'..='\u{257f}')
}

/// True for a chunk that only draws: `-----`, `=====`, `+---+`.
fn is_drawing(words: &str) -> bool {
    words.chars().count() > 2 && words.chars().all(|c| matches!(c, '-' | '=' | '+' | '*' | '~' | '#'))
}

fn chunks(line: &str, offset: usize) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    // First and last byte and column of the chunk that is open.
    let mut open: Option<Chunk> = None;
    let mut blanks = 0;
    for (column, (at, character)) in line.char_indices().enumerate() {
        let blank = character.is_whitespace();
        if blank || is_rule(character) {
            blanks += if character == '\t' || is_rule(character) { 2 } else { 1 };
            if blanks >= 2 {
                chunks.extend(open.take());
            }
            continue;
        }
        blanks = 0;
        let end = offset + at + character.len_utf8();
        let chunk = open.get_or_insert(Chunk { bytes: offset + at..end, columns: column..column });
        chunk.bytes.end = end;
        chunk.columns.end = column + 1;
    }
    chunks.extend(open);
    chunks.retain(|chunk| !is_drawing(&line[chunk.bytes.start - offset..chunk.bytes.end - offset]));
    chunks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::Page;

    fn words(text: &str) -> Vec<Vec<&str>> {
        let page = Page::new(text, &[]);
        page.lines.iter().map(|line| line.chunks.iter().map(|chunk| page.words(chunk)).collect()).collect()
    }

    #[test]
    fn two_blanks_and_rules_part_chunks_and_drawings_are_none() {
        assert_eq!(
            words("Site: 104   Sex: F\n-----+-----\nµg | 4.0 - 11.0 |\n"),
            [vec!["Site: 104", "Sex: F"], vec![], vec!["µg", "4.0 - 11.0"]]
        );
    }

    #[test]
    fn an_ignored_line_keeps_its_place_and_says_nothing() {
        let page = Page::new("a\n> b\nc", &[Regex::new("^>").unwrap()]);
        assert_eq!(page.lines.iter().map(|line| line.chunks.len()).collect::<Vec<_>>(), [1, 0, 1]);
        assert_eq!(page.line_of(4), 1);
    }

    proptest! {
        #[test]
        fn every_chunk_is_a_piece_of_its_line(text in "[a-zµ |\\t\\n]{0,80}") {
            let page = Page::new(&text, &[]);
            for line in &page.lines {
                for chunk in &line.chunks {
                    prop_assert!(line.bytes.start <= chunk.bytes.start && chunk.bytes.end <= line.bytes.end);
                    prop_assert_eq!(page.words(chunk).trim(), page.words(chunk));
                    prop_assert_eq!(page.words(chunk).chars().count(), chunk.columns.len());
                }
            }
        }
    }
}
