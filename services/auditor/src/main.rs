//! The auditor's program: writes the audit log and the terminal states.

use std::{process::ExitCode, sync::Arc};

use clinflow_amqp::Amqp;
use clinflow_auditor::Audit;
use clinflow_core::Role;
use clinflow_dynamodb::{Database, DynamoAuditLog, DynamoBundles, DynamoExecutions, DynamoReviews};
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
}

fn main() -> ExitCode {
    clinflow_runtime::main(
        "auditor",
        |config: &Config| &config.process,
        |boot: Boot<Config>| async move {
            let Config { worker, broker, redis, dynamodb, .. } = &boot.config;
            let broker = Arc::new(Amqp::connect(broker.clone()).await?);
            let claims = Arc::new(RedisClaims::new(Connection::new(redis)?));
            let database = Database::connect(dynamodb).await?;
            let log = Arc::new(DynamoAuditLog::new(database.clone()));
            let executions = Arc::new(DynamoExecutions::new(database.clone()));
            let reviews = Arc::new(DynamoReviews::new(database.clone()));
            let catalog = Arc::new(Catalog::new(Arc::new(DynamoBundles::new(database)), Bundle::read));
            let (role, metrics) = (Role::Auditor, boot.metrics.clone());
            metrics.follow(role, Vec::new(), catalog.clone(), Bundle::owners, &boot.life);
            let handler = Audit::new(log, executions, reviews, catalog, metrics);
            boot.start(handler, broker.clone(), claims, worker.clone()).await?;
            boot.ready(broker.as_ref());
            Ok(())
        },
    )
}
