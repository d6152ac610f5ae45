//! Masking: what was found is replaced by its kind in braces, again and again until nothing more is found.
//!
//! What a mask leaves can read as something new ("{NAME} Road 5"), so masking runs until it changes nothing. That makes
//! it idempotent. Wherever else in the text the same value stands as whole words, it is masked too.

use std::{cmp::Reverse, collections::BTreeSet, ops::Range};

use aho_corasick::AhoCorasick;

/// Rounds until nothing more is found; two are usual.
const MOST_ROUNDS: usize = 12;

/// Only values of these lengths are looked for elsewhere: "57" is many things, and a page of text is no identifier.
const REPEATED: Range<usize> = 4..256;

/// A stretch of text that is to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Its bytes.
    pub(crate) range: Range<usize>,
    /// What it is: the name in the mask.
    pub(crate) name: String,
    /// Of two that overlap the graver gives its name to both.
    pub(crate) grave: bool,
}

/// A text with what was replaced in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Masked {
    pub(crate) text: String,
    /// Disjoint, in the order of the original text.
    pub(crate) cuts: Vec<Cut>,
}

/// Masks everything that `find` finds, until it finds nothing more.
pub(crate) fn mask(text: &str, find: impl Fn(&str) -> Vec<Cut>) -> Masked {
    let mut cuts = Vec::new();
    let mut masked = text.to_owned();
    for _ in 0..MOST_ROUNDS {
        let holes = holes(&masked);
        let mut more = find(&masked);
        repeat(&masked, &mut more);
        more.retain(|cut| {
            !holes.iter().any(|hole| hole.start <= cut.range.start && cut.range.end <= hole.end)
        });
        if more.is_empty() {
            break;
        }
        cuts.extend(
            more.into_iter().map(|cut| Cut { range: origin(&cuts, &cut.range), ..cut }).collect::<Vec<_>>(),
        );
        cuts = disjoint(cuts);
        masked = apply(text, &cuts);
    }
    Masked { text: masked, cuts }
}

/// Replaces disjoint cuts in ascending order.
fn apply(text: &str, cuts: &[Cut]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for cut in cuts {
        masked.push_str(&text[end..cut.range.start]);
        masked.push_str(&replacement(&cut.name));
        end = cut.range.end;
    }
    masked.push_str(&text[end..]);
    masked
}

/// What stands in place of something called `name`.
pub(crate) fn replacement(name: &str) -> String {
    format!("{{{name}}}")
}

/// Where masks stand: braces around a short name.
fn holes(text: &str) -> Vec<Range<usize>> {
    let mut holes = Vec::new();
    let mut open = None;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open = Some(at),
            b'}' => {
                if let Some(start) = open.take().filter(|start| at - start > 1) {
                    holes.push(start..at + 1);
                }
            }
            b'\n' => open = None,
            _ => {}
        }
    }
    holes
}

/// The bytes of the original text behind a range of the masked one. A mask that the range touches belongs to it whole.
fn origin(cuts: &[Cut], range: &Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (range.start, range.end);
    let mut shift = 0_isize;
    let (mut found_start, mut found_end) = (None, None);
    for cut in cuts {
        let from = cut.range.start.wrapping_add_signed(shift);
        let to = from + cut.name.len() + 2;
        if found_start.is_none() && range.start < to {
            found_start = Some(if range.start > from {
                cut.range.start
            } else {
                range.start.wrapping_add_signed(-shift)
            });
        }
        if found_end.is_none() && range.end <= to {
            found_end =
                Some(if range.end > from { cut.range.end } else { range.end.wrapping_add_signed(-shift) });
        }
        shift += to.wrapping_sub(from).cast_signed() - cut.range.len().cast_signed();
    }
    start = found_start.unwrap_or_else(|| start.wrapping_add_signed(-shift));
    end = found_end.unwrap_or_else(|| end.wrapping_add_signed(-shift));
    start..end
}

/// Adds the other places where the same values stand as whole words.
fn repeat(text: &str, cuts: &mut Vec<Cut>) {
    let mut values: Vec<(&str, &Cut)> = cuts
        .iter()
        .map(|cut| (&text[cut.range.clone()], cut))
        .filter(|(value, _)| REPEATED.contains(&value.len()))
        .collect();
    values.sort_by_key(|(value, cut)| (*value, Reverse(cut.grave)));
    values.dedup_by_key(|(value, _)| *value);
    let Ok(finder) = AhoCorasick::new(values.iter().map(|(value, _)| value)) else { return };
    let known: BTreeSet<(usize, usize)> = cuts.iter().map(|cut| (cut.range.start, cut.range.end)).collect();
    let more: Vec<Cut> = finder
        .find_overlapping_iter(text)
        .filter(|hit| !known.contains(&(hit.start(), hit.end())) && stands_alone(text, &hit.range()))
        .map(|hit| Cut { range: hit.range(), ..values[hit.pattern().as_usize()].1.clone() })
        .collect();
    cuts.extend(more);
}

/// Whether no letter or digit touches a letter or digit at either edge.
pub(crate) fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let joined = |left: Option<char>, right: Option<char>| {
        left.is_some_and(char::is_alphanumeric) && right.is_some_and(char::is_alphanumeric)
    };
    let inside = &text[range.clone()];
    !joined(text[..range.start].chars().next_back(), inside.chars().next())
        && !joined(inside.chars().next_back(), text[range.end..].chars().next())
}

/// The cuts in order, those that overlap as one: with the name of the gravest, then the longest, then the first.
fn disjoint(mut cuts: Vec<Cut>) -> Vec<Cut> {
    cuts.sort_by_key(|cut| (cut.range.start, Reverse(cut.range.end)));
    let mut done: Vec<(Cut, usize)> = Vec::new();
    for cut in cuts {
        let length = cut.range.len();
        match done.last_mut() {
            Some((last, named)) if cut.range.start < last.range.end => {
                last.range.end = last.range.end.max(cut.range.end);
                if (cut.grave, length) > (last.grave, *named) {
                    (last.name, last.grave, *named) = (cut.name, cut.grave, length);
                }
            }
            _ => done.push((cut, length)),
        }
    }
    done.into_iter().map(|(cut, _)| cut).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cut, mask};

    /// Finds runs of one letter, and a digit beside a mask.
    fn find(text: &str) -> Vec<Cut> {
        let cut = |range, name: &str| Cut { range, name: name.to_owned(), grave: false };
        let mut cuts: Vec<Cut> =
            text.match_indices("abba").map(|(at, hit)| cut(at..at + hit.len(), "WORD")).collect();
        cuts.extend(text.match_indices("}1").map(|(at, hit)| cut(at + 1..at + hit.len(), "ONE")));
        cuts.extend(text.match_indices("é{").map(|(at, hit)| cut(at..at + hit.len(), "E")));
        cuts
    }

    #[test]
    fn what_a_mask_brings_to_light_is_masked_too() {
        let masked = mask("x abba1 y", find);
        assert_eq!(masked.text, "x {WORD}{ONE} y");
        assert_eq!(masked.cuts.iter().map(|cut| cut.range.clone()).collect::<Vec<_>>(), [2..6, 6..7]);
    }

    proptest! {
        #[test]
        fn masking_twice_is_masking_once(text in "[ab1é{} ]{0,40}") {
            let once = mask(&text, find);
            prop_assert_eq!(&mask(&once.text, find).text, &once.text);
            prop_assert!(once.cuts.windows(2).all(|two| two[0].range.end <= two[1].range.start));
            for cut in &once.cuts {
                prop_assert!(text.is_char_boundary(cut.range.start) && text.is_char_boundary(cut.range.end));
            }
        }
    }
}
