//! The auditor over stores in memory: what it records, what it settles, and what it asks people.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use clinflow_auditor::{Audit, Audited};
use clinflow_core::{
    DocumentHash, Execution, ExecutionId, Lane, ReviewId, Role, Status, TeamId, WorkflowId,
    audit::{Entry, Event, Operation, Record, verify_up_to},
    execution::DocumentRef,
    id::ObjectHash,
};
use clinflow_ports::{
    AuditLog as _, Bundles as _, Event as Happened, Executions as _, Meta, Reviews as _,
    memory::{MemoryAuditLog, MemoryBundles, MemoryExecutions, MemoryReviews},
};
use clinflow_proto::v1;
use clinflow_runtime::{
    Catalog, Context, Done, Handler as _, submission,
    telemetry::Metrics,
    wire::{Receive as _, timestamp_to_wire},
};
use clinflow_workflow::{Bundle, shipped};
use jiff::Timestamp;
use uuid::Uuid;

struct House {
    audit: Audit,
    log: Arc<MemoryAuditLog>,
    executions: Arc<MemoryExecutions>,
    reviews: Arc<MemoryReviews>,
    execution: Execution,
    metrics: Metrics,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn object(key: &str) -> v1::ObjectRef {
    v1::ObjectRef {
        key: key.to_owned(),
        sha256: Bytes::copy_from_slice(ObjectHash::of(key.as_bytes()).as_bytes()),
        size: 1,
    }
}

impl House {
    async fn open() -> Self {
        let (bundles, metrics) = (Arc::new(MemoryBundles::default()), Metrics::default());
        let bundle = bundles.publish(&shipped()).await.unwrap();
        let catalog = Arc::new(Catalog::new(bundles, Bundle::read));
        let (team, workflow) = (TeamId::new("team-pv").unwrap(), WorkflowId::new("ae-report").unwrap());
        metrics.admit(Role::Auditor, &team, &workflow, &[]);
        let (log, executions, reviews) =
            <(Arc<MemoryAuditLog>, Arc<MemoryExecutions>, Arc<MemoryReviews>)>::default();
        let execution = Execution {
            id: ExecutionId::from_uuid(Uuid::from_u128(7)),
            requested_workflow: workflow,
            document: DocumentRef {
                sha256: DocumentHash::of(b"document"),
                key: "documents/x".to_owned(),
                media_type: "text/plain".to_owned(),
                size: 8,
            },
            bundle,
            session: None,
            team: None,
            lane: Lane::Batch,
            submission: Uuid::from_u128(1),
            created_at: at(1_000),
            redrives: 0,
            check_at: Some(at(2_000)),
            status: Status::Running,
            disposition: None,
            head: None,
        };
        executions.create(&execution).await.unwrap();
        let counted = metrics.clone();
        let audit = Audit::new(log.clone(), executions.clone(), reviews.clone(), catalog, counted);
        Self { audit, log, executions, reviews, execution, metrics }
    }

    /// Hands the auditor a message, as the runtime does.
    async fn hear(&self, event: Happened, id: u128, redrive: u32, message: &impl prost::Message) -> Done {
        let input = Audited::receive(event, &message.encode_to_vec()).unwrap();
        let meta = Meta {
            message_id: Uuid::from_u128(id),
            execution: Some(self.execution.id),
            type_name: event.type_name().to_owned(),
            timestamp: at(1_500),
            workflow: self.execution.requested_workflow.clone(),
            lane: Lane::Batch,
            team: None,
            session: None,
            attempt: 1,
            redrive,
            hops: 1,
            deadline: None,
            traceparent: None,
        };
        let context = Context { meta, now: at(1_600), remaining: Duration::from_secs(60) };
        self.audit.handle(input, &context).await.unwrap()
    }

    /// A validated result with so many review items, stored under this key.
    async fn validated(&self, items: usize, key: &str, redrive: u32) -> Done {
        let item = v1::ReviewItem {
            rule: "AE-SER-02".to_owned(),
            field: "onset_date".to_owned(),
            index: 2,
            severity: "review".to_owned(),
            spans: vec![v1::Span { start: 3, end: 9, byte_start: 4, byte_end: 11 }],
        };
        let message = v1::FieldsValidated {
            document: Some(v1::DocumentClassified {
                execution: Some(submission::context(&self.execution)),
                workflow_id: "ae-report".to_owned(),
                ..v1::DocumentClassified::default()
            }),
            fields: Some(object(key)),
            needs_review: items > 0,
            review_items: vec![item; items],
            ..v1::FieldsValidated::default()
        };
        self.hear(Happened::FieldsValidated, 10, redrive, &message).await
    }

    /// The report that rests on the first record.
    async fn completed(&self, status: Status) {
        let first = self.records().await[0].head();
        let step = || v1::Step {
            role: Role::Nlp.to_string(),
            agent_id: "ae-report.nlp".to_owned(),
            invocation_id: Uuid::from_u128(1).to_string(),
            started_at: Some(timestamp_to_wire(at(1_100))),
            ended_at: Some(timestamp_to_wire(at(1_200))),
            outcome: v1::Outcome::Succeeded.into(),
            cost_nano_usd: 3_300_000,
            ..v1::Step::default()
        };
        let context = submission::context(&self.execution);
        let message = v1::ReportCompleted {
            execution: Some(v1::ExecutionContext { steps: vec![step(), step()], ..context }),
            workflow_id: "ae-report".to_owned(),
            status: status.to_string(),
            folder: "reports/x".to_owned(),
            outputs: vec![object("reports/x/record.json")],
            chain_sequence: first.sequence,
            chain_hash: Bytes::copy_from_slice(first.hash.as_bytes()),
        };
        self.hear(Happened::ReportCompleted, 20, 0, &message).await;
    }

    async fn resolved(&self, number: u32, decision: &str) {
        let message = v1::ReviewResolved {
            execution: Some(submission::context(&self.execution)),
            workflow_id: "ae-report".to_owned(),
            review_id: ReviewId { execution: self.execution.id, number }.to_string(),
            reviewer: "reviewer".to_owned(),
            decision: decision.to_owned(),
            value: None,
        };
        self.hear(Happened::ReviewResolved, 30 + u128::from(number), 0, &message).await;
    }

    async fn failed(&self, id: u128, redrive: u32, status: Status) -> Done {
        let message = v1::DocumentFailed {
            execution: Some(submission::context(&self.execution)),
            workflow_id: "ae-report".to_owned(),
            role: "validator".to_owned(),
            code: "store.unavailable".to_owned(),
            message: "no answer".to_owned(),
            status: status.to_string(),
            message_id: Uuid::from_u128(1).to_string(),
        };
        self.hear(Happened::DocumentFailed, id, redrive, &message).await
    }

    /// What an operator's command writes before it does anything.
    async fn operated(&self, operation: Operation, id: u128) {
        let entry = Entry {
            execution: self.execution.id,
            message_id: Uuid::from_u128(id),
            document: self.execution.document.sha256,
            bundle: self.execution.bundle,
            session: None,
            at: at(1_550),
            event: Event::Operated { operation, by: "operator".to_owned(), about: None, reason: None },
        };
        let genesis = clinflow_core::audit::ChainHead::genesis(self.execution.id);
        self.log.append(genesis, entry).await.unwrap();
    }

    async fn records(&self) -> Vec<Record> {
        self.log.read(self.execution.id).await.unwrap()
    }

    async fn now(&self) -> Execution {
        self.executions.get(self.execution.id).await.unwrap().unwrap()
    }

    async fn open_items(&self) -> usize {
        let items = self.reviews.of_execution(self.execution.id).await.unwrap();
        items.iter().filter(|item| item.is_open()).count()
    }
}

fn events(done: &Done) -> Vec<Happened> {
    done.outputs.iter().map(clinflow_runtime::Output::event).collect()
}

#[tokio::test]
async fn a_result_that_needs_review_makes_its_items_once_and_says_so_once() {
    let house = House::open().await;
    for _ in 0..2 {
        let done = house.validated(2, "fields.json", 0).await;
        assert_eq!(events(&done), [Happened::ExtractionRecorded, Happened::ReviewRequested]);
    }
    let items = house.reviews.of_execution(house.execution.id).await.unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!((items[0].id.number, items[0].index, items[0].spans.len()), (1, Some(2), 1));
    assert_eq!(house.records().await.len(), 1);
    let done = house.validated(5, "other-fields.json", 1).await;
    assert_eq!(events(&done), [Happened::ExtractionRecorded], "what was found first stays");
    assert_eq!(house.open_items().await, 2);
}

#[tokio::test]
async fn a_result_without_items_asks_nobody() {
    let house = House::open().await;
    assert_eq!(events(&house.validated(0, "fields.json", 0).await), [Happened::ExtractionRecorded]);
    assert_eq!(house.open_items().await, 0);
}

#[tokio::test]
async fn the_last_settled_item_completes_the_execution_and_keeps_its_outputs() {
    let house = House::open().await;
    house.validated(2, "fields.json", 0).await;
    house.completed(Status::NeedsReview).await;
    house.resolved(2, "accepted").await;
    assert_eq!((house.now().await.status, house.open_items().await), (Status::NeedsReview, 1));
    house.resolved(1, "rejected").await;
    let now = house.now().await;
    assert_eq!(now.status, Status::Completed);
    assert_eq!(now.disposition.unwrap().outputs.as_deref(), Some("reports/x"));
    house.resolved(1, "accepted").await;
    let item =
        house.reviews.get(ReviewId { execution: house.execution.id, number: 1 }).await.unwrap().unwrap();
    assert_eq!(item.resolution.unwrap().decision.as_str(), "rejected", "a redelivery changes nothing");
    let known = house.now().await.known_head();
    assert_eq!(verify_up_to(house.execution.id, &house.records().await, known).unwrap().sequence, 4);
}

#[tokio::test]
async fn what_ends_is_counted_once_with_its_team_its_cost_and_its_time() {
    let house = House::open().await;
    house.failed(40, 0, Status::Parked).await;
    house.validated(0, "fields.json", 0).await;
    for _ in 0..2 {
        house.completed(Status::Completed).await;
    }
    house.failed(41, 1, Status::Failed).await;
    let text = house.metrics.render().unwrap();
    for line in [
        r#"documents_total{team_id="team-pv",workflow_id="ae-report",result="completed"} 1"#,
        r#"documents_total{team_id="team-pv",workflow_id="ae-report",result="failed"} 0"#,
        r#"document_cost_usd_sum{workflow_id="ae-report",result="completed"} 0.0066"#,
        r#"document_duration_seconds_sum{workflow_id="ae-report",result="completed"} 600.0"#,
    ] {
        assert!(text.contains(&format!("clinflow_{line}\n")), "`{line}` is not in\n{text}");
    }
    assert!(!text.contains("parked"), "what waits has not ended");
}

#[tokio::test]
async fn items_settled_before_the_report_is_written_complete_it_when_it_is() {
    let house = House::open().await;
    house.validated(1, "fields.json", 0).await;
    house.resolved(1, "accepted").await;
    assert_eq!(house.now().await.status, Status::Running);
    house.completed(Status::NeedsReview).await;
    assert_eq!(house.now().await.status, Status::Completed);
}

#[tokio::test]
async fn a_document_that_belongs_to_no_workflow_is_a_review_item_of_its_own() {
    let house = House::open().await;
    let done = house.failed(40, 0, Status::NeedsReview).await;
    assert_eq!(events(&done), [Happened::ReviewRequested]);
    assert_eq!((house.now().await.status, house.open_items().await), (Status::NeedsReview, 1));
    house.resolved(1, "accepted").await;
    assert_eq!(house.now().await.status, Status::Completed);
}

#[tokio::test]
async fn a_result_of_an_aborted_execution_is_recorded_and_goes_no_further_until_a_redrive() {
    let house = House::open().await;
    house.operated(Operation::Abort, 50).await;
    let done = house.validated(1, "fields.json", 0).await;
    assert!(events(&done).is_empty(), "the reporter never hears of it");
    assert_eq!(house.open_items().await, 0);
    house.operated(Operation::Redrive, 51).await;
    let done = house.validated(1, "fields.json", 1).await;
    assert_eq!(events(&done), [Happened::ExtractionRecorded, Happened::ReviewRequested]);
}

#[tokio::test]
async fn a_message_that_fails_again_after_a_redrive_is_recorded_again_and_a_redelivery_is_not() {
    let house = House::open().await;
    for redrive in [0, 0, 1, 1] {
        house.failed(60, redrive, Status::Parked).await;
    }
    let records = house.records().await;
    assert_eq!(records.len(), 2);
    assert_eq!(house.now().await.status, Status::Parked);
}

#[tokio::test]
async fn a_side_event_after_the_end_cannot_be_removed_unseen() {
    let house = House::open().await;
    house.validated(0, "fields.json", 0).await;
    house.completed(Status::Completed).await;
    let intervened = v1::GuardrailIntervened {
        execution: Some(submission::context(&house.execution)),
        workflow_id: "ae-report".to_owned(),
        guardrail: "pharma".to_owned(),
        policy: "topic".to_owned(),
        action: "blocked".to_owned(),
        field: String::new(),
    };
    house.hear(Happened::GuardrailIntervened, 70, 0, &intervened).await;
    let (records, known) = (house.records().await, house.now().await.known_head());
    assert!(matches!(&records[2].entry.event, Event::Guarded { field: None, .. }));
    assert!(verify_up_to(house.execution.id, &records, known).is_ok());
    let broken = verify_up_to(house.execution.id, &records[..2], known).unwrap_err();
    assert_eq!(broken.at(), 3);
}
