//! What a model is asked for: the fields of a workflow that nlp looks for.

use clinflow_core::Role;
use clinflow_workflow::Workflow;

use crate::question::Wanted;

/// The fields of `workflow` that the nlp role looks for, in the workflow's order. A field that no kind of mention
/// fills has an empty label: a model that reads instructions can still find it.
pub fn wanted(workflow: &Workflow) -> Vec<Wanted> {
    workflow
        .fields
        .iter()
        .filter(|field| field.agents.contains(&Role::Nlp))
        .map(|field| Wanted {
            name: field.name.clone(),
            group: field.group.clone(),
            kind: field.kind.clone(),
            label: field.label.clone().unwrap_or_default(),
            description: field.description.clone(),
        })
        .collect()
}
