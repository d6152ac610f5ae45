//! Splitting notes into the stretches a statement reaches: sentences, list items, table lines.
//!
//! Notes are not prose: lines wrap in the middle of sentences, items begin with bullets or glued numbers
//! ("1.No evidence"), and most periods belong to abbreviations and decimals. The splitter errs towards short
//! segments at line starts that look like items, because a negation must not reach the next item.

use std::ops::Range;

/// Words whose period never ends a sentence: a name or number follows.
const BEFORE_A_NAME: &[&str] = &[
    "dr", "drs", "mr", "mrs", "ms", "prof", "st", "no", "nos", "fig", "vs", "approx", "ca", "cf", "e.g",
    "i.e", "eg", "ie", "vol", "gr", "dept", "jr", "sr", "rev", "sgt",
];

/// Words whose period ends a sentence only before a capital: schedules and units.
const IN_A_DOSE: &[&str] = &[
    "b.i.d", "t.i.d", "q.i.d", "q.d", "q.o.d", "q.h.s", "p.o", "p.r.n", "i.v", "i.m", "s.c", "s.l", "o.d",
    "b.d", "h.s", "a.m", "p.m", "etc", "mg", "ml", "kg", "cm", "mm", "hr", "hrs", "min", "sec", "wk", "yr",
    "yrs", "mo", "tab", "tabs", "cap", "caps", "inc", "al", "u.s", "dx", "hx", "abs", "resp", "temp", "wt",
    "ht",
];

/// A line shorter than this that ends without a comma was not wrapped by the page: the next line begins anew.
const WRAPPED_FROM: usize = 50;

/// No statement is longer, in bytes; a longer stretch without an end is a table or an attack, and is cut so that the
/// work for each mention stays bounded.
const LONGEST: usize = 2_000;

/// The segments of `text` as byte ranges: in order, disjoint, without white space at either end. Every character
/// that is not white space lies in one.
pub fn split(text: &str) -> Vec<Range<usize>> {
    let mut segments = Vec::new();
    let mut start = 0;
    for (at, character) in text.char_indices() {
        let after = at + character.len_utf8();
        let ends = match character {
            '\n' => line_ends(text, at),
            '.' => period_ends(text, start, at),
            '!' | '?' => text[after..].chars().next().is_none_or(char::is_whitespace),
            _ => after - start >= LONGEST && character.is_whitespace(),
        };
        if ends {
            push(text, start..after, &mut segments);
            start = after;
        }
    }
    push(text, start..text.len(), &mut segments);
    segments
}

fn push(text: &str, range: Range<usize>, segments: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    let trimmed = piece.trim();
    if !trimmed.is_empty() {
        segments.push(start..start + trimmed.len());
    }
}

/// Whether the line break at `at` ends a segment.
fn line_ends(text: &str, at: usize) -> bool {
    let line = text[..at].rsplit('\n').next().unwrap_or_default().trim_end();
    let next = text[at + 1..].split('\n').next().unwrap_or_default().trim();
    if line.is_empty() || next.is_empty() || begins_item(next) {
        return true;
    }
    if line.ends_with([',', '-', '(', '/']) {
        return false;
    }
    let new_beginning =
        next.chars().next().is_some_and(|first| first.is_uppercase() || first.is_ascii_digit());
    line.ends_with(':') || (new_beginning && line.len() < WRAPPED_FROM)
}

/// Bullets and list numbers.
fn begins_item(line: &str) -> bool {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    line.starts_with(['\u{2022}', '\u{25cf}', '\u{25aa}', '*', '\u{2610}', '\u{2612}', '\u{2611}'])
        || line.starts_with("- ")
        || line.starts_with("\u{2013} ")
        || ((1..=2).contains(&digits)
            && line[digits..].starts_with(['.', ')'])
            && !starts_with_digit(&line[digits + 1..]))
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

/// Whether the period at `at` ends the segment that began at `start`.
fn period_ends(text: &str, start: usize, at: usize) -> bool {
    let before = &text[start..at];
    let rest = &text[at + 1..];
    let Some(next) = rest.chars().next() else {
        return true;
    };
    let word = last_word(before);
    let folded = word.to_ascii_lowercase();
    if !next.is_whitespace() {
        // "site.The" is glued; "b.i.d", "4.5", "i.e." and "1.No" (a list number, kept with its item) are not.
        return next.is_uppercase() && word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    }
    if before.trim().len() <= 2 && before.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    if BEFORE_A_NAME.contains(&folded.as_str()) {
        return false;
    }
    let begins = rest.trim_start().chars().next();
    let capital = begins.is_none_or(|first| !first.is_lowercase());
    if IN_A_DOSE.contains(&folded.as_str()) {
        return begins.is_none_or(char::is_uppercase);
    }
    // A single letter is an initial ("J. Doe"), or half an abbreviation.
    let initial = word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    capital && !initial
}

/// The word a text ends with, or its last bytes where it is longer than any word that matters here: "1.1.1.1..."
/// must not be read again at each of its periods.
fn last_word(text: &str) -> &str {
    let from = text.len().saturating_sub(LONGEST_WORD);
    let tail = (from..=text.len()).find_map(|at| text.get(at..)).unwrap_or_default();
    tail.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default()
}

/// In bytes; "Methylenetetrahydrofolate" has 25.
const LONGEST_WORD: usize = 40;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::split;

    fn segments(text: &str) -> Vec<&str> {
        split(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn abbreviations_decimals_and_initials_do_not_end_a_sentence() {
        assert_eq!(
            segments("Seen by Dr. A. Novak. Took 4.5 g b.i.d. for pain. Well since."),
            ["Seen by Dr. A. Novak.", "Took 4.5 g b.i.d. for pain.", "Well since."]
        );
    }

    #[test]
    fn a_schedule_before_a_capital_ends_the_sentence() {
        assert_eq!(
            segments("Aspirin p.o. b.i.d. The rash faded."),
            ["Aspirin p.o. b.i.d.", "The rash faded."]
        );
    }

    #[test]
    fn glued_numbers_and_bullets_begin_items() {
        assert_eq!(
            segments("1.No evidence of fever\n2. Cough\n• Denies pain\n- Asthma"),
            ["1.No evidence of fever", "2. Cough", "• Denies pain", "- Asthma"]
        );
    }

    #[test]
    fn a_wrapped_line_goes_on_and_a_short_one_does_not() {
        let wrapped = "The patient was admitted to the hospital with fever and\nchills two days ago.";
        assert_eq!(segments(wrapped), [wrapped]);
        assert_eq!(segments("Hypertension\nAsthma\nGout"), ["Hypertension", "Asthma", "Gout"]);
    }

    #[test]
    fn a_stretch_without_an_end_is_cut_at_a_blank() {
        let endless = "no fever ".repeat(1000);
        assert!(split(&endless).iter().all(|range| range.len() <= super::LONGEST + 10));
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_is_lost(text in "[a-zA-Z0-9.,:!? \\n•é-]{0,200}") {
            let mut end = 0;
            for range in split(&text) {
                prop_assert!(text[end..range.start].trim().is_empty());
                prop_assert!(!range.is_empty());
                end = range.end;
            }
            prop_assert!(text[end..].trim().is_empty());
        }
    }
}
