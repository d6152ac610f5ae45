//! The whole pipeline in one thread and in paused time, under faults drawn from a seed: publishes in doubt, publishes
//! that never arrive, messages delivered twice, workers that die with work in hand, claims and joins that are gone,
//! queues that are gone. A crash between any two steps is a redelivery that converges: this is that sentence.
//!
//! A seed that fails is printed; add it to [`REPRODUCTIONS`].

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use clinflow_core::{
    DocumentHash, Execution, ExecutionId, Lane, Role, Status, WorkflowId,
    audit::{Event, verify},
    execution::DocumentRef,
    id::derive,
    join::{Arrival, Part},
};
use clinflow_integration::documents;
use clinflow_ports::{
    AuditLog, Broker, BrokerError, Bundles, Claim, ClaimKey, Claims, Clock, Consumer, Delivery, Envelope,
    Executions, Health, JoinKey, Joins, Objects, Route, Settled, StoreError,
    broker::Confirmed,
    joins::Expired,
    memory::{
        MemoryAuditLog, MemoryBroker, MemoryBundles, MemoryClaims, MemoryExecutions, MemoryJoins,
        MemoryObjects, MemoryReviews, MemorySessions,
    },
    objects::key,
    topology::Topology,
};
use clinflow_runtime::{Catalog, Handler, Lifecycle, Limits, Powers, Worker, submission, telemetry::Metrics};
use clinflow_workflow::{Bundle, shipped};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// Seeds that once failed.
const REPRODUCTIONS: [u64; 0] = [];

/// Seeds of an ordinary run.
const SEEDS: std::ops::Range<u64> = 0..24;

/// Documents of each seed.
const DOCUMENTS: usize = 4;

/// A small generator of our own, so that a seed means the same in every version of every library.
struct Dice(u64);

impl Dice {
    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True once in `n` times.
    fn one_in(&mut self, n: u64) -> bool {
        self.roll().is_multiple_of(n)
    }
}

/// Faults happen while this is true; then the world heals and everything must end.
type Storm = Arc<AtomicBool>;

/// Time that moves with tokio's.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-01-09T08:00:00Z".parse().unwrap();
        start + SignedDuration::try_from(self.0.elapsed()).unwrap()
    }
}

/// A broker whose publishes fail in every way a publish can fail.
struct StormyBroker {
    inner: MemoryBroker,
    storm: Storm,
    dice: Mutex<Dice>,
    health: watch::Sender<Health>,
}

#[async_trait]
impl Broker for StormyBroker {
    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.inner.declare(topology).await
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Box<dyn Consumer>, BrokerError> {
        self.inner.consume(queue, prefetch).await
    }

    async fn publish(&self, to: Route, message: Envelope) -> Result<Confirmed, BrokerError> {
        let fault =
            if self.storm.load(Ordering::SeqCst) { self.dice.lock().unwrap().roll() % 16 } else { 15 };
        match fault {
            // It never arrived.
            0 => Err(BrokerError::Refused { reason: "storm" }),
            // It arrived, and the confirm did not.
            1 => {
                let _ = self.inner.publish(to, message).await?;
                Err(BrokerError::Unavailable(std::io::Error::other("storm").into()))
            }
            // It arrived twice.
            2 => {
                let _ = self.inner.publish(to.clone(), message.clone()).await?;
                self.inner.publish(to, message).await
            }
            // It takes a while, so that messages overtake each other.
            3 => {
                sleep(Duration::from_millis(700)).await;
                self.inner.publish(to, message).await
            }
            _ => self.inner.publish(to, message).await,
        }
    }

    async fn depth(&self, queue: &str) -> Result<u64, BrokerError> {
        self.inner.depth(queue).await
    }

    async fn take(&self, queue: &str) -> Result<Option<Box<dyn Delivery>>, BrokerError> {
        self.inner.take(queue).await
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }
}

/// A Redis that can lose everything.
#[derive(Default)]
struct Forgetful {
    claims: Mutex<Arc<MemoryClaims>>,
    joins: Mutex<Arc<MemoryJoins>>,
}

impl Forgetful {
    fn flush(&self) {
        *self.claims.lock().unwrap() = Arc::default();
        *self.joins.lock().unwrap() = Arc::default();
    }

    fn claims(&self) -> Arc<MemoryClaims> {
        self.claims.lock().unwrap().clone()
    }

    fn joins(&self) -> Arc<MemoryJoins> {
        self.joins.lock().unwrap().clone()
    }
}

#[async_trait]
impl Claims for Forgetful {
    async fn claim(&self, key: ClaimKey, owner: uuid::Uuid, lease: Duration) -> Result<Claim, StoreError> {
        self.claims().claim(key, owner, lease).await
    }

    async fn complete(&self, key: ClaimKey, keep: Duration) -> Result<(), StoreError> {
        self.claims().complete(key, keep).await
    }

    async fn abandon(&self, key: ClaimKey, owner: uuid::Uuid) -> Result<(), StoreError> {
        self.claims().abandon(key, owner).await
    }
}

#[async_trait]
impl Joins for Forgetful {
    async fn arrive(
        &self,
        key: JoinKey,
        expected: &[String],
        deadline: Timestamp,
        part: Part,
    ) -> Result<Arrival, StoreError> {
        self.joins().arrive(key, expected, deadline, part).await
    }

    async fn expire(&self, now: Timestamp, limit: usize) -> Result<Vec<Expired>, StoreError> {
        self.joins().expire(now, limit).await
    }

    async fn settle(&self, key: JoinKey) -> Result<(), StoreError> {
        self.joins().settle(key).await
    }
}

/// The pipeline over stores that last and a broker and a Redis that do not.
struct World {
    memory: MemoryBroker,
    broker: Arc<StormyBroker>,
    redis: Arc<Forgetful>,
    executions: Arc<MemoryExecutions>,
    log: Arc<MemoryAuditLog>,
    reviews: Arc<MemoryReviews>,
    objects: Arc<MemoryObjects>,
    bundles: Arc<MemoryBundles>,
    catalog: Arc<Catalog<Bundle>>,
    bundle: clinflow_core::BundleHash,
    clock: Arc<TokioClock>,
    storm: Storm,
}

impl World {
    async fn new(seed: u64) -> Self {
        let memory = MemoryBroker::new();
        memory.declare(&Topology::standard()).await.unwrap();
        let storm: Storm = Arc::new(AtomicBool::new(true));
        let broker = StormyBroker {
            inner: memory.clone(),
            storm: storm.clone(),
            dice: Mutex::new(Dice(seed)),
            health: watch::Sender::new(Health::Up),
        };
        let bundles = Arc::new(MemoryBundles::default());
        let bundle = bundles.publish(&shipped()).await.unwrap();
        Self {
            memory,
            broker: Arc::new(broker),
            redis: Arc::default(),
            executions: Arc::default(),
            log: Arc::default(),
            reviews: Arc::default(),
            objects: Arc::default(),
            catalog: Arc::new(Catalog::new(bundles.clone(), Bundle::read)),
            bundles,
            bundle,
            clock: Arc::new(TokioClock(Instant::now())),
            storm,
        }
    }

    /// Starts a role in a process of its own, as it were.
    async fn start(&self, role: Role) -> Lifecycle {
        let life = Lifecycle::default();
        let (objects, catalog) = (self.objects.clone(), self.catalog.clone());
        let metrics = Metrics::default();
        match role {
            Role::Classifier => {
                let config = clinflow_classifier::Config::default();
                let handler =
                    clinflow_classifier::Classify::new(config, objects, self.executions.clone(), catalog);
                self.work(handler, &life).await;
            }
            Role::Extractor => {
                let patterns = clinflow_extractor::catalog(self.bundles.clone());
                self.work(clinflow_extractor::Extract::new(objects, patterns), &life).await;
            }
            Role::Nlp => {
                let reader = Arc::new(clinflow_nlp::LocalModel::new());
                let sessions = Arc::new(MemorySessions::default());
                let comprehend = clinflow_nlp::Comprehend::new(objects, catalog, sessions, reader, metrics);
                self.work(comprehend, &life).await;
            }
            Role::Aggregator => {
                let (aggregate, sweeper) = clinflow_aggregator::build(
                    clinflow_aggregator::Config::default(),
                    self.broker.clone(),
                    self.redis.clone(),
                    self.executions.clone(),
                    catalog,
                    self.clock.clone(),
                    metrics,
                );
                life.tasks.spawn(sweeper.run(life.clone()));
                self.work(aggregate, &life).await;
            }
            Role::Validator => {
                self.work(clinflow_validator::Validate::new(objects, catalog, metrics), &life).await;
            }
            Role::Auditor => {
                let (log, executions, reviews) =
                    (self.log.clone(), self.executions.clone(), self.reviews.clone());
                let audit = clinflow_auditor::Audit::new(log, executions, reviews, catalog, metrics);
                self.work(audit, &life).await;
            }
            Role::Reporter => self.work(clinflow_reporter::Report::new(objects, catalog), &life).await,
            Role::Gateway => {}
        }
        life
    }

    async fn work<H: Handler>(&self, handler: H, life: &Lifecycle) {
        let powers = Powers {
            broker: self.broker.clone(),
            claims: self.redis.clone(),
            clock: self.clock.clone(),
            metrics: Metrics::default(),
        };
        Worker::new(handler, powers, Limits { concurrency: 2, ..Limits::default() })
            .start(life)
            .await
            .unwrap();
    }

    /// Accepts a document as the gateway does: document, execution, and a publish that may be lost.
    async fn accept(&self, seed: u64, document: &documents::Document) -> ExecutionId {
        let mark = format!("\nseed {seed}\n");
        let bytes: bytes::Bytes = [&document.bytes, mark.as_bytes()].concat().into();
        let sha256 = DocumentHash::of(&bytes);
        let workflow = WorkflowId::new(document.workflow.clone()).unwrap();
        let reference = DocumentRef {
            sha256,
            key: key::document(&sha256),
            media_type: document.media_type.to_owned(),
            size: bytes.len() as u64,
        };
        self.objects.put(&reference.key, bytes).await.unwrap();
        let id = ExecutionId::derive(&workflow, &sha256, &self.bundle, 0);
        let now = self.clock.now();
        let execution = Execution {
            id,
            requested_workflow: workflow,
            document: reference,
            bundle: self.bundle,
            session: None,
            team: None,
            lane: Lane::Batch,
            submission: derive(&[b"submission", id.as_uuid().as_bytes()]),
            created_at: now,
            redrives: 0,
            check_at: Some(now + SignedDuration::from_secs(60)),
            status: Status::Running,
            disposition: None,
            head: None,
        };
        self.executions.create(&execution).await.unwrap();
        // A publish that fails here is the sweeper's to mend.
        let _ = Settled::publishing(self.broker.as_ref(), vec![submission::message(&execution, now)]).await;
        id
    }
}

/// One seed: a storm over a few documents, then calm, then the end of every execution.
async fn simulate(seed: u64) {
    let mut dice = Dice(seed ^ 0x5eed);
    let world = World::new(seed).await;
    let mut roles = Vec::new();
    for role in Role::CONSUMERS {
        roles.push((role, world.start(role).await));
    }
    let samples = documents::samples().unwrap();
    let texts: Vec<_> = samples.into_iter().filter(|sample| sample.media_type == "text/plain").collect();
    let mut accepted = BTreeSet::new();
    for n in 0..DOCUMENTS {
        let at = usize::try_from(seed).unwrap() * DOCUMENTS + n;
        accepted.insert(world.accept(seed, &texts[at % texts.len()]).await);
        for (role, life) in &mut roles {
            if dice.one_in(6) {
                life.hard.cancel();
                life.tasks.close();
                life.tasks.wait().await;
                *life = world.start(*role).await;
            }
        }
        if dice.one_in(4) {
            world.redis.flush();
        }
        if dice.one_in(4) {
            world.memory.lose_everything();
        }
        sleep(Duration::from_millis(dice.roll() % 3_000)).await;
    }
    world.storm.store(false, Ordering::SeqCst);
    let calm = Instant::now();
    for id in &accepted {
        while !world.executions.get(*id).await.unwrap().unwrap().status.is_terminal() {
            assert!(calm.elapsed() < Duration::from_secs(4 * 3600), "seed {seed}: {id} does not end");
            sleep(Duration::from_secs(1)).await;
        }
    }
    // What is still under way (a redrive that lost its race) must change nothing.
    sleep(Duration::from_secs(600)).await;
    for id in &accepted {
        let execution = world.executions.get(*id).await.unwrap().unwrap();
        assert!(
            matches!(execution.status, Status::Completed | Status::NeedsReview),
            "seed {seed}: {:?}",
            execution.disposition
        );
        let records = world.log.read(*id).await.unwrap();
        verify(*id, &records).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        let reports =
            records.iter().filter(|record| matches!(record.entry.event, Event::Reported { .. })).count();
        let recorded =
            records.iter().filter(|record| matches!(record.entry.event, Event::Recorded { .. })).count();
        assert_eq!((recorded, reports), (1, 1), "seed {seed}: {records:#?}");
        for record in &records {
            if let Event::Reported { outputs, .. } = &record.entry.event {
                for output in outputs {
                    clinflow_ports::objects::get_checked(world.objects.as_ref(), output).await.unwrap();
                }
            }
        }
    }
    let written = world.objects.list("reports").await.unwrap();
    let records = written.iter().filter(|key| key.ends_with("/record.json")).count();
    assert_eq!(records, accepted.len(), "seed {seed}");
    for (_, life) in roles {
        life.hard.cancel();
    }
}

#[test]
fn every_accepted_document_is_reported_once_whatever_the_storm() {
    for seed in REPRODUCTIONS.into_iter().chain(SEEDS) {
        println!("seed {seed}");
        fastrand::seed(seed);
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(simulate(seed));
    }
}
