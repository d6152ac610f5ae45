//! Claims under construction: only what is wanted is said.

use std::{collections::HashSet, ops::Range};

use clinflow_core::{
    Phi,
    field::{Assertion, Code},
};

use super::story::Story;
use crate::question::{Claim, Wanted};

/// The claims made so far, and the fields that are wanted.
pub(super) struct Claims<'w> {
    wanted: HashSet<(Option<&'w str>, &'w str)>,
    made: Vec<Claim>,
}

/// What is said about one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Said {
    /// Where.
    pub(super) place: Range<usize>,
    /// The normal form; the words with single spaces where there is none.
    pub(super) normalized: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) codes: Vec<Code>,
    pub(super) assertion: Assertion,
}

impl<'w> Claims<'w> {
    /// No claims yet.
    pub(super) fn new(wanted: &'w [Wanted]) -> Self {
        let wanted = wanted.iter().map(|wanted| (wanted.group.as_deref(), wanted.name.as_str())).collect();
        Self { wanted, made: Vec::new() }
    }

    /// Whether any field of `group` is wanted.
    pub(super) fn wants_group(&self, group: &str) -> bool {
        self.wanted.iter().any(|(wanted, _)| *wanted == Some(group))
    }

    /// Whether a field of no group is wanted.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.wanted.contains(&(None, name))
    }

    /// Says something about a field, if it is wanted.
    pub(super) fn say(&mut self, story: &Story<'_>, name: &str, repetition: Option<(&str, u32)>, said: Said) {
        let group = repetition.map(|(group, _)| group);
        if !self.wanted.contains(&(group, name)) {
            return;
        }
        let value = &story.text[said.place.clone()];
        let plain = || value.split_whitespace().collect::<Vec<_>>().join(" ");
        self.made.push(Claim {
            name: name.to_owned(),
            group: group.map(str::to_owned),
            index: repetition.map(|(_, index)| index),
            value: Phi::new(value),
            normalized: Some(Phi::new(said.normalized.unwrap_or_else(plain))),
            unit: said.unit,
            codes: said.codes,
            assertion: said.assertion,
            span: Some(story.span(said.place)),
        });
    }

    /// The claims, in document order.
    pub(super) fn finish(mut self) -> Vec<Claim> {
        self.made.sort_by_key(|claim| claim.span.map(|span| (span.byte_start, span.byte_end)));
        self.made
    }
}
