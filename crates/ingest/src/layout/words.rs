//! Glyphs to words, in the order they are drawn: a word goes on for as long as the pen does.

use std::collections::HashMap;

use super::{Glyph, Rect};

/// A gap wider than this share of the font size ends a word. Kerning stays below 0.1, the narrowest printed space
/// of a justified line is about 0.15.
pub(super) const WORD_GAP: f32 = 0.12;

/// A word, or a part of one that the file draws separately. Lengths are points.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Word {
    /// Its characters; no white space.
    pub(crate) text: String,
    /// Where it begins.
    pub(crate) left: f32,
    /// Where it ends.
    pub(crate) right: f32,
    /// The line it stands on.
    pub(crate) baseline: f32,
    /// The size of its font.
    pub(crate) size: f32,
    /// How many spaces the file draws behind it.
    pub(crate) spaces: u8,
}

impl Word {
    fn begin(glyph: &Glyph) -> Self {
        Self {
            text: glyph.ch.to_string(),
            left: glyph.x,
            right: glyph.x + glyph.width,
            baseline: glyph.y,
            size: glyph.size,
            spaces: 0,
        }
    }

    /// True when the pen, standing where this word ends, goes on with `glyph`.
    fn goes_on(&self, glyph: &Glyph) -> bool {
        let gap = glyph.x - self.right;
        is_combining(glyph.ch)
            || (self.spaces == 0
                && (glyph.y - self.baseline).abs() <= 0.1 * self.size
                && (glyph.size - self.size).abs() <= 0.1 * self.size
                && gap < WORD_GAP * self.size
                && gap > -0.3 * self.size)
    }

    /// True when `space` is drawn behind this word and not in some empty cell elsewhere.
    fn is_followed_by(&self, space: &Glyph) -> bool {
        let behind = (f32::from(self.spaces) + 1.0) * self.size;
        (space.y - self.baseline).abs() <= 0.1 * self.size && (space.x - self.right).abs() <= behind
    }

    /// The box from the ascenders to the descenders of a common font.
    pub(super) fn rect(&self) -> Rect {
        Rect {
            left: self.left,
            top: self.baseline - 0.8 * self.size,
            right: self.right,
            bottom: self.baseline + 0.2 * self.size,
        }
    }
}

/// The words of glyphs that run to the right, in drawing order.
pub(super) fn from_glyphs(glyphs: &[Glyph]) -> Vec<Word> {
    let mut struck = Struck::default();
    let mut words: Vec<Word> = Vec::new();
    for glyph in glyphs {
        if glyph.ch.is_whitespace() {
            if let Some(word) = words.last_mut().filter(|word| word.is_followed_by(glyph)) {
                word.spaces = word.spaces.saturating_add(1);
            }
            continue;
        }
        if struck.again(glyph) {
            continue;
        }
        match words.last_mut() {
            Some(word) if word.goes_on(glyph) => {
                word.text.push(glyph.ch);
                word.right = word.right.max(glyph.x + glyph.width);
            }
            _ => words.push(Word::begin(glyph)),
        }
    }
    words
}

/// Accents that are drawn over the letter before them.
const fn is_combining(ch: char) -> bool {
    matches!(ch, '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}')
}

/// Remembers what was drawn where, because bold is sometimes faked by drawing a letter twice, a hair apart.
#[derive(Default)]
struct Struck(HashMap<(char, i32, i32), Vec<(f32, f32)>>);

impl Struck {
    /// Letters are looked for in squares of this many points.
    const CELL: f32 = 4.0;

    /// Nearer than this many points is the same place for letters of any size, so that a square never fills up.
    const NEAR: f32 = 0.2;

    /// True when the same character was drawn in the same place before: within a quarter of its own width, so that
    /// the two letters of "ll" stay two.
    fn again(&mut self, glyph: &Glyph) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "saturates; far away is far away")]
        let cell = |value: f32| (value / Self::CELL).floor() as i32;
        let near_x = (0.25 * glyph.width).clamp(Self::NEAR, Self::CELL);
        let near_y = (0.1 * glyph.size).clamp(Self::NEAR, Self::CELL);
        for column in cell(glyph.x - near_x)..=cell(glyph.x + near_x) {
            for row in cell(glyph.y - near_y)..=cell(glyph.y + near_y) {
                let drawn = self.0.get(&(glyph.ch, column, row));
                let twice =
                    |(x, y): &(f32, f32)| (x - glyph.x).abs() < near_x && (y - glyph.y).abs() < near_y;
                if drawn.is_some_and(|drawn| drawn.iter().any(twice)) {
                    return true;
                }
            }
        }
        self.0.entry((glyph.ch, cell(glyph.x), cell(glyph.y))).or_default().push((glyph.x, glyph.y));
        false
    }
}
