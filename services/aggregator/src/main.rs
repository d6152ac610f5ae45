//! The aggregator's program: fans in, and drives again what makes no progress.

use std::{process::ExitCode, sync::Arc};

use clinflow_amqp::Amqp;
use clinflow_dynamodb::{Database, DynamoBundles, DynamoExecutions};
use clinflow_redis::{Connection, RedisClaims, RedisJoins};
use clinflow_runtime::{Boot, Catalog, Limits, Settings};
use clinflow_workflow::Bundle;
use serde::{Deserialize, Serialize};

/// What the program is told; `--show-config` prints it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    process: Settings,
    worker: Limits,
    broker: clinflow_amqp::Config,
    redis: clinflow_redis::Config,
    dynamodb: clinflow_dynamodb::Config,
    aggregator: clinflow_aggregator::Config,
}

fn main() -> ExitCode {
    clinflow_runtime::main(
        "aggregator",
        |config: &Config| &config.process,
        |boot: Boot<Config>| async move {
            let Config { worker, broker, redis, dynamodb, aggregator, .. } = &boot.config;
            let broker = Arc::new(Amqp::connect(broker.clone()).await?);
            let redis = Connection::new(redis)?;
            let (claims, joins) =
                (Arc::new(RedisClaims::new(redis.clone())), Arc::new(RedisJoins::new(redis)));
            let database = Database::connect(dynamodb).await?;
            let executions = Arc::new(DynamoExecutions::new(database.clone()));
            let catalog = Arc::new(Catalog::new(Arc::new(DynamoBundles::new(database)), Bundle::read));
            let (handler, sweeper) = clinflow_aggregator::build(
                aggregator.clone(),
                broker.clone(),
                joins,
                executions,
                catalog,
                boot.clock.clone(),
            );
            boot.start(handler, broker.clone(), claims, worker.clone()).await?;
            boot.life.tasks.spawn(sweeper.run(boot.life.clone()));
            boot.ready(broker.as_ref());
            Ok(())
        },
    )
}
