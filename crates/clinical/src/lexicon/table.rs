//! Reading the tab-separated tables of `lexicon/`.

use clinflow_core::field::Code;

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A line does not have the form its table asks for.
    #[error("`{file}` line {line}: {problem}")]
    Line {
        /// The table.
        file: &'static str,
        /// 1-based line.
        line: usize,
        /// What is wrong, and what to do.
        problem: &'static str,
    },
    /// The phrases cannot be compiled.
    #[error("compile the phrases of the lexicon")]
    Automaton(#[source] aho_corasick::BuildError),
}

/// One line of a table, with as many cells as the table has columns.
pub(crate) struct Row {
    file: &'static str,
    line: usize,
    pub(crate) cells: Vec<&'static str>,
}

impl Row {
    /// The parts of a cell that holds a list: `a|b`.
    pub(crate) fn list(&self, column: usize) -> impl Iterator<Item = &'static str> + use<> {
        self.cells[column].split('|').filter(|part| !part.is_empty())
    }

    /// An error at this line.
    pub(crate) const fn error(&self, problem: &'static str) -> Error {
        Error::Line { file: self.file, line: self.line, problem }
    }
}

/// The rows of a table of `columns` columns, below its heading. Empty lines and lines that begin with `#` are
/// not rows; cells missing at the end of a line are empty.
pub(crate) fn rows(file: &'static str, text: &'static str, columns: usize) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for (at, line) in text.lines().enumerate().skip(1) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut cells: Vec<_> = line.split('\t').map(str::trim).collect();
        let row = |cells| Row { file, line: at + 1, cells };
        if cells.len() > columns {
            return Err(row(cells).error("has too many columns: part cells with one tab"));
        }
        if cells[0].is_empty() {
            return Err(row(cells).error("has no name: write it in the first column"));
        }
        cells.resize(columns, "");
        rows.push(row(cells));
    }
    Ok(rows)
}

/// The codes in the third column of a lexicon table: `LOINC=1742-6|CTCAE v5=Fever`.
pub(crate) fn codes(row: &Row) -> Result<Vec<Code>, Error> {
    row.list(2)
        .map(|part| {
            let (system, code) =
                part.split_once('=').ok_or_else(|| row.error("a code is written `system=code`"))?;
            Ok(Code { system: system.to_owned(), code: code.to_owned(), display: None })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn the_heading_comments_and_empty_lines_are_no_rows() {
        let rows = rows("t.tsv", "a\tb\n# why\n\nx\ty|z\n", 2).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].list(1).collect::<Vec<_>>(), ["y", "z"]);
    }

    #[test]
    fn a_line_with_too_many_columns_is_named() {
        let error = rows("t.tsv", "a\nx\ty\n", 1).err().unwrap();
        assert_eq!(error.to_string(), "`t.tsv` line 2: has too many columns: part cells with one tab");
    }
}
