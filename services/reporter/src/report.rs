//! A report: the files written for one execution.

use clinflow_workflow::{Format, Workflow};

use crate::{dataset, facts::Facts, fhir, layout, record::Record, tables};

/// One file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name inside the report's folder.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The files of a report: `record.json` first, because it holds everything and is always written; then those that
/// the `workflow` asks for under `outputs`, and of them only those that have something to say:
///
/// - `csv`: `fields.csv`, and one CSV per repeated group in the order of their names;
/// - `fhir`: `fhir.json`;
/// - `dataset-json`: one file per CDISC domain: `ae.json`.
///
/// The same record gives the same bytes. Whatever must not leave the system is taken out of the record before: every
/// file is made of the record alone.
pub fn files(record: &Record, workflow: &Workflow) -> Vec<File> {
    let wanted = |format| workflow.outputs.contains(&format);
    let mut files = vec![File { name: "record.json".to_owned(), bytes: record.to_json() }];
    if wanted(Format::Csv) {
        files.push(File { name: "fields.csv".to_owned(), bytes: tables::long(&record.fields).to_csv() });
        for (group, table) in tables::wide(&record.fields, &layout::groups(workflow)) {
            files.push(File { name: group_file(&group), bytes: table.to_csv() });
        }
    }
    if wanted(Format::Fhir) || wanted(Format::DatasetJson) {
        let facts = Facts::of(record, workflow);
        if wanted(Format::Fhir) {
            files.push(File { name: "fhir.json".to_owned(), bytes: fhir::file(&facts) });
        }
        if wanted(Format::DatasetJson) {
            files.extend(dataset::files(&facts));
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
