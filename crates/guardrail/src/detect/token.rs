//! The words of a text with what names and places are told by: how each begins, and what stands between them.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::LazyLock,
};

use clinflow_clinical::lexicon::Lexicon;

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// "Amelia", "O'Brien", "McDonald".
    Capital,
    /// "AMELIA".
    Capitals,
    /// "A".
    Initial,
    /// "amelia".
    Small,
    /// A digit is in it.
    Number,
}

/// A word.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) range: Range<usize>,
    pub(super) shape: Shape,
    /// Whether the clinical lexicon knows it, alone or as part of a phrase: a drug, a disease, a test.
    pub(super) clinical: bool,
}

/// A text in words.
pub(super) struct Tokens<'a> {
    pub(super) text: &'a str,
    pub(super) all: Vec<Token>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut all = Vec::new();
        let mut start = None;
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            let inside = character.is_alphanumeric()
                || (start.is_some()
                    && matches!(character, '\'' | '\u{2019}' | '-')
                    && next.is_some_and(char::is_alphanumeric))
                || is_mark(character);
            match (start, inside) {
                (None, true) => start = Some(at),
                (Some(from), false) => {
                    push(text, from..at, &mut all);
                    start = None;
                }
                (None, false) | (Some(_), true) => {}
            }
        }
        if let Some(from) = start {
            push(text, from..text.len(), &mut all);
        }
        mark_clinical(text, &mut all);
        Self { text, all }
    }

    pub(super) fn word(&self, at: usize) -> &'a str {
        &self.text[self.all[at].range.clone()]
    }

    pub(super) fn lower(&self, at: usize) -> String {
        self.word(at).to_lowercase()
    }

    pub(super) fn shape(&self, at: usize) -> Option<Shape> {
        self.all.get(at).map(|token| token.shape)
    }

    /// What stands between a word and the next one, or the end.
    pub(super) fn gap(&self, at: usize) -> &'a str {
        let from = self.all[at].range.end;
        let to = self.all.get(at + 1).map_or(self.text.len(), |next| next.range.start);
        &self.text[from..to]
    }

    /// What stands before a word.
    pub(super) fn gap_before(&self, at: usize) -> &'a str {
        let from = at.checked_sub(1).map_or(0, |before| self.all[before].range.end);
        &self.text[from..self.all[at].range.start]
    }

    /// Whether a word begins a sentence or a line.
    pub(super) fn begins(&self, at: usize) -> bool {
        at == 0 || self.gap_before(at).contains(['.', '!', '?', '\n', ':', '"', '\u{201c}'])
    }

    pub(super) fn range(&self, words: &Range<usize>) -> Range<usize> {
        self.all[words.start].range.start..self.all[words.end - 1].range.end
    }
}

/// Combining marks belong to the letter before them.
const fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

fn push(text: &str, range: Range<usize>, all: &mut Vec<Token>) {
    let mut range = range;
    // "Smith's" is the name and its ending.
    let word = &text[range.clone()];
    if let Some(stem) = word.strip_suffix("'s").or_else(|| word.strip_suffix("\u{2019}s")) {
        range.end = range.start + stem.len();
    }
    let word = &text[range.clone()];
    let mut characters = word.chars();
    let first = characters.next().is_some_and(char::is_uppercase);
    let shape = if word.chars().any(|character| character.is_ascii_digit()) {
        Shape::Number
    } else if first && characters.clone().next().is_none() {
        Shape::Initial
    } else if first && characters.any(char::is_lowercase) {
        Shape::Capital
    } else if first {
        Shape::Capitals
    } else {
        Shape::Small
    };
    if !range.is_empty() {
        all.push(Token { range, shape, clinical: false });
    }
}

fn mark_clinical(text: &str, all: &mut [Token]) {
    for hit in Lexicon::shipped().find(text) {
        let first = all.partition_point(|token| token.range.end <= hit.range.start);
        for token in all[first..].iter_mut().take_while(|token| token.range.start < hit.range.end) {
            token.clinical = true;
        }
    }
}

/// Words that are no part of a name though they begin with a capital.
pub(super) static NOT_NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    lines(include_str!("../../lexicon/not_names.txt")).flat_map(str::split_whitespace).collect()
});

/// Given names; the value says whether the name is also an English word.
pub(super) static GIVEN: LazyLock<HashMap<&'static str, bool>> = LazyLock::new(|| {
    lines(include_str!("../../lexicon/given_names.txt"))
        .flat_map(str::split_whitespace)
        .map(|name| name.strip_suffix('*').map_or((name, false), |name| (name, true)))
        .collect()
});

/// Cities, states and countries.
pub(super) static PLACES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    lines(include_str!("../../lexicon/places.txt")).flat_map(|line| line.split(';')).map(str::trim).collect()
});

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}
