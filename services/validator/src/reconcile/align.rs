//! Which repetition of a group in one source is which in the other.
//!
//! Two sources count independently, so repetition 2 of one may be repetition 3 of the other. What names a repetition
//! is its key field, the first of the group in the workflow: the event's term, the drug's name, the test's name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use clinflow_core::{Field, Span};

use super::agree::same_name;
use crate::words;

/// One repetition of a group in one source.
#[derive(Debug, Clone)]
pub(super) struct Repetition {
    /// Its number in that source.
    pub(super) index: u32,
    /// Its fields.
    pub(super) fields: Vec<Field>,
}

impl Repetition {
    /// The field that names it.
    fn key(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Where it begins in the text: at its key, else at its first field.
    pub(super) fn start(&self, key: &str) -> usize {
        let first = |fields: &mut dyn Iterator<Item = &Field>| {
            fields.flat_map(|field| &field.evidence).map(|evidence| evidence.span.byte_start).min()
        };
        first(&mut self.key(key).into_iter()).or_else(|| first(&mut self.fields.iter())).unwrap_or(usize::MAX)
    }
}

/// The repetitions among `fields` of one group, by number.
pub(super) fn repetitions(fields: Vec<Field>) -> Vec<Repetition> {
    let mut by_index: BTreeMap<u32, Vec<Field>> = BTreeMap::new();
    for field in fields {
        // A field of a group without a number is its only repetition.
        by_index.entry(field.index.unwrap_or(1)).or_default().push(field);
    }
    by_index.into_iter().map(|(index, fields)| Repetition { index, fields }).collect()
}

/// Keys with this much similarity, in thousandths, may name the same thing. Above 500, because two words of which
/// one is shared ("heart failure", "renal failure") are two things.
const SIMILAR: usize = 550;

/// The similarity of keys that stand at the same place, above every similarity of words.
const SAME_PLACE: usize = 2000;

/// For each of `others`, the position in `ones` of the repetition that it is, if there is one. The most similar
/// keys are paired first; between equals, the one with more fields in common, then the order of the text decides.
pub(super) fn pair(key: &str, ones: &[Repetition], others: &[Repetition]) -> Vec<Option<usize>> {
    let keys = |repetitions: &[Repetition]| -> Vec<Option<Key>> {
        repetitions.iter().map(|repetition| repetition.key(key).map(Key::of)).collect()
    };
    let (one_keys, other_keys) = (keys(ones), keys(others));
    // Only keys that share a word or a name are compared, so that long tables stay linear.
    let mut with_word: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, key) in one_keys.iter().enumerate() {
        for word in key.iter().flat_map(|key| &key.words) {
            with_word.entry(word).or_default().push(at);
        }
    }
    let mut candidates = Vec::new();
    for (at, other) in other_keys.iter().enumerate() {
        let Some(other) = other else { continue };
        let near: BTreeSet<usize> =
            other.words.iter().filter_map(|word| with_word.get(word.as_str())).flatten().copied().collect();
        for one in near {
            let Some(key) = &one_keys[one] else { continue };
            let similar = key.similarity(other);
            if similar >= SIMILAR {
                candidates.push((
                    usize::MAX - similar,
                    usize::MAX - in_common(&ones[one], &others[at]),
                    one,
                    at,
                ));
            }
        }
    }
    candidates.sort_unstable();
    let mut taken = vec![false; ones.len()];
    let mut pairs = vec![None; others.len()];
    for (_, _, one, other) in candidates {
        if !taken[one] && pairs[other].is_none() {
            taken[one] = true;
            pairs[other] = Some(one);
        }
    }
    pairs
}

/// What names a repetition.
struct Key {
    name: String,
    words: Vec<String>,
    spans: Vec<Span>,
}

impl Key {
    fn of(field: &Field) -> Self {
        Self {
            name: field.best().to_owned(),
            words: words::words(field.best()),
            spans: field.evidence.iter().map(|evidence| evidence.span).collect(),
        }
    }

    fn similarity(&self, other: &Self) -> usize {
        if self.spans.iter().any(|span| other.spans.iter().any(|other| span.overlaps(other))) {
            SAME_PLACE
        } else if same_name(&self.name, &other.name) {
            1000
        } else {
            words::similarity(&self.words, &other.words)
        }
    }
}

/// How many fields have the same value in both.
fn in_common(one: &Repetition, other: &Repetition) -> usize {
    let has = |field: &&Field| {
        one.fields.iter().any(|candidate| candidate.name == field.name && candidate.best() == field.best())
    };
    other.fields.iter().filter(has).count()
}
