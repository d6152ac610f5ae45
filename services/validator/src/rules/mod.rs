//! The rules of a workflow, judged over the fields of one document.
//!
//! A workflow's rules are data; what each kind of check means is here, one file per family. To add a kind, add it to
//! [`Check`], give it a function in a family, and name the function in `broken`.

mod dates;
mod facts;
mod flags;
mod lab;
mod numbers;
mod values;

use clinflow_core::{Field, Finding, Phi};
use clinflow_workflow::{Check, FieldRef, Latest, Rule, Workflow};
use jiff::civil::Date;

use self::facts::{Facts, Scope};

/// A finding, and the fields it is about by their positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What is said.
    pub finding: Finding,
    /// The fields that the check looked at.
    pub about: Vec<usize>,
}

/// Judges `fields` by the rules of `workflow`. `today` is the day on which the document was submitted, so that the
/// same document is judged the same tomorrow. Findings come in the order of the rules.
pub fn judge(workflow: &Workflow, fields: &[Field], today: Date) -> Vec<Said> {
    let facts = Facts::new(fields);
    let mut said = Vec::new();
    for rule in &workflow.rules {
        for check in &rule.checks {
            Judge { workflow, facts: &facts, today, rule, check }.judge(&mut said);
        }
    }
    said
}

/// One check of one rule on its way through the repetitions of its group.
struct Judge<'a> {
    workflow: &'a Workflow,
    facts: &'a Facts<'a>,
    today: Date,
    rule: &'a Rule,
    check: &'a Check,
}

impl Judge<'_> {
    fn judge(&self, said: &mut Vec<Said>) {
        if let Check::NotAfter { dates, latest } = self.check {
            for date in dates {
                let group = date.group.as_deref().or_else(|| group_of_limit(latest));
                for scope in self.facts.scopes(group) {
                    if !dates::not_after(&scope, date, latest, self.today) {
                        said.push(self.say(&scope, date));
                    }
                }
            }
            return;
        }
        if let Check::OneValue { field } = self.check {
            if self.facts.distinct(field).len() > 1 {
                said.push(self.say(&self.facts.scopes(None)[0], field));
            }
            return;
        }
        let fields = self.check.fields();
        let group = fields.iter().find_map(|(_, field)| field.group.as_deref());
        for scope in self.facts.scopes(group) {
            if let Some(subject) = broken(self.check, self.workflow, &scope) {
                said.push(self.say(&scope, subject));
            }
        }
    }

    /// The finding that the check does not hold for `subject`.
    fn say(&self, scope: &Scope<'_>, subject: &FieldRef) -> Said {
        let fields = self.check.fields();
        let named = |word: &str| -> Vec<&FieldRef> {
            let all = fields.iter().filter(|(other, _)| *other == word).map(|(_, field)| *field);
            let named: Vec<_> = all.collect();
            if named.contains(&subject) {
                return vec![subject];
            }
            // Of several flags, those that are set are the ones to look at.
            let set: Vec<_> = named.iter().copied().filter(|field| scope.is_true(field)).collect();
            if set.is_empty() { named } else { set }
        };
        let list = |words: Vec<String>| words.join(", ");
        let message = self.rule.message.render(
            |word| match (word, named(word).as_slice()) {
                ("latest", []) => "today".to_owned(),
                (_, []) => subject.name.clone(),
                (_, fields) => list(fields.iter().map(|field| field.name.clone()).collect()),
            },
            |word| match (word, named(word).as_slice()) {
                ("latest", []) => self.today.to_string(),
                (_, fields) => list(fields.iter().map(|field| self.facts.shown(scope, field)).collect()),
            },
        );
        let about = match self.check {
            Check::OneValue { field } => self.facts.positions(field),
            Check::NotAfter { latest: Latest::Field(limit), .. } => {
                [subject, limit].into_iter().filter_map(|field| scope.position(field)).collect()
            }
            Check::NotAfter { .. } => scope.position(subject).into_iter().collect(),
            _ => fields.iter().filter_map(|(_, field)| scope.position(field)).collect(),
        };
        Said {
            finding: Finding {
                rule: self.rule.id.clone(),
                version: self.rule.version,
                severity: self.rule.severity,
                field: Some(subject.name.clone()),
                index: subject.group.as_ref().and(scope.index),
                message: Phi::new(message),
            },
            about,
        }
    }
}

/// The group a limit is in.
fn group_of_limit(latest: &Latest) -> Option<&str> {
    match latest {
        Latest::Today => None,
        Latest::Field(field) => field.group.as_deref(),
    }
}

/// The field that breaks `check` in `scope`; `None` when it holds. Checks over the whole document are not here.
fn broken<'c>(check: &'c Check, workflow: &Workflow, scope: &Scope<'_>) -> Option<&'c FieldRef> {
    let (holds, subject) = match check {
        Check::DatesInOrder { earlier, later } => (dates::in_order(scope, earlier, later), later),
        Check::DaysApart { from, to, days } => (dates::days_apart(scope, from, to, *days), to),
        Check::AnyTrueRequires { any, required } => (flags::any_requires(scope, any, required), required),
        Check::TrueRequiresAny { when, any } => (flags::requires_any(scope, when, any), when),
        Check::ValueRequiresPresent { when, present } => {
            (values::requires_present(scope, when, present), present)
        }
        Check::ValueForbidsPresent { when, absent } => (values::forbids_present(scope, when, absent), absent),
        Check::ValueImplies { when, then } => (values::implies(scope, when, then), &then.field),
        Check::ValuesTogether { left, right } => (values::together(scope, left, right), &left.field),
        Check::IsNumber { field, with } => (numbers::is_number(scope, field, with.as_ref()), field),
        Check::NumberIn { field, low, high } => (numbers::lies_in(scope, field, *low, *high), field),
        Check::HasUnit { field } => (numbers::has_unit(scope, field), field),
        Check::UnitFits { test, unit, analytes } => (lab::unit_fits(scope, test, unit, analytes), unit),
        Check::RangeOrdered { low, high } => (lab::range_ordered(scope, low, high), high),
        Check::FlagAgreesWithRange { value, low, high, flag } => {
            (lab::flag_agrees(scope, value, low, high, flag), flag)
        }
        Check::InCodeList { field } => (values::in_code_list(scope, field, workflow), field),
        // NotAfter and OneValue are judged over the document; grounding and agreement before any rule is.
        Check::NotAfter { .. } | Check::OneValue { .. } | Check::Grounded | Check::SourcesAgree => {
            return None;
        }
    };
    (!holds).then_some(subject)
}

#[cfg(test)]
mod tests;
