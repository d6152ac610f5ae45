//! Every service in this process, with the shipping wiring: what `run` and `up` start, and what looks at a data
//! folder.

use std::{path::Path, sync::Arc};

use clinflow_aggregator::{Bookkeeper, Money};
use clinflow_bedrock::Bedrock;
use clinflow_core::Role;
use clinflow_dynamodb::embedded::Embedded;
use clinflow_nlp::{LocalModel, PromptedModel, Reader, billing::Billing};
use clinflow_runtime::{Catalog, Handler, Lifecycle, Limits, Powers, Worker, telemetry::Metrics};
use clinflow_workflow::Bundle;

use crate::{client::Client, ports::Ports, up::Config};

/// How long the roles may take to finish what they hold when a command ends.
const DRAIN: std::time::Duration = std::time::Duration::from_secs(10);

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
    /// workflows are its current bundle, and `bedrock` is the model that reads, if any.
    pub(crate) async fn open(
        folder: &Path,
        bedrock: Option<clinflow_bedrock::Config>,
    ) -> anyhow::Result<Self> {
        let config = Config { bedrock, ..Config::embedded(folder) };
        Self::build(config, Lifecycle::default(), Metrics::default()).await
    }

    /// Connects to whatever `config` names, and keeps in this process what it does not name.
    pub(crate) async fn build(config: Config, life: Lifecycle, metrics: Metrics) -> anyhow::Result<Self> {
        let (ports, database) = Ports::connect(&config, metrics).await?;
        let catalog = Arc::new(Catalog::new(ports.bundles.clone(), Bundle::read));
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
        let Ports { joins, executions, log, reviews, sessions, objects, clock, broker, metrics, .. } =
            self.ports.clone();
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
                let reader = self.reader().await?;
                let paid = self.config.bedrock.is_some().then(|| reader.id());
                clinflow_nlp::billing::show(&metrics, paid, catalog.clone(), &self.life);
                let comprehend = clinflow_nlp::Comprehend::new(objects, catalog, sessions, reader, metrics);
                self.work(comprehend).await
            }
            Role::Aggregator => {
                let config = self.config.aggregator.clone();
                self.life.tasks.spawn(self.bookkeeper().run(self.life.clone()));
                self.follow(role);
                let (aggregate, sweeper) =
                    clinflow_aggregator::build(config, broker, joins, executions, catalog, clock, metrics);
                self.life.tasks.spawn(sweeper.run(self.life.clone()));
                self.work(aggregate).await
            }
            Role::Validator => {
                self.follow(role);
                self.work(clinflow_validator::Validate::new(objects, catalog, metrics)).await
            }
            Role::Auditor => {
                self.follow(role);
                let audit = clinflow_auditor::Audit::new(log, executions, reviews, catalog, metrics);
                self.work(audit).await
            }
            Role::Reporter => self.work(clinflow_reporter::Report::new(objects, catalog)).await,
        }
    }

    /// Who reads: the model of Bedrock that is configured, or the local one.
    async fn reader(&self) -> anyhow::Result<Arc<dyn Reader>> {
        let Some(bedrock) = &self.config.bedrock else { return Ok(Arc::new(LocalModel::new())) };
        let model = Arc::new(Bedrock::connect(bedrock).await?);
        let Ports { counters, ledger, objects, clock, metrics, .. } = self.ports.clone();
        let billing = Billing::new(model, counters, ledger, objects, clock, metrics);
        Ok(Arc::new(PromptedModel::new(billing)))
    }

    /// Lets the metrics of `role` know the workflows of the current bundle.
    fn follow(&self, role: Role) {
        let catalog = self.catalog.clone();
        self.ports.metrics.follow(role, Vec::new(), catalog, Bundle::owners, &self.life);
    }

    fn bookkeeper(&self) -> Bookkeeper {
        let Ports { broker, counters, ledger, alerts, clock, metrics, .. } = self.ports.clone();
        let money = Money { counters, ledger, alerts };
        let books = self.config.aggregator.books.clone();
        Bookkeeper::new(books, money, broker, self.catalog.clone(), clock, metrics)
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
            ledger: self.ports.ledger.clone(),
            reviews: self.ports.reviews.clone(),
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
