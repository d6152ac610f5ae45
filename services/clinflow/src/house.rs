//! Every service in this process, with the shipping wiring: what `run` and `up` start, and what looks at a data
//! folder.

use std::{fs, path::Path, sync::Arc};

use anyhow::Context as _;
use clinflow_core::Role;
use clinflow_dynamodb::{Database, DynamoAuditLog, DynamoBundles, DynamoExecutions, DynamoSessions, embedded::Embedded};
use clinflow_objects::Store;
use clinflow_ports::{
    AuditLog, Broker, Bundles, Claims, Clock, Executions, Joins, Objects, Sessions,
    memory::{MemoryBroker, MemoryClaims, MemoryJoins},
    topology::Topology,
};
use clinflow_runtime::{
    Catalog, Handler, Lifecycle, Limits, Powers, SystemClock, Worker, telemetry::Metrics,
};
use clinflow_workflow::{Bundle, shipped};

use crate::{
    client::Client,
    up::{Config, Dependencies},
};

/// How long the roles may take to finish what they hold when a command ends.
const DRAIN: std::time::Duration = std::time::Duration::from_secs(10);

/// What the roles of one process share.
#[derive(Clone)]
pub(crate) struct Ports {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) claims: Arc<dyn Claims>,
    pub(crate) joins: Arc<dyn Joins>,
    pub(crate) executions: Arc<dyn Executions>,
    pub(crate) log: Arc<dyn AuditLog>,
    pub(crate) sessions: Arc<dyn Sessions>,
    pub(crate) bundles: Arc<dyn Bundles>,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
}

/// Services in this process, until it is dropped or closed.
pub(crate) struct House {
    ports: Ports,
    catalog: Arc<Catalog<Bundle>>,
    config: Config,
    life: Lifecycle,
    /// The database of the embedded mode; it ends with the house.
    _database: Option<Embedded>,
}

impl House {
    /// The embedded mode in `folder`: messages in memory, everything that lasts in the folder. The shipped
    /// workflows are its current bundle.
    pub(crate) async fn open(folder: &Path) -> anyhow::Result<Self> {
        let config = Config::embedded(folder);
        Self::build(config, Lifecycle::default(), Metrics::default()).await
    }

    /// Connects to whatever `config` names, and keeps in this process what it does not name.
    pub(crate) async fn build(config: Config, life: Lifecycle, metrics: Metrics) -> anyhow::Result<Self> {
        let Dependencies { broker, redis, dynamodb, objects } = &config.dependencies;
        let (claims, joins): (Arc<dyn Claims>, Arc<dyn Joins>) = match redis {
            None => (Arc::new(MemoryClaims::default()), Arc::new(MemoryJoins::default())),
            Some(redis) => {
                let connection = clinflow_redis::Connection::new(redis)?;
                let joins = clinflow_redis::RedisJoins::new(connection.clone());
                (Arc::new(clinflow_redis::RedisClaims::new(connection)), Arc::new(joins))
            }
        };
        fs::create_dir_all(&config.data).with_context(|| config.data.display().to_string())?;
        let (database, tables) = match dynamodb {
            Some(dynamodb) => (None, Database::connect(dynamodb).await?),
            None => {
                let embedded = Embedded::open(Some(&config.data.join("dynamodb.sqlite")))?;
                let tables = Database::connect(&embedded.config()).await?;
                tables.create_tables().await?;
                (Some(embedded), tables)
            }
        };
        let objects: Arc<dyn Objects> = match objects {
            Some(objects) => Arc::new(Store::open(objects)?),
            None => {
                let url = config.data.join("objects").display().to_string();
                Arc::new(Store::open(&clinflow_objects::Config {
                    url,
                    ..clinflow_objects::Config::default()
                })?)
            }
        };
        let broker: Arc<dyn Broker> = match broker {
            None => Arc::new(MemoryBroker::new()),
            Some(broker) => Arc::new(clinflow_amqp::Amqp::connect(broker.clone()).await?),
        };
        broker.declare(&Topology::standard()).await?;
        let bundles: Arc<dyn Bundles> = Arc::new(DynamoBundles::new(tables.clone()));
        if database.is_some() {
            // Nobody else publishes workflows into an embedded database.
            bundles.publish(&shipped()).await?;
        }
        let ports = Ports {
            broker,
            claims,
            joins,
            executions: Arc::new(DynamoExecutions::new(tables.clone())),
            sessions: Arc::new(DynamoSessions::new(tables.clone())),
            log: Arc::new(DynamoAuditLog::new(tables)),
            bundles: bundles.clone(),
            objects,
            clock: Arc::new(SystemClock),
            metrics,
        };
        let catalog = Arc::new(Catalog::new(bundles, Bundle::read));
        Ok(Self { ports, catalog, config, life, _database: database })
    }

    /// What the roles share.
    pub(crate) const fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Starts every role but the gateway.
    pub(crate) async fn start_roles(&self) -> anyhow::Result<()> {
        for role in Role::CONSUMERS {
            self.start_role(role).await?;
        }
        Ok(())
    }

    /// Starts one role.
    pub(crate) async fn start_role(&self, role: Role) -> anyhow::Result<()> {
        let Ports { joins, executions, log, sessions, objects, clock, broker, .. } = self.ports.clone();
        let catalog = self.catalog.clone();
        match role {
            Role::Gateway => self.start_gateway().await.map(|_| ()),
            Role::Classifier => {
                let config = self.config.classifier.clone();
                self.work(clinflow_classifier::Classify::new(config, objects, executions, catalog)).await
            }
            Role::Extractor => {
                let patterns = clinflow_extractor::catalog(self.ports.bundles.clone());
                self.work(clinflow_extractor::Extract::new(objects, patterns)).await
            }
            Role::Nlp => {
                let reader = Arc::new(clinflow_nlp::LocalModel::new());
                let guardrails = clinflow_nlp::local_guardrails();
                let comprehend =
                    clinflow_nlp::Comprehend::new(objects, catalog, sessions, reader, guardrails);
                self.work(comprehend).await
            }
            Role::Aggregator => {
                let config = self.config.aggregator.clone();
                let (aggregate, sweeper) =
                    clinflow_aggregator::build(config, broker, joins, executions, catalog, clock);
                self.life.tasks.spawn(sweeper.run(self.life.clone()));
                self.work(aggregate).await
            }
            Role::Validator => self.work(clinflow_validator::Validate::new(objects, catalog)).await,
            Role::Auditor => self.work(clinflow_auditor::Audit::new(log, executions)).await,
            Role::Reporter => self.work(clinflow_reporter::Report::new(objects, catalog)).await,
        }
    }

    async fn work<H: Handler>(&self, handler: H) -> anyhow::Result<()> {
        let Ports { broker, claims, clock, metrics, .. } = self.ports.clone();
        let limits: Limits = self.config.worker.clone();
        Ok(Worker::new(handler, Powers { broker, claims, clock, metrics }, limits).start(&self.life).await?)
    }

    /// Starts the gateway; answers where it listens.
    pub(crate) async fn start_gateway(&self) -> anyhow::Result<std::net::SocketAddr> {
        let ports = clinflow_gateway::Ports {
            broker: self.ports.broker.clone(),
            executions: self.ports.executions.clone(),
            sessions: self.ports.sessions.clone(),
            log: self.ports.log.clone(),
            objects: self.ports.objects.clone(),
            catalog: self.catalog.clone(),
            clock: self.ports.clock.clone(),
        };
        clinflow_gateway::start(self.config.gateway.clone(), ports, &self.life).await
    }

    /// Starts the gateway and connects to it.
    pub(crate) async fn serve_gateway(&self) -> anyhow::Result<Client> {
        let address = self.start_gateway().await?;
        Client::connect(&format!("http://{address}"), None).await
    }

    /// The largest document the gateway takes.
    pub(crate) const fn max_document_bytes(&self) -> u64 {
        self.config.gateway.max_document as u64
    }

    /// The files in an execution's output folder, by name; none for an execution without outputs.
    pub(crate) async fn outputs(&self, folder: &str) -> anyhow::Result<Vec<(String, bytes::Bytes)>> {
        if folder.is_empty() {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        for key in self.ports.objects.list(folder).await? {
            let name = key.rsplit('/').next().unwrap_or(&key).to_owned();
            files.push((name, self.ports.objects.get(&key).await?));
        }
        Ok(files)
    }

    /// Finishes what is in hand.
    pub(crate) async fn close(self) {
        self.life.drain(DRAIN).await;
    }
}
