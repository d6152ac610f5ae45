//! The gateway's program: documents in, executions shown.

use std::{process::ExitCode, sync::Arc};

use clinflow_amqp::Amqp;
use clinflow_dynamodb::{
    Database, DynamoAuditLog, DynamoBundles, DynamoExecutions, DynamoLedger, DynamoReviews, DynamoSessions,
};
use clinflow_gateway::Ports;
use clinflow_objects::Store;
use clinflow_ports::{Broker as _, topology::Topology};
use clinflow_runtime::{Boot, Catalog, Settings};
use clinflow_workflow::Bundle;
use serde::{Deserialize, Serialize};

/// What the program is told; `--show-config` prints it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    process: Settings,
    broker: clinflow_amqp::Config,
    dynamodb: clinflow_dynamodb::Config,
    objects: clinflow_objects::Config,
    gateway: clinflow_gateway::Config,
}

fn main() -> ExitCode {
    clinflow_runtime::main(
        "gateway",
        |config: &Config| &config.process,
        |boot: Boot<Config>| async move {
            let Config { broker, dynamodb, objects, gateway, .. } = &boot.config;
            let broker = Arc::new(Amqp::connect(broker.clone()).await?);
            broker.declare(&Topology::standard()).await?;
            let database = Database::connect(dynamodb).await?;
            let ports = Ports {
                broker: broker.clone(),
                executions: Arc::new(DynamoExecutions::new(database.clone())),
                reviews: Arc::new(DynamoReviews::new(database.clone())),
                sessions: Arc::new(DynamoSessions::new(database.clone())),
                log: Arc::new(DynamoAuditLog::new(database.clone())),
                ledger: Arc::new(DynamoLedger::new(database.clone())),
                objects: Arc::new(Store::open(objects)?),
                catalog: Arc::new(Catalog::new(Arc::new(DynamoBundles::new(database)), Bundle::read)),
                clock: boot.clock.clone(),
            };
            clinflow_gateway::start(gateway.clone(), ports, &boot.life).await?;
            boot.ready(broker.as_ref());
            Ok(())
        },
    )
}
