//! What patterns found, before it is decided which of it is the value of which repetition.

use std::{collections::BTreeMap, ops::Range};

use crate::{confidence, normalise::Normal};

/// A value found for a field.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// The field, by its position in the workflow.
    pub(crate) field: usize,
    /// Where it was found.
    pub(crate) slot: Slot,
    /// The bytes it rests on.
    pub(crate) pieces: Vec<Range<usize>>,
    /// Its normal form.
    pub(crate) normal: Normal,
    /// In thousandths.
    pub(crate) confidence: u16,
}

/// Which repetition of its group a value belongs to, by the kind of structure that says so. Earlier kinds decide:
/// where a table lists the events, the headings of the page do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// A row of a table.
    Row(u32),
    /// A stretch of lines under a heading.
    Region(u32),
    /// An item of a list.
    Item(u32),
    /// A match of a pattern that repeats.
    Match(u32),
    /// The document has one repetition, or the field is of no group.
    Whole,
}

impl Slot {
    const fn kind(self) -> u8 {
        match self {
            Self::Row(_) => 0,
            Self::Region(_) => 1,
            Self::Item(_) => 2,
            Self::Match(_) => 3,
            Self::Whole => 4,
        }
    }
}

/// A value that was decided on, with its repetition from 1; 0 for a field of no group.
pub(crate) type Chosen = (u32, Candidate);

/// Decides: for each field of each repetition the candidate with the most confidence, and of equals the first.
/// `group_of` tells the group of a field by its position.
pub(crate) fn choose(candidates: Vec<Candidate>, group_of: impl Fn(usize) -> Option<usize>) -> Vec<Chosen> {
    let mut groups: BTreeMap<Option<usize>, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        groups.entry(group_of(candidate.field)).or_default().push(candidate);
    }
    let mut chosen = Vec::new();
    for (group, candidates) in groups {
        if group.is_none() {
            chosen.extend(best(candidates.into_iter().map(|candidate| (0, candidate))));
            continue;
        }
        let kind = candidates.iter().map(|candidate| candidate.slot.kind()).min().unwrap_or_default();
        let mut slots: Vec<_> =
            candidates.iter().map(|candidate| candidate.slot).filter(|slot| slot.kind() == kind).collect();
        slots.sort_unstable();
        slots.dedup();
        // What the document says once belongs to its only repetition; with several, nobody knows to which.
        let only = slots.len() == 1;
        let numbered = candidates.into_iter().filter_map(|candidate| {
            let own = slots.binary_search(&candidate.slot).ok();
            let position = own.or_else(|| (only && candidate.slot == Slot::Whole).then_some(0))?;
            Some((u32::try_from(position + 1).unwrap_or(u32::MAX), candidate))
        });
        chosen.extend(best(numbered));
    }
    chosen
}

/// The best candidate for each field of each repetition.
fn best(candidates: impl Iterator<Item = Chosen>) -> Vec<Chosen> {
    let mut best: BTreeMap<(u32, usize), Candidate> = BTreeMap::new();
    for (index, candidate) in candidates {
        let key = (index, candidate.field);
        let better = best.get(&key).is_none_or(|known| rank(&candidate) > rank(known));
        if better {
            best.insert(key, candidate);
        }
    }
    best.into_iter().map(|((index, _), candidate)| (index, candidate)).collect()
}

/// Confidence first, then the place: earlier is better.
fn rank(candidate: &Candidate) -> (u16, std::cmp::Reverse<usize>) {
    let first = candidate.pieces.first().map_or(usize::MAX, |piece| piece.start);
    (candidate.confidence, std::cmp::Reverse(first))
}

/// Whether two cells of a document that name the same field say different things.
pub(crate) fn contradicts(chosen: &Candidate, other: &Candidate) -> bool {
    other.field == chosen.field
        && other.confidence >= confidence::BELOW
        && other.normal.form.is_some()
        && chosen.normal.form.is_some()
        && other.normal.form != chosen.normal.form
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Slot, choose};
    use crate::normalise::Normal;

    #[expect(clippy::single_range_in_vec_init, reason = "a candidate has one piece here")]
    fn candidate(field: usize, slot: Slot, start: usize, confidence: u16) -> Candidate {
        Candidate { field, slot, pieces: vec![start..start + 1], normal: Normal::default(), confidence }
    }

    fn chosen(candidates: Vec<Candidate>) -> Vec<(u32, usize, usize)> {
        choose(candidates, |field| (field > 0).then_some(0))
            .into_iter()
            .map(|(index, candidate)| (index, candidate.field, candidate.pieces[0].start))
            .collect()
    }

    #[test]
    fn the_surest_candidate_wins_and_of_equals_the_first() {
        let candidates = vec![
            candidate(0, Slot::Whole, 5, 600),
            candidate(0, Slot::Whole, 9, 950),
            candidate(0, Slot::Whole, 2, 950),
        ];
        assert_eq!(chosen(candidates), [(0, 0, 2)]);
    }

    #[test]
    fn a_table_decides_over_headings_and_what_is_said_once_joins_an_only_repetition() {
        let candidates = vec![
            candidate(1, Slot::Region(0), 1, 900),
            candidate(1, Slot::Row(4), 2, 900),
            candidate(2, Slot::Whole, 3, 950),
        ];
        assert_eq!(chosen(candidates), [(1, 1, 2), (1, 2, 3)]);
    }

    #[test]
    fn what_is_said_once_joins_none_of_several_repetitions() {
        let candidates = vec![
            candidate(1, Slot::Row(0), 1, 900),
            candidate(1, Slot::Row(7), 2, 900),
            candidate(2, Slot::Whole, 3, 950),
        ];
        assert_eq!(chosen(candidates), [(1, 1, 1), (2, 1, 2)]);
    }
}
