//! The handler over stores in memory.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use clinflow_core::{BundleHash, DocumentHash, ExecutionId, FieldSet, Lane, Role, WorkflowId};
use clinflow_ports::{
    Bundles as _, Meta, Objects,
    memory::{MemoryBundles, MemoryObjects},
};
use clinflow_proto::v1;
use clinflow_runtime::{Catalog, Context, Done, Handler as _, wire};
use clinflow_workflow::{Bundle, shipped};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Report,
    record::Record,
    testing::{fields, guarded},
};

const EXECUTION: ExecutionId = ExecutionId::from_uuid(Uuid::from_u128(7));

fn context() -> Context {
    Context {
        meta: Meta {
            message_id: Uuid::from_u128(9),
            execution: Some(EXECUTION),
            type_name: "clinflow.v1.ExtractionRecorded".to_owned(),
            timestamp: Timestamp::UNIX_EPOCH,
            workflow: WorkflowId::new("ae-report").unwrap(),
            lane: Lane::Batch,
            team: None,
            session: None,
            attempt: 1,
            redrive: 0,
            hops: 5,
            deadline: None,
            traceparent: None,
        },
        now: Timestamp::UNIX_EPOCH,
        remaining: Duration::from_secs(30),
    }
}

/// A recorded extraction whose fields are in `objects`.
async fn recorded(objects: &MemoryObjects, bundle: BundleHash, needs_review: bool) -> v1::ExtractionRecorded {
    let set = FieldSet { fields: fields(), guarded: Some(guarded()), ..FieldSet::new(Role::Validator) };
    let stored =
        objects.put("executions/e/fields.json", serde_json::to_vec(&set).unwrap().into()).await.unwrap();
    let execution = v1::ExecutionContext {
        execution_id: EXECUTION.to_string(),
        document: Some(v1::DocumentRef {
            sha256: Bytes::copy_from_slice(DocumentHash::of(b"document").as_bytes()),
            key: "documents/d".to_owned(),
            media_type: "application/pdf".to_owned(),
            size: 8,
        }),
        bundle: Bytes::copy_from_slice(bundle.as_bytes()),
        ..v1::ExecutionContext::default()
    };
    let document = v1::DocumentClassified {
        execution: Some(execution),
        workflow_id: "ae-report".to_owned(),
        document_type: "ae-report".to_owned(),
        pages: 2,
        media_type: "application/pdf".to_owned(),
        ..v1::DocumentClassified::default()
    };
    v1::ExtractionRecorded {
        validated: Some(v1::FieldsValidated {
            document: Some(document),
            fields: Some(wire::to_wire(&stored)),
            needs_review,
            ..v1::FieldsValidated::default()
        }),
        chain_sequence: 1,
        chain_hash: Bytes::from_static(&[7; 32]),
    }
}

async fn setup() -> (Report, Arc<MemoryObjects>, BundleHash) {
    let (objects, bundles) = (Arc::new(MemoryObjects::default()), Arc::new(MemoryBundles::default()));
    let bundle = bundles.publish(&shipped()).await.unwrap();
    let catalog = Arc::new(Catalog::new(bundles, Bundle::read));
    (Report::new(objects.clone(), catalog), objects, bundle)
}

fn completed(done: &Done) -> &v1::ReportCompleted {
    done.outputs[0].message().as_any().downcast_ref().unwrap()
}

async fn record_in(objects: &MemoryObjects) -> Record {
    serde_json::from_slice(&objects.get(&format!("reports/{EXECUTION}/record.json")).await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_report_is_written_and_announced_with_the_record_it_rests_on() {
    let (report, objects, bundle) = setup().await;
    let done = report.handle(recorded(&objects, bundle, true).await, &context()).await.unwrap();
    let message = completed(&done);
    assert_eq!(
        (message.status.as_str(), message.chain_sequence, message.outputs.len()),
        ("needs-review", 1, 2)
    );
    assert_eq!(message.folder, format!("reports/{EXECUTION}"));
    assert_eq!(message.chain_hash.as_ref(), [7; 32]);
    assert_eq!(done.work.unwrap().output.unwrap().key, format!("reports/{EXECUTION}/record.json"));
    let record = record_in(&objects).await;
    assert_eq!((record.document.pages, record.bundle), (Some(2), bundle));
    assert_eq!(record.fields, fields());
}

#[tokio::test]
async fn a_second_delivery_announces_the_same_report_and_changes_nothing() {
    let (report, objects, bundle) = setup().await;
    let message = recorded(&objects, bundle, false).await;
    let first = report.handle(message.clone(), &context()).await.unwrap();
    assert_eq!(completed(&first).status, "completed");
    let before = record_in(&objects).await;
    // A redrive carries other times in its steps; what downstream has read stays.
    let later = recorded(&objects, bundle, true).await;
    let second = report.handle(later, &context()).await.unwrap();
    assert_eq!(completed(&second).outputs, completed(&first).outputs);
    assert_eq!(record_in(&objects).await, before);
}

#[tokio::test]
async fn a_message_without_what_was_validated_is_malformed() {
    let (report, _, _) = setup().await;
    let failure = report.handle(v1::ExtractionRecorded::default(), &context()).await.err().unwrap();
    assert_eq!(failure.code, "message.malformed");
}
