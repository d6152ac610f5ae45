//! What a report looks like: reviewed as prose.

use super::files;
use crate::{
    layout::{Column, Layout},
    testing::record,
};

fn layout(tables: bool) -> Layout {
    let column = |name: &str, unit| Column { name: name.to_owned(), unit };
    let event = vec![
        column("event_term", false),
        column("onset_date", false),
        column("severity", false),
        column("dose", true),
    ];
    Layout { tables, groups: [("event".to_owned(), event)].into() }
}

#[test]
fn the_files_of_a_report_read_like_this() {
    for file in files(&record(), &layout(true)) {
        insta::assert_snapshot!(file.name, String::from_utf8(file.bytes).unwrap());
    }
}

#[test]
fn the_record_is_always_written_and_comes_first() {
    let names =
        |tables| files(&record(), &layout(tables)).into_iter().map(|file| file.name).collect::<Vec<_>>();
    assert_eq!(names(false), ["record.json"]);
    assert_eq!(names(true), ["record.json", "fields.csv", "event.csv", "negated.csv"]);
}

#[test]
fn a_group_named_like_the_long_table_does_not_replace_it() {
    let mut record = record();
    for field in &mut record.fields {
        field.group = field.group.as_ref().map(|_| "fields".to_owned());
    }
    let names: Vec<_> = files(&record, &layout(true)).into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["record.json", "fields.csv", "fields-group.csv"]);
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    assert_eq!(files(&record(), &layout(true)), files(&record(), &layout(true)));
}
