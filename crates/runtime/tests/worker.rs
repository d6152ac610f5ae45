//! One worker on the in-memory broker, in paused time: what becomes of a message, whatever its handler does.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use clinflow_core::{ExecutionId, Failure, Lane, Role, WorkflowId};
use clinflow_ports::{
    Broker, ClaimKey, Claims as _, Clock, Consumer, Envelope, Event, Meta, Route, Settled,
    memory::{MemoryBroker, MemoryClaims},
    topology::{DEAD, PARKED, Topology, queue_name},
};
use clinflow_proto::v1;
use clinflow_runtime::{
    Context, Done, Handler, Lifecycle, Limits, Output, Powers, RetryPolicy, SystemClock, Work, Worker,
    retry::JitterStrategy, telemetry::Metrics,
};
use prost::Message as _;
use uuid::Uuid;

/// What the scripted handler does at each attempt.
type Script = fn(u32) -> Result<(), Failure>;

/// A validator that follows a script and counts its calls.
struct Scripted {
    script: Script,
    calls: Arc<AtomicU32>,
}

impl Handler for Scripted {
    const ROLE: Role = Role::Validator;
    type Input = v1::FieldsMerged;

    async fn handle(&self, input: v1::FieldsMerged, _context: &Context) -> Result<Done, Failure> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        (self.script)(call)?;
        let workflow = WorkflowId::new("ae-report").unwrap();
        let validated = v1::FieldsValidated { document: input.document, ..v1::FieldsValidated::default() };
        Ok(Done::one(Output::new(&workflow, validated), Work::of(workflow.agent(Role::Validator))))
    }
}

struct Stage {
    broker: MemoryBroker,
    claims: Arc<MemoryClaims>,
    life: Lifecycle,
    calls: Arc<AtomicU32>,
    metrics: Metrics,
    queue: String,
}

async fn stage(script: Script) -> Stage {
    stage_on(MemoryBroker::new(), script).await
}

async fn stage_on(broker: MemoryBroker, script: Script) -> Stage {
    broker.declare(&Topology::standard()).await.unwrap();
    let metrics = Metrics::default();
    let (claims, life, calls) =
        (Arc::new(MemoryClaims::default()), Lifecycle::default(), Arc::new(AtomicU32::new(0)));
    let powers = Powers {
        broker: Arc::new(broker.clone()),
        claims: claims.clone(),
        clock: Arc::new(SystemClock),
        metrics: metrics.clone(),
    };
    let retry =
        RetryPolicy { max_attempts: 3, jitter_strategy: JitterStrategy::None, ..RetryPolicy::default() };
    let limits = Limits { retry, stage_timeout: Duration::from_secs(5), ..Limits::default() };
    let worker = Worker::new(Scripted { script, calls: calls.clone() }, powers, limits);
    worker.start(&life).await.unwrap();
    Stage { broker, claims, life, calls, metrics, queue: queue_name(Role::Validator, Lane::Batch) }
}

fn meta() -> Meta {
    Meta {
        message_id: Uuid::from_u128(7),
        execution: Some(ExecutionId::from_uuid(Uuid::from_u128(8))),
        type_name: Event::FieldsMerged.type_name().to_owned(),
        timestamp: SystemClock.now(),
        workflow: WorkflowId::new("ae-report").unwrap(),
        lane: Lane::Batch,
        team: None,
        session: None,
        attempt: 1,
        redrive: 0,
        hops: 3,
        deadline: None,
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    }
}

fn body() -> Bytes {
    let execution = v1::ExecutionContext {
        execution_id: Uuid::from_u128(8).to_string(),
        ..v1::ExecutionContext::default()
    };
    let document = v1::DocumentClassified { execution: Some(execution), ..v1::DocumentClassified::default() };
    v1::FieldsMerged { document: Some(document), ..v1::FieldsMerged::default() }.encode_to_vec().into()
}

impl Stage {
    async fn send(&self, envelope: Envelope) {
        let route = Route::event(Event::FieldsMerged, &WorkflowId::new("ae-report").unwrap(), Lane::Batch);
        let _ = self.broker.publish(route, envelope).await.unwrap();
    }

    /// What reaches the auditor next, as its type and body.
    async fn audited(&self) -> Envelope {
        let mut auditor: Box<dyn Consumer> =
            self.broker.consume(&queue_name(Role::Auditor, Lane::Batch), 1).await.unwrap();
        let delivery = auditor.next().await.unwrap();
        let envelope = delivery.envelope().clone();
        delivery.ack(Settled::publishing(&self.broker, Vec::new()).await.unwrap()).await.unwrap();
        envelope
    }

    /// What lies in a queue for people, as its headers.
    async fn set_aside(&self, queue: &str) -> BTreeMap<String, String> {
        while self.broker.depth(queue).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.broker.take(queue).await.unwrap().unwrap().envelope().headers.clone()
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }
}

fn validated(envelope: &Envelope) -> v1::FieldsValidated {
    v1::FieldsValidated::decode(envelope.body.clone()).unwrap()
}

fn steps(message: v1::FieldsValidated) -> Vec<(u32, i32, String)> {
    let steps = message.document.unwrap().execution.unwrap().steps;
    steps.into_iter().map(|step| (step.attempt, step.outcome, step.code)).collect()
}

#[tokio::test(start_paused = true)]
async fn an_output_carries_the_execution_the_trace_and_the_step() {
    let stage = stage(|_| Ok(())).await;
    stage.send(meta().write(body())).await;
    let output = stage.audited().await;
    let read = Meta::read(&output, Lane::Batch, SystemClock.now()).unwrap();
    assert_eq!((read.execution, read.hops, read.attempt), (meta().execution, 4, 1));
    assert_eq!(read.traceparent, meta().traceparent);
    assert_eq!(steps(validated(&output)), [(1, v1::Outcome::Succeeded.into(), String::new())]);
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_handled_once_and_a_redrive_again_with_the_same_output_id() {
    let stage = stage(|_| Ok(())).await;
    stage.send(meta().write(body())).await;
    let first = stage.audited().await;
    stage.send(meta().write(body())).await;
    stage.send(Meta { redrive: 1, ..meta() }.write(body())).await;
    let second = stage.audited().await;
    assert_eq!(first.message_id, second.message_id);
    assert_eq!(stage.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_retried_message_comes_back_and_its_history_tells_of_the_failed_attempt() {
    let stage = stage(|call| {
        if call == 1 { Err(Failure::retry("store.unavailable", anyhow::anyhow!("down"))) } else { Ok(()) }
    })
    .await;
    stage.send(meta().write(body())).await;
    assert_eq!(
        steps(validated(&stage.audited().await)),
        [
            (1, v1::Outcome::Failed.into(), "store.unavailable".to_owned()),
            (2, v1::Outcome::Succeeded.into(), String::new())
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn exhausted_retries_park_the_message_and_tell_the_auditor() {
    let stage = stage(|_| Err(Failure::retry("store.unavailable", anyhow::anyhow!("down")))).await;
    stage.send(meta().write(body())).await;
    let failed = v1::DocumentFailed::decode(stage.audited().await.body).unwrap();
    assert_eq!(
        (failed.status.as_str(), failed.code.as_str(), failed.role.as_str()),
        ("parked", "store.unavailable", "validator")
    );
    assert_eq!(failed.execution.unwrap().steps.len(), 3, "every attempt is in the history");
    let headers = stage.set_aside(PARKED).await;
    assert_eq!((headers["failure-code"].as_str(), headers["attempt"].as_str()), ("store.unavailable", "3"));
    assert_eq!(stage.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_message_is_a_dead_letter_and_fails_the_execution() {
    let stage = stage(|_| Err(Failure::reject("ingest.empty", anyhow::anyhow!("no bytes")))).await;
    stage.send(meta().write(body())).await;
    let failed = v1::DocumentFailed::decode(stage.audited().await.body).unwrap();
    assert_eq!((failed.status.as_str(), failed.message.as_str()), ("failed", "no bytes"));
    assert_eq!(stage.set_aside(DEAD).await["failure-code"], "ingest.empty");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_parse_is_a_dead_letter_and_the_queue_goes_on() {
    let stage = stage(|_| Ok(())).await;
    stage
        .send(Meta { message_id: Uuid::from_u128(9), ..meta() }.write(Bytes::from_static(b"\xff\xff\xff")))
        .await;
    stage.send(meta().write(body())).await;
    assert_eq!(stage.set_aside(DEAD).await["failure-code"], "message.undecodable");
    assert_eq!(stage.audited().await.type_name.as_deref(), Some("clinflow.v1.FieldsValidated"));
}

#[tokio::test(start_paused = true)]
async fn a_bad_header_is_a_dead_letter() {
    let stage = stage(|_| Ok(())).await;
    let mut envelope = meta().write(body());
    envelope.headers.insert("attempt".to_owned(), "many".to_owned());
    stage.send(envelope).await;
    let headers = stage.set_aside(DEAD).await;
    assert_eq!(headers["failure-code"], "message.bad-header");
    assert_eq!(headers["failure-message"], "header `attempt` cannot be read: a number");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_tried_once_more_and_then_parked() {
    let stage = stage(|_| panic!("patient John Doe")).await;
    stage.send(meta().write(body())).await;
    let headers = stage.set_aside(PARKED).await;
    assert_eq!((headers["failure-code"].as_str(), stage.calls()), ("handler.panicked", 2));
    assert!(!headers["failure-message"].contains("John"), "a panic's words may be PHI");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_went_round_too_often_is_parked_unhandled() {
    let stage = stage(|_| Ok(())).await;
    stage.send(Meta { hops: 33, ..meta() }.write(body())).await;
    assert_eq!(stage.set_aside(PARKED).await["failure-code"], "loop.hops");
    assert_eq!(stage.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_past_its_deadline_is_parked_unhandled() {
    let stage = stage(|_| Ok(())).await;
    let deadline = SystemClock.now() - jiff::SignedDuration::from_secs(1);
    stage.send(Meta { deadline: Some(deadline), ..meta() }.write(body())).await;
    assert_eq!(stage.set_aside(PARKED).await["failure-code"], "deadline.passed");
    assert_eq!(stage.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_held_elsewhere_waits_without_counting_an_attempt() {
    let stage = stage(|_| Ok(())).await;
    let key = ClaimKey { role: Role::Validator, message_id: meta().message_id, redrive: 0 };
    stage.claims.claim(key, Uuid::from_u128(99), Duration::from_secs(8)).await.unwrap();
    stage.send(meta().write(body())).await;
    let message = validated(&stage.audited().await);
    assert_eq!(steps(message), [(1, v1::Outcome::Succeeded.into(), String::new())]);
}

/// A handler that never answers.
struct Hanging;

impl Handler for Hanging {
    const ROLE: Role = Role::Validator;
    type Input = v1::FieldsMerged;

    async fn handle(&self, _input: v1::FieldsMerged, _context: &Context) -> Result<Done, Failure> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_handler_is_ended_by_the_stage_timeout_and_the_drain_waits_for_it() {
    let broker = MemoryBroker::new();
    broker.declare(&Topology::standard()).await.unwrap();
    let life = Lifecycle::default();
    let powers = Powers {
        broker: Arc::new(broker.clone()),
        claims: Arc::new(MemoryClaims::default()),
        clock: Arc::new(SystemClock),
        metrics: Metrics::default(),
    };
    let retry = RetryPolicy { max_attempts: 1, ..RetryPolicy::default() };
    let limits = Limits { retry, stage_timeout: Duration::from_secs(5), ..Limits::default() };
    Worker::new(Hanging, powers, limits).start(&life).await.unwrap();
    let route = Route::event(Event::FieldsMerged, &WorkflowId::new("ae-report").unwrap(), Lane::Batch);
    let _ = broker.publish(route, meta().write(body())).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(life.drain(Duration::from_secs(30)).await, "the message in hand was finished");
    let parked = broker.take(PARKED).await.unwrap().unwrap();
    assert_eq!(parked.envelope().headers["failure-code"], "handler.timeout");
}

#[tokio::test(start_paused = true)]
async fn a_drained_worker_takes_no_more_and_loses_nothing() {
    let stage = stage(|_| Ok(())).await;
    assert!(stage.life.drain(Duration::from_secs(5)).await);
    stage.send(meta().write(body())).await;
    assert_eq!(stage.broker.depth(&stage.queue).await.unwrap(), 1);
    assert_eq!(stage.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_first_delivery_says_how_long_it_waited_and_a_second_one_is_counted_as_such() {
    let broker = MemoryBroker::new();
    broker.declare(&Topology::standard()).await.unwrap();
    let route = Route::event(Event::FieldsMerged, &WorkflowId::new("ae-report").unwrap(), Lane::Batch);
    let _ = broker.publish(route, meta().write(body())).await.unwrap();
    // Somebody takes it and ends without an answer.
    drop(broker.take(&queue_name(Role::Validator, Lane::Batch)).await.unwrap().unwrap());
    let stage = stage_on(broker, |_| Ok(())).await;
    stage.audited().await;
    let labels = r#"{role="validator",lane="batch"}"#;
    let text = stage.metrics.render().unwrap();
    assert!(text.contains(&format!("clinflow_redeliveries_total{labels} 1\n")), "{text}");
    assert!(text.contains(&format!("clinflow_delivery_wait_seconds_count{labels} 0\n")), "{text}");
    let ten_seconds_ago = SystemClock.now() - jiff::SignedDuration::from_secs(10);
    let other = Meta { message_id: Uuid::from_u128(9), timestamp: ten_seconds_ago, ..meta() };
    stage.send(other.write(body())).await;
    stage.audited().await;
    let text = stage.metrics.render().unwrap();
    assert!(text.contains(&format!("clinflow_delivery_wait_seconds_count{labels} 1\n")), "{text}");
    let bucket = |le, count| {
        let labels = format!(r#"{{le="{le}",role="validator",lane="batch"}}"#);
        text.contains(&format!("clinflow_delivery_wait_seconds_bucket{labels} {count}\n"))
    };
    assert!(bucket("5.0", 0) && bucket("15.0", 1), "{text}");
}

/// A broker that refuses the first publishes, as one under a memory alarm does.
struct Refusing {
    inner: MemoryBroker,
    refusals: Mutex<u32>,
}

#[async_trait::async_trait]
impl Broker for Refusing {
    async fn declare(&self, topology: &Topology) -> Result<(), clinflow_ports::BrokerError> {
        self.inner.declare(topology).await
    }

    async fn consume(
        &self,
        queue: &str,
        prefetch: u16,
    ) -> Result<Box<dyn Consumer>, clinflow_ports::BrokerError> {
        self.inner.consume(queue, prefetch).await
    }

    async fn publish(
        &self,
        to: Route,
        message: Envelope,
    ) -> Result<clinflow_ports::broker::Confirmed, clinflow_ports::BrokerError> {
        {
            let mut refusals = self.refusals.lock().unwrap();
            if *refusals > 0 {
                *refusals -= 1;
                return Err(clinflow_ports::BrokerError::Refused { reason: "memory alarm" });
            }
        }
        self.inner.publish(to, message).await
    }

    async fn depth(&self, queue: &str) -> Result<u64, clinflow_ports::BrokerError> {
        self.inner.depth(queue).await
    }

    async fn take(
        &self,
        queue: &str,
    ) -> Result<Option<Box<dyn clinflow_ports::Delivery>>, clinflow_ports::BrokerError> {
        self.inner.take(queue).await
    }

    fn health(&self) -> tokio::sync::watch::Receiver<clinflow_ports::Health> {
        self.inner.health()
    }
}

#[tokio::test(start_paused = true)]
async fn outputs_that_a_broker_refuses_are_published_again_without_handling_again() {
    let inner = MemoryBroker::new();
    inner.declare(&Topology::standard()).await.unwrap();
    let (life, calls) = (Lifecycle::default(), Arc::new(AtomicU32::new(0)));
    let powers = Powers {
        broker: Arc::new(Refusing { inner: inner.clone(), refusals: Mutex::new(5) }),
        claims: Arc::new(MemoryClaims::default()),
        clock: Arc::new(SystemClock),
        metrics: Metrics::default(),
    };
    let handler = Scripted { script: |_| Ok(()), calls: calls.clone() };
    Worker::new(handler, powers, Limits::default()).start(&life).await.unwrap();
    let route = Route::event(Event::FieldsMerged, &WorkflowId::new("ae-report").unwrap(), Lane::Batch);
    let _ = inner.publish(route, meta().write(body())).await.unwrap();
    let auditor = queue_name(Role::Auditor, Lane::Batch);
    while inner.depth(&auditor).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
