//! Rows to lines of text: a word that stands after a wide gap is put under the words it stands under on the page.

use super::{Line, Placed, rows::Row, words::Word};

/// A gap this many font sizes wide separates columns. A word space is 0.25 to 0.35, stretched ones about 0.6.
const COLUMN_GAP: f32 = 0.7;

/// The same where the file draws exactly one space: justified lines stretch it, and a typewriter's is 0.6 wide.
const COLUMN_GAP_WITH_SPACE: f32 = 1.0;

/// No line is padded beyond this many characters: wider than any page that can be read.
const MAX_COLUMNS: f32 = 400.0;

/// The lines of text of `rows`.
pub(super) fn lines(rows: &[Row]) -> Vec<Line> {
    let left = rows.iter().flat_map(|row| &row.words).map(|word| word.left).fold(f32::INFINITY, f32::min);
    let advance = char_width(rows, left);
    let pitch = median(rows.windows(2).map(|pair| pair[1].baseline - pair[0].baseline).collect());

    let mut lines = Vec::with_capacity(rows.len());
    let mut above: Option<&Row> = None;
    for row in rows {
        if let (Some(above), Some(pitch)) = (above, pitch) {
            let gap = row.baseline - above.baseline;
            let size = row.words.iter().map(|word| word.size).fold(0.0, f32::max);
            if gap > 1.5 * pitch && gap > 1.5 * size {
                lines.push(Line::default());
            }
        }
        lines.push(line(row, left, advance));
        above = Some(row);
    }
    lines
}

/// One row as text: each column at the character that lies under its place on the page.
fn line(row: &Row, page_left: f32, advance: f32) -> Line {
    let mut line = Line::default();
    let mut column = 0;
    let mut before: Option<&Word> = None;
    for word in &row.words {
        let place = column_at((word.left - page_left) / advance);
        let start = match before {
            None => place,
            Some(before) if is_column_gap(before, word) => place.max(column + 2),
            Some(_) => column + 1,
        };
        line.text.extend(std::iter::repeat_n(' ', start - column));
        let byte_start = line.text.len();
        line.text.push_str(&word.text);
        line.words.push(Placed { bytes: byte_start..line.text.len(), rect: word.rect() });
        column = start + word.text.chars().count();
        before = Some(word);
    }
    line
}

/// True when the gap between two neighbours parts columns and not words.
fn is_column_gap(left: &Word, right: &Word) -> bool {
    let share = if left.spaces == 1 { COLUMN_GAP_WITH_SPACE } else { COLUMN_GAP };
    right.left - left.right > share * left.size.min(right.size)
}

/// The width of a common character of the page, such that the page is at most [`MAX_COLUMNS`] wide.
fn char_width(rows: &[Row], left: f32) -> f32 {
    let words = || rows.iter().flat_map(|row| &row.words);
    #[expect(clippy::cast_precision_loss, reason = "a word has fewer than 2^24 characters")]
    let widths =
        words().map(|word| (word.right - word.left) / word.text.chars().count().max(1) as f32).collect();
    let right = words().map(|word| word.right).fold(left, f32::max);
    let least = ((right - left) / MAX_COLUMNS).max(1.0);
    median(widths).unwrap_or(least).max(least)
}

fn column_at(place: f32) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cut to 0..=MAX_COLUMNS before"
    )]
    let column = place.round().clamp(0.0, MAX_COLUMNS) as usize;
    column
}

fn median(mut values: Vec<f32>) -> Option<f32> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f32::total_cmp).1)
}
