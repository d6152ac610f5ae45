//! A gateway on a free port, the memory behind it, and what a caller needs to talk to it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use clinflow_core::{
    BundleFiles, Disposition, Execution, ExecutionId, Role, Status, Step, WorkflowId,
    audit::{ChainHead, Entry, Event},
    step::Outcome,
};
use clinflow_gateway::{Config, Ports};
use clinflow_ports::{
    AuditLog as _, Broker, BrokerError, Bundles as _, Consumer, Delivery, Envelope, Executions as _, Health,
    Route,
    broker::Confirmed,
    memory::{
        ManualClock, MemoryAuditLog, MemoryBroker, MemoryBundles, MemoryExecutions, MemoryLedger,
        MemoryObjects, MemoryReviews, MemorySessions,
    },
    topology::Topology,
};
use clinflow_proto::v1::{executions_client::ExecutionsClient, ingest_client::IngestClient};
use clinflow_runtime::{Catalog, Lifecycle};
use clinflow_workflow::Bundle;
use jiff::Timestamp;
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::sync::watch;
use tonic::transport::Channel;

/// What the clock says.
pub(crate) const NOW: i64 = 1_700_000_000;

/// A broker in memory whose health and willingness are the test's.
pub(crate) struct Moody {
    inner: MemoryBroker,
    pub(crate) health: watch::Sender<Health>,
    pub(crate) refuses: AtomicBool,
}

#[async_trait]
impl Broker for Moody {
    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.inner.declare(topology).await
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Box<dyn Consumer>, BrokerError> {
        self.inner.consume(queue, prefetch).await
    }

    async fn publish(&self, to: Route, message: Envelope) -> Result<Confirmed, BrokerError> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(BrokerError::Refused { reason: "the queue is full" });
        }
        self.inner.publish(to, message).await
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

/// A bundle of two workflows that want one date each: what workflows ask for is nothing to a gateway.
fn bundle() -> BundleFiles {
    let shipped = clinflow_workflow::shipped();
    let mut files = BundleFiles::default();
    for path in ["prices.yaml", "budgets.yaml", "guardrails/pharma-clinical.yaml"] {
        files.0.insert(path.to_owned(), shipped.0[path].clone());
    }
    for (path, text) in [
        ("code_lists.yaml", "answer:\n  - { value: YES }\n"),
        ("rules.yaml", "rules: []\n"),
        ("patterns.yaml", "{}\n"),
    ] {
        files.0.insert(path.to_owned(), text.to_owned());
    }
    for id in ["ae-report", "lab-report"] {
        let workflow = format!(
            "\
id: {id}
version: 1
title: {id}
team: team-a
document_type: {id}
classify: {{ markers: [{{ pattern: report, weight: 1 }}] }}
branches: [extractor]
join: {{ deadline: 30s, on_missing: partial }}
fields:
  - {{ name: date, type: date, agents: [extractor], label: date, description: When }}
rules: []
guardrail: pharma-clinical
outputs: [json]
review_below: 0.5
"
        );
        files.0.insert(format!("{id}/workflow.yaml"), workflow);
        files.0.insert(format!("{id}/patterns.yaml"), "labelled:\n  date: { labels: [date] }\n".to_owned());
    }
    files
}

/// A gateway and everything around it.
pub(crate) struct House {
    pub(crate) broker: Arc<Moody>,
    pub(crate) executions: Arc<MemoryExecutions>,
    pub(crate) log: Arc<MemoryAuditLog>,
    pub(crate) sessions: Arc<MemorySessions>,
    pub(crate) reviews: Arc<MemoryReviews>,
    pub(crate) ledger: Arc<MemoryLedger>,
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) life: Lifecycle,
    pub(crate) address: SocketAddr,
    pub(crate) http: Client,
}

/// A configuration for tests: a free port, and watching that looks often.
pub(crate) fn config() -> Config {
    let mut config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::default() };
    config.watch.interval = Duration::from_millis(5);
    config
}

impl House {
    /// A gateway as [`config`] wants it.
    pub(crate) async fn open() -> Self {
        Self::with(config()).await
    }

    /// A gateway as `config` wants it.
    pub(crate) async fn with(config: Config) -> Self {
        // Every test installs it; the first one wins.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let broker = Arc::new(Moody {
            inner: MemoryBroker::new(),
            health: watch::Sender::new(Health::Up),
            refuses: AtomicBool::new(false),
        });
        broker.declare(&Topology::standard()).await.unwrap();
        let bundles = Arc::new(MemoryBundles::default());
        bundles.publish(&bundle()).await.unwrap();
        let (executions, log, objects, reviews) = (
            Arc::<MemoryExecutions>::default(),
            Arc::<MemoryAuditLog>::default(),
            Arc::<MemoryObjects>::default(),
            Arc::<MemoryReviews>::default(),
        );
        let sessions = Arc::<MemorySessions>::default();
        let ledger = Arc::<MemoryLedger>::default();
        let ports = Ports {
            broker: broker.clone(),
            executions: executions.clone(),
            sessions: sessions.clone(),
            log: log.clone(),
            reviews: reviews.clone(),
            ledger: ledger.clone(),
            objects: objects.clone(),
            catalog: Arc::new(Catalog::new(bundles, Bundle::read)),
            clock: Arc::new(ManualClock::at(Timestamp::from_second(NOW).unwrap())),
        };
        let life = Lifecycle::default();
        let address = clinflow_gateway::start(config, ports, &life).await.unwrap();
        Self {
            broker,
            executions,
            log,
            reviews,
            ledger,
            sessions,
            objects,
            life,
            address,
            http: Client::new(),
        }
    }

    /// A URL of this gateway.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Submits a document over HTTP.
    pub(crate) async fn post(&self, query: &str, document: &'static [u8]) -> Answer {
        let request = self.http.post(self.url(&format!("/v1/documents{query}"))).body(document);
        Answer::of(request.send().await.unwrap()).await
    }

    /// Asks for something to be done over HTTP.
    pub(crate) async fn command(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.http.post(self.url(path)).body(body.to_string()).send().await.unwrap()).await
    }

    /// Asks over HTTP.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.http.get(self.url(path)).send().await.unwrap()).await
    }

    /// Asks over HTTP with this token.
    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Answer {
        Answer::of(self.http.get(self.url(path)).bearer_auth(token).send().await.unwrap()).await
    }

    /// A gRPC channel to this gateway.
    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(self.url("")).unwrap().connect().await.unwrap()
    }

    /// A client of `Ingest`.
    pub(crate) async fn ingest(&self) -> IngestClient<Channel> {
        IngestClient::new(self.channel().await)
    }

    /// A client of `Executions`.
    pub(crate) async fn executions(&self) -> ExecutionsClient<Channel> {
        ExecutionsClient::new(self.channel().await)
    }

    /// How many executions there are.
    pub(crate) async fn count(&self) -> usize {
        self.executions.list(None, 1000, None).await.unwrap().executions.len()
    }

    /// One execution, as the table holds it.
    pub(crate) async fn stored(&self, id: &str) -> Execution {
        self.executions.get(id.parse().unwrap()).await.unwrap().unwrap()
    }

    /// Records a failure of `id` with one step, as the auditor does; answers where the chain ends.
    pub(crate) async fn record_failure(&self, id: ExecutionId) -> ChainHead {
        let execution = self.executions.get(id).await.unwrap().unwrap();
        let at = Timestamp::from_second(NOW + 1).unwrap();
        let step = Step {
            role: Role::Classifier,
            agent_id: WorkflowId::auto().agent(Role::Classifier),
            invocation_id: execution.submission,
            attempt: 1,
            started_at: at,
            ended_at: at,
            outcome: Outcome::Failed,
            code: Some("ingest.empty".to_owned()),
            model: None,
            prompt: None,
            output: None,
            cost_nano_usd: 0,
        };
        let entry = Entry {
            execution: id,
            message_id: execution.submission,
            document: execution.document.sha256,
            bundle: execution.bundle,
            session: None,
            at,
            event: Event::Failed {
                steps: vec![step],
                code: "ingest.empty".to_owned(),
                message: "the document has no text".to_owned(),
                parked: false,
            },
        };
        self.log.append(ChainHead::genesis(id), entry).await.unwrap().head()
    }

    /// Settles `id`, as the auditor does.
    pub(crate) async fn settle(&self, id: ExecutionId, status: Status, head: ChainHead) {
        let disposition = Disposition {
            status,
            workflow: None,
            code: (status == Status::Failed).then(|| "ingest.empty".to_owned()),
            message: None,
            outputs: None,
            head,
            at: Timestamp::from_second(NOW + 1).unwrap(),
        };
        self.executions.settle(id, &disposition).await.unwrap();
    }
}

/// What was answered over HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// Reads an answer to its end.
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Status and code of a problem; checks that it is a whole one.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let problem = self.json();
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("urn:clinflow:problem:{code}"));
        assert_eq!(problem["status"], self.status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        (self.status, code)
    }
}
