//! A text in which case, white space and typography no longer matter, with the way back to the original.

use std::ops::Range;

/// A folded text: ASCII letters in lower case, every run of white space one space, typographic hyphens,
/// apostrophes and micro signs in their plain forms. Phrases are looked for here and placed in the original.
pub(crate) struct Folded<'a> {
    original: &'a str,
    text: String,
    /// Where the distance between folded and original offsets changes, in ascending order.
    anchors: Vec<Anchor>,
}

/// From `folded` on, folded and original offsets run in step.
#[derive(Clone, Copy)]
struct Anchor {
    folded: usize,
    original: usize,
}

impl<'a> Folded<'a> {
    pub(crate) fn new(original: &'a str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut anchors = vec![Anchor { folded: 0, original: 0 }];
        // Original minus folded offset, as it is at the last anchor.
        let mut lead = 0;
        let mut in_space = false;
        for (at, character) in original.char_indices() {
            let folded = fold(character);
            if folded == ' ' && in_space {
                continue;
            }
            in_space = folded == ' ';
            // The folded text is never longer than the original: no character folds to a longer one.
            if at - text.len() != lead {
                lead = at - text.len();
                anchors.push(Anchor { folded: text.len(), original: at });
            }
            text.push(folded);
        }
        if original.len() - text.len() != lead {
            anchors.push(Anchor { folded: text.len(), original: original.len() });
        }
        Self { original, text, anchors }
    }

    /// The folded text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text it was made from.
    pub(crate) const fn original(&self) -> &'a str {
        self.original
    }

    /// The bytes of the original that became `folded`.
    pub(crate) fn unfold(&self, folded: &Range<usize>) -> Range<usize> {
        self.origin(folded.start)..self.origin(folded.end)
    }

    fn origin(&self, folded: usize) -> usize {
        let after = self.anchors.partition_point(|anchor| anchor.folded <= folded);
        // The first anchor is at 0, so at least one lies at or before any offset.
        let anchor = self.anchors[after.max(1) - 1];
        anchor.original + (folded - anchor.folded)
    }
}

/// The folded form of a whole phrase, for looking it up.
pub(crate) fn folded(phrase: &str) -> String {
    Folded::new(phrase.trim()).text
}

/// One character's folded form. It never takes more bytes than the character itself.
const fn fold(character: char) -> char {
    match character {
        'A'..='Z' => character.to_ascii_lowercase(),
        ' ' | '\t' | '\r' | '\n' | '\u{b}' | '\u{c}' | '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' => ' ',
        '\u{2018}' | '\u{2019}' | '\u{2032}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{2010}'..='\u{2014}' | '\u{2212}' => '-',
        '\u{3bc}' => '\u{b5}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Folded;

    #[test]
    fn white_space_case_and_typography_fold_and_the_place_is_kept() {
        let original = "No\n   Crohn\u{2019}s DISEASE  \u{2013} yet";
        let folded = Folded::new(original);
        assert_eq!(folded.text(), "no crohn's disease - yet");
        assert_eq!(&original[folded.unfold(&(3..18))], "Crohn\u{2019}s DISEASE");
        assert_eq!(&original[folded.unfold(&(21..24))], "yet");
    }

    proptest! {
        #[test]
        fn every_folded_character_comes_from_the_original_place(original in "[a-zA-Z \\n\u{2013}\u{2019}\u{3bc}é]{0,80}") {
            let folded = Folded::new(&original);
            for (at, character) in folded.text().char_indices() {
                let place = folded.unfold(&(at..at + character.len_utf8()));
                prop_assert!(original.is_char_boundary(place.start) && original.is_char_boundary(place.end));
                let source = original[place.start..].chars().next().unwrap();
                prop_assert_eq!(super::fold(source), character);
            }
        }
    }
}
