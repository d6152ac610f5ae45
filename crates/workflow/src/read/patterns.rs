//! Reading `patterns.yaml`, against the fields of its workflow.

use std::collections::BTreeSet;

use clinflow_yaml::{Item, Table, unknown};
use regex::Regex;

use crate::{
    FieldRef, Patterns, Workflow,
    code_list::fold,
    pattern::{self, Column, Labelled, Listed, Loose, Region, Strength, Tick},
};

/// Reads patterns for `workflow`. Where they are `shared` by all workflows (given as the names of all their fields),
/// those for fields this workflow does not have are left out.
pub(super) fn read(root: Item<'_>, workflow: &Workflow, shared: Option<&BTreeSet<String>>) -> Patterns {
    let Some(table) = root.table() else { return Patterns::default() };
    let names = Names { workflow, shared };
    let patterns = Patterns {
        ignored: regexes(&table, "ignored"),
        regions: each(&table, "regions", |item| region(&item, &names)),
        labelled: named(&table, "labelled", |name, item| labelled(name, item, &names)),
        ticks: named(&table, "ticks", |name, item| tick(name, item, &names)),
        lists: each(&table, "lists", |item| list(item, &names)),
        tables: each(&table, "tables", |item| rows(item, &names)),
        loose: each(&table, "loose", |item| loose(item, &names)),
    };
    table.finish();
    patterns
}

fn each<'a, T>(table: &Table<'a>, key: &'static str, read: impl Fn(Item<'a>) -> Option<T>) -> Vec<T> {
    table.optional(key).map(Item::list).unwrap_or_default().into_iter().filter_map(read).collect()
}

fn named<'a, T>(table: &Table<'a>, key: &'static str, read: impl Fn(&str, Item<'a>) -> Option<T>) -> Vec<T> {
    let entries = table.optional(key).map(Item::named).unwrap_or_default();
    entries.into_iter().filter_map(|(name, item)| read(name, item)).collect()
}

fn regexes(table: &Table<'_>, key: &'static str) -> Vec<Regex> {
    each(table, key, |item| item.regex())
}

/// The names a pattern may use.
struct Names<'a> {
    workflow: &'a Workflow,
    shared: Option<&'a BTreeSet<String>>,
}

impl Names<'_> {
    fn field(&self, name: &str, item: &Item<'_>) -> Option<FieldRef> {
        let field = FieldRef::parse(name);
        if self.workflow.resolve(&field).is_some() {
            return Some(field);
        }
        self.note_unless_shared(&field, item);
        None
    }

    /// A field that only other workflows have is no mistake in a file that all of them share.
    fn note_unless_shared(&self, field: &FieldRef, item: &Item<'_>) {
        let name = field.to_string();
        let own: BTreeSet<_> = self.workflow.fields.iter().map(crate::FieldSpec::path).collect();
        let known = self.shared.unwrap_or(&own);
        if !known.contains(&name) {
            item.note(unknown("field", &name, &known.iter().map(String::as_str).collect::<Vec<_>>()));
        }
    }

    fn group(&self, item: &Item<'_>) -> Option<String> {
        let name = item.text()?;
        let known = self.workflow.groups();
        if known.contains(&name) {
            return Some(name.to_owned());
        }
        item.note(unknown("group", name, &known));
        None
    }

    /// Every named group of `regex` must be a field of `group`.
    fn captures(&self, regex: &Regex, group: Option<&str>, item: &Item<'_>) {
        for name in regex.capture_names().flatten() {
            let field = FieldRef { group: group.map(str::to_owned), name: name.to_owned() };
            if self.workflow.resolve(&field).is_none() {
                self.note_unless_shared(&field, item);
            }
        }
    }
}

fn region(item: &Item<'_>, names: &Names<'_>) -> Option<Region> {
    let table = item.clone().table()?;
    let group = table.required("group").and_then(|item| names.group(&item));
    let starts = regexes(&table, "starts");
    let ends = regexes(&table, "ends");
    if starts.is_empty() {
        item.note("a region has at least one of `starts`");
    }
    for start in &starts {
        names.captures(start, group.as_deref(), item);
    }
    table.finish();
    Some(Region { group: group?, starts, ends })
}

/// Labels must be spellings a reader can see: one that folds to nothing would match every cell.
fn labels(item: Item<'_>) -> Vec<String> {
    let place = item.clone();
    let labels = item.texts();
    if labels.is_empty() {
        place.note("expected at least one label");
    }
    if labels.iter().any(|label| !fold(label).chars().any(char::is_alphanumeric)) {
        place.note("a label has a letter or a digit");
    }
    labels
}

fn labelled(name: &str, item: Item<'_>, names: &Names<'_>) -> Option<Labelled> {
    let field = names.field(name, &item);
    let table = item.table()?;
    let labels = table.required("labels").map(labels).unwrap_or_default();
    let value = table.optional("value").and_then(|item| item.regex());
    let wraps = table.optional("wraps").map_or(Some(false), |item| item.flag());
    table.finish();
    Some(Labelled { field: field?, labels, value, wraps: wraps? })
}

fn tick(name: &str, item: Item<'_>, names: &Names<'_>) -> Option<Tick> {
    let field = names.field(name, &item);
    Some(Tick { labels: labels(item), field: field? })
}

fn list(item: Item<'_>, names: &Names<'_>) -> Option<Listed> {
    let table = item.table()?;
    let group = table.required("group").and_then(|item| names.group(&item));
    let headings = table.required("headings").map(labels).unwrap_or_default();
    let headings = headings.iter().map(|heading| fold(heading)).collect();
    let item = table.required("item").and_then(|item| {
        let regex = item.regex()?;
        names.captures(&regex, group.as_deref(), &item);
        Some(regex)
    });
    table.finish();
    Some(Listed { group: group?, headings, item: item? })
}

fn rows(item: Item<'_>, names: &Names<'_>) -> Option<pattern::Table> {
    let table = item.table()?;
    let group = table.required("group").and_then(|item| names.group(&item));
    let columns = each(&table, "columns", |item| {
        let table = item.clone().table()?;
        let headers = table.optional("headers").map(Item::texts).unwrap_or_default();
        let headers = headers.iter().map(|header| fold(header)).collect();
        let cells = regexes(&table, "cells");
        for cell in &cells {
            names.captures(cell, group.as_deref(), &item);
        }
        table.finish();
        Some(Column { headers, cells })
    });
    let fields = |key| {
        each(&table, key, |item| {
            let name = item.text()?;
            let path = FieldRef { group: group.clone(), name: name.to_owned() };
            names.field(&path.to_string(), &item).map(|field| field.name)
        })
    };
    let (needs, confirms) = (fields("needs"), fields("confirms"));
    let flag = |key| table.optional(key).map_or(Some(false), |item| item.flag());
    let (needs_header, wraps) = (flag("needs_header"), flag("wraps"));
    let ends = regexes(&table, "ends");
    if columns.is_empty() || needs.is_empty() {
        table.note("a table has `columns`, and `needs` that make a line a row");
    }
    table.finish();
    Some(pattern::Table {
        group: group?,
        columns,
        needs,
        confirms,
        needs_header: needs_header?,
        wraps: wraps?,
        ends,
    })
}

fn loose(item: Item<'_>, names: &Names<'_>) -> Option<Loose> {
    let table = item.table()?;
    let group = table.optional("group").map(|item| names.group(&item));
    let pattern = table.required("pattern").and_then(|item| {
        let regex = item.regex()?;
        names.captures(&regex, group.as_ref().and_then(Option::as_deref), &item);
        if regex.capture_names().flatten().next().is_none() {
            item.note("a pattern names the field it finds: `(?P<study_id>...)`");
        }
        Some(regex)
    });
    let strength = table
        .optional("strength")
        .map_or(Some(Strength::Weak), |item| item.one_of("strength", &Strength::ALL, Strength::as_str));
    let each = table.optional("each").map_or(Some(false), |item| item.flag());
    table.finish();
    Some(Loose {
        group: match group {
            None => None,
            Some(group) => Some(group?),
        },
        pattern: pattern?,
        strength: strength?,
        each: each?,
    })
}
