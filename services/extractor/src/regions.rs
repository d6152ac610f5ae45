//! Where the repetitions of a group begin and end: "Event 1 ...", "Event 2 ...".

use std::ops::Range;

use clinflow_workflow::pattern::Region;

use crate::page::Page;

/// One repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repetition {
    /// Its lines.
    pub(crate) lines: Range<usize>,
    /// What the line that begins it says: field names with their bytes.
    pub(crate) heading: Vec<(String, Range<usize>)>,
}

/// The repetitions a page has by its headings.
pub(crate) fn find(page: &Page<'_>, region: &Region) -> Vec<Repetition> {
    let mut found: Vec<Repetition> = Vec::new();
    let mut open = false;
    for (number, line) in page.lines.iter().enumerate().filter(|(_, line)| !line.chunks.is_empty()) {
        let words = &page.text[line.bytes.clone()];
        if let Some(captures) = region.starts.iter().find_map(|start| start.captures(words).zip(Some(start)))
        {
            let (captures, start) = captures;
            if open && let Some(last) = found.last_mut() {
                last.lines.end = number;
            }
            let names = start.capture_names().flatten();
            let heading = names
                .filter_map(|name| {
                    let part = captures.name(name)?.range();
                    Some((name.to_owned(), line.bytes.start + part.start..line.bytes.start + part.end))
                })
                .collect();
            found.push(Repetition { lines: number..page.lines.len(), heading });
            open = true;
        } else if open && region.ends.iter().any(|end| end.is_match(words)) {
            if let Some(last) = found.last_mut() {
                last.lines.end = number;
            }
            open = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use clinflow_workflow::pattern::Region;
    use regex::Regex;

    use super::find;
    use crate::page::Page;

    #[test]
    fn a_repetition_goes_from_its_heading_to_the_next_or_to_an_end() {
        let text = "Site 1\nEvent 1 rash\nmild\nEvent 2 fever\nDRUGS\nx\n";
        let regex = |pattern| Regex::new(pattern).unwrap();
        let region = Region {
            group: "event".to_owned(),
            starts: vec![regex(r"^Event \d (?P<event_term>\w+)")],
            ends: vec![regex("^DRUGS")],
        };
        let found = find(&Page::new(text, &[]), &region);
        assert_eq!(found.iter().map(|one| one.lines.clone()).collect::<Vec<_>>(), [1..3, 3..4]);
        assert_eq!(&text[found[1].heading[0].1.clone()], "fever");
    }
}
