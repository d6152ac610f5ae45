//! `clinflow up`: every role, or some, in one process until a signal.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clinflow_core::Role;
use clinflow_runtime::{Boot, Limits, Settings};
use serde::{Deserialize, Serialize};

use crate::{Ended, arguments, house::House};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {0:#}")]
pub(crate) struct Misconfigured(pub(crate) anyhow::Error);

/// The servers to connect to. What is not named lives in this process.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Dependencies {
    /// RabbitMQ; else messages are in memory and end with the process (a restart drives them again).
    pub(crate) broker: Option<clinflow_amqp::Config>,
    /// Redis; else claims and joins are in memory.
    pub(crate) redis: Option<clinflow_redis::Config>,
    /// DynamoDB; else a database file in the data folder.
    pub(crate) dynamodb: Option<clinflow_dynamodb::Config>,
    /// The object store; else a folder in the data folder.
    pub(crate) objects: Option<clinflow_objects::Config>,
}

/// What `clinflow up` is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    /// Operators' port, drain, logs.
    pub(crate) process: Settings,
    /// How much each role takes on.
    pub(crate) worker: Limits,
    /// Where the embedded database and objects are kept.
    pub(crate) data: PathBuf,
    /// The servers to connect to.
    #[serde(flatten)]
    pub(crate) dependencies: Dependencies,
    /// The gateway.
    pub(crate) gateway: clinflow_gateway::Config,
    /// The classifier.
    pub(crate) classifier: clinflow_classifier::Config,
    /// The aggregator.
    pub(crate) aggregator: clinflow_aggregator::Config,
    /// The model of Amazon Bedrock that reads; without it, the local model does.
    pub(crate) bedrock: Option<clinflow_bedrock::Config>,
    /// Who is told of alerts, beside the log.
    pub(crate) alerts: clinflow_alerts::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            process: Settings::default(),
            worker: Limits::default(),
            data: PathBuf::from("clinflow-data"),
            dependencies: Dependencies::default(),
            gateway: clinflow_gateway::Config::default(),
            classifier: clinflow_classifier::Config::default(),
            aggregator: clinflow_aggregator::Config::default(),
            bedrock: None,
            alerts: clinflow_alerts::Config::default(),
        }
    }
}

impl Config {
    /// The embedded mode in `folder`, with the gateway on a free port of the loopback interface.
    pub(crate) fn embedded(folder: &Path) -> Self {
        let gateway = clinflow_gateway::Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            ..clinflow_gateway::Config::default()
        };
        Self { data: folder.to_owned(), gateway, ..Self::default() }
    }
}

/// `clinflow up`
pub(crate) fn command(command: &arguments::Up) -> anyhow::Result<Ended> {
    let config: Config = clinflow_runtime::config::load(command.config.as_deref()).map_err(Misconfigured)?;
    let roles = if command.roles.is_empty() { Role::ALL.to_vec() } else { command.roles.clone() };
    let settings = config.process.clone();
    let finished = clinflow_runtime::serve("clinflow", &settings, config, |boot: Boot<Config>| async move {
        let house = House::build(boot.config.clone(), boot.life.clone(), boot.metrics.clone()).await?;
        for role in roles {
            house.start_role(role).await?;
        }
        boot.ready(house.ports().broker.as_ref());
        Ok(house)
    })?;
    Ok(if finished { Ended::Well } else { Ended::WithFailures })
}
