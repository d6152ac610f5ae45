//! A report: the files written for one execution.

use crate::{layout::Layout, record::Record, tables};

/// One file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name inside the report's folder.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The files of a report: `record.json` first, because it holds everything and is always written; then, where the
/// workflow wants tables, `fields.csv` and one CSV per repeated group in the order of their names. The same record
/// gives the same bytes.
pub fn files(record: &Record, layout: &Layout) -> Vec<File> {
    let mut files = vec![File { name: "record.json".to_owned(), bytes: record.to_json() }];
    if layout.tables {
        files.push(File { name: "fields.csv".to_owned(), bytes: tables::long(&record.fields).to_csv() });
        for (group, table) in tables::wide(&record.fields, &layout.groups) {
            files.push(File { name: group_file(&group), bytes: table.to_csv() });
        }
    }
    files
}

/// The file of a repeated group. A group named `fields` must not take the place of the long table.
fn group_file(group: &str) -> String {
    if group == "fields" { "fields-group.csv".to_owned() } else { format!("{group}.csv") }
}

#[cfg(test)]
mod tests;
