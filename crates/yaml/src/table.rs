//! Reading a tree key by key, and noting every mistake on the way instead of stopping at the first.

use std::{
    cell::{Cell, RefCell},
    str::FromStr,
    time::Duration,
};

use clinflow_core::field::Confidence;
use regex::{Regex, RegexBuilder};

use crate::{
    Problem,
    node::{Kind, Node},
};

/// Bytes a compiled regular expression may take. The largest shipped one takes a tenth; a pattern that needs more
/// is a repetition of repetitions.
const REGEX_BYTES: usize = 1 << 20;

/// Where the mistakes of one file are noted.
pub struct Sink<'a> {
    file: &'a str,
    found: RefCell<Vec<Problem>>,
}

impl<'a> Sink<'a> {
    pub(crate) const fn new(file: &'a str) -> Self {
        Self { file, found: RefCell::new(Vec::new()) }
    }

    /// Notes a mistake at a place.
    pub fn note(&self, place: &Place, message: impl Into<String>) {
        self.found.borrow_mut().push(Problem {
            file: self.file.to_owned(),
            line: place.line,
            field: place.path.clone(),
            message: message.into(),
        });
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.found.into_inner()
    }
}

/// A place in a file: a line, and the way to it through the file's structure.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// 1-based line.
    pub line: u64,
    /// Where in the structure: `fields[3].code_list`.
    pub path: String,
}

impl Place {
    fn below(&self, key: &str, line: u64) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { line, path }
    }
}

/// A value, its place, and where to note what is wrong with it.
#[derive(Clone)]
pub struct Item<'a> {
    node: &'a Node,
    /// Where it stands.
    pub place: Place,
    sink: &'a Sink<'a>,
}

impl<'a> Item<'a> {
    pub(crate) fn root(node: &'a Node, sink: &'a Sink<'a>) -> Self {
        Self { node, place: Place { line: node.line, path: String::new() }, sink }
    }

    /// Notes what is wrong with it.
    pub fn note(&self, message: impl Into<String>) {
        self.sink.note(&self.place, message);
    }

    fn expected(&self, what: &str) {
        self.note(format!("expected {what}, found {}", self.node.kind.name()));
    }

    /// It as a table of keys.
    pub fn table(self) -> Option<Table<'a>> {
        let Kind::Map(entries) = &self.node.kind else {
            self.expected("a table");
            return None;
        };
        let taken = entries.iter().map(|_| Cell::new(false)).collect();
        Some(Table { entries, taken, known: RefCell::new(Vec::new()), place: self.place, sink: self.sink })
    }

    /// The items of a list; a single value stands for a list of one.
    pub fn list(self) -> Vec<Self> {
        let Kind::List(nodes) = &self.node.kind else { return vec![self] };
        let place =
            |at: usize, node: &Node| Place { line: node.line, path: format!("{}[{at}]", self.place.path) };
        nodes
            .iter()
            .enumerate()
            .map(|(at, node)| Self { node, place: place(at, node), sink: self.sink })
            .collect()
    }

    /// The entries of a table whose keys are names and not words of the format.
    pub fn named(self) -> Vec<(&'a str, Self)> {
        let Kind::Map(entries) = &self.node.kind else {
            self.expected("a table");
            return Vec::new();
        };
        entries
            .iter()
            .map(|(key, node)| {
                (key.as_str(), Self { node, place: self.place.below(key, node.line), sink: self.sink })
            })
            .collect()
    }

    /// It as a text that is not empty.
    pub fn text(&self) -> Option<&'a str> {
        match &self.node.kind {
            Kind::Text(text) if !text.trim().is_empty() => Some(text),
            Kind::Text(_) => {
                self.note("expected a text that is not empty");
                None
            }
            Kind::Null | Kind::Boolean(_) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => {
                self.expected("a text: put it in quotes if it looks like something else");
                None
            }
        }
    }

    /// It as a number.
    pub fn number(&self) -> Option<f64> {
        if let Kind::Number(number) = self.node.kind {
            return Some(number);
        }
        self.expected("a number");
        None
    }

    /// A whole number of at least `least`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie in the range of u32"
    )]
    pub fn whole(&self, least: u32) -> Option<u32> {
        let number = self.number()?;
        if number.fract() != 0.0 || number < f64::from(least) || number > f64::from(u32::MAX) {
            self.note(format!("expected a whole number from {least}"));
            return None;
        }
        Some(number as u32)
    }

    /// It as `true` or `false`.
    pub fn flag(&self) -> Option<bool> {
        if let Kind::Boolean(flag) = self.node.kind {
            return Some(flag);
        }
        self.expected("`true` or `false`");
        None
    }

    /// Between 0 and 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie in 0..=1000")]
    pub fn confidence(&self) -> Option<Confidence> {
        let number = self.number()?;
        if !(0.0..=1.0).contains(&number) {
            self.note("expected a number between 0 and 1");
            return None;
        }
        Some(Confidence::from_thousandths((number * 1000.0).round() as u16))
    }

    /// It as a duration: `30s`, `5m`.
    pub fn duration(&self) -> Option<Duration> {
        let text = self.text()?;
        let parsed =
            text.parse::<jiff::SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
        if parsed.is_none() {
            self.note(format!("`{text}` is no duration: write `30s` or `5m`"));
        }
        parsed
    }

    /// A name that has a type of its own.
    pub fn parsed<T: FromStr<Err: std::fmt::Display>>(&self) -> Option<T> {
        self.text()?.parse().map_err(|error: T::Err| self.note(error.to_string())).ok()
    }

    /// One of `all`, by its spelling.
    pub fn one_of<T: Copy>(&self, what: &str, all: &[T], spelling: impl Fn(T) -> &'static str) -> Option<T> {
        let text = self.text()?;
        let found = all.iter().copied().find(|value| spelling(*value) == text);
        if found.is_none() {
            let known: Vec<_> = all.iter().map(|value| spelling(*value)).collect();
            self.note(unknown(what, text, &known));
        }
        found
    }

    /// A regular expression, without look-around and back references: its time is linear in the text's length.
    pub fn regex(&self) -> Option<Regex> {
        let text = self.text()?;
        match RegexBuilder::new(text).size_limit(REGEX_BYTES).build() {
            Ok(regex) => Some(regex),
            Err(error) => {
                // The last line says what is wrong; the lines before show the pattern with a marker.
                let words = error.to_string();
                let last = words.lines().last().unwrap_or("").trim_start_matches("error: ");
                self.note(format!("not a regular expression: {last}"));
                None
            }
        }
    }

    /// It as a list of texts; a single text stands for a list of one.
    pub fn texts(self) -> Vec<String> {
        self.list().iter().filter_map(|item| item.text().map(str::to_owned)).collect()
    }
}

/// A table that is read key by key; [`Table::finish`] reports the keys nobody asked for.
pub struct Table<'a> {
    entries: &'a [(String, Node)],
    taken: Vec<Cell<bool>>,
    known: RefCell<Vec<&'static str>>,
    /// Where it stands.
    pub place: Place,
    sink: &'a Sink<'a>,
}

impl<'a> Table<'a> {
    /// The value of `key`, when it is there and not null.
    pub fn optional(&self, key: &'static str) -> Option<Item<'a>> {
        self.known.borrow_mut().push(key);
        let at = self.entries.iter().position(|(name, _)| name == key)?;
        self.taken[at].set(true);
        let node = &self.entries[at].1;
        if matches!(node.kind, Kind::Null) {
            return None;
        }
        Some(Item { node, place: self.place.below(key, node.line), sink: self.sink })
    }

    /// The value of `key`, which must be there.
    pub fn required(&self, key: &'static str) -> Option<Item<'a>> {
        let item = self.optional(key);
        if item.is_none() {
            self.note(format!("`{key}` is missing"));
        }
        item
    }

    /// Notes what is wrong with the table as a whole.
    pub fn note(&self, message: impl Into<String>) {
        self.sink.note(&self.place, message);
    }

    /// Reports every key that was not asked for.
    pub fn finish(self) {
        let known = self.known.borrow();
        for ((key, node), taken) in self.entries.iter().zip(&self.taken) {
            if !taken.get() {
                self.sink.note(&self.place.below(key, node.line), unknown("key", key, &known));
            }
        }
    }
}

/// The message about a name that is none of the known ones.
pub fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    format!("unknown {what} `{name}`; expected one of {}", known.join(", "))
}
