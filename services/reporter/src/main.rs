//! The reporter's program: writes the outputs that downstream systems read.

use std::{process::ExitCode, sync::Arc};

use clinflow_amqp::Amqp;
use clinflow_dynamodb::{Database, DynamoBundles};
use clinflow_objects::Store;
use clinflow_redis::{Connection, RedisClaims};
use clinflow_reporter::Report;
use clinflow_runtime::{Boot, Catalog, Limits, Settings};
use clinflow_workflow::Bundle;
use serde::{Deserialize, Serialize};

/// What the program is told; `--show-config` prints it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    process: Settings,
    worker: Limits,
    broker: clinflow_amqp::Config,
    redis: clinflow_redis::Config,
    dynamodb: clinflow_dynamodb::Config,
    objects: clinflow_objects::Config,
}

fn main() -> ExitCode {
    clinflow_runtime::main(
        "reporter",
        |config: &Config| &config.process,
        |boot: Boot<Config>| async move {
            let Config { worker, broker, redis, dynamodb, objects, .. } = &boot.config;
            let broker = Arc::new(Amqp::connect(broker.clone()).await?);
            let claims = Arc::new(RedisClaims::new(Connection::new(redis)?));
            let database = Database::connect(dynamodb).await?;
            let catalog = Arc::new(Catalog::new(Arc::new(DynamoBundles::new(database)), Bundle::read));
            let handler = Report::new(Arc::new(Store::open(objects)?), catalog);
            boot.start(handler, broker.clone(), claims, worker.clone()).await?;
            boot.ready(broker.as_ref());
            Ok(())
        },
    )
}
