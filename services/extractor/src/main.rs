//! The extractor's program: finds fields by pattern.

use std::{process::ExitCode, sync::Arc};

use clinflow_amqp::Amqp;
use clinflow_dynamodb::{Database, DynamoBundles};
use clinflow_extractor::{Extract, catalog};
use clinflow_objects::Store;
use clinflow_redis::{Connection, RedisClaims};
use clinflow_runtime::{Boot, Limits, Settings};
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
        "extractor",
        |config: &Config| &config.process,
        |boot: Boot<Config>| async move {
            let Config { worker, broker, redis, dynamodb, objects, .. } = &boot.config;
            let broker = Arc::new(Amqp::connect(broker.clone()).await?);
            let claims = Arc::new(RedisClaims::new(Connection::new(redis)?));
            let database = Database::connect(dynamodb).await?;
            let catalog = catalog(Arc::new(DynamoBundles::new(database)));
            let handler = Extract::new(Arc::new(Store::open(objects)?), catalog);
            boot.start(handler, broker.clone(), claims, worker.clone()).await?;
            boot.ready(broker.as_ref());
            Ok(())
        },
    )
}
