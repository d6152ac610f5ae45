//! Glyphs with positions become lines of text, as a reader sees them: words kept whole, table rows on one line, columns
//! apart by two spaces or more, from top to bottom.
//!
//! The order in which a file draws its glyphs is not trusted: some draw tables column by column.

mod columns;
mod rows;
mod words;

use std::{collections::BTreeMap, ops::Range};

pub(crate) use words::Word;

/// One character and where it stands. Lengths are points, from the top left corner of the page, y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Glyph {
    /// The character. White space of any kind is a gap that is known to be one.
    pub(crate) ch: char,
    /// Where the pen is put down.
    pub(crate) x: f32,
    /// The baseline at `x`.
    pub(crate) y: f32,
    /// How far the pen moves on along the baseline.
    pub(crate) width: f32,
    /// The size of the font.
    pub(crate) size: f32,
    /// The direction of the baseline in whole degrees clockwise, -179 to 180; 0 runs to the right.
    pub(crate) angle: i16,
}

/// A box, in points from the top left corner of the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    /// Left edge.
    pub(crate) left: f32,
    /// Upper edge.
    pub(crate) top: f32,
    /// Right edge.
    pub(crate) right: f32,
    /// Lower edge.
    pub(crate) bottom: f32,
}

/// A line of text without its newline. An empty line stands for a gap that a reader sees as one.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Line {
    /// The text, with the columns kept by spaces.
    pub(crate) text: String,
    /// Its words, from left to right.
    pub(crate) words: Vec<Placed>,
}

/// A word of a line and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placed {
    /// The bytes of the word in [`Line::text`].
    pub(crate) bytes: Range<usize>,
    /// Its box on the page.
    pub(crate) rect: Rect,
}

/// Lays out the glyphs of one page, given in the order they are drawn.
///
/// Text in several directions is laid out direction by direction, the most frequent first: a banner up the margin
/// comes after the text it stands beside and does not cut its lines apart.
pub(crate) fn layout(glyphs: &[Glyph]) -> Vec<Line> {
    let mut by_angle: BTreeMap<i16, Vec<Glyph>> = BTreeMap::new();
    for glyph in glyphs {
        by_angle.entry(glyph.angle).or_default().push(*glyph);
    }
    let mut directions: Vec<_> = by_angle.into_iter().collect();
    directions.sort_by_key(|(_, glyphs)| std::cmp::Reverse(glyphs.len()));

    let mut lines = Vec::new();
    for (angle, mut glyphs) in directions {
        let turn = Turn::by(angle);
        for glyph in &mut glyphs {
            (glyph.x, glyph.y) = turn.upright(glyph.x, glyph.y);
        }
        let mut upright = layout_words(words::from_glyphs(&glyphs));
        for word in upright.iter_mut().flat_map(|line| &mut line.words) {
            word.rect = turn.back(word.rect);
        }
        if !lines.is_empty() && !upright.is_empty() {
            lines.push(Line::default());
        }
        lines.append(&mut upright);
    }
    lines
}

/// Lays out words that run to the right, in any order: the second half of [`layout`], for sources that know words
/// and not glyphs.
pub(crate) fn layout_words(words: Vec<Word>) -> Vec<Line> {
    columns::lines(&rows::rows(words))
}

/// A turn of the page that makes one direction run to the right.
struct Turn {
    sin: f32,
    cos: f32,
}

impl Turn {
    fn by(angle: i16) -> Self {
        // Exact for text that needs no turn, so that its coordinates stay as they are.
        if angle == 0 {
            return Self { sin: 0.0, cos: 1.0 };
        }
        let (sin, cos) = f32::from(angle).to_radians().sin_cos();
        Self { sin, cos }
    }

    fn upright(&self, x: f32, y: f32) -> (f32, f32) {
        (x * self.cos + y * self.sin, y * self.cos - x * self.sin)
    }

    /// The box on the page around a box on the turned page.
    fn back(&self, rect: Rect) -> Rect {
        let corners = [
            (rect.left, rect.top),
            (rect.right, rect.top),
            (rect.left, rect.bottom),
            (rect.right, rect.bottom),
        ]
        .map(|(x, y)| (x * self.cos - y * self.sin, x * self.sin + y * self.cos));
        let min = |pick: fn(&(f32, f32)) -> f32| corners.iter().map(pick).fold(f32::INFINITY, f32::min);
        let max = |pick: fn(&(f32, f32)) -> f32| corners.iter().map(pick).fold(f32::NEG_INFINITY, f32::max);
        Rect { left: min(|c| c.0), top: min(|c| c.1), right: max(|c| c.0), bottom: max(|c| c.1) }
    }
}

#[cfg(test)]
mod tests;
