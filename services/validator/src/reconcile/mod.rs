//! GRD-02: what the patterns found and what the model found become one set of fields.
//!
//! The rule, stated once. Fields of no group meet by name; repetitions of a group are paired by their key field
//! first. Where both sources have a field and agree after normalisation, it comes from both and is surer than either.
//! Where they disagree, the pattern's value stands if the field is structured (anything but words) or the pattern is
//! at least as sure; else the model's. Both evidences are kept and the disagreement is reported. What only one source
//! has is kept as it is, except for repetitions of a group whose rows were counted: such a list is complete, and a
//! mention elsewhere is no further row of it.

mod agree;
mod align;

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use clinflow_core::{
    Evidence, Field, Phi,
    field::{Assertion, Source},
};
use clinflow_workflow::{FieldType, Workflow};

use self::{
    agree::{Agreement, agreement},
    align::{Repetition, pair, repetitions},
};
use crate::confidence;

/// Both sources as one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// The fields, in document order; repetitions of a group are numbered from 1 in document order.
    pub fields: Vec<Field>,
    /// Where the sources disagree.
    pub disagreements: Vec<Disagreement>,
    /// Keys of repetitions that only the model saw in a group whose rows were counted.
    pub left_out: Vec<Field>,
    /// The new number of each repetition, by group and the number it had in the pattern's set.
    pub renumbered: BTreeMap<(String, u32), u32>,
}

/// A field about which the sources disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The field's name.
    pub name: String,
    /// Its group.
    pub group: Option<String>,
    /// Its repetition, as the reconciled fields number them.
    pub index: Option<u32>,
    /// What the pattern says.
    pub pattern: Phi,
    /// What the model says.
    pub model: Phi,
}

/// Makes one set of fields of `pattern` and `model`. `counted` names the groups whose rows were counted. The order
/// of the fields in either set does not matter.
pub fn reconcile(
    workflow: &Workflow,
    pattern: Vec<Field>,
    model: Vec<Field>,
    counted: &BTreeSet<String>,
) -> Reconciled {
    let mut done = Reconciled::default();
    let sorted = |mut fields: Vec<Field>| {
        fields.sort_by(in_document_order);
        fields
    };
    let (pattern, model) = (sorted(pattern), sorted(model));
    let (mut pattern, mut model) = (by_group(pattern), by_group(model));
    let groups: BTreeSet<Option<String>> = pattern.keys().chain(model.keys()).cloned().collect();
    for group in groups {
        let ones = pattern.remove(&group).unwrap_or_default();
        let others = model.remove(&group).unwrap_or_default();
        match group {
            None => done.meet(workflow, ones, others),
            Some(group) => done.group(workflow, &group, ones, others, counted.contains(&group)),
        }
    }
    done.fields.sort_by(in_document_order);
    done
}

/// One repetition of a group in both sources.
struct Met {
    /// Where it begins: where the pattern saw it, or where the model did if only the model did.
    start: usize,
    /// Its number in the pattern's set.
    index: Option<u32>,
    /// The pattern's fields of it.
    ones: Vec<Field>,
    /// The model's.
    others: Vec<Field>,
}

impl Reconciled {
    /// Reconciles one repeated group.
    fn group(
        &mut self,
        workflow: &Workflow,
        group: &str,
        ones: Vec<Field>,
        others: Vec<Field>,
        counted: bool,
    ) {
        let key = key_of(workflow, group);
        let (ones, others) = (repetitions(ones), repetitions(others));
        let mut pairs = pair(key, &ones, &others).into_iter();
        let mut partners: BTreeMap<usize, Repetition> = BTreeMap::new();
        let mut alone = Vec::new();
        for other in others {
            match pairs.next().flatten() {
                Some(one) => {
                    partners.insert(one, other);
                }
                None if counted => {
                    self.left_out.extend(other.fields.into_iter().find(|field| field.name == key));
                }
                None => alone.push(other),
            }
        }
        let mut met = Vec::new();
        for (at, one) in ones.into_iter().enumerate() {
            let other = partners.remove(&at).map(|other| other.fields).unwrap_or_default();
            met.push(Met { start: one.start(key), index: Some(one.index), ones: one.fields, others: other });
        }
        for other in alone {
            met.push(Met { start: other.start(key), index: None, ones: Vec::new(), others: other.fields });
        }
        met.sort_by_key(|met| (met.start, met.index));
        for (number, Met { index, mut ones, mut others, .. }) in (1..).zip(met) {
            if let Some(index) = index {
                self.renumbered.insert((group.to_owned(), index), number);
            }
            for field in ones.iter_mut().chain(&mut others) {
                field.index = Some(number);
            }
            self.meet(workflow, ones, others);
        }
    }

    /// Reconciles the fields of one repetition, or those of no group, name by name.
    fn meet(&mut self, workflow: &Workflow, ones: Vec<Field>, others: Vec<Field>) {
        let mut others = by_name(others);
        for (name, ones) in by_name(ones) {
            let others = others.remove(&name).unwrap_or_default();
            self.settle(workflow, ones, others);
        }
        for others in others.into_values() {
            self.settle(workflow, Vec::new(), others);
        }
    }

    /// Reconciles the values of one field. A source may have several: two subject numbers in one document.
    fn settle(&mut self, workflow: &Workflow, ones: Vec<Field>, others: Vec<Field>) {
        let Some(first) = ones.first().or_else(|| others.first()) else { return };
        let spec = workflow.field(&first.name, first.group.as_deref());
        let kind = spec.map_or(FieldType::Text, |spec| spec.kind.clone());
        let mut kept = distinct(ones);
        let has_pattern = !kept.is_empty();
        for other in distinct(others) {
            let agreeing = kept
                .iter_mut()
                .map(|one| (agreement(&kind, one, &other), one))
                .find(|(agreement, _)| *agreement != Agreement::Different);
            match agreeing {
                Some((agreement, one)) => *one = both(one, other, agreement),
                None if !has_pattern => kept.push(other),
                None => {
                    let one = &mut kept[0];
                    self.disagreements.push(Disagreement {
                        name: other.name.clone(),
                        group: other.group.clone(),
                        index: other.index,
                        pattern: Phi::new(one.best()),
                        model: Phi::new(other.best()),
                    });
                    let structured = !matches!(kind, FieldType::Text);
                    *one = stands(one, other, structured);
                }
            }
        }
        self.fields.extend(kept);
    }
}

/// One field from two that agree: the pattern's, unless the model's says more; with the evidence of both.
fn both(pattern: &Field, model: Field, agreement: Agreement) -> Field {
    let fuller = if agreement == Agreement::SecondSaysMore { &model } else { pattern };
    let mut codes = fuller.codes.clone();
    for code in pattern.codes.iter().chain(&model.codes) {
        if !codes.contains(code) {
            codes.push(code.clone());
        }
    }
    // A pattern sees no context, so a model's reading of it is all there is.
    let unread = pattern.assertion == Assertion::default();
    Field {
        value: fuller.value.clone(),
        normalized: fuller.normalized.clone().or_else(|| model.normalized.clone()),
        unit: fuller.unit.clone(),
        codes,
        assertion: if unread { model.assertion } else { pattern.assertion },
        evidence: joined(&fuller.evidence, &[pattern.evidence.as_slice(), &model.evidence].concat()),
        confidence: confidence::of_both(pattern.confidence, model.confidence),
        source: Source::Both,
        model: model.model,
        ..pattern.clone()
    }
}

/// Which of two fields that disagree stands, with the evidence of both. A structured cell that could not be read gives
/// way to a value that could.
fn stands(pattern: &Field, model: Field, structured: bool) -> Field {
    let unread = structured && pattern.normalized.is_none() && model.normalized.is_some();
    if !unread && (structured || pattern.confidence >= model.confidence) {
        Field { evidence: joined(&pattern.evidence, &model.evidence), ..pattern.clone() }
    } else {
        Field { evidence: joined(&model.evidence, &pattern.evidence), ..model }
    }
}

/// `first`, then what of `more` is not in it.
fn joined(first: &[Evidence], more: &[Evidence]) -> Vec<Evidence> {
    let mut all = first.to_vec();
    for evidence in more {
        if !all.iter().any(|known| known.span == evidence.span) {
            all.push(evidence.clone());
        }
    }
    all
}

/// The values of one field in one source, in document order, each once.
fn distinct(fields: Vec<Field>) -> Vec<Field> {
    let mut distinct: Vec<Field> = Vec::with_capacity(fields.len());
    for field in fields {
        let same = |known: &&mut Field| {
            known.best() == field.best() && known.unit == field.unit && known.assertion == field.assertion
        };
        match distinct.iter_mut().find(same) {
            Some(known) => {
                known.evidence = joined(&known.evidence, &field.evidence);
                known.confidence = known.confidence.max(field.confidence);
            }
            None => distinct.push(field),
        }
    }
    distinct
}

/// The field that names a repetition of `group`: the first that the workflow has for it.
fn key_of<'w>(workflow: &'w Workflow, group: &str) -> &'w str {
    let first = workflow.fields.iter().find(|field| field.group.as_deref() == Some(group));
    first.map_or("", |field| field.name.as_str())
}

fn by_group(fields: Vec<Field>) -> BTreeMap<Option<String>, Vec<Field>> {
    let mut groups: BTreeMap<_, Vec<Field>> = BTreeMap::new();
    for field in fields {
        groups.entry(field.group.clone()).or_default().push(field);
    }
    groups
}

fn by_name(fields: Vec<Field>) -> BTreeMap<String, Vec<Field>> {
    let mut names: BTreeMap<_, Vec<Field>> = BTreeMap::new();
    for field in fields {
        names.entry(field.name.clone()).or_default().push(field);
    }
    names
}

/// By place in the text; what stands at one place, and what has none, by name and value.
fn in_document_order(one: &Field, other: &Field) -> Ordering {
    fn place(field: &Field) -> (usize, usize) {
        let span =
            field.evidence.iter().map(|evidence| (evidence.span.byte_start, evidence.span.byte_end)).next();
        span.unwrap_or((usize::MAX, usize::MAX))
    }
    let rest = |field: &Field| (field.confidence.thousandths(), field.unit.clone());
    place(one)
        .cmp(&place(other))
        .then_with(|| one.key().cmp(&other.key()))
        .then_with(|| one.best().cmp(other.best()))
        .then_with(|| one.value.cmp(&other.value))
        .then_with(|| rest(one).cmp(&rest(other)))
}

#[cfg(test)]
mod tests;
