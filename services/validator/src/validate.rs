//! Validation as one pure step: what the branches found goes in, what may leave comes out.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use clinflow_core::{
    Field, FieldSet, Phi, Role, Severity,
    field::{Offsets, RowCount},
};
use clinflow_ingest::Text;
use clinflow_workflow::{FieldSpec, Workflow};
use jiff::civil::Date;

use crate::{
    built_in, confidence,
    deidentify::{Deidentified, deidentify},
    grounding,
    ledger::Ledger,
    reconcile::{Reconciled, reconcile},
    rules,
};

/// What is validated.
#[derive(Debug)]
pub struct Input<'a> {
    /// The document's text.
    pub text: &'a Text,
    /// What is wanted, and how it is judged.
    pub workflow: &'a Workflow,
    /// What each branch found, in any order.
    pub sets: Vec<FieldSet>,
    /// Branches that did not arrive.
    pub missing: &'a [String],
    /// The day on which the document was submitted.
    pub today: Date,
}

/// What may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validated {
    /// The fields and findings.
    pub fields: FieldSet,
    /// Whether a person must settle something.
    pub needs_review: bool,
}

impl Validated {
    /// How often each rule had something to say, by rule id.
    pub fn finding_counts(&self) -> BTreeMap<&str, u32> {
        let mut counts = BTreeMap::new();
        for finding in &self.fields.findings {
            *counts.entry(finding.rule.as_str()).or_insert(0) += 1;
        }
        counts
    }
}

/// Grounds, reconciles, judges. The order of the branches does not matter.
pub fn validate(input: Input<'_>) -> Validated {
    let Input { text, workflow, mut sets, missing, today } = input;
    sets.sort_by_key(|set| set.role);
    let offsets = Offsets::new(&text.text);
    let mut withheld = Vec::new();
    let mut sources = Sources::default();
    for mut set in sets {
        let fields = std::mem::take(&mut set.fields);
        let kept = grounded(&offsets, workflow, fields, &mut withheld, set.role);
        sources.add(set, kept);
    }
    let rows = sources.rows();
    let counted: BTreeSet<String> =
        rows.iter().filter(|row| row.found > 0).map(|row| row.group.clone()).collect();
    let mut reconciled = reconcile(workflow, sources.pattern, sources.model, &counted);

    let mut ledger = Ledger::of(std::mem::take(&mut reconciled.fields));
    tell_sources(&mut ledger, workflow, &sources.sets, &reconciled, withheld);
    for branch in missing {
        ledger.say(built_in::partial(branch), &[]);
    }
    for row in rows.iter().filter(|row| row.found != row.extracted) {
        ledger.say(built_in::rows_missing(row), &[]);
    }
    for said in rules::judge(workflow, &ledger.fields, today) {
        ledger.say(said.finding, &said.about);
    }
    tell_required(&mut ledger, workflow);
    weigh(&mut ledger, workflow);
    for field in &mut ledger.fields {
        for evidence in &mut field.evidence {
            evidence.page = evidence.page.or_else(|| text.page_of(evidence.span.byte_start));
        }
    }
    debug_assert!(
        ledger.fields.iter().all(|field| {
            grounding::check(&offsets, field, workflow.field(&field.name, field.group.as_deref())).is_ok()
        }),
        "INV-07: a field without grounds is about to leave"
    );
    let Ledger { fields, findings, .. } = ledger;
    let Deidentified { fields, findings, guarded } = deidentify(workflow, fields, findings);
    let needs_review = findings.iter().any(|finding| finding.severity >= Severity::Review);
    let guarded = Some(guarded);
    Validated {
        fields: FieldSet { fields, findings, rows, guarded, ..FieldSet::new(Role::Validator) },
        needs_review,
    }
}

/// A field that was withheld, by whom it was found, and why.
struct Withheld {
    field: Field,
    found_by: Role,
    why: grounding::Ungrounded,
}

/// The fields that the text supports; the others go to `withheld`.
fn grounded(
    offsets: &Offsets<'_>,
    workflow: &Workflow,
    fields: Vec<Field>,
    withheld: &mut Vec<Withheld>,
    found_by: Role,
) -> Vec<Field> {
    let mut kept = Vec::with_capacity(fields.len());
    for mut field in fields {
        let spec = workflow.field(&field.name, field.group.as_deref());
        recode(&mut field, spec);
        match grounding::check(offsets, &field, spec) {
            Ok(()) => kept.push(field),
            Err(why) => withheld.push(Withheld { field, found_by, why }),
        }
    }
    kept
}

/// Says a coded value in the terms of the workflow's list. A model has a list of its own, which may say it otherwise:
/// "3 TIMES PER DAY" where the workflow has "TID".
fn recode(field: &mut Field, spec: Option<&FieldSpec>) {
    let Some(list) = spec.and_then(FieldSpec::code_list) else { return };
    let is_term = field.normalized.as_ref().is_some_and(|term| list.term(term.expose()).is_some());
    if let Some(term) = list.find(field.value.expose()).filter(|_| !is_term) {
        field.normalized = Some(Phi::new(term.value.as_str()));
        field.codes.clone_from(&term.codes);
    }
}

/// What is left of the branches after grounding: the model's fields, and everybody else's.
#[derive(Default)]
struct Sources {
    pattern: Vec<Field>,
    model: Vec<Field>,
    /// The sets without their fields.
    sets: Vec<FieldSet>,
}

impl Sources {
    fn add(&mut self, set: FieldSet, fields: Vec<Field>) {
        let source = if set.role == Role::Nlp { &mut self.model } else { &mut self.pattern };
        source.extend(fields);
        self.sets.push(set);
    }

    /// The row counts of the branches, with what is left of the rows now: a row of which every field was withheld is
    /// no longer extracted.
    fn rows(&self) -> Vec<RowCount> {
        let mut rows: BTreeMap<&str, RowCount> = BTreeMap::new();
        for row in self.sets.iter().flat_map(|set| &set.rows) {
            rows.entry(&row.group).or_insert_with(|| {
                let of_group = |field: &&Field| field.group.as_deref() == Some(&row.group);
                let left: BTreeSet<_> =
                    self.pattern.iter().filter(of_group).filter_map(|field| field.index).collect();
                let left = u32::try_from(left.len()).unwrap_or(u32::MAX);
                RowCount { extracted: row.extracted.min(left), ..row.clone() }
            });
        }
        rows.into_values().collect()
    }
}

/// What the branches said, what was withheld of them, and where they disagree.
fn tell_sources(
    ledger: &mut Ledger,
    workflow: &Workflow,
    sets: &[FieldSet],
    reconciled: &Reconciled,
    withheld: Vec<Withheld>,
) {
    let renumbered = |group: Option<&str>, index: Option<u32>| {
        let (group, index) = (group?, index?);
        reconciled.renumbered.get(&(group.to_owned(), index)).copied()
    };
    for finding in sets.iter().filter(|set| set.role != Role::Nlp).flat_map(|set| &set.findings) {
        let mut finding = finding.clone();
        let group = workflow.fields.iter().find(|spec| {
            spec.group.is_some() == finding.index.is_some() && Some(&spec.name) == finding.field.as_ref()
        });
        let group = group.and_then(|spec| spec.group.as_deref());
        finding.index = renumbered(group, finding.index).or(finding.index);
        let about = finding.field.as_deref().map(|name| ledger.positions(name, group, finding.index));
        ledger.say(finding, &about.unwrap_or_default());
    }
    // The model's own numbers of repetitions mean nothing any more.
    for finding in sets.iter().filter(|set| set.role == Role::Nlp).flat_map(|set| &set.findings) {
        ledger.say(clinflow_core::Finding { index: None, ..finding.clone() }, &[]);
    }
    for Withheld { field, found_by, why } in withheld {
        let index =
            if found_by == Role::Nlp { None } else { renumbered(field.group.as_deref(), field.index) };
        ledger.say(built_in::withheld(workflow, &field, index, why), &[]);
    }
    for disagreement in &reconciled.disagreements {
        let about = ledger.positions(&disagreement.name, disagreement.group.as_deref(), disagreement.index);
        let Some(kept) = about.first().map(|first| ledger.fields[*first].clone()) else { continue };
        ledger.say(built_in::disagreed(workflow, &kept, disagreement), &about);
    }
    for key in &reconciled.left_out {
        ledger.say(built_in::not_in_list(key), &[]);
    }
}

/// Says which required fields are missing: from the document, or from a repetition of their group.
fn tell_required(ledger: &mut Ledger, workflow: &Workflow) {
    let there: HashSet<_> = ledger.fields.iter().map(Field::key).collect();
    let mut repetitions: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for (_, group, index) in &there {
        if let (Some(group), Some(index)) = (group, index) {
            repetitions.entry(group).or_default().insert(*index);
        }
    }
    let mut absent = Vec::new();
    for spec in workflow.fields.iter().filter(|spec| spec.required) {
        let group = spec.group.as_deref();
        let numbers: Vec<Option<u32>> = match group.and_then(|group| repetitions.get(group)) {
            Some(numbers) => numbers.iter().map(|number| Some(*number)).collect(),
            None => vec![None],
        };
        for number in numbers {
            if !there.contains(&(spec.name.as_str(), group, number)) {
                absent.push(built_in::required(&spec.name, number));
            }
        }
    }
    for finding in absent {
        ledger.say(finding, &[]);
    }
}

/// Settles how sure we are of each field, and says where that is too little and nobody has asked for a review yet.
fn weigh(ledger: &mut Ledger, workflow: &Workflow) {
    for position in 0..ledger.fields.len() {
        let field = &mut ledger.fields[position];
        let spec = workflow.field(&field.name, field.group.as_deref());
        field.confidence = confidence::of(field, spec, ledger.worst[position]);
        if field.confidence < workflow.review_below && ledger.worst[position] < Some(Severity::Review) {
            let finding = built_in::unsure(field, spec.is_some_and(|spec| spec.required));
            ledger.say(finding, &[position]);
        }
    }
}

#[cfg(test)]
mod tests;
