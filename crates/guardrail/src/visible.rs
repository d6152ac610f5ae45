//! A text as a reader sees it, with the way back: invisible characters are gone, full-width forms are plain ones.
//!
//! "Ig\u{200b}nore" and "Ignore" look the same, so policies must see the same. White space, case and every other
//! character stay, and most texts are their own visible form.

use std::{borrow::Cow, ops::Range};

/// A text as it is seen.
pub(crate) struct Visible<'a> {
    text: Cow<'a, str>,
    /// For each visible character where it begins here and its bytes in the original; empty when both are the same.
    places: Vec<(usize, Range<usize>)>,
}

impl<'a> Visible<'a> {
    pub(crate) fn new(original: &'a str) -> Self {
        if !original.chars().any(|character| seen(character) != Some(character)) {
            return Self { text: Cow::Borrowed(original), places: Vec::new() };
        }
        let mut text = String::with_capacity(original.len());
        let mut places = Vec::with_capacity(original.len());
        for (at, character) in original.char_indices() {
            if let Some(plain) = seen(character) {
                places.push((text.len(), at..at + character.len_utf8()));
                text.push(plain);
            }
        }
        Self { text: Cow::Owned(text), places }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of the original that are seen as `range`, which is not empty, with what is invisible between them.
    pub(crate) fn original(&self, range: &Range<usize>) -> Range<usize> {
        if self.places.is_empty() {
            return range.clone();
        }
        let place = |at: usize| {
            // The last character that begins at or before `at`; the first begins at 0.
            let after = self.places.partition_point(|(from, _)| *from <= at);
            &self.places[after.saturating_sub(1)].1
        };
        place(range.start).start..place(range.end.saturating_sub(1)).end
    }
}

/// The character as it is seen; `None` when it is not.
const fn seen(character: char) -> Option<char> {
    match character {
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => None,
        // Full-width ASCII stands 0xFEE0 above ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(character as u32 - 0xfee0),
        '\u{a0}' | '\u{2007}' | '\u{202f}' => Some(' '),
        '\u{2010}' | '\u{2011}' => Some('-'),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Visible, seen};

    #[test]
    fn what_is_seen_leads_back_to_what_is_written() {
        let original = "é Ig\u{200b}nore\u{ff01} ok";
        let visible = Visible::new(original);
        assert_eq!(visible.text(), "é Ignore! ok");
        assert_eq!(&original[visible.original(&(3..9))], "Ig\u{200b}nore");
        assert_eq!(&original[visible.original(&(9..10))], "\u{ff01}");
        assert_eq!(&original[visible.original(&(11..13))], "ok");
    }

    proptest! {
        #[test]
        fn every_visible_character_stands_where_it_is_written(original in "[a-zé\u{200b}\u{ff10}-\u{ff19} \u{a0}]{0,40}") {
            let visible = Visible::new(&original);
            for (at, character) in visible.text().char_indices() {
                let place = visible.original(&(at..at + character.len_utf8()));
                prop_assert_eq!(original[place].chars().next().and_then(seen), Some(character));
            }
        }
    }
}
