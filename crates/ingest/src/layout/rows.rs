//! Words to rows: what stands on one baseline is one row, and raised or lowered small print joins the word it belongs to.

use super::words::{WORD_GAP, Word};

/// Words on one baseline, from left to right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) baseline: f32,
    pub(super) words: Vec<Word>,
}

/// Baselines this share of the font size apart are one row: jitter of generators, fonts of slightly different cut.
const SAME_ROW: f32 = 0.25;

/// Small print at most this large, next to its base, can be a superscript or subscript.
const SCRIPT_SIZE: f32 = 0.85;

/// Groups words into rows, from top to bottom.
pub(super) fn rows(mut words: Vec<Word>) -> Vec<Row> {
    words.sort_by(|a, b| a.baseline.total_cmp(&b.baseline));
    let mut rows: Vec<Row> = Vec::new();
    for word in words {
        match rows.last_mut() {
            Some(row)
                if word.baseline - row.baseline <= SAME_ROW * word.size.min(row.words[0].size) =>
            {
                row.words.push(word);
            }
            _ => rows.push(Row { baseline: word.baseline, words: vec![word] }),
        }
    }
    for row in &mut rows {
        row.words.sort_by(|a, b| a.left.total_cmp(&b.left));
    }
    attach_scripts(&mut rows);
    for row in &mut rows {
        row.words = join_touching(std::mem::take(&mut row.words));
    }
    rows
}

/// Moves raised and lowered small print from the row it makes by itself into the row of its base.
fn attach_scripts(rows: &mut Vec<Row>) {
    let mut moves = Vec::new();
    for (from, row) in rows.iter().enumerate() {
        for (index, word) in row.words.iter().enumerate() {
            if let Some(to) = base_row(rows, from, word) {
                moves.push((from, index, to));
            }
        }
    }
    // From the back, so that the indexes of the words still to be moved stay right.
    for (from, index, to) in moves.into_iter().rev() {
        let word = rows[from].words.remove(index);
        rows[to].words.push(word);
    }
    rows.retain(|row| !row.words.is_empty());
    for row in rows {
        row.words.sort_by(|a, b| a.left.total_cmp(&b.left));
    }
}

/// The row, other than `from`, that holds the base of `word`.
fn base_row(rows: &[Row], from: usize, word: &Word) -> Option<usize> {
    // The base is larger, by how much is open; no text of a document is raised by more than this many of its own sizes.
    let reach = 2.0 * word.size;
    let near = |row: &&(usize, &Row)| (row.1.baseline - word.baseline).abs() <= reach;
    let above = rows[..from].iter().enumerate().rev().map(|(i, row)| (i, row));
    let below = rows.iter().enumerate().skip(from + 1);
    let holds_base = |(_, row): &(usize, &Row)| {
        let next = row.words.partition_point(|base| base.left < word.left);
        let before = next.checked_sub(1).and_then(|i| row.words.get(i));
        let after = row.words.get(next);
        before.is_some_and(|base| is_script(base, word) && touches(base, word, 0.25 * base.size))
            || after.is_some_and(|base| is_script(base, word) && touches(word, base, 0.25 * base.size))
    };
    below
        .take_while(|row| near(&row))
        .find(holds_base)
        .or_else(|| above.take_while(|row| near(&row)).find(holds_base))
        .map(|(index, _)| index)
}

/// True when `word` is small print raised or lowered against `base`.
fn is_script(base: &Word, word: &Word) -> bool {
    let raise = (base.baseline - word.baseline) / base.size;
    word.size <= SCRIPT_SIZE * base.size && (-0.35..=0.65).contains(&raise)
}

/// True when `word` is small print that stands higher than `base`.
fn is_raised(base: &Word, word: &Word) -> bool {
    is_script(base, word) && base.baseline - word.baseline >= 0.15 * base.size
}

/// True when `right` begins where `left` ends, or less than `gap` later.
fn touches(left: &Word, right: &Word, gap: f32) -> bool {
    let between = right.left - left.right;
    between < gap && between > -0.5 * left.size.min(right.size)
}

/// Joins the parts of words that were drawn one by one.
///
/// A digit raised behind a digit is joined by `^`: `10^9`, and `7.2^1` for a footnote, which must never read `7.21`.
fn join_touching(words: Vec<Word>) -> Vec<Word> {
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    // What the last of `joined` rests on: the base that later parts are compared with, and whether it ends raised.
    let mut base: Option<Word> = None;
    let mut ends_raised = false;
    for word in words {
        if let (Some(last), Some(on)) = (joined.last_mut(), &base) {
            let raised = is_raised(on, &word);
            let gap = if raised { 0.25 * on.size } else { WORD_GAP * last.size.min(word.size) };
            // A marker before a word ("a" raised before "Day") stays a word of its own.
            let marker = is_raised(&word, on);
            if last.spaces == 0 && !marker && touches(last, &word, gap) {
                let digits = last.text.ends_with(|c: char| c.is_ascii_digit())
                    && word.text.starts_with(|c: char| c.is_ascii_digit() || "+-−–".contains(c));
                if raised && !ends_raised && digits {
                    last.text.push('^');
                }
                last.text.push_str(&word.text);
                last.right = last.right.max(word.right);
                last.spaces = word.spaces;
                ends_raised = raised;
                continue;
            }
        }
        base = Some(word.clone());
        ends_raised = false;
        joined.push(word);
    }
    joined
}
