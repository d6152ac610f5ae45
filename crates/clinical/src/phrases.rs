//! Many phrases looked for at once, as whole words, the leftmost and longest winning.

use std::ops::Range;

use aho_corasick::{AhoCorasick, BuildError, MatchKind};

use crate::fold::{self, Folded};

/// A compiled set of phrases.
pub(crate) struct Phrases {
    automaton: AhoCorasick,
    /// Whether phrase i is an abbreviation, which counts only where it stands in capitals.
    capitals: Vec<bool>,
}

/// A phrase found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    /// The phrase, by its place in the list given to [`Phrases::new`].
    pub(crate) phrase: usize,
    /// The bytes of the original text.
    pub(crate) range: Range<usize>,
}

impl Phrases {
    /// Compiles `phrases`. One written in capitals ("ALL", "MS", "5-FU") is an abbreviation: "all" is not found
    /// by it.
    pub(crate) fn new<'a>(phrases: impl IntoIterator<Item = &'a str>) -> Result<Self, BuildError> {
        let (folded, capitals): (Vec<_>, Vec<_>) =
            phrases.into_iter().map(|phrase| (fold::folded(phrase), is_abbreviation(phrase))).unzip();
        // Standard semantics report every overlapping occurrence: the leftmost-longest one among those that end
        // on word boundaries can only be chosen after the boundaries are known ("ms" inside "msec").
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).build(folded)?;
        Ok(Self { automaton, capitals })
    }

    /// The phrases of `text` that stand as whole words, leftmost-longest, in ascending order and disjoint.
    pub(crate) fn find(&self, text: &Folded<'_>) -> Vec<Match> {
        let haystack = text.text();
        let mut found: Vec<_> = self
            .automaton
            .find_overlapping_iter(haystack)
            .filter(|hit| stands_alone(haystack, hit.range()))
            .map(|hit| (hit.range(), hit.pattern().as_usize()))
            .collect();
        found.sort_unstable_by_key(|(range, phrase)| (range.start, usize::MAX - range.end, *phrase));
        let mut end = 0;
        let mut matches = Vec::new();
        for (range, phrase) in found {
            if range.start < end {
                continue;
            }
            let place = text.unfold(&range);
            if self.capitals[phrase] && text.original()[place.clone()].bytes().any(|b| b.is_ascii_lowercase())
            {
                continue;
            }
            end = range.end;
            matches.push(Match { phrase, range: place });
        }
        matches
    }
}

/// True for a phrase with capitals, at most six characters and no small letters: "ALT", "5-FU", "H/O".
fn is_abbreviation(phrase: &str) -> bool {
    phrase.len() <= 6
        && phrase.bytes().any(|byte| byte.is_ascii_uppercase())
        && !phrase.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// True when no letter or digit touches a letter or digit at either edge of `range`.
pub(crate) fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let (before, inside, after) = (&text[..range.start], &text[range.clone()], &text[range.end..]);
    let joined = |left: Option<char>, right: Option<char>| {
        left.is_some_and(char::is_alphanumeric) && right.is_some_and(char::is_alphanumeric)
    };
    !joined(before.chars().next_back(), inside.chars().next())
        && !joined(inside.chars().next_back(), after.chars().next())
}

#[cfg(test)]
mod tests {
    use super::Phrases;
    use crate::fold::Folded;

    fn found(phrases: &[&str], text: &str) -> Vec<String> {
        let compiled = Phrases::new(phrases.iter().copied()).unwrap();
        compiled.find(&Folded::new(text)).into_iter().map(|hit| text[hit.range].to_owned()).collect()
    }

    #[test]
    fn the_longest_phrase_at_a_place_wins() {
        assert_eq!(found(&["pain", "chest pain", "chest"], "Chest\n  pain, pain"), ["Chest\n  pain", "pain"]);
    }

    #[test]
    fn a_phrase_inside_a_word_is_no_match_and_hides_none() {
        assert_eq!(found(&["rash", "ras", "no"], "rashes, rash, nor"), ["rash"]);
        assert_eq!(found(&["hepatitis b core", "hepatitis"], "hepatitis b cores"), ["hepatitis"]);
    }

    #[test]
    fn an_abbreviation_counts_only_in_capitals() {
        assert_eq!(found(&["ALL"], "all patients with ALL"), ["ALL"]);
    }
}
