//! Where in a text a value stands: letter for letter, in another spelling, in pieces, in part, or nowhere.
//!
//! Exact on numbers, units and negations: another number, another unit or a missing "not" is never the same value.
//! Only verbatim, normalised and assembled values are grounded; of a partial one the part that was found is told.

use std::ops::Range;

use clinflow_core::{
    Span,
    field::{Alignment, Offsets},
};

use super::token::{Token, tokens};
use crate::{phrases::List, words::negates};

/// A value in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// How the value relates to the text.
    pub status: Alignment,
    /// The stretches that say it, in order; those of a partial value say a part of it.
    pub spans: Vec<Span>,
}

impl Located {
    /// Whether the value follows from the text.
    pub const fn grounded(&self) -> bool {
        matches!(self.status, Alignment::Verbatim | Alignment::Normalised | Alignment::Assembled)
    }
}

/// Words that may stand between two pieces of a short value, and of a long one.
const GAP: [usize; 2] = [6, 60];

/// From this many words a value is long: it may be broken by the foot of a page.
const LONG: usize = 10;

/// Pieces a value may be in.
const MOST_PIECES: usize = 5;

/// Places from which an assembly is tried.
const MOST_STARTS: usize = 64;

/// Finds `value` in `text`.
pub fn locate(text: &str, value: &str) -> Located {
    let offsets = Offsets::new(text);
    let answer = |status, ranges: Vec<Range<usize>>| Located {
        status,
        spans: ranges.into_iter().map(|range| offsets.span(range)).collect(),
    };
    let trimmed = value.trim();
    let wanted = tokens(trimmed);
    if trimmed.is_empty() {
        return answer(Alignment::Absent, Vec::new());
    }
    if let Some(range) = verbatim(text, trimmed) {
        return answer(Alignment::Verbatim, vec![range]);
    }
    if wanted.is_empty() {
        return answer(Alignment::Absent, Vec::new());
    }
    let all = tokens(text);
    if let Some(at) = runs(&all, &wanted).find(|at| complete(&all, *at, &wanted)) {
        return answer(Alignment::Normalised, vec![range_of(&all, at..at + wanted.len())]);
    }
    if let Some(pieces) = assemble(text, &all, &wanted) {
        return answer(Alignment::Assembled, pieces.into_iter().map(|piece| range_of(&all, piece)).collect());
    }
    match part(&all, &wanted) {
        Some(piece) => answer(Alignment::Partial, vec![range_of(&all, piece)]),
        None => answer(Alignment::Absent, Vec::new()),
    }
}

fn range_of(all: &[Token], piece: Range<usize>) -> Range<usize> {
    all[piece.start].range.start..all[piece.end - 1].range.end
}

/// The first place where `value` stands letter for letter and is not the middle of a longer word or number.
fn verbatim(text: &str, value: &str) -> Option<Range<usize>> {
    text.match_indices(value).map(|(at, _)| at..at + value.len()).find(|range| {
        let mut before = text[..range.start].chars().rev();
        let mut after = text[range.end..].chars();
        let (left, right) = (before.next(), after.next());
        let (first, last) = (value.chars().next(), value.chars().next_back());
        let is_digit =
            |character: Option<char>| character.is_some_and(|character| character.is_ascii_digit());
        let joins = |one: Option<char>, other: Option<char>| {
            one.is_some_and(char::is_alphanumeric) && other.is_some_and(char::is_alphanumeric)
                // "1500mg" holds both 1500 and mg.
                && (is_digit(one) == is_digit(other))
        };
        let number_goes_on = is_digit(last) && matches!(right, Some('.' | ',')) && is_digit(after.next());
        let earlier = before.next();
        let number_began = is_digit(first)
            && ((matches!(left, Some('.' | ',')) && is_digit(earlier))
                || matches!(left, Some('<' | '>' | '\u{2264}' | '\u{2265}'))
                || (matches!(left, Some('-' | '\u{2212}')) && earlier.is_none_or(char::is_whitespace)));
        !joins(left, first) && !joins(last, right) && !number_goes_on && !number_began
    })
}

/// Every place in `all` where the tokens `wanted` stand in a row (Knuth, Morris and Pratt: linear).
pub(crate) fn runs<'t>(all: &'t [Token], wanted: &'t [Token]) -> impl Iterator<Item = usize> + 't {
    let mut borders = vec![0; wanted.len()];
    for at in 1..wanted.len() {
        let mut border = borders[at - 1];
        while border > 0 && wanted[at].normal != wanted[border].normal {
            border = borders[border - 1];
        }
        borders[at] = border + usize::from(wanted[at].normal == wanted[border].normal);
    }
    let mut matched = 0;
    all.iter().enumerate().filter_map(move |(at, token)| {
        while matched > 0 && (matched == wanted.len() || wanted[matched].normal != token.normal) {
            matched = borders[matched - 1];
        }
        matched += usize::from(wanted[matched].normal == token.normal);
        (matched == wanted.len()).then(|| at + 1 - wanted.len())
    })
}

/// Whether a run does not leave out a comparison before its first number.
fn complete(all: &[Token], at: usize, wanted: &[Token]) -> bool {
    let Some(before) = at.checked_sub(1) else { return true };
    !(wanted[0].number && matches!(all[before].normal.as_str(), "<" | ">" | "<=" | ">="))
}

/// The value in pieces: in order, none without content, no unit apart from its number, no negation left out.
fn assemble(text: &str, all: &[Token], wanted: &[Token]) -> Option<Vec<Range<usize>>> {
    if wanted.len() < 2 {
        return None;
    }
    let starts =
        all.iter().enumerate().filter(|(_, token)| token.normal == wanted[0].normal).map(|(at, _)| at);
    starts
        .take(MOST_STARTS)
        .filter(|at| complete(all, *at, wanted))
        .find_map(|start| from(text, all, wanted, start))
}

fn from(text: &str, all: &[Token], wanted: &[Token], start: usize) -> Option<Vec<Range<usize>>> {
    let gap = GAP[usize::from(wanted.len() >= LONG)];
    let mut pieces: Vec<Range<usize>> = Vec::new();
    pieces.push(start..start + 1);
    for (index, token) in wanted.iter().enumerate().skip(1) {
        let last = pieces.len() - 1;
        let next = pieces[last].end;
        if all.get(next).is_some_and(|found| found.normal == token.normal) {
            pieces[last].end += 1;
            continue;
        }
        // A number stays with what follows it, and a sign with what it belongs to.
        let sign = |token: &Token| !token.number && !token.normal.starts_with(char::is_alphanumeric);
        if wanted[index - 1].number || sign(token) || sign(&wanted[index - 1]) {
            return None;
        }
        let reach = (next + gap).min(all.len());
        let found = (next..reach)
            .find(|at| all[*at].normal == token.normal && complete(all, *at, &wanted[index..]))?;
        let skipped = &all[next..found];
        let between = &text[all[next - 1].range.end..all[found].range.start];
        let new_sentence = between.contains(['.', ';']) && wanted.len() < LONG;
        if skipped.iter().any(|token| negates(&token.normal)) || new_sentence {
            return None;
        }
        pieces.push(found..found + 1);
        if pieces.len() > MOST_PIECES {
            return None;
        }
    }
    pieces.iter().all(|piece| all[piece.clone()].iter().any(has_content)).then_some(pieces)
}

/// The longest stretch that says a part of the value.
fn part(all: &[Token], wanted: &[Token]) -> Option<Range<usize>> {
    /// Beyond this many comparisons the beginning of a value stands for it.
    const MOST: usize = 20_000_000;
    let wanted = &wanted[..wanted.len().min((MOST / all.len().max(1)).max(1))];
    let mut best: Option<Range<usize>> = None;
    let mut lengths = vec![0_usize; wanted.len() + 1];
    for (at, token) in all.iter().enumerate() {
        for index in (0..wanted.len()).rev() {
            lengths[index + 1] = if wanted[index].normal == token.normal { lengths[index] + 1 } else { 0 };
            let length = lengths[index + 1];
            if length > best.as_ref().map_or(0, Range::len) {
                let run = at + 1 - length..at + 1;
                if all[run.clone()].iter().any(has_content) {
                    best = Some(run);
                }
            }
        }
    }
    best
}

/// Numbers, and words of at least three letters that say something.
fn has_content(token: &Token) -> bool {
    token.number || (token.normal.chars().count() >= 3 && !List::Empty.contains(&token.normal))
}

#[cfg(test)]
mod tests {
    use clinflow_core::field::Alignment::{Absent, Assembled, Normalised, Partial, Verbatim};
    use proptest::prelude::*;

    use super::locate;

    const TEXT: &str = "Methotrexate 1,500 mg/m2 was given; ANC <0.5 10*9/L. Eligible are adults with severe acute \
                        hepatic failure, pain of the left leg and no pneumonia.";

    #[test]
    fn each_way_to_stand_in_a_text_has_its_name() {
        for (value, status) in [
            ("1,500 mg/m2", Verbatim),
            ("1500 mg/m2", Normalised),
            ("ACUTE  HEPATIC failure", Normalised),
            ("pain of leg", Assembled),
            ("1500 mg", Normalised),
            ("1505 mg/m2", Absent),
            ("1500 g/m2", Partial),
            ("acute renal failure", Partial),
            ("not severe", Partial),
            ("warfarin", Absent),
            ("", Absent),
            ("<0.5 10*9/L", Verbatim),
            ("0.5 10*9/L", Partial),
        ] {
            assert_eq!(locate(TEXT, value).status, status, "{value}");
        }
    }

    #[test]
    fn a_negation_between_two_pieces_is_not_left_out() {
        assert!(!locate("pain, not of the leg", "pain of the leg").grounded());
        assert!(!locate("fever was not seen", "fever seen").grounded());
    }

    #[test]
    fn a_long_value_may_be_broken_by_the_foot_of_a_page() {
        let text = "Adults with relapsed disease who have had\nPage 12 of 90, confidential, version 3\nat least two \
                    prior lines of systemic therapy are eligible.";
        let value = "Adults with relapsed disease who have had at least two prior lines of systemic therapy";
        let located = locate(text, value);
        assert_eq!((located.status, located.spans.len()), (Assembled, 2));
    }

    proptest! {
        #[test]
        fn a_word_of_the_text_is_found_and_its_span_says_it(words in proptest::collection::vec("[a-zé]{4,8}", 1..12), pick in 0usize..12) {
            let text = words.join(" ");
            let value = &words[pick % words.len()];
            let located = locate(&text, value);
            prop_assert_eq!(located.status, Verbatim);
            prop_assert_eq!(located.spans[0].of(&text), Some(value.as_str()));
        }

        #[test]
        fn another_number_is_never_grounded(number in 1u32..10_000, other in 1u32..10_000) {
            prop_assume!(number != other);
            let text = format!("a dose of {number} mg daily");
            let value = format!("{other} mg");
            prop_assert!(!locate(&text, &value).grounded());
        }
    }
}
