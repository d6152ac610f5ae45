//! How the extractor finds the fields of a workflow, as data.
//!
//! Every regular expression is one of crate `regex`: linear in the length of the text. The names of its groups are
//! names of fields. A field of a repeated group gets its repetition from the region or table row it is found in.

use regex::Regex;

use crate::FieldRef;

/// The patterns of a workflow.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    /// Lines that are not part of the document's own statement: quoted mail, struck entries.
    pub ignored: Vec<Regex>,
    /// Where the repetitions of groups begin and end.
    pub regions: Vec<Region>,
    /// Labelled cells: a label, then its value.
    pub labelled: Vec<Labelled>,
    /// Tick boxes that stand for `Y` by themselves.
    pub ticks: Vec<Tick>,
    /// Lists under a heading.
    pub lists: Vec<Listed>,
    /// Tables with one repetition in each row.
    pub tables: Vec<Table>,
    /// Everything else, in running text.
    pub loose: Vec<Loose>,
}

impl Patterns {
    /// Adds those of another file behind its own.
    pub(crate) fn extend(&mut self, other: Self) {
        self.ignored.extend(other.ignored);
        self.regions.extend(other.regions);
        self.labelled.extend(other.labelled);
        self.ticks.extend(other.ticks);
        self.lists.extend(other.lists);
        self.tables.extend(other.tables);
        self.loose.extend(other.loose);
    }
}

/// Where the repetitions of a group begin and end.
#[derive(Debug, Clone)]
pub struct Region {
    /// The group.
    pub group: String,
    /// A line that matches one of these begins a repetition. Named groups are fields of it.
    pub starts: Vec<Regex>,
    /// A line that matches one of these ends the repetition before it.
    pub ends: Vec<Regex>,
}

/// A labelled cell: `Outcome: recovered`, `Site ..... 104`, a cell beside or below its label.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// The field.
    pub field: FieldRef,
    /// How the label is written; case, spaces and punctuation do not matter. A label that ends in ` *` may go on.
    pub labels: Vec<String>,
    /// What of the cell is the value: the group `value`, or the whole match; without it the field's type decides.
    pub value: Option<Regex>,
    /// Whether the value may go on in the lines below.
    pub wraps: bool,
}

/// A ticked box that says `Y`: `[X] Hospitalisation`.
#[derive(Debug, Clone)]
pub struct Tick {
    /// The field.
    pub field: FieldRef,
    /// How the words at the box begin.
    pub labels: Vec<String>,
}

/// A list under a heading, or behind it: each item is a repetition.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The group.
    pub group: String,
    /// How the heading is written, [folded](crate::fold): case, spaces and punctuation do not matter.
    pub headings: Vec<String>,
    /// An item; named groups are fields. What does not match is no item.
    pub item: Regex,
}

/// A table with one repetition in each row.
#[derive(Debug, Clone)]
pub struct Table {
    /// The group.
    pub group: String,
    /// Its columns, in the usual order.
    pub columns: Vec<Column>,
    /// A line is a row when it has each of these fields,
    pub needs: Vec<String>,
    /// and at least one of these; empty asks for none.
    pub confirms: Vec<String>,
    /// Whether rows are looked for only below a line of headers.
    pub needs_header: bool,
    /// Whether cells go on in the lines below.
    pub wraps: bool,
    /// A line that matches one of these ends the table.
    pub ends: Vec<Regex>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// How its header is written, [folded](crate::fold): case, spaces and punctuation do not matter.
    pub headers: Vec<String>,
    /// What its cells look like; named groups are fields. The first that matches counts.
    pub cells: Vec<Regex>,
}

/// A regular expression over the text, across lines. Named groups are fields.
#[derive(Debug, Clone)]
pub struct Loose {
    /// The group its fields belong to.
    pub group: Option<String>,
    /// The expression.
    pub pattern: Regex,
    /// How far it can be relied on.
    pub strength: Strength,
    /// Whether every match is a repetition of its own.
    pub each: bool,
}

/// How far a regular expression over running text can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// The words may mean something else here.
    Weak,
    /// The words name the field, as a label would.
    Strong,
}

impl Strength {
    /// Every strength.
    pub const ALL: [Self; 2] = [Self::Weak, Self::Strong];

    /// The spelling in `patterns.yaml`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Strong => "strong",
        }
    }
}
