//! A stretch of text some finder took for a fact, before its context is known.

use std::ops::Range;

use clinflow_core::field::Code;

use crate::label::Label;

/// What a finder reports. [`settle`] chooses between overlapping ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    /// Bytes of the text.
    pub(crate) range: Range<usize>,
    /// What it is.
    pub(crate) label: Label,
    /// The name the lexicon prefers.
    pub(crate) preferred: Option<String>,
    /// Codes of it.
    pub(crate) codes: Vec<Code>,
    /// Its normal form: an ISO date, a number, a UCUM unit.
    pub(crate) normalized: Option<String>,
}

impl Mention {
    /// A mention known by nothing but its normal form.
    pub(crate) const fn normal(range: Range<usize>, label: Label, normalized: Option<String>) -> Self {
        Self { range, label, preferred: None, codes: Vec::new(), normalized }
    }
}

/// The mentions in text order without overlaps: the longer one stays, and of two equal ones the one found first.
pub(crate) fn settle(mentions: Vec<Mention>) -> Vec<Mention> {
    let mut by_length: Vec<_> = mentions.into_iter().enumerate().collect();
    by_length.sort_by_key(|(order, mention)| (usize::MAX - mention.range.len(), *order));
    // Taken ranges never overlap, so the map from start to end answers "is this stretch free?" by its neighbours.
    let mut taken = std::collections::BTreeMap::<usize, Mention>::new();
    for (_, mention) in by_length {
        let before = taken.range(..mention.range.end).next_back();
        if before.is_none_or(|(_, other)| other.range.end <= mention.range.start) {
            taken.insert(mention.range.start, mention);
        }
    }
    taken.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::{Mention, settle};
    use crate::label::Label;

    #[test]
    fn of_overlapping_mentions_the_longer_stays() {
        let mention = |range, label| Mention::normal(range, label, None);
        let settled = settle(vec![
            mention(5..9, Label::Symptom),
            mention(0..9, Label::Condition),
            mention(9..12, Label::Drug),
            mention(9..12, Label::LabTest),
        ]);
        let kept: Vec<_> = settled.iter().map(|mention| (mention.range.clone(), mention.label)).collect();
        assert_eq!(kept, [(0..9, Label::Condition), (9..12, Label::Drug)]);
    }
}
