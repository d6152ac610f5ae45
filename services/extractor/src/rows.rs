//! Tables: which lines are rows, and which chunk of a row is the cell of which column.

use std::{collections::HashSet, ops::Range};

use clinflow_workflow::{fold, pattern::Table};

use crate::page::{Chunk, Line, Page};

/// The rows of a table, and how many there were to be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Fields with their bytes (several stretches where a cell goes on below), for each row.
    pub(crate) rows: Vec<Row>,
    /// Lines that look like a row, counted without the columns' shapes.
    pub(crate) found: u32,
}

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its line.
    pub(crate) line: usize,
    /// Fields with their bytes.
    pub(crate) cells: Vec<(String, Vec<Range<usize>>)>,
}

/// The columns of a table by where their headers stand.
type Header = Vec<Option<Range<usize>>>;

/// Headers that must be known before a line is taken for one of headers.
const HEADERS: usize = 2;

/// The rows of all tables of this kind on a page.
pub(crate) fn find(page: &Page<'_>, table: &Table) -> Rows {
    let mut rows = Rows::default();
    let mut header: Option<Header> = None;
    let mut below_header = false;
    for (number, line) in page.lines.iter().enumerate() {
        if line.chunks.is_empty() {
            continue;
        }
        if let Some(new) = header_of(page, line, table) {
            header = Some(new);
            below_header = true;
            continue;
        }
        let words = &page.text[line.bytes.clone()];
        if table.ends.iter().any(|end| end.is_match(words)) {
            header = None;
            below_header = false;
            continue;
        }
        if table.needs_header && !below_header {
            continue;
        }
        let counted =
            if table.needs_header { begins_row(line, header.as_ref()) } else { looks_like_a_row(page, line) };
        rows.found += u32::from(counted);
        let cells = if table.needs_header && table.wraps {
            by_place(page, line, table, header.as_ref())
        } else {
            by_shape(page, line, table, header.as_ref())
        };
        let has = |name: &String| cells.iter().any(|(field, _)| field == name);
        let is_row =
            table.needs.iter().all(has) && (table.confirms.is_empty() || table.confirms.iter().any(has));
        if is_row {
            let cells = cells.into_iter().map(|(name, at)| (name, vec![at])).collect();
            rows.rows.push(Row { line: number, cells });
        } else if table.wraps
            && let Some(last) = rows.rows.last_mut()
        {
            for (name, at) in cells {
                match last.cells.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, pieces)) => pieces.push(at),
                    None => last.cells.push((name, vec![at])),
                }
            }
        }
    }
    rows
}

/// Where the columns stand, when `line` is one of headers.
fn header_of(page: &Page<'_>, line: &Line, table: &Table) -> Option<Header> {
    let mut header: Header = vec![None; table.columns.len()];
    let mut known = 0;
    for chunk in &line.chunks {
        let words = page.words(chunk);
        let spellings: HashSet<_> = words.split(" / ").chain([words]).map(fold).collect();
        let column = table.columns.iter().zip(&header).position(|(column, place)| {
            place.is_none() && column.headers.iter().any(|header| spellings.contains(&fold(header)))
        });
        if let Some(column) = column {
            header[column] = Some(chunk.columns.clone());
            known += 1;
        }
    }
    (known >= HEADERS).then_some(header)
}

/// Cells by the shapes of the columns; of columns with the same shape, the one whose header is nearest.
fn by_shape(
    page: &Page<'_>,
    line: &Line,
    table: &Table,
    header: Option<&Header>,
) -> Vec<(String, Range<usize>)> {
    let mut cells: Vec<(String, Range<usize>)> = Vec::new();
    let mut used = vec![false; table.columns.len()];
    for chunk in &line.chunks {
        let words = page.words(chunk);
        let fits =
            table.columns.iter().enumerate().filter(|(at, _)| !used[*at]).filter_map(|(at, column)| {
                let (captures, regex) =
                    column.cells.iter().find_map(|cell| cell.captures(words).zip(Some(cell)))?;
                let place = header.and_then(|header| header[at].as_ref());
                Some((place.map_or(0, |place| distance(place, chunk)), at, captures, regex))
            });
        // The first column of the shape, unless a header speaks for a later one.
        let Some((_, at, captures, regex)) = fits.min_by_key(|(distance, at, _, _)| (*distance, *at)) else {
            continue;
        };
        let fields: Vec<_> = regex
            .capture_names()
            .flatten()
            .filter_map(|name| {
                let part = captures.name(name)?.range();
                Some((name.to_owned(), chunk.bytes.start + part.start..chunk.bytes.start + part.end))
            })
            .filter(|(name, at)| !at.is_empty() && cells.iter().all(|(known, _)| known != name))
            .collect();
        used[at] = true;
        cells.extend(fields);
    }
    cells
}

/// Cells by the place of their headers alone; the field is the first named group of the column's first shape.
fn by_place(
    page: &Page<'_>,
    line: &Line,
    table: &Table,
    header: Option<&Header>,
) -> Vec<(String, Range<usize>)> {
    let Some(header) = header else { return Vec::new() };
    let mut cells: Vec<(String, Range<usize>)> = Vec::new();
    for chunk in &line.chunks {
        let nearest = header
            .iter()
            .enumerate()
            .filter_map(|(at, place)| Some((distance(place.as_ref()?, chunk), at)))
            .min_by_key(|(distance, at)| (*distance, *at));
        let Some((_, at)) = nearest else { continue };
        let words = page.words(chunk);
        let Some((captures, regex)) =
            table.columns[at].cells.iter().find_map(|cell| cell.captures(words).zip(Some(cell)))
        else {
            continue;
        };
        for name in regex.capture_names().flatten() {
            let Some(part) = captures.name(name) else { continue };
            let part = chunk.bytes.start + part.start()..chunk.bytes.start + part.end();
            match cells.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.end = part.end,
                None => cells.push((name.to_owned(), part)),
            }
        }
    }
    cells
}

/// How many columns lie between a header and a chunk; 0 when they share one.
fn distance(header: &Range<usize>, chunk: &Chunk) -> usize {
    header.start.saturating_sub(chunk.columns.end - 1).max(chunk.columns.start.saturating_sub(header.end - 1))
}

/// A line with words first, and beside them a number and one thing more: a row of most tables, whatever its columns.
fn looks_like_a_row(page: &Page<'_>, line: &Line) -> bool {
    let [first, rest @ ..] = line.chunks.as_slice() else { return false };
    let words = page.words(first);
    let named = words.starts_with(char::is_alphabetic) && !words.contains(':');
    let number = |chunk: &Chunk| {
        let words = page.words(chunk);
        let digits = words.trim_start_matches(|c: char| "<>≤≥= ".contains(c));
        digits.starts_with(|c: char| c.is_ascii_digit())
            && !digits.contains(':')
            && digits.chars().filter(|c| c.is_alphabetic()).count() < 4
    };
    named && rest.len() >= 2 && rest.iter().any(number)
}

/// In a table with headers, a line whose first column holds something begins a row.
fn begins_row(line: &Line, header: Option<&Header>) -> bool {
    let first = header.and_then(|header| header.first()?.as_ref());
    first.is_some_and(|first| line.chunks.iter().any(|chunk| distance(first, chunk) == 0))
}

#[cfg(test)]
mod tests {
    use clinflow_workflow::pattern::{Column, Table};
    use regex::Regex;

    use super::find;
    use crate::page::Page;

    fn column(headers: &[&str], cells: &[&str]) -> Column {
        Column {
            headers: headers.iter().map(|header| (*header).to_owned()).collect(),
            cells: cells.iter().map(|cell| Regex::new(cell).unwrap()).collect(),
        }
    }

    fn table() -> Table {
        Table {
            group: "row".to_owned(),
            columns: vec![
                column(&["Test"], &[r"^(?P<test_name>[A-Za-z].*)$"]),
                column(&["Result"], &[r"^(?P<result>[<>]?\d[\d.]*)(?:\s+(?P<flag>[HL]))?$"]),
                column(&["Flag"], &["^(?P<flag>[HL])$"]),
                column(&["Units"], &[r"^(?P<unit>[A-Za-z%/]+)$"]),
                column(
                    &["Range"],
                    &[
                        r"^(?P<reference_low>[\d.]+) - (?P<reference_high>[\d.]+)$",
                        r"^<\s?(?P<reference_high>[\d.]+)$",
                    ],
                ),
            ],
            needs: vec!["test_name".to_owned(), "result".to_owned()],
            confirms: vec!["unit".to_owned(), "reference_high".to_owned()],
            needs_header: false,
            wraps: false,
            ends: Vec::new(),
        }
    }

    fn rows(text: &str) -> Vec<Vec<(String, &str)>> {
        let found = find(&Page::new(text, &[]), &table());
        found
            .rows
            .into_iter()
            .map(|row| row.cells.into_iter().map(|(name, at)| (name, &text[at[0].clone()])).collect())
            .collect()
    }

    fn cell(name: &str, value: &'static str) -> (String, &'static str) {
        (name.to_owned(), value)
    }

    #[test]
    fn cells_are_told_by_their_shape_and_comment_lines_are_no_rows() {
        let text = "Test      Result  Flag  Units   Range\nWBC       2.1     L     K/uL    4.0 - 11.0\n   ** called to ward 09-JAN **\nCRP       7       mg/L    < 5\nALT       41 H    U/L\n";
        assert_eq!(
            rows(text),
            [
                vec![
                    cell("test_name", "WBC"),
                    cell("result", "2.1"),
                    cell("flag", "L"),
                    cell("unit", "K/uL"),
                    cell("reference_low", "4.0"),
                    cell("reference_high", "11.0")
                ],
                vec![
                    cell("test_name", "CRP"),
                    cell("result", "7"),
                    cell("unit", "mg/L"),
                    cell("reference_high", "5")
                ],
                vec![cell("test_name", "ALT"), cell("result", "41"), cell("flag", "H"), cell("unit", "U/L")],
            ]
        );
    }

    #[test]
    fn a_row_that_cannot_be_read_is_counted() {
        let text = "WBC    2.1   K/uL   4 - 11\nRBC    3.9O1x   M/uL   3.8 - 5.1\n";
        let found = find(&Page::new(text, &[]), &table());
        assert_eq!((found.found, found.rows.len()), (2, 1));
    }

    #[test]
    fn wrapped_cells_go_on_under_their_header() {
        let mut table = table();
        table.columns =
            vec![column(&["Section"], &["^(?P<section>.+)$"]), column(&["Change"], &["^(?P<change>.+)$"])];
        table.needs = vec!["section".to_owned()];
        table.confirms = Vec::new();
        (table.needs_header, table.wraps) = (true, true);
        let text = "Section   Change\n5.1       first\n          goes on\n5.2       second\n";
        let found = find(&Page::new(text, &[]), &table);
        assert_eq!((found.rows.len(), found.found), (2, 2));
        let pieces = &found.rows[0].cells[1].1;
        assert_eq!(pieces.iter().map(|at| &text[at.clone()]).collect::<Vec<_>>(), ["first", "goes on"]);
    }
}
