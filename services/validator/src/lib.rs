//! The validator: makes one set of fields of what the branches found, keeps only what the text supports, and judges
//! it by the workflow's rules.
//!
//! [`validate::validate`] is the decision, as one pure step; everything in this file only fetches and stores.

mod built_in;
mod compare;
pub mod confidence;
mod deidentify;
pub mod grounding;
mod ledger;
mod merged;
pub mod reconcile;
pub mod rules;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod validate;
mod words;

use std::sync::Arc;

use bytes::Bytes;
use clinflow_core::{Failure, FieldSet, Role, step::ObjectRef};
use clinflow_ingest::Text;
use clinflow_ports::{
    Objects, StoreError,
    objects::{get_checked, key},
};
use clinflow_proto::v1;
use clinflow_runtime::{
    Catalog, Context, Done, Handler, Output, Work,
    telemetry::{Metrics, metrics::Agent},
    wire,
};
use clinflow_workflow::{Bundle, Workflow};
use futures_util::future::{try_join_all, try_join3};

use crate::{
    merged::Merged,
    validate::{Input, Validated, validate},
};

/// Validates what the branches found.
pub struct Validate {
    objects: Arc<dyn Objects>,
    bundles: Arc<Catalog<Bundle>>,
    metrics: Metrics,
}

impl Validate {
    /// A validator that reads and writes `objects`, takes workflows from `bundles` and counts in `metrics`.
    pub const fn new(objects: Arc<dyn Objects>, bundles: Arc<Catalog<Bundle>>, metrics: Metrics) -> Self {
        Self { objects, bundles, metrics }
    }

    /// Counts what the guardrail did to the fields.
    fn count(&self, fields: &FieldSet, workflow: &Workflow) {
        let agent = Agent { team: &workflow.team, workflow: &workflow.id, role: Role::Validator };
        for done in fields.guarded.iter().flat_map(|guarded| &guarded.interventions) {
            self.metrics.guardrail_intervened(agent, &done.policy, &done.action);
        }
    }

    /// Reads an object that a step before this one wrote as JSON.
    async fn read<T: serde::de::DeserializeOwned>(&self, reference: &ObjectRef) -> Result<T, Failure> {
        let bytes = get_checked(self.objects.as_ref(), reference).await?;
        serde_json::from_slice(&bytes).map_err(|_| {
            // The parser's words may quote the document.
            StoreError::Corrupt {
                store: "objects",
                what: format!("`{}` is not what it should be", reference.key),
            }
            .into()
        })
    }
}

impl Handler for Validate {
    const ROLE: Role = Role::Validator;
    type Input = v1::FieldsMerged;

    async fn handle(&self, input: v1::FieldsMerged, context: &Context) -> Result<Done, Failure> {
        let merged = Merged::try_from(&input)?;
        let (bundle, text, sets) = try_join3(
            self.bundles.get(merged.run.bundle),
            self.read::<Text>(&merged.text),
            try_join_all(merged.branches.iter().map(|branch| self.read::<FieldSet>(branch))),
        )
        .await?;
        let workflow = bundle.workflow(&merged.workflow).ok_or_else(|| {
            Failure::park(
                "workflow.unknown",
                anyhow::anyhow!("the bundle has no workflow `{}`", merged.workflow),
            )
        })?;
        let today = merged.submitted.unwrap_or_else(|| merged::day(context.now));
        let validated = validate(Input { text: &text, workflow, sets, missing: &merged.missing, today });

        let bytes = Bytes::from(serde_json::to_vec(&validated.fields).map_err(unwritable)?);
        let place = key::result(merged.run.execution, Role::Validator, &bytes, "fields.json");
        let fields = self.objects.put(&place, bytes).await?;
        self.count(&validated.fields, workflow);
        let message = message(input, &validated, &fields);
        let work = Work::of(workflow.id.agent(Role::Validator)).writing(fields);
        Ok(Done::one(Output::new(&workflow.id, message), work))
    }
}

/// The message that says what may leave.
fn message(input: v1::FieldsMerged, validated: &Validated, fields: &ObjectRef) -> v1::FieldsValidated {
    let counts = validated.finding_counts().into_iter();
    v1::FieldsValidated {
        document: input.document,
        fields: Some(wire::to_wire(fields)),
        field_count: u32::try_from(validated.fields.fields.len()).unwrap_or(u32::MAX),
        findings: counts.map(|(rule, count)| v1::FindingCount { rule: rule.to_owned(), count }).collect(),
        needs_review: validated.needs_review,
        missing: input.missing,
        review_items: wire::review_items(&validated.fields),
    }
}

/// Field sets hold nothing that JSON cannot.
fn unwritable(error: serde_json::Error) -> Failure {
    Failure::park("handler.unwritable", error)
}
