//! The handler over stores in memory and models that answer what a test wants.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use clinflow_core::{
    DocumentHash, ExecutionId, Failure, FieldSet, Lane, Phi, Role, WorkflowId,
    field::{Alignment, Assertion, Source},
};
use clinflow_ingest::{Page, Text};
use clinflow_ports::{
    Bundles as _, Meta, Objects as _,
    memory::{MemoryBundles, MemoryObjects, MemorySessions},
};
use clinflow_proto::v1;
use clinflow_runtime::{Catalog, Context, Done, Handler as _, telemetry::Metrics, wire};
use clinflow_workflow::{Bundle, shipped};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Comprehend, Input, LocalModel, Reader,
    question::{Claim, Wanted},
    reader::{Client, Reading},
};

const EXECUTION: ExecutionId = ExecutionId::from_uuid(Uuid::from_u128(7));
const TEXT: &str =
    "A 57-year-old woman.\u{c}There was no sepsis. Severe rash was possibly related to ABX-104.";

/// Claims whatever it was made with, and remembers how long it was given.
struct Claims(Vec<&'static str>, Mutex<Option<Duration>>);

#[async_trait]
impl Reader for Claims {
    fn id(&self) -> &'static str {
        "test/1"
    }

    async fn read(&self, _: &str, _: &[Wanted], client: &Client<'_>) -> Result<Reading, Failure> {
        *self.1.lock().unwrap() = Some(client.within);
        let claim = |value: &&str| Claim {
            name: "study_drug".to_owned(),
            group: None,
            index: None,
            value: Phi::new(*value),
            normalized: None,
            unit: None,
            codes: Vec::new(),
            assertion: Assertion::default(),
            span: None,
        };
        Ok(Reading { claims: self.0.iter().map(claim).collect(), prompt: None, cost_nano_usd: 42 })
    }
}

fn context() -> Context {
    Context {
        meta: Meta {
            message_id: Uuid::from_u128(9),
            execution: Some(EXECUTION),
            type_name: "clinflow.v1.DocumentClassified".to_owned(),
            timestamp: Timestamp::UNIX_EPOCH,
            workflow: WorkflowId::new("patient-narrative").unwrap(),
            lane: Lane::Batch,
            team: None,
            session: None,
            attempt: 1,
            redrive: 0,
            hops: 1,
            deadline: None,
            traceparent: None,
        },
        now: Timestamp::UNIX_EPOCH,
        remaining: Duration::from_secs(30),
    }
}

fn text() -> Text {
    let split = TEXT.find('\u{c}').unwrap() + 1;
    let page = |number, range: std::ops::Range<usize>| Page {
        number,
        start: range.start,
        end: range.end,
        byte_start: range.start,
        byte_end: range.end,
        width: 0.0,
        height: 0.0,
    };
    Text {
        schema: Text::SCHEMA.to_owned(),
        media_type: "text/plain".to_owned(),
        text: TEXT.to_owned(),
        pages: vec![page(1, 0..split), page(2, split..TEXT.len())],
    }
}

/// Asks `model` about the text; answers what was done and the fields that were stored.
async fn asked(model: Arc<dyn Reader>) -> (Done, FieldSet) {
    let (objects, bundles) = (Arc::new(MemoryObjects::default()), Arc::new(MemoryBundles::default()));
    let bundle = bundles.publish(&shipped()).await.unwrap();
    let catalog = Arc::new(Catalog::new(bundles, Bundle::read));
    let stored = objects.put("text.json", serde_json::to_vec(&text()).unwrap().into()).await.unwrap();
    let input = v1::DocumentClassified {
        execution: Some(v1::ExecutionContext {
            execution_id: EXECUTION.to_string(),
            document: Some(v1::DocumentRef {
                sha256: Bytes::copy_from_slice(DocumentHash::of(b"document").as_bytes()),
                ..v1::DocumentRef::default()
            }),
            bundle: Bytes::copy_from_slice(bundle.as_bytes()),
            ..v1::ExecutionContext::default()
        }),
        workflow_id: "patient-narrative".to_owned(),
        text: Some(wire::to_wire(&stored)),
        ..v1::DocumentClassified::default()
    };
    let sessions = Arc::new(MemorySessions::default());
    let handler = Comprehend::new(objects.clone(), catalog, sessions, model, Metrics::default());
    let done = handler.handle(Input::Classified(Box::new(input)), &context()).await.unwrap();
    let extracted: &v1::FieldsExtracted = done.outputs[0].message().as_any().downcast_ref().unwrap();
    assert_eq!(extracted.branch, "nlp");
    let key = &extracted.fields.as_ref().unwrap().key;
    let set = serde_json::from_slice(&objects.get(key).await.unwrap()).unwrap();
    (done, set)
}

#[tokio::test]
async fn a_claim_that_does_not_align_is_kept_as_absent_for_the_validator_to_block() {
    let model = Arc::new(Claims(vec!["abx-104", "XYZ-999"], Mutex::default()));
    let (done, set) = asked(model.clone()).await;
    let found: Vec<_> = set
        .fields
        .iter()
        .map(|field| (field.value.expose(), field.evidence[0].status, field.evidence[0].page))
        .collect();
    assert_eq!(found, [("XYZ-999", Alignment::Absent, None), ("abx-104", Alignment::Normalised, Some(2))]);
    assert_eq!(*model.1.lock().unwrap(), Some(Duration::from_secs(30)), "as long as the handler has left");
    let work = done.work.unwrap();
    assert_eq!((work.model.as_deref(), work.cost_nano_usd), (Some("test/1"), 42));
}

#[tokio::test]
async fn the_local_model_answers_the_same_fields_every_time() {
    let (done, set) = asked(Arc::new(LocalModel::new())).await;
    let names: Vec<_> = set.fields.iter().map(|field| (field.name.as_str(), field.best())).collect();
    assert!(names.contains(&("age", "57")), "{names:?}");
    assert!(names.contains(&("condition", "sepsis")), "{names:?}");
    let field = &set.fields[0];
    assert_eq!((set.role, field.source, field.model.as_deref()), (Role::Nlp, Source::Model, Some("local/1")));
    assert_eq!(field.invocation_id, Uuid::from_u128(9));
    assert_eq!(field.agent_id.as_str(), "patient-narrative.nlp");
    let (again, same) = asked(Arc::new(LocalModel::new())).await;
    assert_eq!((set, done.work.unwrap().output), (same, again.work.unwrap().output));
}
