//! Lists under a heading: one item on each line, or all behind the heading with commas between.

use std::ops::Range;

use clinflow_workflow::{fold, pattern::Listed};

use crate::page::Page;

/// The items of a list, and how many there were to be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Items {
    /// Fields with their bytes, for each item that was understood.
    pub(crate) items: Vec<Vec<(String, Range<usize>)>>,
    /// Pieces between separators, understood or not.
    pub(crate) found: u32,
}

/// The items of the first list of this kind on the page.
pub(crate) fn find(page: &Page<'_>, list: &Listed) -> Items {
    for (number, line) in page.lines.iter().enumerate() {
        for chunk in &line.chunks {
            let words = page.words(chunk);
            let key = words.split([':', '?']).next().unwrap_or_default();
            let bare = key.trim_start_matches(|c: char| c.is_ascii_digit() || ". )".contains(c));
            let before = bare.split('(').next().unwrap_or_default();
            let is_heading = |words: &str| list.headings.contains(&fold(words));
            let named = is_heading(key)
                || (bare.len() < key.len() && is_heading(bare))
                || (before.len() < bare.len() && is_heading(before));
            if !named {
                continue;
            }
            let inside = chunk.bytes.start + (key.len() + 1).min(words.len());
            let beside = line.chunks.iter().find(|other| other.columns.start > chunk.columns.start);
            let until = beside.map_or(usize::MAX, |other| other.columns.start);
            let pieces = if inside < chunk.bytes.end && !page.text[inside..chunk.bytes.end].trim().is_empty()
            {
                behind(page, number, inside..chunk.bytes.end)
            } else if words.ends_with([':', '?']) && beside.is_some() {
                behind(
                    page,
                    number,
                    line.bytes.end.min(beside.map_or(inside, |other| other.bytes.start))..line.bytes.end,
                )
            } else {
                below(page, number, chunk.columns.start..until)
            };
            let items = read(page, list, &pieces);
            if !items.items.is_empty() {
                return items;
            }
        }
    }
    Items::default()
}

/// Columns by which an item may stand further left than its heading.
const SLACK: usize = 3;

/// What stands under a heading, up to a blank line or the next heading: in capitals, or numbered.
fn below(page: &Page<'_>, heading: usize, columns: Range<usize>) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    for line in
        page.lines[heading + 1..].iter().skip_while(|line| line.chunks.is_empty() && line.bytes.len() > 2)
    {
        let under = line
            .chunks
            .iter()
            .find(|chunk| chunk.columns.start + SLACK >= columns.start && chunk.columns.start < columns.end);
        let Some(chunk) = under else { break };
        let words = page.words(chunk);
        let letters = words.chars().filter(|c| c.is_alphabetic()).count();
        let capitals = words.chars().filter(|c| c.is_uppercase()).count();
        let heading = words.starts_with(|c: char| c.is_ascii_digit())
            && words
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')
                .starts_with(char::is_uppercase);
        if (letters > 3 && capitals * 2 > letters) || heading {
            break;
        }
        items.extend(separated(page, chunk.bytes.clone()));
    }
    items
}

/// What stands behind a heading, and goes on below further in than it.
fn behind(page: &Page<'_>, heading: usize, rest: Range<usize>) -> Vec<Range<usize>> {
    let indent = page.lines[heading].chunks.first().map_or(0, |chunk| chunk.columns.start);
    let mut items = Vec::new();
    let below = page.lines[heading + 1..].iter().map_while(|line| {
        line.chunks
            .first()
            .filter(|chunk| chunk.columns.start > indent)
            .map(|chunk| chunk.bytes.start..line.bytes.end)
    });
    for stretch in std::iter::once(rest).chain(below) {
        // A full stop that ends a sentence ends the list.
        let words = &page.text[stretch.clone()];
        let stop = words.find(". ");
        items.extend(separated(page, stretch.start..stretch.start + stop.unwrap_or(words.len())));
        if stop.is_some() || words.trim_end().ends_with('.') {
            break;
        }
    }
    items
}

/// The pieces between commas and semicolons.
fn separated(page: &Page<'_>, stretch: Range<usize>) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = stretch.start;
    for (at, separator) in page.text[stretch.clone()].match_indices([',', ';']) {
        pieces.push(start..stretch.start + at);
        start = stretch.start + at + separator.len();
    }
    pieces.push(start..stretch.end);
    pieces
}

fn read(page: &Page<'_>, list: &Listed, pieces: &[Range<usize>]) -> Items {
    let mut items = Items::default();
    for piece in pieces {
        let words = &page.text[piece.clone()];
        if !words.chars().any(char::is_alphabetic) {
            continue;
        }
        items.found += 1;
        let Some(captures) = list.item.captures(words) else { continue };
        let fields: Vec<_> = list
            .item
            .capture_names()
            .flatten()
            .filter_map(|name| {
                let part = captures.name(name)?.range();
                Some((name.to_owned(), piece.start + part.start..piece.start + part.end))
            })
            .collect();
        if !fields.is_empty() {
            items.items.push(fields);
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use clinflow_workflow::pattern::Listed;
    use regex::Regex;

    use super::find;
    use crate::page::Page;

    fn drugs(text: &str) -> (Vec<&str>, u32) {
        let list = Listed {
            group: "concomitant_drug".to_owned(),
            headings: vec!["con meds".to_owned(), "other medication".to_owned()],
            item: Regex::new(r"^\W*(?:\d+\.\s)?(?P<drug_name>[A-Za-z][a-z]+)").unwrap(),
        };
        let items = find(&Page::new(text, &[]), &list);
        (items.items.into_iter().map(|item| &text[item[0].1.clone()]).collect(), items.found)
    }

    #[test]
    fn items_stand_below_their_heading_or_behind_it() {
        assert_eq!(
            drugs("OTHER MEDICATION\n 1. amlodipine 5 mg\n 2. metformin\n\nnot this"),
            (vec!["amlodipine", "metformin"], 2)
        );
        assert_eq!(
            drugs("Con meds:  paracetamol 500 mg prn, cholecalciferol.\nNote"),
            (vec!["paracetamol", "cholecalciferol"], 2)
        );
    }

    #[test]
    fn an_item_that_is_not_understood_is_counted() {
        assert_eq!(drugs("Con meds: paracetamol, ???x\n"), (vec!["paracetamol"], 2));
    }
}
