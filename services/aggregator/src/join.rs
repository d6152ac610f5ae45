//! A part arrives; when every branch is there, the merged message leaves.

use std::sync::Arc;

use clinflow_core::{
    Failure, Role, WorkflowId,
    join::{Arrival, Part},
};
use clinflow_ports::{JoinKey, Joins};
use clinflow_proto::v1;
use clinflow_runtime::{
    Catalog, Context, Done, Handler, Output, Work,
    telemetry::{
        Metrics,
        metrics::{Ignored, JoinResult},
    },
    wire::{Run, malformed, undecodable},
};
use clinflow_workflow::{Bundle, Join, OnMissing};
use jiff::{SignedDuration, Timestamp};
use prost::Message as _;
use uuid::Uuid;

/// Fans in what the branches found.
pub struct Aggregate {
    joins: Arc<dyn Joins>,
    catalog: Arc<Catalog<Bundle>>,
    metrics: Metrics,
}

impl Aggregate {
    /// Joins kept in `joins`, under the join policies of the bundles in `catalog`, counted in `metrics`.
    pub const fn new(joins: Arc<dyn Joins>, catalog: Arc<Catalog<Bundle>>, metrics: Metrics) -> Self {
        Self { joins, catalog, metrics }
    }
}

impl Handler for Aggregate {
    const ROLE: Role = Role::Aggregator;
    type Input = v1::FieldsExtracted;

    async fn handle(&self, input: v1::FieldsExtracted, context: &Context) -> Result<Done, Failure> {
        let run = Run::of(&input)?;
        let document = input.document.as_ref().ok_or_else(|| malformed("`document` is missing"))?;
        let workflow_id = workflow_id(document)?;
        let bundle = self.catalog.get(run.bundle).await?;
        let workflow = bundle.workflow(&workflow_id).ok_or_else(|| {
            Failure::park("workflow.unknown", anyhow::anyhow!("`{workflow_id}` is not in the bundle"))
        })?;
        let deadline = deadline(context.now, workflow.join);
        let key = JoinKey { execution: run.execution, redrive: context.meta.redrive };
        let part = Part {
            branch: input.branch.clone(),
            message_id: context.meta.message_id,
            body: input.encode_to_vec(),
        };
        let work = Work::of(workflow_id.agent(Role::Aggregator));
        let ignored = |reason: Ignored, kept| {
            self.metrics.part_ignored(&workflow_id, reason);
            let message = ignored(&input, context.meta.message_id, reason.as_str(), kept);
            Done::one(Output::new(&workflow_id, message), work.clone())
        };
        match self.joins.arrive(key, &document.branches, deadline, part).await? {
            Arrival::Waiting => Ok(Done::nothing()),
            Arrival::Complete(parts) => {
                let merged = Output::new(&workflow_id, merge(&parts, Vec::new())?);
                self.metrics.join(&workflow_id, JoinResult::Completed);
                Ok(Done::one(merged.caused_by(run.execution.as_uuid()), work))
            }
            Arrival::Late => Ok(ignored(Ignored::Late, None)),
            Arrival::Differs { kept } => Ok(ignored(Ignored::Differs, Some(kept))),
            Arrival::Unexpected => Ok(ignored(Ignored::Unexpected, None)),
        }
    }
}

/// When a join that begins `now` is closed. Under [`OnMissing::Wait`] it never is: the sweeper drives the execution
/// again instead.
fn deadline(now: Timestamp, policy: Join) -> Timestamp {
    if policy.on_missing == OnMissing::Wait {
        return Timestamp::MAX;
    }
    let wait = SignedDuration::try_from(policy.deadline).unwrap_or(SignedDuration::MAX);
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// The merged message of what arrived. It carries the history of every branch, each step once. The same parts
/// give the same message in whatever order they arrived, because a join answers its parts by branch name.
pub fn merge(parts: &[Part], missing: Vec<String>) -> Result<v1::FieldsMerged, Failure> {
    let mut merged = v1::FieldsMerged { missing, ..v1::FieldsMerged::default() };
    for part in parts {
        let arrived = v1::FieldsExtracted::decode(part.body.as_slice()).map_err(undecodable)?;
        let document = arrived.document.ok_or_else(|| malformed("a part has no `document`"))?;
        merged.branches.push(v1::Branch { name: part.branch.clone(), fields: arrived.fields });
        match &mut merged.document {
            None => merged.document = Some(document),
            Some(kept) => {
                let context = kept.execution.get_or_insert_default();
                for step in document.execution.into_iter().flat_map(|execution| execution.steps) {
                    if !context.steps.contains(&step) {
                        context.steps.push(step);
                    }
                }
            }
        }
    }
    Ok(merged)
}

/// The workflow a classified document belongs to.
pub(crate) fn workflow_id(document: &v1::DocumentClassified) -> Result<WorkflowId, Failure> {
    WorkflowId::new(document.workflow_id.clone()).map_err(|_| malformed("`workflow_id` is not a workflow id"))
}

/// What the log says about a part that does not count.
fn ignored(
    part: &v1::FieldsExtracted,
    message_id: Uuid,
    reason: &str,
    kept: Option<Uuid>,
) -> v1::FieldsIgnored {
    let document = part.document.as_ref();
    v1::FieldsIgnored {
        execution: document.and_then(|document| document.execution.clone()),
        workflow_id: document.map(|document| document.workflow_id.clone()).unwrap_or_default(),
        branch: part.branch.clone(),
        reason: reason.to_owned(),
        message_id: message_id.to_string(),
        kept_message_id: kept.map(|kept| kept.to_string()).unwrap_or_default(),
        fields: part.fields.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(branch: &str, steps: &[&str]) -> Part {
        let steps =
            steps.iter().map(|role| v1::Step { role: (*role).to_owned(), ..v1::Step::default() }).collect();
        let execution = v1::ExecutionContext { steps, ..v1::ExecutionContext::default() };
        let document =
            v1::DocumentClassified { execution: Some(execution), ..v1::DocumentClassified::default() };
        let body = v1::FieldsExtracted {
            document: Some(document),
            branch: branch.to_owned(),
            ..v1::FieldsExtracted::default()
        };
        Part { branch: branch.to_owned(), message_id: Uuid::from_u128(1), body: body.encode_to_vec() }
    }

    #[test]
    fn the_merged_history_holds_each_step_once() {
        let parts = [part("extractor", &["classifier", "extractor"]), part("nlp", &["classifier", "nlp"])];
        let merged = merge(&parts, Vec::new()).unwrap();
        let steps = merged.document.unwrap().execution.unwrap().steps;
        let roles: Vec<&str> = steps.iter().map(|step| step.role.as_str()).collect();
        assert_eq!(roles, ["classifier", "extractor", "nlp"]);
    }

    #[test]
    fn a_missing_branch_is_named() {
        let merged = merge(&[part("extractor", &[])], vec!["nlp".to_owned()]).unwrap();
        assert_eq!(merged.branches.len(), 1);
        assert_eq!(merged.missing, ["nlp"]);
    }
}
