//! Tick boxes: `[X] label`, `☒ label`, `(x) label`, `Yes [X]  No [ ]`.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

/// A tick box and the words at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TickBox {
    /// Whether it is ticked.
    pub(crate) ticked: bool,
    /// Its bytes, from the box to the end of its words or from the words to the box.
    pub(crate) bytes: Range<usize>,
    /// The bytes of its words.
    pub(crate) label: Range<usize>,
}

static BOX: LazyLock<Regex> = LazyLock::new(|| {
    // Unwrap safety: the pattern is a constant and every test of this module compiles it.
    Regex::new(r"\[ ?[xX✓✔✗✘]? ?\]|[☐☑☒]|\( ?[xX ]? ?\)").expect("a constant pattern")
});

/// The boxes in `text[range]`, in order. Words belong to the box before them, unless the stretch begins with words
/// and ends with a box, as in `Yes [X]  No [ ]`.
pub(crate) fn find(text: &str, range: Range<usize>) -> Vec<TickBox> {
    let stretch = &text[range.clone()];
    let at: Vec<_> =
        BOX.find_iter(stretch).map(|found| found.range()).filter(|at| stretch[at.clone()] != *"()").collect();
    let (Some(first), Some(last)) = (at.first(), at.last()) else { return Vec::new() };
    let behind = !stretch[..first.start].trim().is_empty() && stretch[last.end..].trim().is_empty();
    let mut boxes = Vec::new();
    for (position, at_box) in at.iter().enumerate() {
        let label = if behind {
            let from = position.checked_sub(1).map_or(0, |before| at[before].end);
            trimmed(stretch, from..at_box.start)
        } else {
            let to = at.get(position + 1).map_or(stretch.len(), |after| after.start);
            first_chunk(stretch, at_box.end..to)
        };
        let bytes = at_box.start.min(label.start)..at_box.end.max(label.end);
        let shift = |part: Range<usize>| range.start + part.start..range.start + part.end;
        let inside = &stretch[at_box.clone()];
        let ticked =
            !inside.contains('☐') && inside.chars().any(|c| c.is_alphabetic() || "✓✔✗✘☑☒".contains(c));
        boxes.push(TickBox { ticked, bytes: shift(bytes), label: shift(label) });
    }
    boxes
}

/// True when there is a box in `words`.
pub(crate) fn any(words: &str) -> bool {
    BOX.find_iter(words).any(|found| found.as_str() != "()")
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let words = &text[range.clone()];
    let start = range.start + (words.len() - words.trim_start().len());
    start..(start + words.trim().len())
}

/// What stands before the next two blanks, rule or line break.
fn first_chunk(text: &str, range: Range<usize>) -> Range<usize> {
    let range = trimmed(text, range);
    let words = &text[range.clone()];
    let end = ["  ", "\n", "|", "\t"].iter().filter_map(|gap| words.find(gap)).min().unwrap_or(words.len());
    trimmed(text, range.start..range.start + end)
}

#[cfg(test)]
mod tests {
    use super::find;

    fn ticked(text: &str) -> Vec<&str> {
        find(text, 0..text.len())
            .into_iter()
            .filter(|found| found.ticked)
            .map(|found| &text[found.label])
            .collect()
    }

    #[test]
    fn the_words_of_a_ticked_box_are_found_in_every_style() {
        assert_eq!(ticked("[ ] 1   [ ] 2   [X] 3   [ ] 4"), ["3"]);
        assert_eq!(ticked("☐ male  ☒ female"), ["female"]);
        assert_eq!(ticked("( ) death (x) other medically important"), ["other medically important"]);
        assert_eq!(ticked("Yes [X]  No [ ]"), ["Yes"]);
        assert_eq!(ticked("Serious: Yes [ ] No [x]"), ["No"]);
    }

    #[test]
    fn letters_in_brackets_are_no_boxes() {
        assert!(find("NUL-9052-203(a), see f(x2) and ()", 0..33).is_empty());
    }

    #[test]
    fn a_box_knows_its_bytes_and_those_of_its_words() {
        let text = "Größe [X] Ja";
        let found = find(text, 0..text.len());
        assert_eq!((&text[found[0].bytes.clone()], &text[found[0].label.clone()]), ("[X] Ja", "Ja"));
    }
}
