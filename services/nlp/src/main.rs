//! The nlp's program: asks the model, and believes only what the document supports. The only service that links Bedrock.

use std::{process::ExitCode, sync::Arc};

use clinflow_amqp::Amqp;
use clinflow_bedrock::Bedrock;
use clinflow_dynamodb::{Database, DynamoBundles, DynamoLedger, DynamoSessions};
use clinflow_nlp::{Comprehend, LocalModel, PromptedModel, Reader, billing};
use clinflow_objects::Store;
use clinflow_redis::{Connection, RedisClaims, RedisCounters};
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
    /// The model of Amazon Bedrock that reads; without it, the local model does.
    bedrock: Option<clinflow_bedrock::Config>,
}

fn main() -> ExitCode {
    clinflow_runtime::main(
        "nlp",
        |config: &Config| &config.process,
        |boot: Boot<Config>| async move {
            let Config { worker, broker, redis, dynamodb, objects, bedrock, .. } = &boot.config;
            let broker = Arc::new(Amqp::connect(broker.clone()).await?);
            let redis = Connection::new(redis)?;
            let claims = Arc::new(RedisClaims::new(redis.clone()));
            let database = Database::connect(dynamodb).await?;
            let sessions = Arc::new(DynamoSessions::new(database.clone()));
            let catalog =
                Arc::new(Catalog::new(Arc::new(DynamoBundles::new(database.clone())), Bundle::read));
            let objects = Arc::new(Store::open(objects)?);
            let reader: Arc<dyn Reader> = match bedrock {
                None => Arc::new(LocalModel::new()),
                Some(bedrock) => {
                    let counters = RedisCounters::new(redis);
                    counters.check_eviction().await?;
                    let model = Arc::new(Bedrock::connect(bedrock).await?);
                    let ledger = Arc::new(DynamoLedger::new(database));
                    let (counters, clock) = (Arc::new(counters), boot.clock.clone());
                    let metrics = boot.metrics.clone();
                    let billing =
                        billing::Billing::new(model, counters, ledger, objects.clone(), clock, metrics);
                    Arc::new(PromptedModel::new(billing))
                }
            };
            let paid = bedrock.is_some().then(|| reader.id());
            billing::show(&boot.metrics, paid, catalog.clone(), &boot.life);
            let metrics = boot.metrics.clone();
            let handler = Comprehend::new(objects, catalog, sessions, reader, metrics);
            boot.start(handler, broker.clone(), claims, worker.clone()).await?;
            boot.ready(broker.as_ref());
            Ok(())
        },
    )
}
