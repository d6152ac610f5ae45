//! A program's first line: arguments, configuration, telemetry, operators' port, signals, drain, exit code.

use std::{
    fmt::Debug, future::Future, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration,
};

use clap::Parser;
use clinflow_ports::{Broker, Claims, Clock, Health, topology::Topology};
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    clock::SystemClock,
    config,
    handler::Handler,
    http::{Readiness, router},
    lifecycle::Lifecycle,
    telemetry::{self, LogSettings, Metrics},
    worker::{Limits, Powers, Worker},
};

/// Exit code of a configuration that cannot be used (`EX_USAGE` of sysexits.h).
const EXIT_CONFIGURATION: u8 = 64;

/// What every process is told, whatever its service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where `/live`, `/ready`, `/metrics` and `PUT /log` are served. Port 0 picks a free one.
    pub operators: SocketAddr,
    /// How long a drain may take; longer than the stage timeout, shorter than Kubernetes' grace period.
    #[serde(with = "friendly")]
    pub drain: Duration,
    /// Threads that run tasks. One is enough for most roles: scale by replicas.
    pub threads: usize,
    /// Logs and traces.
    pub log: LogSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            operators: SocketAddr::from(([0, 0, 0, 0], 9464)),
            drain: Duration::from_secs(75),
            threads: 2,
            log: LogSettings::default(),
        }
    }
}

/// Arguments of every service's program.
#[derive(Debug, Parser)]
struct Arguments {
    /// Configuration file (TOML). Environment variables such as CLINFLOW__BROKER__URL override it.
    #[arg(long, env = "CLINFLOW_CONFIG")]
    config: Option<PathBuf>,
    /// Print the configuration that would be used, without secrets, and exit.
    #[arg(long)]
    show_config: bool,
}

/// What a service's program is given.
pub struct Boot<C> {
    /// Its configuration.
    pub config: C,
    /// Says what time it is.
    pub clock: Arc<dyn Clock>,
    /// How it ends.
    pub life: Lifecycle,
    /// Counts.
    pub metrics: Metrics,
    readiness: Readiness,
}

impl<C> Boot<C> {
    /// Starts `handler` on every lane of its role, over the topology it asserts.
    pub async fn start<H: Handler>(
        &self,
        handler: H,
        broker: Arc<dyn Broker>,
        claims: Arc<dyn Claims>,
        limits: Limits,
    ) -> anyhow::Result<()> {
        broker.declare(&Topology::standard()).await?;
        let powers = Powers { broker, claims, clock: self.clock.clone(), metrics: self.metrics.clone() };
        Ok(Worker::new(handler, powers, limits).start(&self.life).await?)
    }

    /// Says that consumers are registered: ready from now on, while the broker can be worked with.
    pub fn ready(&self, broker: &dyn Broker) {
        let (readiness, metrics, soft) =
            (self.readiness.clone(), self.metrics.clone(), self.life.soft.clone());
        let mut health = broker.health();
        self.life.tasks.spawn(async move {
            loop {
                let now = *health.borrow_and_update();
                metrics.broker(now);
                readiness.set(now == Health::Up && !soft.is_cancelled());
                tokio::select! {
                    () = soft.cancelled() => break,
                    changed = health.changed() => if changed.is_err() { break },
                }
            }
            readiness.set(false);
        });
    }
}

/// Runs a service: `body` builds it, registers its consumers and returns what must be kept until the end; the
/// process then works until a signal, drains and exits. `settings` finds the process settings in the service's configuration.
pub fn main<C, F, Fut, G>(service: &'static str, settings: fn(&C) -> &Settings, body: F) -> ExitCode
where
    C: Default + Debug + Serialize + DeserializeOwned + Send + 'static,
    F: FnOnce(Boot<C>) -> Fut,
    Fut: Future<Output = anyhow::Result<G>>,
{
    let arguments = Arguments::parse();
    let config: C = match config::load(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            complain(service, &error);
            return ExitCode::from(EXIT_CONFIGURATION);
        }
    };
    if arguments.show_config {
        // Debug leaves secrets out; serialising would not.
        say(&format!("{config:#?}"));
        return ExitCode::SUCCESS;
    }
    let settings = settings(&config).clone();
    match serve(service, &settings, config, body) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(service, &error);
            ExitCode::FAILURE
        }
    }
}

/// Serves until a signal, for a program that has read its arguments and configuration itself. Answers whether
/// everything was finished at the end.
pub fn serve<C, F, Fut, G>(
    service: &'static str,
    settings: &Settings,
    config: C,
    body: F,
) -> anyhow::Result<bool>
where
    F: FnOnce(Boot<C>) -> Fut,
    Fut: Future<Output = anyhow::Result<G>>,
{
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings.threads.max(1))
        .enable_all()
        .thread_name(service)
        .build()?
        .block_on(run(service, settings, config, body))
}

/// Starts everything, waits for the end, drains. Answers whether everything was finished.
async fn run<C, F, Fut, G>(
    service: &'static str,
    settings: &Settings,
    config: C,
    body: F,
) -> anyhow::Result<bool>
where
    F: FnOnce(Boot<C>) -> Fut,
    Fut: Future<Output = anyhow::Result<G>>,
{
    let (filter, _flush) = telemetry::start(service, &settings.log)?;
    let (life, metrics, readiness) = (Lifecycle::default(), Metrics::default(), Readiness::default());
    let listener = tokio::net::TcpListener::bind(settings.operators).await?;
    tracing::info!(service, version = env!("CARGO_PKG_VERSION"), operators = %listener.local_addr()?, "starting");
    let operators = axum::serve(listener, router(readiness.clone(), metrics.clone(), filter));
    // The operators' port stays open while the process drains, so that the drain can be watched.
    let mut operators = std::pin::pin!(std::future::IntoFuture::into_future(operators));
    let boot = Boot {
        config,
        clock: Arc::new(SystemClock),
        life: life.clone(),
        metrics,
        readiness: readiness.clone(),
    };
    let work = async {
        let _kept = body(boot).await?;
        tracing::info!(service, "working");
        life.wait_for_end().await?;
        readiness.set(false);
        anyhow::Ok(life.drain(settings.drain).await)
    };
    tokio::select! {
        finished = work => finished,
        ended = &mut operators => {
            ended?;
            anyhow::bail!("the operators' port closed")
        }
    }
}

/// Says something on standard output, for people who asked for it.
#[expect(clippy::print_stdout, reason = "the answer to --show-config")]
fn say(text: &str) {
    println!("{text}");
}

/// Says on standard error why the process ends, when there may be no log to say it in.
fn complain(service: &str, error: &anyhow::Error) {
    eprintln!("clinflow-{service}: {error:#}");
}
