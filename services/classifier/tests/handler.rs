//! What the classifier makes of submissions: new ones, second ones, redelivered ones, and those that cannot be used.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use clinflow_classifier::{Classify, Config};
use clinflow_core::{
    DocumentHash, ExecutionId, Lane, Role, Status, WorkflowId, audit::ChainHead, execution::Disposition,
};
use clinflow_ingest::Text;
use clinflow_ports::{
    Bundles, Executions, Meta, Objects,
    memory::{MemoryBundles, MemoryExecutions, MemoryObjects},
};
use clinflow_proto::v1;
use clinflow_runtime::{Catalog, Context, Done, Handler, wire};
use clinflow_workflow::{Bundle, shipped};
use jiff::Timestamp;
use uuid::Uuid;

const REPORT: &str = "LABORATORY REPORT\nSpecimen: serum\nReference range\nSodium  138  mmol/L  136 - 145\n";

struct House {
    objects: Arc<MemoryObjects>,
    executions: Arc<MemoryExecutions>,
    handler: Classify,
}

async fn house() -> House {
    let objects = Arc::new(MemoryObjects::default());
    let executions = Arc::new(MemoryExecutions::default());
    let bundles = Arc::new(MemoryBundles::default());
    bundles.publish(&shipped()).await.unwrap();
    let catalog = Arc::new(Catalog::new(bundles, Bundle::read));
    let handler = Classify::new(Config::default(), objects.clone(), executions.clone(), catalog);
    House { objects, executions, handler }
}

impl House {
    /// What an upstream system publishes by hand: a document and perhaps a workflow, nothing else.
    async fn submission(&self, text: &str, workflow: &str) -> v1::DocumentSubmitted {
        self.objects.put("inbox/1", Bytes::from(text.to_owned())).await.unwrap();
        v1::DocumentSubmitted {
            execution: Some(v1::ExecutionContext {
                document: Some(v1::DocumentRef {
                    sha256: Bytes::copy_from_slice(DocumentHash::of(text.as_bytes()).as_bytes()),
                    key: "inbox/1".to_owned(),
                    media_type: "text/plain".to_owned(),
                    size: text.len() as u64,
                }),
                ..Default::default()
            }),
            workflow_id: workflow.to_owned(),
        }
    }

    async fn handle(&self, submission: &v1::DocumentSubmitted, message: u128) -> Done {
        self.handler.handle(submission.clone(), &context(message)).await.unwrap()
    }
}

fn context(message: u128) -> Context {
    let meta = Meta {
        message_id: Uuid::from_u128(message),
        execution: None,
        type_name: String::new(),
        timestamp: Timestamp::UNIX_EPOCH,
        workflow: WorkflowId::auto(),
        lane: Lane::Batch,
        team: None,
        session: None,
        attempt: 1,
        redrive: 0,
        hops: 0,
        deadline: None,
        traceparent: None,
    };
    Context { meta, now: Timestamp::UNIX_EPOCH, remaining: Duration::from_secs(5) }
}

fn classified(done: &Done) -> &v1::DocumentClassified {
    done.outputs[0].message().as_any().downcast_ref().expect("the document is classified")
}

fn failed(done: &Done) -> (&str, &str) {
    let failed: &v1::DocumentFailed =
        done.outputs[0].message().as_any().downcast_ref().expect("the document ends here");
    (&failed.code, &failed.status)
}

#[tokio::test]
async fn a_document_that_says_what_it_is_is_read_and_classified() {
    let house = house().await;
    let done = house.handle(&house.submission(REPORT, "").await, 1).await;
    let message = classified(&done);
    assert_eq!((message.workflow_id.as_str(), message.document_type.as_str()), ("lab-report", "lab-report"));
    assert_eq!(message.branches, [Role::Extractor.as_str(), Role::Nlp.as_str()]);
    let text = wire::required_object(message.text.as_ref(), "text").unwrap();
    let text: Text = serde_json::from_slice(&house.objects.get(&text.key).await.unwrap()).unwrap();
    assert_eq!(text.text, REPORT);
}

#[tokio::test]
async fn a_second_submission_of_a_document_does_nothing_and_a_redelivery_does_the_same_again() {
    let house = house().await;
    let submission = house.submission(REPORT, "auto").await;
    let first = house.handle(&submission, 1).await;
    let again = house.handle(&submission, 1).await;
    assert_eq!(first.outputs[0].body(), again.outputs[0].body());
    assert!(house.handle(&submission, 2).await.outputs.is_empty());
}

#[tokio::test]
async fn an_execution_that_has_ended_is_left_alone() {
    let house = house().await;
    let submission = house.submission(REPORT, "auto").await;
    let first = house.handle(&submission, 1).await;
    let id: ExecutionId = classified(&first).execution.as_ref().unwrap().execution_id.parse().unwrap();
    let ended = Disposition {
        status: Status::Completed,
        workflow: None,
        code: None,
        message: None,
        outputs: None,
        head: ChainHead::genesis(id),
        at: Timestamp::UNIX_EPOCH,
    };
    house.executions.settle(id, &ended).await.unwrap();
    assert!(house.handle(&submission, 1).await.outputs.is_empty());
}

#[tokio::test]
async fn the_workflow_that_was_asked_for_is_used_and_the_kind_that_was_seen_is_reported() {
    let house = house().await;
    let done = house.handle(&house.submission(REPORT, "ae-report").await, 1).await;
    let message = classified(&done);
    assert_eq!((message.workflow_id.as_str(), message.document_type.as_str()), ("ae-report", "lab-report"));
}

#[tokio::test]
async fn what_cannot_be_used_ends_here_and_says_why() {
    let house = house().await;
    let done = house.handle(&house.submission(REPORT, "no-such-workflow").await, 1).await;
    assert_eq!(failed(&done), ("workflow.unknown", "failed"));
    let done = house.handle(&house.submission("Milk, eggs, onions.", "auto").await, 2).await;
    assert_eq!(failed(&done), ("classify.no-workflow", "needs-review"));
    let submission = house.submission(REPORT, "auto").await;
    house.objects.put("inbox/1", Bytes::from_static(b"other bytes")).await.unwrap();
    assert_eq!(failed(&house.handle(&submission, 3).await), ("document.hash-mismatch", "failed"));
}
