//! A YAML file as JSON with the line of every value beside it, and a reader that notes mistakes and goes on.

use std::{cell::RefCell, collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

use super::Problem;

/// A value with the lines of what it holds.
#[derive(Debug)]
pub(super) enum Tree {
    Leaf(Value),
    List(Vec<(u64, Tree)>),
    Table(Vec<(String, u64, Tree)>),
}

impl Tree {
    /// The same as plain JSON, in the order of the file.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Leaf(value) => value.clone(),
            Self::List(items) => items.iter().map(|(_, item)| item.json()).collect(),
            Self::Table(entries) => {
                entries.iter().map(|(key, _, value)| (key.clone(), value.json())).collect::<Map<_, _>>().into()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Tree;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any YAML value")
            }
            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Leaf(Value::Null))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::Leaf(Number::from_f64(value).map_or(Value::Null, Value::Number)))
            }
            fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element::<Spanned<Tree>>()? {
                    items.push((item.referenced.line(), item.value));
                }
                Ok(Tree::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    let item = map.next_value::<Spanned<Tree>>()?;
                    entries.push((key, item.referenced.line(), item.value));
                }
                Ok(Tree::Table(entries))
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

/// Reads a file. The error is the line and the reader's words.
pub(super) fn parse(text: &str) -> Result<Tree, (u64, String)> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        (error.location().map_or(0, |at| at.line()), format!("not readable as YAML: {}", error.without_snippet()))
    })
}

/// Where the mistakes of one file are noted.
pub(super) struct Notes<'a> {
    pub(super) file: &'a str,
    pub(super) found: RefCell<Vec<Problem>>,
}

/// A value in its place.
#[derive(Clone)]
pub(super) struct At<'a> {
    tree: &'a Tree,
    line: u64,
    path: String,
    notes: &'a Notes<'a>,
}

impl<'a> At<'a> {
    pub(super) const fn root(tree: &'a Tree, notes: &'a Notes<'a>) -> Self {
        Self { tree, line: 1, path: String::new(), notes }
    }

    pub(super) fn note(&self, reason: impl Into<String>) {
        self.notes.found.borrow_mut().push(Problem {
            file: self.notes.file.to_owned(),
            line: self.line,
            field: self.path.clone(),
            reason: reason.into(),
        });
    }

    /// The keys of a table, of which all must be among `known`.
    pub(super) fn table(&self, known: &[&str]) -> Option<Table<'a>> {
        let Tree::Table(entries) = self.tree else {
            self.note(format!("expected a table with {}", known.join(", ")));
            return None;
        };
        let table = Table { entries, at: self.clone() };
        let mut seen = BTreeSet::new();
        for (key, line, _) in entries {
            let here = table.at(key, *line, self.tree);
            if !known.contains(&key.as_str()) {
                here.note(format!("unknown key `{key}`; expected one of {}", known.join(", ")));
            } else if !seen.insert(key) {
                here.note(format!("`{key}` is given twice"));
            }
        }
        Some(table)
    }

    /// The items of a list of `least` to `most`.
    pub(super) fn list(&self, least: usize, most: usize) -> Vec<Self> {
        let Tree::List(items) = self.tree else {
            self.note("expected a list");
            return Vec::new();
        };
        if !(least..=most).contains(&items.len()) {
            self.note(format!("holds {} items; expected {least} to {most}", items.len()));
        }
        let item = |(at, (line, tree)): (usize, &'a (u64, Tree))| Self {
            tree,
            line: *line,
            path: format!("{}[{at}]", self.path),
            notes: self.notes,
        };
        items.iter().enumerate().map(item).collect()
    }

    /// A text of `least` to `most` characters.
    pub(super) fn text(&self, least: usize, most: usize) -> Option<&'a str> {
        let Tree::Leaf(Value::String(text)) = self.tree else {
            self.note("expected a text: put it in quotes if it looks like something else");
            return None;
        };
        let length = text.chars().count();
        if (least..=most).contains(&length) {
            return Some(text);
        }
        self.note(format!("has {length} characters; expected {least} to {most}"));
        None
    }

    pub(super) fn flag(&self) -> Option<bool> {
        if let Tree::Leaf(Value::Bool(flag)) = self.tree {
            return Some(*flag);
        }
        self.note("expected `true` or `false`");
        None
    }

    pub(super) fn number(&self) -> Option<f64> {
        let number = if let Tree::Leaf(Value::Number(number)) = self.tree { number.as_f64() } else { None };
        if number.is_none() {
            self.note("expected a number");
        }
        number
    }

    /// One of `all`, by its spelling.
    pub(super) fn one_of<T: Copy>(&self, all: &[T], spelling: impl Fn(T) -> &'static str) -> Option<T> {
        let text = self.text(1, 100)?;
        let found = all.iter().copied().find(|value| spelling(*value) == text);
        if found.is_none() {
            let known: Vec<_> = all.iter().map(|value| spelling(*value)).collect();
            self.note(format!("unknown `{text}`; expected one of {}", known.join(", ")));
        }
        found
    }
}

/// A table, key by key.
pub(super) struct Table<'a> {
    entries: &'a [(String, u64, Tree)],
    at: At<'a>,
}

impl<'a> Table<'a> {
    fn at(&self, key: &str, line: u64, tree: &'a Tree) -> At<'a> {
        let path = if self.at.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at.path) };
        At { tree, line, path, notes: self.at.notes }
    }

    pub(super) fn note(&self, reason: impl Into<String>) {
        self.at.note(reason);
    }

    pub(super) fn optional(&self, key: &str) -> Option<At<'a>> {
        let (key, line, tree) = self.entries.iter().find(|(name, _, _)| name == key)?;
        Some(self.at(key, *line, tree))
    }

    pub(super) fn required(&self, key: &str) -> Option<At<'a>> {
        let found = self.optional(key);
        if found.is_none() {
            self.note(format!("`{key}` is missing"));
        }
        found
    }
}
