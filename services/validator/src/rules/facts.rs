//! The fields of a document as rules ask for them: by name, within one repetition of a group.

use std::collections::{BTreeSet, HashMap};

use clinflow_core::Field;
use clinflow_workflow::{FieldRef, Value};

/// The fields of a document, found by group, name and repetition.
pub(super) struct Facts<'a> {
    fields: &'a [Field],
    by_key: HashMap<(Option<&'a str>, &'a str, Option<u32>), usize>,
    repetitions: HashMap<&'a str, BTreeSet<u32>>,
}

impl<'a> Facts<'a> {
    /// Indexes `fields`. Of several values of one field the first in the document counts.
    pub(super) fn new(fields: &'a [Field]) -> Self {
        let mut facts = Self { fields, by_key: HashMap::new(), repetitions: HashMap::new() };
        for (position, field) in fields.iter().enumerate() {
            let (name, group, index) = field.key();
            facts.by_key.entry((group, name, index)).or_insert(position);
            if let (Some(group), Some(index)) = (group, index) {
                facts.repetitions.entry(group).or_default().insert(index);
            }
        }
        facts
    }

    /// What a check is made for: each repetition of `group`, or the document once.
    pub(super) fn scopes(&self, group: Option<&str>) -> Vec<Scope<'_>> {
        let scope = |index| Scope { facts: self, index };
        match group {
            None => vec![scope(None)],
            Some(group) => {
                self.repetitions.get(group).into_iter().flatten().map(|index| scope(Some(*index))).collect()
            }
        }
    }

    /// Where every value of `field` stands.
    pub(super) fn positions(&self, field: &FieldRef) -> Vec<usize> {
        let is = |candidate: &Field| candidate.name == field.name && candidate.group == field.group;
        self.fields
            .iter()
            .enumerate()
            .filter(|(_, candidate)| is(candidate))
            .map(|(position, _)| position)
            .collect()
    }

    /// The distinct values of `field` in the whole document.
    pub(super) fn distinct(&self, field: &FieldRef) -> BTreeSet<&str> {
        self.positions(field).into_iter().map(|position| self.fields[position].best()).collect()
    }

    /// The value of `field` as a message shows it: in `scope`, or all of them where it has several.
    pub(super) fn shown(&self, scope: &Scope<'_>, field: &FieldRef) -> String {
        if scope.index.is_none() {
            return self.distinct(field).into_iter().collect::<Vec<_>>().join(" / ");
        }
        scope.value(field).unwrap_or_default().to_owned()
    }
}

/// One repetition of a group, or the document; the fields of no group are in every one.
pub(super) struct Scope<'a> {
    facts: &'a Facts<'a>,
    /// The repetition.
    pub(super) index: Option<u32>,
}

impl<'a> Scope<'a> {
    /// Where `field` stands among the fields.
    pub(super) fn position(&self, field: &FieldRef) -> Option<usize> {
        let index = field.group.as_ref().and(self.index);
        self.facts.by_key.get(&(field.group.as_deref(), field.name.as_str(), index)).copied()
    }

    /// The field.
    pub(super) fn field(&self, field: &FieldRef) -> Option<&'a Field> {
        self.position(field).map(|position| &self.facts.fields[position])
    }

    /// Its normal form, or its value where it has none.
    pub(super) fn value(&self, field: &FieldRef) -> Option<&'a str> {
        self.field(field).map(Field::best)
    }

    /// Whether it is there.
    pub(super) fn has(&self, field: &FieldRef) -> bool {
        self.position(field).is_some()
    }

    /// Whether it is `Y`.
    pub(super) fn is_true(&self, field: &FieldRef) -> bool {
        self.value(field) == Some("Y")
    }

    /// Whether it has one of the values meant; `None` when it is absent.
    pub(super) fn is(&self, value: &Value) -> Option<bool> {
        self.value(&value.field).map(|found| value.is.iter().any(|meant| meant == found))
    }
}
