//! What the roles of one process share: each power connected to the server that the configuration names, or kept in this
//! process.

use std::{fs, sync::Arc};

use anyhow::Context as _;
use clinflow_alerts::Everybody;
use clinflow_amqp::Amqp;
use clinflow_dynamodb::{
    Database, DynamoAuditLog, DynamoBundles, DynamoExecutions, DynamoLedger, DynamoReviews, DynamoSessions,
    embedded::Embedded,
};
use clinflow_objects::Store;
use clinflow_ports::{
    Alerts, AuditLog, Broker, Bundles, Claims, Clock, Counters, Executions, Joins, Ledger, Objects, Reviews,
    Sessions,
    memory::{MemoryBroker, MemoryClaims, MemoryCounters, MemoryJoins},
    topology::Topology,
};
use clinflow_redis::{Connection, RedisClaims, RedisCounters, RedisJoins};
use clinflow_runtime::{SystemClock, telemetry::Metrics};
use clinflow_workflow::shipped;

use crate::up::Config;

/// What the roles of one process share.
#[derive(Clone)]
pub(crate) struct Ports {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) claims: Arc<dyn Claims>,
    pub(crate) joins: Arc<dyn Joins>,
    pub(crate) counters: Arc<dyn Counters>,
    pub(crate) executions: Arc<dyn Executions>,
    pub(crate) log: Arc<dyn AuditLog>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) reviews: Arc<dyn Reviews>,
    pub(crate) sessions: Arc<dyn Sessions>,
    pub(crate) bundles: Arc<dyn Bundles>,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) alerts: Arc<dyn Alerts>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
}

impl Ports {
    /// Connects to whatever `config` names, and keeps in this process what it does not name. The embedded database,
    /// where there is one, ends when it is dropped.
    pub(crate) async fn connect(
        config: &Config,
        metrics: Metrics,
    ) -> anyhow::Result<(Self, Option<Embedded>)> {
        fs::create_dir_all(&config.data).with_context(|| config.data.display().to_string())?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let volatile = Volatile::connect(config, &clock)?;
        let (embedded, tables) = tables(config).await?;
        let broker: Arc<dyn Broker> = match &config.dependencies.broker {
            None => Arc::new(MemoryBroker::new()),
            Some(broker) => Arc::new(Amqp::connect(broker.clone()).await?),
        };
        broker.declare(&Topology::standard()).await?;
        let bundles: Arc<dyn Bundles> = Arc::new(DynamoBundles::new(tables.clone()));
        if embedded.is_some() {
            // Nobody else publishes workflows into an embedded database.
            bundles.publish(&shipped()).await?;
        }
        let ports = Self {
            broker,
            claims: volatile.claims,
            joins: volatile.joins,
            counters: volatile.counters,
            executions: Arc::new(DynamoExecutions::new(tables.clone())),
            ledger: Arc::new(DynamoLedger::new(tables.clone())),
            sessions: Arc::new(DynamoSessions::new(tables.clone())),
            reviews: Arc::new(DynamoReviews::new(tables.clone())),
            log: Arc::new(DynamoAuditLog::new(tables)),
            bundles,
            objects: objects(config)?,
            alerts: Arc::new(Everybody::open(&config.alerts).await?),
            clock,
            metrics,
        };
        Ok((ports, embedded))
    }
}

/// What may be lost at any time (INV-11).
struct Volatile {
    claims: Arc<dyn Claims>,
    joins: Arc<dyn Joins>,
    counters: Arc<dyn Counters>,
}

impl Volatile {
    fn connect(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let Some(redis) = &config.dependencies.redis else {
            return Ok(Self {
                claims: Arc::new(MemoryClaims::default()),
                joins: Arc::new(MemoryJoins::default()),
                counters: Arc::new(MemoryCounters::new(clock.clone())),
            });
        };
        let redis = Connection::new(redis)?;
        Ok(Self {
            claims: Arc::new(RedisClaims::new(redis.clone())),
            joins: Arc::new(RedisJoins::new(redis.clone())),
            counters: Arc::new(RedisCounters::new(redis)),
        })
    }
}

async fn tables(config: &Config) -> anyhow::Result<(Option<Embedded>, Database)> {
    if let Some(dynamodb) = &config.dependencies.dynamodb {
        return Ok((None, Database::connect(dynamodb).await?));
    }
    let embedded = Embedded::open(Some(&config.data.join("dynamodb.sqlite")))?;
    let tables = Database::connect(&embedded.config()).await?;
    tables.create_tables().await?;
    Ok((Some(embedded), tables))
}

fn objects(config: &Config) -> anyhow::Result<Arc<dyn Objects>> {
    let folder = || clinflow_objects::Config {
        url: config.data.join("objects").display().to_string(),
        ..clinflow_objects::Config::default()
    };
    let config = config.dependencies.objects.clone().unwrap_or_else(folder);
    Ok(Arc::new(Store::open(&config)?))
}
