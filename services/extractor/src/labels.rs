//! Labelled cells: which label stands where, and which stretch of text is its value.

use std::{collections::HashMap, ops::Range, sync::LazyLock};

use clinflow_workflow::{fold, pattern::Labelled};
use regex::Regex;

use crate::{
    boxes, confidence,
    page::{Chunk, Page},
};

/// The labels of a workflow, by spelling.
pub(crate) struct Labels {
    spellings: HashMap<String, Vec<usize>>,
    /// Labels that may go on, by their beginning.
    beginnings: Vec<(String, usize)>,
    /// Words of the longest label.
    longest: usize,
}

/// A label with the stretch of text it labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The labelled pattern, by its position.
    pub(crate) pattern: usize,
    /// The line of the label.
    pub(crate) line: usize,
    /// The first chunk of the value.
    pub(crate) first: Range<usize>,
    /// Everything up to the next label; what holds tick boxes.
    pub(crate) all: Range<usize>,
    /// The column below which the value does not go on: its own, or its label's where it stands behind it.
    pub(crate) column: usize,
    /// The column the next label on the line begins in.
    pub(crate) until: usize,
    /// How far the place can be relied on.
    pub(crate) confidence: u16,
}

/// Longer keys are sentences with a colon in them.
const LONGEST_KEY: usize = 70;
/// Words of a label nobody knows.
const UNKNOWN_WORDS: usize = 5;
/// Columns by which a value may be off its label above.
const BELOW_SLACK: usize = 3;

static SEPARATOR: LazyLock<Regex> = LazyLock::new(|| {
    // Unwrap safety: the pattern is a constant and every test of this module compiles it.
    Regex::new(r"\s*:(?:\s+|$)|\s*(?:\.{3,}|…|_{3,}|-{2,}>)\s*|\s+=\s+|\?\s+").expect("a constant pattern")
});

static ENUMERATOR: LazyLock<Regex> = LazyLock::new(|| {
    // Unwrap safety: the pattern is a constant and every test of this module compiles it.
    Regex::new(r"^(?:\(?[0-9]{1,2}[a-z]?[.)]|\(?[A-Za-z][0-9]{0,2}[.)]|[A-Z][0-9]{1,2}|[-*•>]|\d{1,2}[a-z]?(?:[-+]\d{1,2})?)\s+")
        .expect("a constant pattern")
});

/// The boxes of official forms are numbered, whether or not anybody wants what is in them: "1a. COUNTRY".
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| {
    // Unwrap safety: the pattern is a constant and every test of this module compiles it.
    Regex::new(r"^\d{1,2}[a-z]?(?:\s?[-+]\s?\d{1,2})?\.\s+\p{Lu}").expect("a constant pattern")
});

/// A chunk as a label.
struct Key {
    patterns: Vec<usize>,
    /// Where its value may begin, in the chunk.
    value: usize,
    confidence: u16,
}

impl Labels {
    pub(crate) fn new(labelled: &[Labelled]) -> Self {
        let mut spellings: HashMap<String, Vec<usize>> = HashMap::new();
        let mut beginnings = Vec::new();
        for (position, pattern) in labelled.iter().enumerate() {
            for label in &pattern.labels {
                match label.strip_suffix(" *") {
                    Some(beginning) => beginnings.push((format!("{} ", fold(beginning)), position)),
                    None => spellings.entry(fold(label)).or_default().push(position),
                }
            }
        }
        let longest = spellings.keys().map(|label| label.split(' ').count()).max().unwrap_or(0);
        Self { spellings, beginnings, longest }
    }

    fn get(&self, words: &str) -> Vec<usize> {
        let known = |words: &str| self.spellings.get(&fold(words)).cloned().unwrap_or_default();
        let found = known(words);
        if !found.is_empty() {
            return found;
        }
        let bare = ENUMERATOR.replace(words, "");
        // A remark at the end is no part of the label: "Adverse event (verbatim)".
        let before = if bare.trim_end().ends_with(')') {
            bare.rsplit_once('(').map(|(before, _)| before)
        } else {
            None
        };
        let whole = (bare.len() < words.len()).then_some(bare.as_ref());
        // Forms in two languages: "Prüfzentrum / Site".
        let languages = bare.contains(" / ").then(|| bare.split(" / ")).into_iter().flatten();
        let parts = whole.into_iter().chain(before).chain(languages);
        parts.map(known).find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// Whether `words` are a label.
    pub(crate) fn knows(&self, words: &str) -> bool {
        !self.get(words).is_empty()
    }

    /// The labels that `words` go on from.
    fn begun(&self, words: &str) -> Vec<usize> {
        let folded = fold(&ENUMERATOR.replace(words, ""));
        let begun = self.beginnings.iter().filter(|(beginning, _)| folded.starts_with(beginning));
        begun.map(|(_, at)| *at).collect()
    }

    /// The cells of a page, in order.
    pub(crate) fn cells(&self, page: &Page<'_>, labelled: &[Labelled]) -> Vec<Cell> {
        let mut cells = Vec::new();
        for (number, line) in page.lines.iter().enumerate() {
            let keys: Vec<_> =
                line.chunks.iter().map(|chunk| self.key(page.words(chunk), labelled)).collect();
            for (at, key) in keys.iter().enumerate() {
                let Some(key) = key else { continue };
                if key.patterns.is_empty() {
                    continue;
                }
                let after = (at + 1..keys.len()).find(|after| keys[*after].is_some()).unwrap_or(keys.len());
                let place = Place { line: number, at, after };
                let found =
                    beside(&line.chunks, key, &place).or_else(|| self.below(page, key, &place, labelled));
                let Some(found) = found else { continue };
                cells.extend(key.patterns.iter().map(|pattern| Cell { pattern: *pattern, ..found.clone() }));
            }
        }
        cells
    }

    /// What of a chunk is a label. A label nobody knows is one too: it ends the cell before it.
    fn key(&self, words: &str, labelled: &[Labelled]) -> Option<Key> {
        let known = |patterns, value| Some(Key { patterns, value, confidence: confidence::LABELLED });
        if !words.contains(':') {
            let whole = self.get(words);
            if !whole.is_empty() {
                return known(whole, words.len());
            }
        }
        if let Some(separator) = SEPARATOR.find(words) {
            let key = &words[..separator.start()];
            if key.len() <= LONGEST_KEY && key.chars().any(char::is_alphabetic) && !boxes::any(key) {
                let exact = self.get(key);
                let patterns = if exact.is_empty() { self.begun(key) } else { exact };
                // A label nobody knows is short and stands before a colon; anything else is a sentence.
                let short = key.split(' ').count() <= UNKNOWN_WORDS && !key.contains([',', '.', ';']);
                if !patterns.is_empty() || (short && separator.as_str().contains(':')) {
                    return known(patterns, separator.end());
                }
            }
        } else if !boxes::any(words) {
            let begun = self.begun(words);
            if !begun.is_empty() {
                return known(begun, words.len());
            }
        }
        if NUMBERED.is_match(words) {
            return known(Vec::new(), words.len());
        }
        self.in_text(words, labelled)
    }

    /// A label with its value behind it and nothing between: "Site 104". Only where the value has a shape to know
    /// it by.
    fn in_text(&self, words: &str, labelled: &[Labelled]) -> Option<Key> {
        let bare = words.len() - ENUMERATOR.replace(words, "").len();
        let ends: Vec<_> =
            words[bare..].match_indices(' ').take(self.longest).map(|(at, _)| bare + at).collect();
        for end in ends.into_iter().rev() {
            let Some(patterns) = self.spellings.get(&fold(&words[bare..end])) else { continue };
            let rest = words[end..].trim_start();
            let value = words.len() - rest.len();
            let fits = |pattern: &&usize| {
                let shape = labelled[**pattern].value.as_ref();
                shape.and_then(|shape| shape.find(rest)).is_some_and(|found| found.start() == 0)
                    || boxes::any(rest)
            };
            let patterns: Vec<_> = patterns.iter().filter(fits).copied().collect();
            if !patterns.is_empty() {
                return Some(Key { patterns, value, confidence: confidence::IN_TEXT });
            }
        }
        None
    }

    /// The value below its label, as in forms made of boxes.
    fn below(&self, page: &Page<'_>, key: &Key, place: &Place, labelled: &[Labelled]) -> Option<Cell> {
        let label = &page.lines[place.line].chunks[place.at];
        let until =
            page.lines[place.line].chunks.get(place.at + 1).map_or(usize::MAX, |next| next.columns.start);
        let (number, line) = (place.line + 1..page.lines.len().min(place.line + 3))
            .map(|number| (number, &page.lines[number]))
            .find(|(_, line)| !line.chunks.is_empty())?;
        let chunk = line.chunks.iter().find(|chunk| {
            chunk.columns.start + BELOW_SLACK >= label.columns.start
                && chunk.columns.start < until.min(label.columns.end + BELOW_SLACK)
        })?;
        if self.key(page.words(chunk), labelled).is_some() {
            return None;
        }
        let last = line.chunks.iter().take_while(|chunk| chunk.columns.start < until).last().unwrap_or(chunk);
        Some(Cell {
            pattern: 0,
            line: number,
            first: chunk.bytes.clone(),
            all: chunk.bytes.start..last.bytes.end.max(chunk.bytes.end),
            column: chunk.columns.start,
            until,
            confidence: key.confidence.min(confidence::BELOW),
        })
    }
}

/// Where a label stands: its line, its chunk, and the next chunk that is a label.
struct Place {
    line: usize,
    at: usize,
    after: usize,
}

/// The value behind its label, on the same line.
fn beside(chunks: &[Chunk], key: &Key, place: &Place) -> Option<Cell> {
    let label = &chunks[place.at];
    let inside = label.bytes.start + key.value;
    let last = chunks[place.after - 1].bytes.end;
    let until = chunks.get(place.after).map_or(usize::MAX, |next| next.columns.start);
    let (first, column) = if inside < label.bytes.end {
        (inside..label.bytes.end, label.columns.start)
    } else {
        let next = chunks[..place.after].get(place.at + 1)?;
        (next.bytes.clone(), next.columns.start)
    };
    let all = first.start..last.max(first.end);
    Some(Cell { pattern: 0, line: place.line, first, all, column, until, confidence: key.confidence })
}

/// The lines below a cell that go on with it, as the stretches that stand under it.
pub(crate) fn continuation(
    labels: &Labels,
    page: &Page<'_>,
    cell: &Cell,
    labelled: &[Labelled],
) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    for line in &page.lines[cell.line + 1..] {
        let mut under = line
            .chunks
            .iter()
            .filter(|chunk| chunk.columns.start >= cell.column && chunk.columns.start < cell.until);
        let Some(first) = under.next() else { break };
        // Something further left begins a new cell, and so does a label.
        let left = line.chunks.first().is_some_and(|chunk| chunk.columns.start < cell.column);
        if (left && cell.until == usize::MAX) || labels.key(page.words(first), labelled).is_some() {
            break;
        }
        let last = under.next_back().unwrap_or(first);
        pieces.push(first.bytes.start..last.bytes.end);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use clinflow_workflow::{FieldRef, pattern::Labelled};
    use regex::Regex;

    use super::{Labels, continuation};
    use crate::page::Page;

    fn labelled(labels: &[&str], value: Option<&str>) -> Labelled {
        Labelled {
            field: FieldRef::parse("any"),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            value: value.map(|value| Regex::new(value).unwrap()),
            wraps: true,
        }
    }

    fn values<'a>(text: &'a str, patterns: &[Labelled]) -> Vec<(usize, &'a str)> {
        let page = Page::new(text, &[]);
        Labels::new(patterns)
            .cells(&page, patterns)
            .into_iter()
            .map(|cell| (cell.pattern, &text[cell.first]))
            .collect()
    }

    #[test]
    fn a_value_stands_behind_beside_or_below_its_label() {
        let patterns = [labelled(&["Site", "Centre no."], None), labelled(&["Subject"], None)];
        for text in [
            "Site: 104   Subject: 7",
            "Prüfzentrum / Site : 104     Subject ..... 7",
            "Site         104\nSubject      7",
            "1. SITE       2. SUBJECT\n   104          7",
        ] {
            assert_eq!(values(text, &patterns), [(0, "104"), (1, "7")], "{text}");
        }
    }

    #[test]
    fn a_label_in_text_needs_a_value_of_a_known_shape() {
        let patterns = [labelled(&["site"], Some(r"^\d+"))];
        assert_eq!(values("site 104", &patterns), [(0, "104")]);
        assert_eq!(values("site visit", &patterns), []);
    }

    #[test]
    fn an_unknown_label_ends_the_cell_before_it() {
        let text = "Site   104   Visit: Week 8   extra";
        let patterns = [labelled(&["Site"], None)];
        let page = Page::new(text, &[]);
        let cell = &Labels::new(&patterns).cells(&page, &patterns)[0];
        assert_eq!(&text[cell.all.clone()], "104");
    }

    #[test]
    fn a_cell_goes_on_below_until_a_label_or_a_blank_line() {
        let text = "Now:  one\n      two\nWhy:  three\n";
        let patterns = [labelled(&["Now"], None), labelled(&["Why"], None)];
        let (page, labels) = (Page::new(text, &[]), Labels::new(&patterns));
        let cells = labels.cells(&page, &patterns);
        let pieces = continuation(&labels, &page, &cells[0], &patterns);
        assert_eq!(pieces.iter().map(|piece| &text[piece.clone()]).collect::<Vec<_>>(), ["two"]);
        assert!(continuation(&labels, &page, &cells[1], &patterns).is_empty());
    }
}
