//! What operators do: parked messages, redrive, rerun, abort, over HTTP and gRPC.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use clinflow_core::{
    Execution, ExecutionId, Lane, Role, Status,
    audit::{Event as Recorded, Operation, verify_up_to},
};
use clinflow_ports::{
    AuditLog as _, Broker as _, Envelope, Event, Meta, Objects as _, Route,
    topology::{DEAD, PARKED, queue_name},
};
use clinflow_proto::v1::{
    AuditRequest, ListParkedRequest, OperationRequest, audit_client::AuditClient,
    operations_client::OperationsClient,
};
use clinflow_runtime::submission;
use serde_json::{Value, json};
use tonic::{Code, Request};
use uuid::Uuid;

use crate::{
    house::House,
    issuer::{FIRST, Issuer},
};

impl House {
    /// Submits a document and takes its message off the classifier's queue, as the classifier would.
    async fn under_way(&self, document: &'static [u8]) -> Execution {
        let answer = self.post("?workflow=ae-report", document).await.json();
        let queue = queue_name(Role::Classifier, Lane::Batch);
        for delivery in self.broker.pick(&queue, 10, &|_| true).await.unwrap() {
            let none = clinflow_ports::Settled::publishing(self.broker.as_ref(), Vec::new()).await.unwrap();
            delivery.ack(none).await.unwrap();
        }
        self.stored(answer["execution_id"].as_str().unwrap()).await
    }

    /// Sets a message of `execution` aside, as the runtime does.
    async fn set_aside(&self, execution: &Execution, event: Event, role: Role, id: u128, dead: bool) {
        let queue = queue_name(role, Lane::Batch);
        let (_, mut envelope) = submission::address(
            execution,
            event,
            Uuid::from_u128(id),
            execution.created_at,
            Bytes::from_static(b"body"),
        );
        for (name, value) in [
            ("attempt", "12"),
            ("failure-code", "store.unavailable"),
            ("failure-message", "no answer"),
            ("queue", &queue),
            ("since", "2023-11-14T22:13:30Z"),
        ] {
            envelope.headers.insert(name.to_owned(), value.to_owned());
        }
        let place = if dead { Route::dead(&queue) } else { Route::parked(&queue) };
        let _ = self.broker.publish(place, envelope).await.unwrap();
    }

    /// The same, and the execution is parked or failed for it.
    async fn stopped(&self, document: &'static [u8], event: Event, role: Role, status: Status) -> Execution {
        let execution = self.under_way(document).await;
        self.set_aside(&execution, event, role, 5, status == Status::Failed).await;
        let head = self.record_failure(execution.id).await;
        self.settle(execution.id, status, head).await;
        self.stored(&execution.id.to_string()).await
    }

    async fn depth(&self, queue: &str) -> u64 {
        self.broker.depth(queue).await.unwrap()
    }

    /// The messages of a queue, read.
    async fn messages(&self, queue: &str) -> Vec<Meta> {
        let seen: Vec<Envelope> = self.broker.browse(queue, 100).await.unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        seen.iter().map(|envelope| Meta::read(envelope, Lane::Batch, now).unwrap()).collect()
    }

    /// What people did to an execution, from a chain that verifies.
    async fn operated(&self, id: ExecutionId) -> Vec<(Operation, String, Option<Uuid>, Option<String>)> {
        let records = self.log.read(id).await.unwrap();
        let known = self.stored(&id.to_string()).await.known_head();
        verify_up_to(id, &records, known).unwrap();
        let operated = records.into_iter().filter_map(|record| match record.entry.event {
            Recorded::Operated { operation, by, about, reason } => Some((operation, by, about, reason)),
            _ => None,
        });
        operated.collect()
    }
}

fn nlp() -> String {
    queue_name(Role::Nlp, Lane::Batch)
}

fn message(id: u128) -> String {
    Uuid::from_u128(id).to_string()
}

#[tokio::test]
async fn parked_messages_are_listed_shown_and_left_where_they_are() {
    let house = House::open().await;
    let execution = house.stopped(b"one", Event::FieldsMerged, Role::Validator, Status::Parked).await;
    for _ in 0..3 {
        let listed = house.get("/v1/parked?code=store.unavailable").await.json();
        assert_eq!(listed["waiting"], 1);
        let one = &listed["messages"][0];
        assert_eq!(
            (&one["message_id"], &one["execution_id"], &one["code"], &one["queue"], &one["since"]),
            (
                &json!(message(5)),
                &json!(execution.id),
                &json!("store.unavailable"),
                &json!("clinflow.validator.batch"),
                &json!("2023-11-14T22:13:30Z")
            )
        );
    }
    let shown = house.get(&format!("/v1/parked/{}", message(5))).await.json();
    assert_eq!((&shown["attempt"], &shown["type"]), (&json!(12), &json!("clinflow.v1.FieldsMerged")));
    assert_eq!(house.get("/v1/parked?code=other").await.json()["messages"], json!([]));
    for unknown in [message(6), "Jane-Roe".to_owned()] {
        let answer = house.get(&format!("/v1/parked/{unknown}")).await;
        assert_eq!(answer.problem(), (404, "parked.unknown".to_owned()));
        assert!(!answer.body.contains("Jane"));
    }
    let mut operations = OperationsClient::new(house.channel().await);
    let listed = operations.list_parked(ListParkedRequest::default()).await.unwrap().into_inner();
    assert_eq!((listed.messages.len(), listed.waiting), (1, 1));
}

#[tokio::test]
async fn a_replayed_message_goes_back_to_its_queue_and_its_execution_runs() {
    let house = House::open().await;
    let execution = house.stopped(b"one", Event::FieldsMerged, Role::Validator, Status::Parked).await;
    let path = format!("/v1/parked/{}/replay", message(5));
    let done =
        house.command(&path, &json!({"operator": "pat@example.org", "reason": "store-is-back"})).await.json();
    assert_eq!(
        (&done["status"], &done["messages"], &done["record"]),
        (&json!("running"), &json!(1), &json!(2))
    );
    let sent = house.messages(&queue_name(Role::Validator, Lane::Batch)).await;
    assert_eq!((sent[0].message_id, sent[0].attempt, sent[0].redrive), (Uuid::from_u128(5), 1, 1));
    assert_eq!(house.depth(PARKED).await, 0);
    let now = house.stored(&execution.id.to_string()).await;
    assert_eq!((now.status, now.redrives, now.check_at.is_some()), (Status::Running, 1, true));
    let reason = Some("store-is-back".to_owned());
    assert_eq!(
        house.operated(execution.id).await,
        [(Operation::Replay, "pat@example.org".to_owned(), Some(Uuid::from_u128(5)), reason)]
    );
    assert_eq!(house.command(&path, &json!({})).await.problem(), (404, "parked.unknown".to_owned()));
    let shown = house.get(&format!("/v1/executions/{}", execution.id)).await.json();
    assert_eq!(shown["execution"].get("code"), None, "what was wrong before is history");
}

#[tokio::test]
async fn a_replay_that_the_broker_refuses_leaves_the_message_parked_and_can_be_repeated() {
    let house = House::open().await;
    let execution = house.stopped(b"one", Event::FieldsMerged, Role::Validator, Status::Parked).await;
    let path = format!("/v1/parked/{}/replay", message(5));
    house.broker.refuses.store(true, Ordering::SeqCst);
    assert_eq!(house.command(&path, &json!({})).await.problem(), (429, "broker.refused".to_owned()));
    assert_eq!(house.depth(PARKED).await, 1);
    let now = house.stored(&execution.id.to_string()).await;
    assert_eq!(now.status, Status::Running, "and the sweeper looks after it");
    house.broker.refuses.store(false, Ordering::SeqCst);
    assert_eq!(house.command(&path, &json!({})).await.json()["redrives"], 2);
    assert_eq!((house.depth(PARKED).await, house.operated(execution.id).await.len()), (0, 2));
}

#[tokio::test]
async fn a_branch_that_goes_on_takes_the_other_one_with_it() {
    let house = House::open().await;
    let execution = house.stopped(b"one", Event::DocumentClassified, Role::Nlp, Status::Parked).await;
    house.set_aside(&execution, Event::DocumentClassified, Role::Extractor, 5, false).await;
    let done = house.command(&format!("/v1/parked/{}/replay", message(5)), &json!({})).await.json();
    assert_eq!(done["messages"], 1);
    for role in [Role::Nlp, Role::Extractor] {
        let sent = house.messages(&queue_name(role, Lane::Batch)).await;
        assert_eq!((sent.len(), sent[0].redrive), (1, 1), "{role}");
    }
    assert_eq!(house.depth(PARKED).await, 0);
}

#[tokio::test]
async fn a_parked_question_is_replayed_without_touching_its_execution() {
    let house = House::open().await;
    let execution = house.under_way(b"one").await;
    let head = house.record_failure(execution.id).await;
    house.settle(execution.id, Status::Completed, head).await;
    house.set_aside(&execution, Event::QuestionAsked, Role::Nlp, 7, false).await;
    let done = house.command(&format!("/v1/parked/{}/replay", message(7)), &json!({})).await.json();
    assert_eq!((&done["status"], &done["redrives"]), (&json!("completed"), &json!(0)));
    assert_eq!(house.messages(&nlp()).await[0].redrive, 0);
}

#[tokio::test]
async fn a_message_of_an_ended_execution_is_dropped_with_a_reason_and_not_replayed() {
    let house = House::open().await;
    let execution = house.under_way(b"one").await;
    house.set_aside(&execution, Event::FieldsMerged, Role::Validator, 5, false).await;
    let head = house.record_failure(execution.id).await;
    house.settle(execution.id, Status::NeedsReview, head).await;
    let replay = house.command(&format!("/v1/parked/{}/replay", message(5)), &json!({})).await;
    assert_eq!(replay.problem(), (409, "operation.wrong-state".to_owned()));
    assert_eq!(house.depth(PARKED).await, 1);
    let path = format!("/v1/parked/{}/drop", message(5));
    for body in [json!({}), json!({"reason": "Jane Roe wants it"}), json!({"why": "x"})] {
        let refused = house.command(&path, &body).await;
        assert_eq!(refused.problem(), (400, "request.unreadable".to_owned()));
        assert!(!refused.body.contains("Jane"));
    }
    assert_eq!(house.command(&path, &json!({"reason": "superseded"})).await.status, 200);
    assert_eq!(house.depth(PARKED).await, 0);
    let operated = house.operated(execution.id).await;
    assert_eq!((operated[0].0, operated[0].3.as_deref()), (Operation::Drop, Some("superseded")));
    assert_eq!(house.stored(&execution.id.to_string()).await.status, Status::NeedsReview);
}

#[tokio::test]
async fn a_redrive_goes_on_with_the_dead_message_of_the_failed_step() {
    let house = House::open().await;
    let execution = house.stopped(b"one", Event::ExtractionRecorded, Role::Reporter, Status::Failed).await;
    let other = house.under_way(b"another").await;
    house.set_aside(&other, Event::ExtractionRecorded, Role::Reporter, 8, true).await;
    let path = format!("/v1/executions/{}/redrive", execution.id);
    let done = house.command(&path, &json!({})).await.json();
    assert_eq!(
        (&done["status"], &done["messages"], &done["redrives"]),
        (&json!("running"), &json!(1), &json!(1))
    );
    let sent = house.messages(&queue_name(Role::Reporter, Lane::Batch)).await;
    assert_eq!((sent.len(), sent[0].message_id, sent[0].redrive), (1, Uuid::from_u128(5), 1));
    assert_eq!(house.depth(DEAD).await, 1, "another execution's message stays");
    assert_eq!(house.command(&path, &json!({})).await.problem(), (409, "operation.wrong-state".to_owned()));
}

#[tokio::test]
async fn a_redrive_without_a_message_begins_anew_with_the_same_ids() {
    let house = House::open().await;
    let execution = house.under_way(b"one").await;
    let head = house.record_failure(execution.id).await;
    house.settle(execution.id, Status::Failed, head).await;
    let mut operations = OperationsClient::new(house.channel().await);
    let request = OperationRequest { execution_id: execution.id.to_string(), ..OperationRequest::default() };
    let done = operations.redrive(request.clone()).await.unwrap().into_inner();
    assert_eq!((done.messages, done.execution.unwrap().status.as_str()), (1, "running"));
    let sent = house.messages(&queue_name(Role::Classifier, Lane::Batch)).await;
    assert_eq!((sent[0].message_id, sent[0].redrive), (execution.submission, 1));
    let refused = operations.redrive(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn two_redrives_at_once_make_one() {
    let house = House::open().await;
    let execution = house.under_way(b"one").await;
    let head = house.record_failure(execution.id).await;
    house.settle(execution.id, Status::Failed, head).await;
    let path = format!("/v1/executions/{}/redrive", execution.id);
    let none = json!({});
    let asked = (0..8).map(|_| house.command(&path, &none));
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)));
    assert_eq!(house.stored(&execution.id.to_string()).await.redrives, 1);
    assert_eq!(house.depth(&queue_name(Role::Classifier, Lane::Batch)).await, 1);
}

#[tokio::test]
async fn a_rerun_is_another_execution_of_the_same_document_and_the_old_one_stays() {
    let house = House::open().await;
    let execution = house.under_way(b"one").await;
    let path = format!("/v1/executions/{}/rerun", execution.id);
    assert_eq!(house.command(&path, &json!({})).await.problem(), (409, "operation.wrong-state".to_owned()));
    let head = house.record_failure(execution.id).await;
    house.settle(execution.id, Status::Completed, head).await;
    house.objects.put(&format!("executions/{}/submission.json", execution.id), "{}".into()).await.unwrap();
    let mut reruns = Vec::new();
    for number in 1..=2 {
        let done = house.command(&path, &json!({})).await.json();
        let new: ExecutionId = done["execution_id"].as_str().unwrap().parse().unwrap();
        let (workflow, document) = (&execution.requested_workflow, &execution.document.sha256);
        assert_eq!(new, ExecutionId::derive(workflow, document, &execution.bundle, number));
        let stored = house.stored(&new.to_string()).await;
        assert_eq!((stored.status, stored.document.clone()), (Status::Running, execution.document.clone()));
        assert!(house.objects.get(&format!("executions/{new}/submission.json")).await.is_ok());
        reruns.push(new.as_uuid());
    }
    assert_eq!(house.stored(&execution.id.to_string()).await.status, Status::Completed);
    let recorded: Vec<_> = house.operated(execution.id).await.into_iter().map(|one| (one.0, one.2)).collect();
    assert_eq!(recorded, reruns.iter().map(|new| (Operation::Rerun, Some(*new))).collect::<Vec<_>>());
    let sent = house.messages(&queue_name(Role::Classifier, Lane::Batch)).await;
    assert_eq!(sent.iter().map(|meta| meta.execution.unwrap().as_uuid()).collect::<Vec<_>>(), reruns);
}

#[tokio::test]
async fn an_abort_is_final_needs_a_reason_and_says_it() {
    let house = House::open().await;
    let execution = house.under_way(b"one").await;
    let path = format!("/v1/executions/{}/abort", execution.id);
    assert_eq!(house.command(&path, &json!({})).await.problem(), (400, "request.unreadable".to_owned()));
    assert_eq!(house.stored(&execution.id.to_string()).await.status, Status::Running);
    let done = house.command(&path, &json!({"reason": "wrong-document"})).await.json();
    assert_eq!(done["status"], "aborted");
    let head = house.record_failure(execution.id).await;
    house.settle(execution.id, Status::Completed, head).await;
    let shown = house.get(&format!("/v1/executions/{}", execution.id)).await.json();
    let shown = &shown["execution"];
    assert_eq!(
        (&shown["status"], &shown["code"], &shown["message"]),
        (&json!("aborted"), &json!("execution.aborted"), &json!("wrong-document"))
    );
    assert_eq!(house.command(&path, &json!({"reason": "twice"})).await.problem().1, "operation.wrong-state");
    let redriven =
        house.command(&format!("/v1/executions/{}/redrive", execution.id), &json!({})).await.json();
    assert_eq!(redriven["status"], "running", "a person may change their mind");
}

#[tokio::test]
async fn operating_is_a_right_of_its_own_and_what_is_not_seen_is_unknown() {
    let issuer = Issuer::with(vec![FIRST]).await;
    let house = House::with(issuer.trusted()).await;
    let (pv, operator) = (FIRST.token(json!({})), FIRST.token(json!({"cognito:groups": ["operators"]})));
    let ask = async |token: &str, path: &str| {
        let request =
            house.http.post(house.url(path)).bearer_auth(token).body(json!({"reason": "test"}).to_string());
        crate::house::Answer::of(request.send().await.unwrap()).await
    };
    let submitted = house.http.post(house.url("/v1/documents?workflow=ae-report")).bearer_auth(&pv);
    let submitted = crate::house::Answer::of(submitted.body("one").send().await.unwrap()).await.json();
    let id = submitted["execution_id"].as_str().unwrap();
    for path in [format!("/v1/executions/{id}/abort"), format!("/v1/parked/{}/drop", message(5))] {
        assert_eq!(ask(&pv, &path).await.problem(), (403, "auth.not-operator".to_owned()));
    }
    let listed = house.http.get(house.url("/v1/parked")).bearer_auth(&pv).send().await.unwrap();
    assert_eq!(listed.status(), 403);
    let aborted: Value = ask(&operator, &format!("/v1/executions/{id}/abort")).await.json();
    assert_eq!(aborted["status"], "aborted");
    let by = &house.operated(id.parse().unwrap()).await[0].1;
    assert_eq!(by, "s-1", "the token says who it was");
}

#[tokio::test]
async fn every_chain_that_the_caller_sees_is_checked_and_the_broken_one_is_named() {
    let house = House::open().await;
    for document in [b"one".as_slice(), b"two", b"three"] {
        let execution = house.under_way(document).await;
        let head = house.record_failure(execution.id).await;
        house.settle(execution.id, Status::Failed, head).await;
    }
    let bad = house.under_way(b"four").await;
    let invented =
        clinflow_core::audit::ChainHead { sequence: 1, hash: clinflow_core::id::ObjectHash::of(b"x") };
    house.settle(bad.id, Status::Completed, invented).await;
    let mut audit = AuditClient::new(house.channel().await);
    let mut chains = audit.verify(Request::new(AuditRequest::default())).await.unwrap().into_inner();
    let mut seen = Vec::new();
    while let Some(chain) = chains.message().await.unwrap() {
        assert_eq!(chain.verified, chain.execution_id != bad.id.to_string());
        seen.push((chain.verified, chain.broken_at, chain.records));
    }
    seen.sort_unstable();
    assert_eq!(seen, [(false, 1, 0), (true, 0, 1), (true, 0, 1), (true, 0, 1)]);
    let verified = house.get(&format!("/v1/executions/{}/audit", bad.id)).await.json();
    assert_eq!((&verified["verified"], &verified["broken_at"]), (&json!(false), &json!(1)));
    let mut records = audit.export(Request::new(AuditRequest::default())).await.unwrap().into_inner();
    let mut exported = 0;
    while let Some(record) = records.message().await.unwrap() {
        let json: Value = serde_json::from_str(&record.json).unwrap();
        assert_eq!((&json["schema"], &json["sequence"]), (&json!("clinflow.audit-record/1"), &json!(1)));
        assert_eq!(json["entry"]["execution"], record.execution_id);
        exported += 1;
    }
    assert_eq!(exported, 3);
}
