//! Tables: which lines are rows, and which chunk of a row is the cell of which column.

use std::ops::Range;

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

/// Headers that must be known before a line is taken for one of headers; and they are more than half of what stands
/// on it.
const HEADERS: usize = 2;

/// The rows of all tables of this kind on a page. A line that begins with a label of the form is no row.
pub(crate) fn find(page: &Page<'_>, table: &Table, is_label: &dyn Fn(&str) -> bool) -> Rows {
    let mut rows = Rows::default();
    let mut header: Option<Header> = None;
    // Rows of the right one of two tables side by side; they come after those of the left one.
    let mut right = Rows::default();
    let mut split = None;
    let mut after_header = false;
    for (number, line) in page.lines.iter().enumerate().filter(|(_, line)| !line.chunks.is_empty()) {
        if let Some(new) = header_of(page, line, table) {
            // A header of two lines is one header.
            header = Some(match header.filter(|_| after_header) {
                Some(known) => known.into_iter().zip(new).map(|(known, new)| known.or(new)).collect(),
                None => new,
            });
            split = side_by_side(page, line, table);
            rows.append(&mut right);
            after_header = true;
            continue;
        }
        after_header = false;
        let words = &page.text[line.bytes.clone()];
        if table.ends.iter().any(|end| end.is_match(words)) {
            header = None;
            continue;
        }
        let labelled = line.chunks.first().is_some_and(|chunk| is_label(page.words(chunk)));
        if header.is_none() && (table.needs_header || labelled) {
            continue;
        }
        match split {
            None => read(page, table, header.as_ref(), number, &line.chunks, &mut rows),
            Some(column) => {
                let at = line.chunks.partition_point(|chunk| chunk.columns.start < column);
                let (left, other) = line.chunks.split_at(at);
                read(page, table, header.as_ref(), number, left, &mut rows);
                read(page, table, None, number, other, &mut right);
            }
        }
    }
    rows.append(&mut right);
    rows
}

impl Rows {
    /// Moves the rows of `other` to the end.
    fn append(&mut self, other: &mut Self) {
        self.rows.append(&mut other.rows);
        self.found += std::mem::take(&mut other.found);
    }
}

/// Reads a line as a row, or as what goes on with the row before it.
fn read(
    page: &Page<'_>,
    table: &Table,
    header: Option<&Header>,
    line: usize,
    chunks: &[Chunk],
    rows: &mut Rows,
) {
    let counted =
        if table.needs_header { begins_row(chunks, header) } else { looks_like_a_row(page, chunks) };
    rows.found += u32::from(counted);
    let cells = if table.needs_header && table.wraps {
        by_place(page, chunks, table, header)
    } else {
        by_shape(page, chunks, table, header)
    };
    let has = |name: &String| cells.iter().any(|(field, _)| field == name);
    let confirmed = table.confirms.is_empty()
        || table.confirms.iter().any(has)
        || under_headers(page, chunks, table, header);
    if table.needs.iter().all(has) && confirmed {
        let cells = cells.into_iter().map(|(name, at)| (name, vec![at])).collect();
        rows.rows.push(Row { line, cells });
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

/// The column at which a second table begins, when a line of headers has the same header twice and a stranger
/// before the second: "HEMATOLOGY Result Units   CHEMISTRY Result Units".
fn side_by_side(page: &Page<'_>, line: &Line, table: &Table) -> Option<usize> {
    let column = |chunk: &Chunk| {
        let words = fold(page.words(chunk));
        table.columns.iter().position(|column| column.headers.contains(&words))
    };
    let known: Vec<_> = line.chunks.iter().map(column).collect();
    let again = (0..known.len()).find(|at| known[*at].is_some() && known[..*at].contains(&known[*at]))?;
    let before = again.checked_sub(1)?;
    known[before].is_none().then(|| line.chunks[before].columns.start)
}

/// A line whose first chunks stand right under the first two headers is a row even where nothing else is printed.
fn under_headers(page: &Page<'_>, chunks: &[Chunk], table: &Table, header: Option<&Header>) -> bool {
    let Some([Some(first), Some(second), ..]) = header.map(Vec::as_slice) else { return false };
    let [name, value, ..] = chunks else { return false };
    let shape = table
        .columns
        .get(1)
        .is_some_and(|column| column.cells.iter().any(|cell| cell.is_match(page.words(value))));
    shape && distance(first, name) == 0 && distance(second, value) == 0
}

/// Where the columns stand, when `line` is one of headers.
fn header_of(page: &Page<'_>, line: &Line, table: &Table) -> Option<Header> {
    let mut header: Header = vec![None; table.columns.len()];
    let mut known = 0;
    for chunk in &line.chunks {
        let words = page.words(chunk);
        let mut spellings = vec![fold(words)];
        if words.contains(" / ") {
            spellings.extend(words.split(" / ").map(fold));
        }
        let named = |at: &usize| table.columns[*at].headers.iter().any(|header| spellings.contains(header));
        let mut columns = (0..table.columns.len()).filter(named).peekable();
        known += usize::from(columns.peek().is_some());
        if let Some(free) = columns.find(|at| header[*at].is_none()) {
            header[free] = Some(chunk.columns.clone());
        }
    }
    (known >= HEADERS && known * 2 > line.chunks.len()).then_some(header)
}

/// Cells by the shapes of the columns; of columns with the same shape, the one whose header is nearest.
///
/// Of several results in a row the last is the current one, as cumulative reports have it; a dash in its place says
/// that there is none.
fn by_shape(
    page: &Page<'_>,
    chunks: &[Chunk],
    table: &Table,
    header: Option<&Header>,
) -> Vec<(String, Range<usize>)> {
    let mut cells: Vec<(String, Range<usize>)> = Vec::new();
    let mut used = vec![false; table.columns.len()];
    let mut last: Option<usize> = None;
    for chunk in chunks {
        let words = page.words(chunk);
        let again = last.filter(|last| *last > 0);
        if let Some(again) = again
            && (words == "-" || table.columns[again].cells.iter().any(|cell| cell.is_match(words)))
            && is_first_value(table, again)
        {
            let names = names(table, again);
            cells.retain(|(name, _)| !names.contains(&name.as_str()));
            used[again] = words == "-";
        }
        let fits =
            table.columns.iter().enumerate().filter(|(at, _)| !used[*at]).filter_map(|(at, column)| {
                let (captures, regex) =
                    column.cells.iter().find_map(|cell| cell.captures(words).zip(Some(cell)))?;
                let place = header.and_then(|header| header[at].as_ref());
                Some((place.map_or(0, |place| distance(place, chunk)), at, captures, regex))
            });
        // A dash where a result is awaited is no flag.
        if words == "-" && again.is_some_and(|again| is_first_value(table, again)) {
            continue;
        }
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
        last = Some(at);
        cells.extend(fields);
    }
    cells
}

/// Whether a column is the one of the results: the first after the names.
fn is_first_value(table: &Table, column: usize) -> bool {
    column == 1 && table.columns.len() > 2
}

/// The fields a column can give.
fn names(table: &Table, column: usize) -> Vec<&str> {
    table.columns[column].cells.iter().flat_map(|cell| cell.capture_names().flatten()).collect()
}

/// Cells by the place of their headers alone; the field is the first named group of the column's first shape.
fn by_place(
    page: &Page<'_>,
    chunks: &[Chunk],
    table: &Table,
    header: Option<&Header>,
) -> Vec<(String, Range<usize>)> {
    let Some(header) = header else { return Vec::new() };
    let mut cells: Vec<(String, Range<usize>)> = Vec::new();
    for chunk in chunks {
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
fn looks_like_a_row(page: &Page<'_>, chunks: &[Chunk]) -> bool {
    let [first, rest @ ..] = chunks else { return false };
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
fn begins_row(chunks: &[Chunk], header: Option<&Header>) -> bool {
    let first = header.and_then(|header| header.first()?.as_ref());
    first.is_some_and(|first| chunks.iter().any(|chunk| distance(first, chunk) == 0))
}

#[cfg(test)]
mod tests {
    use clinflow_workflow::{
        fold,
        pattern::{Column, Table},
    };
    use regex::Regex;

    use super::find;
    use crate::page::Page;

    fn column(headers: &[&str], cells: &[&str]) -> Column {
        Column {
            headers: headers.iter().map(|header| fold(header)).collect(),
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
        let found = find(&Page::new(text, &[]), &table(), &|_| false);
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
        let found = find(&Page::new(text, &[]), &table(), &|_| false);
        assert_eq!((found.found, found.rows.len()), (2, 1));
    }

    #[test]
    fn of_two_tables_side_by_side_the_left_one_comes_first() {
        let text = "BLOOD  Result  Units   SERUM  Result  Units\nWBC    2.1     K/uL    ALT    41      U/L\nRBC    3.9     M/uL    AST    33      U/L\n";
        let names: Vec<_> = rows(text).into_iter().map(|row| row[0].1).collect();
        assert_eq!(names, ["WBC", "RBC", "ALT", "AST"]);
    }

    #[test]
    fn of_several_results_the_last_is_current_and_a_dash_is_none() {
        let text = "Sodium   140   141   138   mmol/L\nHbA1c    38    -     -     mmol/mol\n";
        let found = rows(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0][1], cell("result", "138"));
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
        let found = find(&Page::new(text, &[]), &table, &|_| false);
        assert_eq!((found.rows.len(), found.found), (2, 2));
        let pieces = &found.rows[0].cells[1].1;
        assert_eq!(pieces.iter().map(|at| &text[at.clone()]).collect::<Vec<_>>(), ["first", "goes on"]);
    }
}
