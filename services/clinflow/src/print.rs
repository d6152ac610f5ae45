//! What is printed: the answer on standard output, everything else on standard error.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

/// Prints an answer. A reader that went away (`| head`) ends the printing, not the program.
pub(crate) fn answer(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Rows under a header, in columns that are as wide as what they hold. Numbers stand on the right.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([header[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let numeric: Vec<bool> = (0..header.len())
        .map(|column| {
            let mut cells =
                rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty()).peekable();
            cells.peek().is_some()
                && cells.all(|cell| cell.chars().all(|c| c.is_ascii_digit() || ".,$ ".contains(c)))
        })
        .collect();
    let mut text = String::new();
    let mut line = |cells: &[String]| {
        let mut one = String::new();
        for (column, cell) in cells.iter().enumerate().take(header.len()) {
            let pad = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            let gap = if column == 0 { "" } else { "  " };
            let _ = if numeric[column] {
                write!(one, "{gap}{pad}{cell}")
            } else {
                write!(one, "{gap}{cell}{pad}")
            };
        }
        text.push_str(one.trim_end());
        text.push('\n');
    };
    line(&header.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>());
    for row in rows {
        line(row);
    }
    text
}

/// `text` cut to `width` characters, with an ellipsis where something is missing.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_on_the_right_and_lines_do_not_trail() {
        let rows = vec![
            vec!["a.txt".to_owned(), "7".to_owned(), String::new()],
            vec!["bb".to_owned(), "12".to_owned(), "x".to_owned()],
        ];
        assert_eq!(
            table(&["document", "fields", "note"], &rows),
            "document  fields  note\na.txt          7\nbb            12  x\n"
        );
    }

    #[test]
    fn a_long_text_is_cut_with_an_ellipsis() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
    }
}
