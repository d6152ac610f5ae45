//! Findings that no rule file can switch off, and how a workflow's own words replace theirs.

use clinflow_core::{Field, Finding, Phi, Severity, field::RowCount};
use clinflow_workflow::{Check, Rule, Workflow};

use crate::{grounding::Ungrounded, reconcile::Disagreement};

/// The version of every finding in this file.
const VERSION: u32 = 1;

/// A value without evidence was withheld (GRD-01, INV-07). A workflow's rule may have other words for it, but not a
/// lesser severity.
pub(crate) fn withheld(workflow: &Workflow, field: &Field, index: Option<u32>, why: Ungrounded) -> Finding {
    let rule = rule_with(workflow, |check| matches!(check, Check::Grounded));
    let message = rule.map_or_else(|| format!("`{}` was withheld", field.name), |rule| said(rule, field));
    Finding {
        rule: rule.map_or_else(|| "GRD-01".to_owned(), |rule| rule.id.clone()),
        version: rule.map_or(VERSION, |rule| rule.version),
        severity: Severity::Block,
        field: Some(field.name.clone()),
        index,
        message: Phi::new(format!("{message}: {}", why.reason())),
    }
}

/// Both sources have a field and do not agree (GRD-02).
pub(crate) fn disagreed(workflow: &Workflow, kept: &Field, disagreement: &Disagreement) -> Finding {
    let rule = rule_with(workflow, |check| matches!(check, Check::SourcesAgree));
    let message =
        rule.map_or_else(|| format!("the sources differ about `{}`", kept.name), |rule| said(rule, kept));
    let (pattern, model) = (disagreement.pattern.expose(), disagreement.model.expose());
    Finding {
        rule: rule.map_or_else(|| "GRD-02".to_owned(), |rule| rule.id.clone()),
        version: rule.map_or(VERSION, |rule| rule.version),
        severity: rule.map_or(Severity::Review, |rule| rule.severity),
        field: Some(disagreement.name.clone()),
        index: disagreement.index,
        message: Phi::new(format!("{message}: the pattern has `{pattern}`, the model `{model}`")),
    }
}

/// Rows were counted that were not extracted (INV-12).
pub(crate) fn rows_missing(rows: &RowCount) -> Finding {
    let message =
        format!("`{}` has {} rows, of which {} were extracted", rows.group, rows.found, rows.extracted);
    about_document("ROWS-01", Severity::Review, message)
}

/// The model saw a repetition that a counted list does not have.
pub(crate) fn not_in_list(key: &Field) -> Finding {
    let group = key.group.as_deref().unwrap_or_default();
    let message = format!("the model also saw `{}`, which is not in the list of `{group}`", key.best());
    Finding { field: Some(key.name.clone()), ..about_document("ROWS-02", Severity::Info, message) }
}

/// A branch did not arrive in time: the result is partial.
pub(crate) fn partial(branch: &str) -> Finding {
    about_document("PARTIAL-01", Severity::Review, format!("partial: `{branch}` did not answer in time"))
}

/// A field that the workflow requires is not there.
pub(crate) fn required(name: &str, index: Option<u32>) -> Finding {
    let message = format!("`{name}` is required and was not found");
    Finding { field: Some(name.to_owned()), index, ..about_document("REQ-01", Severity::Review, message) }
}

/// We are less sure of a field than the workflow asks for.
pub(crate) fn unsure(field: &Field, required: bool) -> Finding {
    let severity = if required { Severity::Review } else { Severity::Warning };
    let message = format!("the evidence for `{}` is weak", field.name);
    Finding {
        field: Some(field.name.clone()),
        index: field.index,
        ..about_document("CONF-01", severity, message)
    }
}

fn about_document(rule: &str, severity: Severity, message: String) -> Finding {
    Finding {
        rule: rule.to_owned(),
        version: VERSION,
        severity,
        field: None,
        index: None,
        message: Phi::new(message),
    }
}

/// The workflow's rule with such a check.
fn rule_with(workflow: &Workflow, is: fn(&Check) -> bool) -> Option<&Rule> {
    workflow.rules.iter().find(|rule| rule.checks.iter().any(is))
}

/// A rule's message about one field.
fn said(rule: &Rule, field: &Field) -> String {
    rule.message.render(|_| field.name.clone(), |_| field.best().to_owned())
}
