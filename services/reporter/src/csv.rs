//! CSV as RFC 4180 has it, with cells that no spreadsheet takes for a formula.

use std::borrow::Cow;

/// One table. Every row has as many cells as the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Column names.
    pub header: Vec<String>,
    /// Rows of cells.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The bytes of the file: UTF-8, lines end in CRLF, cells are quoted where they must be.
    pub fn to_csv(&self) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        for row in std::iter::once(&self.header).chain(&self.rows) {
            writer
                .write_record(row.iter().map(|cell| guarded(cell).into_owned()))
                .expect("rows are as long as the header and memory takes every byte");
        }
        writer.into_inner().expect("memory takes every byte")
    }
}

/// The cell with an apostrophe before it if a spreadsheet could run it as a formula. Spreadsheets begin a formula
/// at `=`, `+`, `-` and `@`, also in their full-width forms, and strip leading tabs and line ends first. A plain
/// number is left bare: `-4.2` computes to itself.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    const BEGINS_FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(BEGINS_FORMULA) && !is_plain_number(cell) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// True for an optional sign, digits, and at most one decimal point between digits.
fn is_plain_number(cell: &str) -> bool {
    let unsigned = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Table, guarded};

    fn table(cells: &[&str]) -> Table {
        let own = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        Table { header: own(&["a", "b"]), rows: cells.chunks(2).map(own).collect() }
    }

    #[test]
    fn cells_with_commas_quotes_and_line_ends_are_quoted() {
        let bytes = table(&["fever, chills", "said \"better\"", "two\nlines", "plain"]).to_csv();
        let expected = "a,b\r\n\"fever, chills\",\"said \"\"better\"\"\"\r\n\"two\nlines\",plain\r\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn a_cell_that_begins_like_a_formula_gets_an_apostrophe() {
        for cell in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "－1",
            "--1",
            "-",
            "+1.",
            "-.5",
        ] {
            assert_eq!(guarded(cell), format!("'{cell}"), "{cell}");
        }
    }

    #[test]
    fn words_and_plain_numbers_stay_as_they_are() {
        for cell in ["", "febrile neutropenia", "-4.2", "+0.5", "-12", "1-2", "<6"] {
            assert_eq!(guarded(cell), cell);
        }
    }

    proptest! {
        #[test]
        fn a_reader_gets_every_cell_back_and_no_formula(cells in prop::collection::vec("\\PC{0,12}|[=+@\t\r\n\",-]{0,4}", 4)) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let bytes = table(&cells).to_csv();
            let mut reader = csv::ReaderBuilder::new().from_reader(bytes.as_slice());
            let read: Vec<String> = reader
                .records()
                .flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
                .collect();
            for (read, cell) in read.iter().zip(&cells) {
                let guarded = format!("'{cell}");
                prop_assert!(read == cell || *read == guarded);
                prop_assert!(!read.starts_with(['=', '@', '\t']));
            }
            prop_assert_eq!(read.len(), cells.len());
        }
    }
}
