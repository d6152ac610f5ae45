//! Reading a document for the fields of its workflow.

use std::sync::Arc;

use bytes::Bytes;
use clinflow_core::{Failure, FieldSet, Role, step::ObjectRef};
use clinflow_ingest::Text;
use clinflow_ports::{Objects, objects::key};
use clinflow_proto::v1;
use clinflow_runtime::{Catalog, Context, Done, Output, Work, wire};
use clinflow_workflow::Bundle;
use futures_util::future::try_join;

use crate::{
    classified::Classified,
    fields::{self, Author},
    reader::{Client, Reader, Reading},
    stored::{read_json, unknown_workflow, unwritable},
    wanted,
};

/// Reads documents.
pub(crate) struct Documents {
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) bundles: Arc<Catalog<Bundle>>,
    pub(crate) reader: Arc<dyn Reader>,
}

impl Documents {
    /// Finds what the workflow wants in a classified document, and stores it.
    pub(crate) async fn read(
        &self,
        input: v1::DocumentClassified,
        context: &Context,
    ) -> Result<Done, Failure> {
        let classified = Classified::try_from(&input)?;
        let text = read_json::<Text>(self.objects.as_ref(), &classified.text, "text");
        let (bundle, text) = try_join(self.bundles.get(classified.run.bundle), text).await?;
        let workflow =
            bundle.workflow(&classified.workflow).ok_or_else(|| unknown_workflow(&classified.workflow))?;
        let wanted = wanted::wanted(workflow);
        let agent_id = workflow.id.agent(Role::Nlp);
        let client = Client {
            bundle: &bundle,
            execution: classified.run.execution,
            workflow: &workflow.id,
            agent: &agent_id,
            team: &workflow.team,
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
            prompt: reading.prompt,
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
