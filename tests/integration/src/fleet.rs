//! Private RabbitMQ, Redis and DynamoDB endpoint, and the eight services as processes over them.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use clinflow_core::Role;
use clinflow_dynamodb::{Database, DynamoAuditLog, DynamoBundles, DynamoExecutions, DynamoLedger};
use clinflow_objects::Store;
use clinflow_ports::{Bundles as _, Objects};
use clinflow_proto::v1::ingest_client::IngestClient;
use clinflow_redis::{Connection, RedisCounters};
use clinflow_testkit::{
    dynamodb::DynamoDb,
    ports,
    process::{self, Owned},
    rabbitmq::RabbitMq,
    redis::Redis,
};
use clinflow_workflow::shipped;
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::http::Http;

/// Longer than any start, restart or run here needs on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How a fleet is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long an execution may make no progress before it is driven again.
    pub redrive_after: &'static str,
    /// Messages each role handles at a time on each lane.
    pub concurrency: u16,
    /// What the services log.
    pub log: &'static str,
    /// How long a stage may take.
    pub stage_timeout: &'static str,
    /// The model that reads and the endpoint it is at; without it, the local model does.
    pub bedrock: Option<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { redrive_after: "5s", concurrency: 32, log: "info", stage_timeout: "60s", bedrock: None }
    }
}

/// Eight services over private servers.
pub struct Fleet {
    /// The broker.
    pub rabbitmq: RabbitMq,
    /// Claims and joins.
    pub redis: Redis,
    /// The database's HTTP endpoint.
    pub dynamodb: DynamoDb,
    /// What lies in the object store, as the fleet's owner sees it.
    pub objects: Arc<dyn Objects>,
    /// The executions table, as the fleet's owner sees it.
    pub executions: DynamoExecutions,
    /// The audit log, as the fleet's owner sees it.
    pub log: DynamoAuditLog,
    /// The ledger of money, as the fleet's owner sees it.
    pub ledger: DynamoLedger,
    /// The counters of money, as the fleet's owner sees them.
    pub counters: RedisCounters,
    settings: Settings,
    processes: BTreeMap<Role, Owned>,
    operators: BTreeMap<Role, u16>,
    gateway: u16,
    folder: TempDir,
    /// Where the objects are.
    store: TempDir,
}

/// A folder in memory where the machine has one: in production the objects are in S3, so the price of making files
/// on a disk is nobody's.
fn in_memory() -> std::io::Result<TempDir> {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }
}

impl Fleet {
    /// Starts servers and services, and waits until every service is ready.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = in_memory()?;
        let broker_folder = folder.path().join("rabbitmq");
        std::fs::create_dir(&broker_folder)?;
        let rabbitmq = RabbitMq::start(&broker_folder)?;
        let redis = Redis::start()?;
        let counters = RedisCounters::new(Connection::new(&clinflow_redis::Config {
            url: redis.url(),
            ..clinflow_redis::Config::default()
        })?);
        let dynamodb = DynamoDb::start()?;
        let database = Database::connect(&dynamodb.config("clinflow")).await?;
        database.create_tables().await?;
        DynamoBundles::new(database.clone()).publish(&shipped()).await?;
        let objects = Arc::new(Store::open(&clinflow_objects::Config {
            url: store.path().join("objects").display().to_string(),
            ..clinflow_objects::Config::default()
        })?);
        let picked = ports::free::<9>()?;
        let operators = Role::ALL.into_iter().zip(picked).collect();
        let mut fleet = Self {
            rabbitmq,
            redis,
            dynamodb,
            objects,
            executions: DynamoExecutions::new(database.clone()),
            log: DynamoAuditLog::new(database.clone()),
            ledger: DynamoLedger::new(database),
            counters,
            settings,
            processes: BTreeMap::new(),
            operators,
            gateway: picked[8],
            folder,
            store,
        };
        for role in Role::ALL {
            fleet.spawn(role)?;
        }
        for role in Role::ALL {
            fleet.ready(role).await?;
        }
        Ok(fleet)
    }

    /// Starts one service's process.
    pub fn spawn(&mut self, role: Role) -> anyhow::Result<()> {
        let program = program(&format!("clinflow-{role}"))?;
        let log = File::options().create(true).append(true).open(self.log_file(role))?;
        let mut command = process::bound(program);
        command.env_clear().envs(self.environment(role)).stdout(log.try_clone()?).stderr(log);
        self.processes.insert(role, Owned::start_bound(command)?);
        Ok(())
    }

    /// Waits until a service says that it is ready.
    pub async fn ready(&mut self, role: Role) -> anyhow::Result<Duration> {
        let http = Http::new(format!("http://127.0.0.1:{}", self.operators[&role]));
        let began = Instant::now();
        loop {
            if matches!(http.get("/ready").await, Ok((status, _)) if status.is_success()) {
                return Ok(began.elapsed());
            }
            let process = self.processes.get_mut(&role).context("the process was started")?;
            if let Some(status) = process.ended()? {
                anyhow::bail!("{role} ended with {status}:\n{}", self.log_text(role));
            }
            ensure!(began.elapsed() < PATIENCE, "{role} is not ready:\n{}", self.log_text(role));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// `kill -9`, and starts it again.
    pub fn kill_and_restart(&mut self, role: Role) -> anyhow::Result<()> {
        if let Some(mut process) = self.processes.remove(&role) {
            process.kill();
        }
        self.spawn(role)
    }

    /// SIGTERM, as Kubernetes sends it; answers how long the drain took.
    pub fn stop(&mut self, role: Role) -> anyhow::Result<Duration> {
        let mut process = self.processes.remove(&role).context("the process was started")?;
        let began = Instant::now();
        let status = Command::new("kill").args(["-TERM", &process.id().to_string()]).status()?;
        ensure!(status.success(), "kill -TERM failed");
        while process.ended()?.is_none() {
            ensure!(began.elapsed() < PATIENCE, "{role} does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(began.elapsed())
    }

    /// The process id of a service.
    pub fn pid(&self, role: Role) -> Option<u32> {
        self.processes.get(&role).map(Owned::id)
    }

    /// An HTTP client of the gateway.
    pub fn http(&self) -> Http {
        Http::new(self.gateway_url())
    }

    /// An HTTP client of a service's operators' port.
    pub fn operators(&self, role: Role) -> Http {
        Http::new(format!("http://127.0.0.1:{}", self.operators[&role]))
    }

    /// A gRPC client of the gateway.
    pub async fn grpc(&self) -> anyhow::Result<IngestClient<Channel>> {
        Ok(IngestClient::connect(self.gateway_url()).await?)
    }

    /// The gateway's URL.
    pub fn gateway_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.gateway)
    }

    /// The folder the object store is in.
    pub fn objects_folder(&self) -> PathBuf {
        self.store.path().join("objects")
    }

    /// A client of the broker, as an upstream system has one.
    pub async fn amqp(&self) -> anyhow::Result<clinflow_amqp::Amqp> {
        let config = clinflow_amqp::Config { url: self.rabbitmq.url(), ..clinflow_amqp::Config::default() };
        Ok(clinflow_amqp::Amqp::connect(config).await?)
    }

    /// What a service has logged.
    pub fn log_text(&self, role: Role) -> String {
        std::fs::read_to_string(self.log_file(role)).unwrap_or_default()
    }

    fn log_file(&self, role: Role) -> PathBuf {
        self.folder.path().join(format!("{role}.log"))
    }

    fn environment(&self, role: Role) -> Vec<(String, String)> {
        let Settings { redrive_after, concurrency, log, stage_timeout, bedrock } = &self.settings;
        let mut variables = vec![
            ("PROCESS__OPERATORS", format!("127.0.0.1:{}", self.operators[&role])),
            ("PROCESS__LOG__FILTER", (*log).to_owned()),
            ("WORKER__CONCURRENCY", concurrency.to_string()),
            ("WORKER__STAGE_TIMEOUT", (*stage_timeout).to_owned()),
            ("BROKER__URL", self.rabbitmq.url()),
            ("BROKER__CONNECTION_NAME", role.to_string()),
            ("REDIS__URL", self.redis.url()),
            ("DYNAMODB__ENDPOINT", self.dynamodb.endpoint()),
            ("OBJECTS__URL", self.objects_folder().display().to_string()),
        ];
        match role {
            Role::Gateway => variables.extend([
                ("GATEWAY__LISTEN", format!("127.0.0.1:{}", self.gateway)),
                ("GATEWAY__REDRIVE_AFTER", (*redrive_after).to_owned()),
                ("GATEWAY__MAX_UPLOADS", "256".to_owned()),
            ]),
            Role::Classifier => {
                variables.extend([("CLASSIFIER__REDRIVE_AFTER", (*redrive_after).to_owned())]);
            }
            Role::Aggregator => {
                variables.push(("AGGREGATOR__SWEEP__REDRIVE_AFTER", (*redrive_after).to_owned()));
            }
            Role::Nlp => {
                if let Some((model, endpoint)) = bedrock {
                    variables.push(("BEDROCK__MODEL", model.clone()));
                    variables.push(("BEDROCK__ENDPOINT", endpoint.clone()));
                }
            }
            _ => {}
        }
        variables.into_iter().map(|(name, value)| (format!("CLINFLOW__{name}"), value)).collect()
    }
}

/// A program of this workspace, built beside this one.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.parent().context("a program is in a folder")?;
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    let program: PathBuf = folder.join(name);
    ensure!(
        Path::is_file(&program),
        "{} is not built; run `cargo build --workspace --bins`",
        program.display()
    );
    Ok(program)
}
