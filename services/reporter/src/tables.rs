//! The fields of a record as tables: one long table of everything, and one wide table per repeated group.

use std::collections::BTreeMap;

use clinflow_core::{
    Field,
    field::{Assertion, Experiencer, Source},
};

use crate::{csv::Table, layout::Column};

/// The columns of `fields.csv`.
const COLUMNS: [&str; 14] = [
    "name",
    "group",
    "index",
    "value",
    "normalized",
    "unit",
    "codes",
    "assertion",
    "page",
    "start",
    "end",
    "confidence",
    "source",
    "findings",
];

/// `fields.csv`: one row per field, in document order. Page and code points are those of the first evidence.
pub fn long(fields: &[Field]) -> Table {
    let rows = fields.iter().map(|field| {
        let first = field.evidence.first();
        let place =
            |of: fn(&clinflow_core::Span) -> usize| first.map(|evidence| of(&evidence.span).to_string());
        let cells: [String; COLUMNS.len()] = [
            field.name.clone(),
            field.group.clone().unwrap_or_default(),
            field.index.map(|index| index.to_string()).unwrap_or_default(),
            field.value.expose().to_owned(),
            field.normalized.as_ref().map(|value| value.expose().to_owned()).unwrap_or_default(),
            field.unit.clone().unwrap_or_default(),
            codes(field),
            assertion(&field.assertion),
            first.and_then(|evidence| evidence.page).map(|page| page.to_string()).unwrap_or_default(),
            place(|span| span.start).unwrap_or_default(),
            place(|span| span.end).unwrap_or_default(),
            confidence(field.confidence.thousandths()),
            source(field.source).to_owned(),
            field.findings.join(" "),
        ];
        cells.to_vec()
    });
    Table { header: COLUMNS.map(str::to_owned).to_vec(), rows: rows.collect() }
}

/// One table per repeated group that occurs, by the group's name: one row per repetition, one column per field with
/// its normal form, and after it `<field>_unit` where it has units. The columns are those of `layout`; a field that it
/// does not name follows in document order.
pub fn wide(fields: &[Field], layout: &BTreeMap<String, Vec<Column>>) -> BTreeMap<String, Table> {
    let mut groups: BTreeMap<&str, BTreeMap<u32, Repetition<'_>>> = BTreeMap::new();
    let mut columns: BTreeMap<&str, Vec<Column>> = BTreeMap::new();
    for field in fields {
        let (Some(group), Some(index)) = (&field.group, field.index) else { continue };
        let columns = columns.entry(group).or_insert_with(|| layout.get(group).cloned().unwrap_or_default());
        let unit = field.unit.is_some();
        match columns.iter_mut().find(|column| column.name == field.name) {
            Some(column) => column.unit |= unit,
            None => columns.push(Column { name: field.name.clone(), unit }),
        }
        groups
            .entry(group)
            .or_default()
            .entry(index)
            .or_default()
            .entry(&field.name)
            .or_default()
            .push(field);
    }
    let table = |(group, repetitions): (&str, _)| (group.to_owned(), pivot(&columns[group], &repetitions));
    groups.into_iter().map(table).collect()
}

/// The fields of one repetition, by name; a name may occur more than once.
type Repetition<'a> = BTreeMap<&'a str, Vec<&'a Field>>;

/// One row per repetition, one or two cells per column.
fn pivot(columns: &[Column], repetitions: &BTreeMap<u32, Repetition<'_>>) -> Table {
    let mut header = vec!["index".to_owned()];
    for column in columns {
        header.push(column.name.clone());
        if column.unit {
            header.push(format!("{}_unit", column.name));
        }
    }
    let mut rows = Vec::with_capacity(repetitions.len());
    for (index, repetition) in repetitions {
        let mut row = vec![index.to_string()];
        for column in columns {
            let found = repetition.get(column.name.as_str()).map_or(&[][..], Vec::as_slice);
            row.push(joined(found.iter().map(|field| field.best())));
            if column.unit {
                row.push(joined(found.iter().filter_map(|field| field.unit.as_deref())));
            }
        }
        rows.push(row);
    }
    Table { header, rows }
}

/// Several values of one field in one cell.
fn joined<'a>(values: impl Iterator<Item = &'a str>) -> String {
    values.collect::<Vec<_>>().join("; ")
}

/// Codes as `system:code`.
fn codes(field: &Field) -> String {
    field.codes.iter().map(|code| format!("{}:{}", code.system, code.code)).collect::<Vec<_>>().join("; ")
}

/// The properties that differ from an affirmed, recent, certain fact about the patient; empty for such a fact.
fn assertion(assertion: &Assertion) -> String {
    let experiencer = match assertion.experiencer {
        Experiencer::Patient => None,
        Experiencer::Family => Some("family"),
        Experiencer::Other => Some("other"),
    };
    let flags = [
        assertion.negated.then_some("negated"),
        assertion.historical.then_some("historical"),
        assertion.hypothetical.then_some("hypothetical"),
        assertion.uncertain.then_some("uncertain"),
        experiencer,
    ];
    flags.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Thousandths as a decimal, `0.875`.
pub(crate) fn confidence(thousandths: u16) -> String {
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

/// The spelling that `record.json` has too.
pub(crate) const fn source(source: Source) -> &'static str {
    match source {
        Source::Pattern => "pattern",
        Source::Model => "model",
        Source::Both => "both",
        Source::Derived => "derived",
    }
}
