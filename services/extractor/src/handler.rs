//! The handler: fetches a text, extracts, stores what was found.

use std::sync::Arc;

use bytes::Bytes;
use clinflow_core::{Failure, Role, WorkflowId};
use clinflow_ingest::Text;
use clinflow_ports::{
    Bundles, Objects, StoreError,
    objects::{get_checked, key},
};
use clinflow_proto::v1;
use clinflow_runtime::{
    Catalog, Context, Done, Handler, Output, Work,
    wire::{self, Run},
};

use crate::{Compiled, extract};

/// Bundles as the extractor reads them.
pub fn catalog(bundles: Arc<dyn Bundles>) -> Arc<Catalog<Compiled>> {
    Arc::new(Catalog::new(bundles, Compiled::read))
}

/// Finds fields by pattern.
pub struct Extract {
    objects: Arc<dyn Objects>,
    bundles: Arc<Catalog<Compiled>>,
}

impl Extract {
    /// A service that reads and writes `objects` and takes patterns from `bundles`.
    pub fn new(objects: Arc<dyn Objects>, bundles: Arc<Catalog<Compiled>>) -> Self {
        Self { objects, bundles }
    }
}

impl Handler for Extract {
    const ROLE: Role = Role::Extractor;
    type Input = v1::DocumentClassified;

    async fn handle(&self, input: v1::DocumentClassified, context: &Context) -> Result<Done, Failure> {
        let run = Run::of(&input)?;
        let id: WorkflowId =
            input.workflow_id.parse().map_err(|_| wire::malformed("`workflow_id` is not a workflow id"))?;
        let text = wire::required_object(input.text.as_ref(), "`text` is missing")?;
        let bundle = self.bundles.get(run.bundle).await?;
        let prepared = bundle.workflow(&id).ok_or_else(|| {
            Failure::park("workflow.unknown", anyhow::anyhow!("the bundle has no workflow `{id}`"))
        })?;
        let bytes = get_checked(self.objects.as_ref(), &text).await?;
        let text: Text = serde_json::from_slice(&bytes).map_err(|_| {
            // The parser's words may quote the document.
            StoreError::Corrupt { store: "objects", what: format!("text `{}`", text.key) }
        })?;

        let set = extract(&text, prepared, context.meta.message_id);

        let bytes = serde_json::to_vec(&set).map_err(|error| Failure::park("handler.unwritable", error))?;
        let place = key::result(run.execution, Role::Extractor, &bytes, "fields.json");
        let stored = self.objects.put(&place, Bytes::from(bytes)).await?;
        let message = v1::FieldsExtracted {
            document: Some(input),
            branch: Role::Extractor.to_string(),
            fields: Some(wire::to_wire(&stored)),
            // A text has fewer fields than `u32::MAX`, so nothing is cut off.
            field_count: u32::try_from(set.fields.len()).unwrap_or(u32::MAX),
        };
        let work = Work::of(id.agent(Role::Extractor)).writing(stored);
        Ok(Done::one(Output::new(&id, message), work))
    }
}

#[cfg(test)]
mod tests {
    use clinflow_core::{FieldSet, Lane};
    use clinflow_ports::{
        Bundles, Meta,
        memory::{MemoryBundles, MemoryObjects},
        objects::reference,
    };
    use std::time::Duration;

    use clinflow_core::{DocumentHash, ExecutionId};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn context() -> Context {
        let meta = Meta {
            message_id: Uuid::from_u128(7),
            execution: None,
            type_name: String::new(),
            timestamp: Timestamp::UNIX_EPOCH,
            workflow: WorkflowId::auto(),
            lane: Lane::Batch,
            team: None,
            session: None,
            attempt: 1,
            redrive: 0,
            hops: 1,
            deadline: None,
            traceparent: None,
        };
        Context { meta, now: Timestamp::UNIX_EPOCH, remaining: Duration::from_secs(5) }
    }

    async fn submitted(text: &str) -> (Extract, v1::DocumentClassified, Arc<MemoryObjects>) {
        let objects = Arc::new(MemoryObjects::default());
        let bundles = Arc::new(MemoryBundles::default());
        let bundle = bundles.publish(&clinflow_workflow::shipped()).await.unwrap();
        let text =
            clinflow_ingest::ingest(text.as_bytes(), "", &clinflow_ingest::Limits::default()).unwrap().text;
        let bytes = serde_json::to_vec(&text).unwrap();
        let stored = objects.put("text", Bytes::from(bytes)).await.unwrap();
        let document = v1::DocumentRef {
            sha256: Bytes::copy_from_slice(DocumentHash::of(b"document").as_bytes()),
            key: "document".to_owned(),
            media_type: "text/plain".to_owned(),
            size: 8,
        };
        let input = v1::DocumentClassified {
            execution: Some(v1::ExecutionContext {
                execution_id: ExecutionId::from_uuid(Uuid::from_u128(1)).to_string(),
                document: Some(document),
                bundle: Bytes::copy_from_slice(bundle.as_bytes()),
                ..Default::default()
            }),
            workflow_id: "ae-report".to_owned(),
            text: Some(wire::to_wire(&stored)),
            ..Default::default()
        };
        (Extract::new(objects.clone(), catalog(bundles)), input, objects)
    }

    #[tokio::test]
    async fn what_is_found_is_stored_and_announced_by_reference() {
        let (handler, input, objects) =
            submitted("Protocol: ABX-104-301   Site: 104\nOutcome: Recovered\n").await;
        let done = handler.handle(input, &context()).await.unwrap();
        let message: &v1::FieldsExtracted = done.outputs[0].message().as_any().downcast_ref().unwrap();
        let stored = wire::object_ref(message.fields.as_ref().unwrap()).unwrap();
        let set: FieldSet = serde_json::from_slice(&objects.get(&stored.key).await.unwrap()).unwrap();
        assert_eq!((message.branch.as_str(), message.field_count), ("extractor", 3));
        assert_eq!(set.fields[2].best(), "RECOVERED/RESOLVED");
        assert_eq!(set.fields[2].invocation_id, Uuid::from_u128(7));
        assert_eq!(done.work.unwrap().agent_id.to_string(), "ae-report.extractor");
    }

    #[tokio::test]
    async fn a_text_that_is_not_the_one_referred_to_waits_for_a_person() {
        let (handler, mut input, _) = submitted("Site: 104\n").await;
        let other = reference("text", b"another");
        input.text = Some(wire::to_wire(&other));
        assert_eq!(handler.handle(input, &context()).await.err().unwrap().code, "store.corrupt");
    }

    #[tokio::test]
    async fn a_message_without_a_text_is_malformed() {
        let (handler, mut input, _) = submitted("Site: 104\n").await;
        input.text = None;
        assert_eq!(handler.handle(input, &context()).await.err().unwrap().code, "message.malformed");
    }
}
