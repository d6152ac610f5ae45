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

/// Small print is at most this large against its base.
const SMALL: f32 = 0.85;

/// How high small print is raised at most, and print of the size of its base, which some generators raise without
/// making it smaller. Lines of text are at least 1 apart.
const RAISED_SMALL: f32 = 0.8;
const RAISED_LARGE: f32 = 0.6;

/// How far a subscript is lowered at most.
const LOWERED: f32 = 0.35;

/// Small print at most this share of its base's size away from it belongs to it.
const SCRIPT_GAP: f32 = 0.25;

/// Groups words into rows, from top to bottom.
pub(super) fn rows(mut words: Vec<Word>) -> Vec<Row> {
    words.sort_by(|a, b| a.baseline.total_cmp(&b.baseline));
    let mut rows: Vec<Row> = Vec::new();
    for word in words {
        match rows.last_mut() {
            Some(row) if word.baseline - row.baseline <= SAME_ROW * word.size.min(row.words[0].size) => {
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
    // The rows of one line of print: base, superscripts, subscripts, each perhaps at two heights. More is hostile.
    const NEAR: usize = 8;
    let below = rows.iter().enumerate().skip(from + 1).take(NEAR);
    let above = rows[..from].iter().enumerate().rev().take(NEAR);
    let holds_base = |(_, row): &(usize, &Row)| {
        let next = row.words.partition_point(|base| base.left < word.left);
        let before = next.checked_sub(1).and_then(|index| row.words.get(index));
        let after = row.words.get(next);
        before.is_some_and(|base| is_script(base, word) && touches(base, word, SCRIPT_GAP * base.size))
            || after.is_some_and(|base| is_script(base, word) && touches(word, base, SCRIPT_GAP * base.size))
    };
    below.chain(above).find(holds_base).map(|(index, _)| index)
}

/// True when `word` may be a superscript or subscript of `base`.
fn is_script(base: &Word, word: &Word) -> bool {
    let raise = (base.baseline - word.baseline) / base.size;
    // Print of one size is raised and never lowered, or of two words each would be the script of the other.
    let heights = if word.size <= SMALL * base.size { -LOWERED..=RAISED_SMALL } else { 0.0..=RAISED_LARGE };
    // A hundredth more, because sizes are products of rounded numbers.
    word.size <= 1.01 * base.size && heights.contains(&raise)
}

/// True when `word` may be a superscript of `base`.
fn is_raised(base: &Word, word: &Word) -> bool {
    is_script(base, word) && base.baseline - word.baseline >= 0.15 * base.size
}

/// True when `right` begins where `left` ends, or less than `gap` later.
fn touches(left: &Word, right: &Word, gap: f32) -> bool {
    let between = right.left - left.right;
    between < gap && between > -0.5 * left.size.min(right.size)
}

/// Joins the parts of words that were drawn one by one.
fn join_touching(words: Vec<Word>) -> Vec<Word> {
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    // What the end of the last word rests on: later parts are raised or lowered against this, not against a script.
    let mut base: Option<Word> = None;
    let mut ends_raised = false;
    for word in words {
        if let (Some(last), Some(on)) = (joined.last_mut(), &base) {
            let raised = is_raised(on, &word);
            let gap = if raised { SCRIPT_GAP * on.size } else { WORD_GAP * last.size.min(word.size) };
            let join = match (last.spaces == 0 && touches(last, &word, gap), raised, ends_raised) {
                (false, ..) => None,
                (true, true, false) => raised_join(&last.text, &word.text),
                // A marker before a word ("a" raised before "Day") stays a word of its own.
                (true, false, _) if is_raised(&word, on) => None,
                (true, ..) => Some(""),
            };
            if let Some(join) = join {
                last.text.push_str(join);
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
    join_spaced_letters(&joined)
}

/// What stands between a base and what is raised behind it when they are one word; `None` when they are two.
///
/// - a digit behind a digit: `10^9`, and `7.2^1` for a footnote, which must never read `7.21`;
/// - a power of a unit of length or time, an ordinal, a charge, a sign: `m2`, `26th`, `Na+`, `Zocor®`;
/// - anything else is taken for a footnote marker, which must not change the word: `fever a`, `Day 1`.
fn raised_join(base: &str, raised: &str) -> Option<&'static str> {
    const POWERED: [&str; 8] = ["m", "cm", "mm", "dm", "km", "µm", "μm", "s"];
    let is_number = raised.trim_start_matches(['+', '-', '−', '–']).starts_with(|c: char| c.is_ascii_digit());
    let unit = base.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or(base);
    let ends_in_digit = base.ends_with(|c: char| c.is_ascii_digit());
    if is_number && ends_in_digit {
        return Some("^");
    }
    let power = is_number && POWERED.contains(&unit);
    let ordinal = ends_in_digit && ["st", "nd", "rd", "th"].contains(&raised);
    let charge = !ends_in_digit && raised.ends_with(['+', '-', '−', '–']);
    let sign = raised.chars().all(|c| !c.is_alphanumeric() && !",*".contains(c));
    (power || ordinal || charge || sign).then_some("")
}

/// Joins letters that were drawn apart for looks: at least three single letters in a row, without a drawn space, the
/// gaps between them alike.
fn join_spaced_letters(words: &[Word]) -> Vec<Word> {
    /// Three letters are a pattern, two may be chance.
    const LEAST: usize = 3;
    let gap = |pair: &[Word]| pair[1].left - pair[0].right;
    let spaced = |pair: &[Word]| {
        let letter = |word: &Word| {
            let mut chars = word.text.chars();
            chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
        };
        letter(&pair[0])
            && letter(&pair[1])
            && pair[0].spaces == 0
            && (0.0..0.6 * pair[0].size).contains(&gap(pair))
    };
    let mut out: Vec<Word> = Vec::with_capacity(words.len());
    let mut rest = words;
    while !rest.is_empty() {
        let alike =
            |pair: &&[Word]| spaced(pair) && (gap(pair) - gap(&rest[..2])).abs() < 0.05 * rest[0].size;
        let run = 1 + rest.windows(2).take_while(alike).count();
        let (letters, after) = rest.split_at(if run >= LEAST { run } else { 1 });
        let mut word = letters[0].clone();
        for letter in &letters[1..] {
            word.text.push_str(&letter.text);
            (word.right, word.spaces) = (letter.right, letter.spaces);
        }
        out.push(word);
        rest = after;
    }
    out
}
