//! Tick boxes as text: which of the options are ticked.

/// Marks of a box that is ticked, as forms print them.
const TICKED: [&str; 9] = ["[x]", "[X]", "(x)", "(X)", "☒", "☑", "✓", "✔", "[✓]"];

/// Marks of a box that is empty.
const EMPTY: [&str; 6] = ["[ ]", "[]", "( )", "☐", "□", "[_]"];

/// What a value with tick boxes says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ticks<'a> {
    /// There are no boxes.
    None(&'a str),
    /// The words beside the ticked boxes.
    Ticked(Vec<&'a str>),
    /// Boxes, none of them ticked, and the words beside them.
    Empty(&'a str),
}

/// Reads the boxes of a value. Each box stands before its words.
pub(crate) fn read(value: &str) -> Ticks<'_> {
    let mut boxes = Vec::new();
    let mut rest = value;
    let mut offset = 0;
    while let Some(character) = rest.chars().next() {
        let mark = |marks: &[&'static str]| {
            marks.iter().find(|mark| rest.starts_with(**mark)).map(|mark| mark.len())
        };
        let length = if let Some(length) = mark(&TICKED) {
            boxes.push((offset, offset + length, true));
            length
        } else if let Some(length) = mark(&EMPTY) {
            boxes.push((offset, offset + length, false));
            length
        } else {
            character.len_utf8()
        };
        offset += length;
        rest = &value[offset..];
    }
    if boxes.is_empty() {
        return Ticks::None(value);
    }
    let ends = boxes.iter().skip(1).map(|(start, _, _)| *start).chain([value.len()]);
    let options: Vec<_> = boxes
        .iter()
        .zip(ends)
        .map(|((_, after, ticked), end)| (value[*after..end].trim(), *ticked))
        .collect();
    let ticked: Vec<&str> = options.iter().filter(|(_, ticked)| *ticked).map(|(words, _)| *words).collect();
    if ticked.is_empty() { Ticks::Empty(options[0].0) } else { Ticks::Ticked(ticked) }
}

#[cfg(test)]
mod tests {
    use super::{Ticks, read};

    #[test]
    fn the_words_beside_ticked_boxes_count() {
        assert_eq!(read("[X] Possibly related"), Ticks::Ticked(vec!["Possibly related"]));
        assert_eq!(read("[ ] Yes   [x] No"), Ticks::Ticked(vec!["No"]));
        assert_eq!(read("☒ Death ☐ Disability ☑ Other"), Ticks::Ticked(vec!["Death", "Other"]));
        assert_eq!(read("[ ] Yes"), Ticks::Empty("Yes"));
        assert_eq!(read("hospitalised"), Ticks::None("hospitalised"));
    }
}
