//! The aggregator's program: fans in, drives again what makes no progress, and keeps the books of money.

use std::{process::ExitCode, sync::Arc};

use clinflow_aggregator::{Bookkeeper, Money};
use clinflow_alerts::Everybody;
use clinflow_amqp::Amqp;
use clinflow_core::Role;
use clinflow_dynamodb::{Database, DynamoBundles, DynamoExecutions, DynamoLedger};
use clinflow_redis::{Connection, RedisClaims, RedisCounters, RedisJoins};
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
    aggregator: clinflow_aggregator::Config,
    alerts: clinflow_alerts::Config,
}

fn main() -> ExitCode {
    clinflow_runtime::main(
        "aggregator",
        |config: &Config| &config.process,
        |boot: Boot<Config>| async move {
            let Config { worker, broker, redis, dynamodb, aggregator, alerts, .. } = &boot.config;
            let broker = Arc::new(Amqp::connect(broker.clone()).await?);
            let redis = Connection::new(redis)?;
            let (claims, joins) =
                (Arc::new(RedisClaims::new(redis.clone())), Arc::new(RedisJoins::new(redis.clone())));
            let database = Database::connect(dynamodb).await?;
            let executions = Arc::new(DynamoExecutions::new(database.clone()));
            let catalog =
                Arc::new(Catalog::new(Arc::new(DynamoBundles::new(database.clone())), Bundle::read));
            let money = Money {
                counters: Arc::new(RedisCounters::new(redis)),
                ledger: Arc::new(DynamoLedger::new(database)),
                alerts: Arc::new(Everybody::open(alerts).await?),
            };
            let bookkeeper = Bookkeeper::new(
                aggregator.books.clone(),
                money,
                broker.clone(),
                catalog.clone(),
                boot.clock.clone(),
                boot.metrics.clone(),
            );
            let (handler, sweeper) = clinflow_aggregator::build(
                aggregator.clone(),
                broker.clone(),
                joins,
                executions,
                catalog.clone(),
                boot.clock.clone(),
                boot.metrics.clone(),
            );
            boot.metrics.follow(Role::Aggregator, Vec::new(), catalog, Bundle::owners, &boot.life);
            boot.start(handler, broker.clone(), claims, worker.clone()).await?;
            boot.life.tasks.spawn(sweeper.run(boot.life.clone()));
            boot.life.tasks.spawn(bookkeeper.run(boot.life.clone()));
            boot.ready(broker.as_ref());
            Ok(())
        },
    )
}
