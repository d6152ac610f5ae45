//! What operators do, over a gateway and every role in one process: a step that cannot go on is parked, looked at,
//! mended and put back to work; an execution that is stopped stays stopped, whatever is under way.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use clinflow_core::{
    BundleFiles, Execution, Role, Status,
    audit::{Event, Record, verify_up_to},
    step::ObjectRef,
};
use clinflow_gateway::{Config, Ports};
use clinflow_ports::{
    AuditLog as _, Broker as _, Bundles as _, Executions as _, Objects, StoreError,
    memory::{
        MemoryAuditLog, MemoryBroker, MemoryBundles, MemoryClaims, MemoryExecutions, MemoryJoins,
        MemoryLedger, MemoryObjects, MemoryReviews, MemorySessions,
    },
    topology::Topology,
};
use clinflow_proto::v1::{
    ListParkedRequest, OperationRequest, OperationResponse, ParkedRequest, RerunRequest, SubmitRequest,
    TraceRequest, executions_client::ExecutionsClient, ingest_client::IngestClient,
    operations_client::OperationsClient,
};
use clinflow_runtime::{
    Catalog, Handler, Lifecycle, Limits, Powers, SystemClock, Worker, telemetry::Metrics,
};
use clinflow_workflow::{Bundle, shipped};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tonic::transport::Channel;

/// Longer than anything here takes; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

const DOCUMENT: &str = "visit report\nDate: 11 JAN 2026\n";

/// What becomes of reads of objects whose key has a certain word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Good,
    /// They are unreadable, which parks the message.
    Corrupt(&'static str),
    /// They wait until the mood is good.
    Slow(&'static str),
}

/// An object store with a mood.
struct Moody {
    inner: MemoryObjects,
    mood: watch::Sender<Mood>,
}

#[async_trait]
impl Objects for Moody {
    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let mood = *self.mood.borrow();
        match mood {
            Mood::Corrupt(word) if key.contains(word) => {
                return Err(StoreError::Corrupt { store: "objects", what: "a test's object".to_owned() });
            }
            Mood::Slow(word) if key.contains(word) => {
                let _ = self.mood.subscribe().wait_for(|mood| *mood == Mood::Good).await;
            }
            Mood::Good | Mood::Corrupt(_) | Mood::Slow(_) => {}
        }
        self.inner.get(key).await
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<ObjectRef, StoreError> {
        self.inner.put(key, bytes).await
    }

    async fn create(&self, key: &str, bytes: Bytes) -> Result<ObjectRef, StoreError> {
        self.inner.create(key, bytes).await
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        self.inner.list(folder).await
    }
}

/// The shipped bundle with one workflow more: a date, found by pattern alone.
fn bundle() -> BundleFiles {
    let mut files = shipped();
    let workflow = "\
id: visit-note
version: 1
title: Visit note
team: team-a
document_type: visit-note
classify: { markers: [{ pattern: visit report, weight: 9 }] }
branches: [extractor]
join: { deadline: 30s, on_missing: partial }
fields:
  - { name: date, type: date, agents: [extractor], label: date, description: When }
rules: []
guardrail: pharma-clinical
outputs: [json]
review_below: 0.1
";
    files.0.insert("visit-note/workflow.yaml".to_owned(), workflow.to_owned());
    let patterns = "labelled:\n  date: { labels: [Date] }\n";
    files.0.insert("visit-note/patterns.yaml".to_owned(), patterns.to_owned());
    files
}

struct House {
    objects: Arc<Moody>,
    executions: Arc<MemoryExecutions>,
    log: Arc<MemoryAuditLog>,
    channel: Channel,
    life: Lifecycle,
}

impl House {
    async fn open() -> Self {
        let broker = Arc::new(MemoryBroker::new());
        broker.declare(&Topology::standard()).await.unwrap();
        let objects =
            Arc::new(Moody { inner: MemoryObjects::default(), mood: watch::Sender::new(Mood::Good) });
        let bundles = Arc::new(MemoryBundles::default());
        bundles.publish(&bundle()).await.unwrap();
        let catalog = Arc::new(Catalog::new(bundles.clone(), Bundle::read));
        let (executions, log, reviews) =
            <(Arc<MemoryExecutions>, Arc<MemoryAuditLog>, Arc<MemoryReviews>)>::default();
        let (life, clock) = (Lifecycle::default(), Arc::new(SystemClock));
        let metrics = Metrics::default();
        let powers = Powers {
            broker: broker.clone(),
            claims: Arc::new(MemoryClaims::default()),
            clock: clock.clone(),
            metrics: metrics.clone(),
        };
        let classify = clinflow_classifier::Classify::new(
            clinflow_classifier::Config::default(),
            objects.clone(),
            executions.clone(),
            catalog.clone(),
        );
        let (aggregate, sweeper) = clinflow_aggregator::build(
            clinflow_aggregator::Config::default(),
            broker.clone(),
            Arc::new(MemoryJoins::default()),
            executions.clone(),
            catalog.clone(),
            clock.clone(),
            metrics.clone(),
        );
        life.tasks.spawn(sweeper.run(life.clone()));
        let patterns = clinflow_extractor::catalog(bundles);
        start(classify, &powers, &life).await;
        start(clinflow_extractor::Extract::new(objects.clone(), patterns), &powers, &life).await;
        start(aggregate, &powers, &life).await;
        let validate = clinflow_validator::Validate::new(objects.clone(), catalog.clone(), metrics.clone());
        start(validate, &powers, &life).await;
        let (kept, settled, asked) = (log.clone(), executions.clone(), reviews.clone());
        let audit = clinflow_auditor::Audit::new(kept, settled, asked, catalog.clone(), metrics);
        start(audit, &powers, &life).await;
        start(clinflow_reporter::Report::new(objects.clone(), catalog.clone()), &powers, &life).await;
        let ports = Ports {
            broker,
            executions: executions.clone(),
            reviews,
            ledger: Arc::new(MemoryLedger::default()),
            sessions: Arc::new(MemorySessions::default()),
            log: log.clone(),
            objects: objects.clone(),
            catalog,
            clock,
        };
        let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
        let address = clinflow_gateway::start(config, ports, &life).await.unwrap();
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self { objects, executions, log, channel, life }
    }

    fn operations(&self) -> OperationsClient<Channel> {
        OperationsClient::new(self.channel.clone())
    }

    fn mood(&self, mood: Mood) {
        self.objects.mood.send_replace(mood);
    }

    /// Submits the document; answers its execution's id.
    async fn submit(&self) -> String {
        let request = SubmitRequest {
            content: DOCUMENT.into(),
            workflow_id: "visit-note".to_owned(),
            ..SubmitRequest::default()
        };
        let submitted = IngestClient::new(self.channel.clone()).submit(request).await.unwrap().into_inner();
        submitted.execution.unwrap().execution_id
    }

    async fn now(&self, id: &str) -> Execution {
        self.executions.get(id.parse().unwrap()).await.unwrap().unwrap()
    }

    async fn becomes(&self, id: &str, status: Status) -> Execution {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.now(id).await;
            if now.status == status {
                return now;
            }
            assert!(Instant::now() < deadline, "not {status}: {now:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// The chain of an execution, which verifies up to the newest record it is known to have.
    async fn chain(&self, id: &str) -> Vec<Record> {
        let records = self.log.read(id.parse().unwrap()).await.unwrap();
        verify_up_to(id.parse().unwrap(), &records, self.now(id).await.known_head()).unwrap();
        records
    }

    async fn kinds(&self, id: &str) -> Vec<&'static str> {
        let kind = |record: Record| match record.entry.event {
            Event::Recorded { .. } => "recorded",
            Event::Reported { .. } => "reported",
            Event::Failed { .. } => "failed",
            Event::Operated { operation, .. } => operation.as_str(),
            _ => "other",
        };
        self.chain(id).await.into_iter().map(kind).collect()
    }

    async fn reports(&self, id: &str) -> usize {
        self.objects.list(&format!("reports/{id}")).await.unwrap().len()
    }

    async fn redrive(&self, id: &str) -> OperationResponse {
        let request = OperationRequest { execution_id: id.to_owned(), ..OperationRequest::default() };
        self.operations().redrive(request).await.unwrap().into_inner()
    }
}

async fn start<H: Handler>(handler: H, powers: &Powers, life: &Lifecycle) {
    Worker::new(handler, powers.clone(), Limits::default()).start(life).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_could_not_be_written_is_parked_looked_at_and_replayed() {
    let house = House::open().await;
    house.mood(Mood::Corrupt("/validator-"));
    let id = house.submit().await;
    house.becomes(&id, Status::Parked).await;
    let parked = house.operations().list_parked(ListParkedRequest::default()).await.unwrap().into_inner();
    let one = &parked.messages[0];
    assert_eq!(
        (one.execution_id.as_str(), one.queue.as_str(), one.code.as_str(), one.workflow_id.as_str()),
        (id.as_str(), "clinflow.reporter.batch", "store.corrupt", "visit-note")
    );
    let replay = || ParkedRequest { message_id: one.message_id.clone(), ..ParkedRequest::default() };
    // Replayed too early: it is parked again, and recorded again.
    house.operations().replay_parked(replay()).await.unwrap();
    house.becomes(&id, Status::Parked).await;
    house.mood(Mood::Good);
    house.operations().replay_parked(replay()).await.unwrap();
    assert_eq!(house.becomes(&id, Status::Completed).await.redrives, 2);
    assert_eq!(house.kinds(&id).await, ["recorded", "failed", "replay", "failed", "replay", "reported"]);
    assert_eq!(house.reports(&id).await, 1);
    let waiting = house.operations().list_parked(ListParkedRequest::default()).await.unwrap().into_inner();
    assert_eq!(waiting.waiting, 0);
    let request = TraceRequest { execution_id: id, field: "date".to_owned() };
    let trace = ExecutionsClient::new(house.channel.clone()).trace(request).await.unwrap().into_inner();
    assert!(trace.chain_verified);
    assert_eq!(trace.fields[0].normalized, "2026-01-11");
    assert_eq!(trace.fields[0].evidence[0].text, "11 JAN 2026");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_could_not_read_is_redriven_to_the_end() {
    let house = House::open().await;
    house.mood(Mood::Corrupt("/classifier-"));
    let id = house.submit().await;
    house.becomes(&id, Status::Parked).await;
    house.mood(Mood::Good);
    let done = house.redrive(&id).await;
    assert_eq!((done.messages, done.execution.unwrap().status.as_str()), (1, "running"));
    house.becomes(&id, Status::Completed).await;
    assert_eq!(house.kinds(&id).await, ["failed", "redrive", "recorded", "reported"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_when_an_execution_is_aborted_is_never_reported_until_it_is_redriven() {
    let house = House::open().await;
    house.mood(Mood::Slow("/classifier-"));
    let id = house.submit().await;
    let abort = OperationRequest {
        execution_id: id.clone(),
        reason: "wrong-document".to_owned(),
        ..OperationRequest::default()
    };
    house.operations().abort(abort).await.unwrap();
    house.mood(Mood::Good);
    let deadline = Instant::now() + PATIENCE;
    while !house.kinds(&id).await.contains(&"recorded") {
        assert!(Instant::now() < deadline, "the result never reached the auditor");
        sleep(Duration::from_millis(10)).await;
    }
    // Everything that is going to happen to it happens well within this.
    sleep(Duration::from_millis(300)).await;
    assert_eq!((house.now(&id).await.status, house.reports(&id).await), (Status::Aborted, 0));
    assert_eq!(house.kinds(&id).await, ["abort", "recorded"]);
    house.redrive(&id).await;
    house.becomes(&id, Status::Completed).await;
    assert_eq!((house.kinds(&id).await.len(), house.reports(&id).await), (4, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rerun_goes_through_every_step_under_an_id_of_its_own() {
    let house = House::open().await;
    let id = house.submit().await;
    house.becomes(&id, Status::Completed).await;
    assert_eq!(house.submit().await, id, "a duplicate is no rerun");
    let request = RerunRequest { execution_id: id.clone(), ..RerunRequest::default() };
    let new = house.operations().rerun(request).await.unwrap().into_inner().execution.unwrap().execution_id;
    assert_ne!(new, id);
    house.becomes(&new, Status::Completed).await;
    assert_eq!((house.reports(&id).await, house.reports(&new).await), (1, 1));
    let roles: Vec<Role> =
        clinflow_core::audit::history(&house.chain(&new).await).into_iter().map(|step| step.role).collect();
    assert!(roles.contains(&Role::Classifier) && roles.contains(&Role::Reporter), "{roles:?}");
    house.life.soft.cancel();
}
