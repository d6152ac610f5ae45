//! What a record says about its subject, as rows of CDISC variables: what FHIR and Dataset-JSON are both made of.
//!
//! Here it is decided what becomes a fact. A mention that is negated, hypothetical or about somebody else is none;
//! a value that should be a date, a code or a quantity and was not understood as one is none; nothing of a report
//! that withdraws its case is.

use std::collections::BTreeMap;

use clinflow_core::{
    Field,
    field::{Assertion, Code, Experiencer},
};
use clinflow_workflow::{FieldSpec, FieldType, Workflow};

use crate::{
    record::Record,
    sdtm::{self, Domain},
};

/// How a mention stands to the subject of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The subject has it.
    Present,
    /// The subject may have it.
    Suspected,
    /// The subject had it, before what the document is about.
    Past,
    /// The subject does not have it.
    Refuted,
    /// It is about somebody else, or about something that did not happen.
    Elsewhere,
}

impl Standing {
    /// The standing of a mention with these properties. Whom it is about comes first, then whether it happened:
    /// "no history of sepsis" is refuted, "her father had no sepsis" is elsewhere.
    pub(crate) const fn of(assertion: &Assertion) -> Self {
        let about_subject = matches!(assertion.experiencer, Experiencer::Patient);
        match assertion {
            _ if !about_subject || assertion.hypothetical => Self::Elsewhere,
            Assertion { negated: true, .. } => Self::Refuted,
            Assertion { historical: true, .. } => Self::Past,
            Assertion { uncertain: true, .. } => Self::Suspected,
            _ => Self::Present,
        }
    }
}

/// A field that says something, with what its workflow says about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fact<'a> {
    pub(crate) field: &'a Field,
    pub(crate) spec: &'a FieldSpec,
}

impl<'a> Fact<'a> {
    /// The fact in `field`; `None` where its value is not one of its type. Words beside numbers are results too, and
    /// an unknown unit is still the unit that was printed.
    fn of(field: &'a Field, spec: &'a FieldSpec) -> Option<Self> {
        let understood = field.normalized.is_some();
        let needed = match spec.kind {
            FieldType::Date | FieldType::Quantity | FieldType::Code(_) | FieldType::Boolean => true,
            FieldType::Text | FieldType::Number | FieldType::Unit => false,
        };
        (understood || !needed).then_some(Self { field, spec })
    }

    /// The value in its normal form.
    pub(crate) fn value(&self) -> &'a str {
        self.field.best()
    }

    /// The codes of the value: the field's own, and those of its term in the workflow's code list.
    pub(crate) fn codes(&self) -> Vec<&'a Code> {
        let mut codes: Vec<&Code> = self.field.codes.iter().collect();
        let term = self.spec.code_list().and_then(|list| list.term(self.value()));
        for code in term.into_iter().flat_map(|term| &term.codes) {
            if !codes.iter().any(|other| (&other.system, &other.code) == (&code.system, &code.code)) {
                codes.push(code);
            }
        }
        codes
    }

    /// Where the record has it: `event/2/onset_date`, `sex`.
    pub(crate) fn path(&self) -> String {
        match place(self.field) {
            Some(place) => format!("{place}/{}", self.field.name),
            None => self.field.name.clone(),
        }
    }
}

/// The repetition a field belongs to: `event/2`.
fn place(field: &Field) -> Option<String> {
    let group = field.group.as_ref()?;
    Some(field.index.map_or_else(|| group.clone(), |index| format!("{group}/{index}")))
}

/// What a document says about one thing: an event, a drug, a result.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) domain: &'static Domain,
    /// Where the record has it: `event/2`; the domain's code for what is not in a group.
    pub(crate) place: String,
    /// How its topic stands to the subject.
    pub(crate) standing: Standing,
    /// Its variables.
    facts: BTreeMap<&'a str, Fact<'a>>,
}

impl<'a> Row<'a> {
    /// The fact for `variable`.
    pub(crate) fn fact(&self, variable: &str) -> Option<Fact<'a>> {
        self.facts.get(variable).copied()
    }

    /// The normal form of the fact for `variable`.
    pub(crate) fn value(&self, variable: &str) -> Option<&'a str> {
        self.fact(variable).map(|fact| fact.value())
    }

    /// Every fact, in the order of the variables' names.
    pub(crate) fn facts(&self) -> impl Iterator<Item = Fact<'a>> {
        self.facts.values().copied()
    }
}

/// What a record says about its subject.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) record: &'a Record,
    pub(crate) workflow: &'a Workflow,
    /// The study, where the document names it.
    pub(crate) study: Option<Fact<'a>>,
    /// The subject itself: identifiers, age, sex.
    pub(crate) subject: Row<'a>,
    /// What happened to it, by domain and in the order of the record. Each row's standing says whether it did.
    pub(crate) rows: Vec<Row<'a>>,
    /// Conditions the document says the subject does not have, and that are no row.
    pub(crate) refuted: Vec<Fact<'a>>,
    /// True for a report that withdraws its case; then there is nothing above but the study.
    pub(crate) withdrawn: bool,
}

/// The variable that says whether a report is the first, a follow-up or a withdrawal, and its value for the last.
const REPORT: (&str, &str) = ("SAERCAT", "NULLIFICATION");

/// Labels of mentions that are conditions.
const CONDITIONS: [&str; 3] = ["condition", "symptom", "adverse_event"];

impl<'a> Facts<'a> {
    /// What `record` says, read by its `workflow`.
    pub(crate) fn of(record: &'a Record, workflow: &'a Workflow) -> Self {
        let known = |field: &'a Field| Some((field, workflow.field(&field.name, field.group.as_deref())?));
        let facts =
            || record.fields.iter().filter_map(known).filter_map(|(field, spec)| Fact::of(field, spec));
        let called = |variable: &str| {
            facts().find(|fact| fact.spec.cdisc.as_deref() == Some(variable) && stands(fact))
        };
        let withdrawn = called(REPORT.0).is_some_and(|fact| fact.value() == REPORT.1);
        let (mut subject, mut rows) = (Row::new(&sdtm::DM, sdtm::DM.code.to_owned()), Vec::new());
        let mut refuted = Vec::new();
        let happened = facts().filter(|_| !withdrawn);
        for fact in happened {
            let variable = fact.spec.cdisc.as_deref();
            match variable.and_then(|variable| Some((variable, sdtm::domain_of(variable)?))) {
                Some((variable, domain)) if domain == &sdtm::DM => subject.put(variable, fact),
                Some((variable, domain)) => row(&mut rows, domain, fact.field).put(variable, fact),
                None if is_refuted_condition(&fact) => refuted.push(fact),
                None => {}
            }
        }
        let study = called("STUDYID");
        Self { record, workflow, study, subject, rows: finished(rows, workflow), refuted, withdrawn }
    }

    /// The name of the subject across studies: study and subject number. `None` without either, because a row that
    /// belongs to nobody is soon joined to somebody.
    pub(crate) fn usubjid(&self) -> Option<String> {
        let subject = self.subject.value("SUBJID")?;
        Some(format!("{}-{subject}", self.study?.value()))
    }

    /// True when the document says more about the subject than who it is.
    pub(crate) fn describes_subject(&self) -> bool {
        self.subject.facts.keys().any(|variable| !["SUBJID", "SITEID"].contains(variable))
    }
}

impl<'a> Row<'a> {
    const fn new(domain: &'static Domain, place: String) -> Self {
        Self { domain, place, standing: Standing::Present, facts: BTreeMap::new() }
    }

    /// Takes a fact in, unless there is one for its variable already. A topic says how the row stands; anything else
    /// that is not so is left out.
    fn put(&mut self, variable: &'a str, fact: Fact<'a>) {
        let topic = self.domain.topic == Some(variable);
        if self.facts.contains_key(variable) || !(topic || stands(&fact)) {
            return;
        }
        if topic {
            self.standing = Standing::of(&fact.field.assertion);
        }
        self.facts.insert(variable, fact);
    }
}

/// True when the mention is about the subject and affirmed.
const fn stands(fact: &Fact<'_>) -> bool {
    !matches!(Standing::of(&fact.field.assertion), Standing::Refuted | Standing::Elsewhere)
}

/// True for a condition that the document says the subject does not have.
fn is_refuted_condition(fact: &Fact<'_>) -> bool {
    let condition = fact.spec.label.as_deref().is_some_and(|label| CONDITIONS.contains(&label));
    condition && Standing::of(&fact.field.assertion) == Standing::Refuted
}

/// The row of `domain` that `field` belongs to, made where it is the first of it.
fn row<'r, 'a>(rows: &'r mut Vec<Row<'a>>, domain: &'static Domain, field: &Field) -> &'r mut Row<'a> {
    let place = place(field).unwrap_or_else(|| domain.code.to_owned());
    // Fields of one row stand together, so the last row is most often the one.
    let found = rows.iter().rposition(|row| row.domain == domain && row.place == place);
    let at = found.unwrap_or_else(|| {
        rows.push(Row::new(domain, place));
        rows.len() - 1
    });
    &mut rows[at]
}

/// The rows by domain, those without a topic left out. Where the topic is in a group, what stands outside it is true
/// of every row: the time at which a sample was taken, for each of its results.
fn finished<'a>(rows: Vec<Row<'a>>, workflow: &Workflow) -> Vec<Row<'a>> {
    let grouped = |domain: &Domain| {
        let topic =
            workflow.fields.iter().find(|spec| spec.cdisc.is_some() && spec.cdisc.as_deref() == domain.topic);
        topic.is_some_and(|spec| spec.group.is_some())
    };
    let (shared, mut rows): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.place == row.domain.code && grouped(row.domain));
    rows.retain(|row| row.domain.topic.is_none_or(|topic| row.facts.contains_key(topic)));
    for row in &mut rows {
        for (variable, fact) in
            shared.iter().filter(|other| other.domain == row.domain).flat_map(|row| &row.facts)
        {
            row.facts.entry(variable).or_insert(*fact);
        }
    }
    let order = |domain: &Domain| sdtm::DOMAINS.iter().position(|other| *other == domain);
    rows.sort_by_key(|row| order(row.domain));
    rows
}

#[cfg(test)]
mod tests;
