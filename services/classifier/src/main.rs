//! The classifier's program: reads documents and decides which workflow they belong to.

use std::{process::ExitCode, sync::Arc};

use clinflow_amqp::Amqp;
use clinflow_classifier::Classify;
use clinflow_dynamodb::{Database, DynamoBundles, DynamoExecutions};
use clinflow_objects::Store;
use clinflow_redis::{Connection, RedisClaims};
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
    classifier: clinflow_classifier::Config,
}

fn main() -> ExitCode {
    clinflow_runtime::main(
        "classifier",
        |config: &Config| &config.process,
        |boot: Boot<Config>| async move {
            let Config { worker, broker, redis, dynamodb, objects, classifier, .. } = &boot.config;
            let broker = Arc::new(Amqp::connect(broker.clone()).await?);
            let claims = Arc::new(RedisClaims::new(Connection::new(redis)?));
            let database = Database::connect(dynamodb).await?;
            let executions = Arc::new(DynamoExecutions::new(database.clone()));
            let catalog = Arc::new(Catalog::new(Arc::new(DynamoBundles::new(database)), Bundle::read));
            let handler =
                Classify::new(classifier.clone(), Arc::new(Store::open(objects)?), executions, catalog);
            boot.start(handler, broker.clone(), claims, worker.clone()).await?;
            boot.ready(broker.as_ref());
            Ok(())
        },
    )
}
