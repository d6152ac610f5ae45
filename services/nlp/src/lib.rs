//! The nlp service: asks a clinical model for the fields of a workflow and finds every claim of it in the text.
//!
//! This is the only service that may link a model: who wants to know where documents can go reads one dependency
//! list. Who reads is a [`Reader`]; the one that is always there is [`LocalModel`].

pub mod align;
mod classified;
pub mod fields;
pub mod local;
pub mod question;
pub mod reader;
pub mod wanted;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use clinflow_core::{Failure, FieldSet, Role, step::ObjectRef};
use clinflow_ingest::Text;
use clinflow_ports::{
    Objects, StoreError,
    objects::{get_checked, key},
};
use clinflow_proto::v1;
use clinflow_runtime::{Catalog, Context, Done, Handler, Output, Work, wire};
use clinflow_workflow::Bundle;
use futures_util::future::try_join;

use crate::{
    classified::Classified,
    fields::Author,
    reader::{Client, Reading},
};
pub use crate::{local::LocalModel, reader::Reader};

/// Asks a model.
pub struct Ask {
    objects: Arc<dyn Objects>,
    bundles: Arc<Catalog<Bundle>>,
    reader: Arc<dyn Reader>,
}

impl Ask {
    /// A service that reads and writes `objects`, takes workflows from `bundles` and lets `reader` read.
    pub fn new(objects: Arc<dyn Objects>, bundles: Arc<Catalog<Bundle>>, reader: Arc<dyn Reader>) -> Self {
        Self { objects, bundles, reader }
    }

    /// The document's text.
    async fn text(&self, reference: &ObjectRef) -> Result<Text, Failure> {
        let bytes = get_checked(self.objects.as_ref(), reference).await?;
        serde_json::from_slice(&bytes).map_err(|_| {
            // The parser's words may quote the document.
            StoreError::Corrupt { store: "objects", what: format!("text `{}`", reference.key) }.into()
        })
    }
}

impl Handler for Ask {
    const ROLE: Role = Role::Nlp;
    type Input = v1::DocumentClassified;

    async fn handle(&self, input: v1::DocumentClassified, context: &Context) -> Result<Done, Failure> {
        let classified = Classified::try_from(&input)?;
        let (bundle, text) =
            try_join(self.bundles.get(classified.run.bundle), self.text(&classified.text)).await?;
        let workflow = bundle.workflow(&classified.workflow).ok_or_else(|| {
            Failure::park(
                "workflow.unknown",
                anyhow::anyhow!("the bundle has no workflow `{}`", classified.workflow),
            )
        })?;
        let wanted = wanted::wanted(workflow);
        let agent_id = workflow.id.agent(Role::Nlp);
        let client = Client {
            workflow: &workflow.id,
            agent: &agent_id,
            team: classified.run.team.as_ref().unwrap_or(&workflow.team),
            session: classified.run.session.as_ref(),
            document: &classified.run.document.sha256,
            invocation: context.meta.message_id,
            within: context.remaining,
        };
        // A workflow that wants nothing of a model costs no call.
        let reading = match wanted.as_slice() {
            [] => Reading::default(),
            wanted => self.reader.read(&text.text, wanted, &client).await?,
        };
        let author =
            Author { agent_id: &agent_id, invocation_id: context.meta.message_id, model: self.reader.id() };
        let set = fields::field_set(&text, reading.claims, &author);
        let bytes = Bytes::from(serde_json::to_vec(&set).map_err(unwritable)?);
        let place = key::result(classified.run.execution, Role::Nlp, &bytes, "fields.json");
        let stored = self.objects.put(&place, bytes).await?;
        let message = message(input, &set, &stored);
        let work = Work {
            model: Some(self.reader.id().to_owned()),
            cost_nano_usd: reading.cost_nano_usd,
            ..Work::of(agent_id).writing(stored)
        };
        Ok(Done::one(Output::new(&workflow.id, message), work))
    }
}

/// The message that says what this branch found.
fn message(input: v1::DocumentClassified, set: &FieldSet, stored: &ObjectRef) -> v1::FieldsExtracted {
    v1::FieldsExtracted {
        document: Some(input),
        branch: Role::Nlp.to_string(),
        fields: Some(wire::to_wire(stored)),
        field_count: u32::try_from(set.fields.len()).unwrap_or(u32::MAX),
    }
}

/// Field sets hold nothing that JSON cannot.
fn unwritable(error: serde_json::Error) -> Failure {
    Failure::park("handler.unwritable", error)
}
