//! Values of a policy with the limits that the service has for them.

use clinflow_yaml::{Item, Table};

/// The keys of a table, of which all must be among `known`.
pub(super) fn table<'a>(item: &Item<'a>, known: &[&'static str]) -> Option<Table<'a>> {
    let asked = item.clone().table()?;
    for key in known {
        asked.optional(key);
    }
    asked.finish();
    item.clone().table()
}

/// The items of a list of `least` to `most`.
pub(super) fn list<'a>(item: &Item<'a>, least: usize, most: usize) -> Vec<Item<'a>> {
    let items = item.clone().list();
    // One value stands for a list of one in our own files, but not in CloudFormation.
    if items.iter().any(|one| one.place.path == item.place.path) {
        item.note("expected a list");
        return Vec::new();
    }
    if !(least..=most).contains(&items.len()) {
        item.note(format!("holds {} items; expected {least} to {most}", items.len()));
    }
    items
}

/// A text of `least` to `most` characters.
pub(super) fn text<'a>(item: &Item<'a>, least: usize, most: usize) -> Option<&'a str> {
    let text = item.text()?;
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        return Some(text);
    }
    item.note(format!("has {length} characters; expected {least} to {most}"));
    None
}

/// One of `all`, by its spelling.
pub(super) fn one_of<T: Copy>(item: &Item<'_>, all: &[T], spelling: impl Fn(T) -> &'static str) -> Option<T> {
    item.one_of("value", all, spelling)
}
