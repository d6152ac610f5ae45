//! Measures the counters of a call, from its reservation to its settlement, against a private redis-server:
//! `cargo run --release -p clinflow-redis --example counters_load`.
#![expect(clippy::print_stdout, reason = "a measurement for people")]

use std::{sync::Arc, time::Duration};

use clinflow_core::{AgentId, DocumentHash, SessionId, TeamId, WorkflowId, id::ObjectHash, id::derive};
use clinflow_cost::{Attempt, Budgets, Install, NanoUsd, Payer};
use clinflow_ports::Counters;
use clinflow_redis::{Config, Connection, RedisCounters};
use clinflow_testkit::{load, redis::Redis};
use jiff::Timestamp;

const TIME: Duration = Duration::from_secs(3);
const LEASE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let redis = Redis::start()?;
    let servers: Vec<u32> = redis.id().into_iter().collect();
    let connection = Connection::new(&Config { url: redis.url(), ..Config::default() })?;
    let text = include_str!("../../../workflows/budgets.yaml").replace("2000.00", "2000000.00");
    let budgets = Arc::new(Budgets::read("budgets.yaml", &text)?);
    let team = TeamId::new("safety")?;
    for callers in [1, 16, 64] {
        redis.flushall()?;
        let counters = Arc::new(RedisCounters::new(connection.clone()));
        let token = derive(&[b"load"]);
        counters.begin(&team, token, LEASE).await?;
        counters.install(&team, token, &Install::default()).await?;
        let (budgets, team) = (Arc::clone(&budgets), team.clone());
        let call = move |n: u64| {
            let (counters, budgets, team) = (Arc::clone(&counters), Arc::clone(&budgets), team.clone());
            async move {
                let payer = Payer {
                    team: team.clone(),
                    workflow: WorkflowId::new("ae-report")?,
                    agent: AgentId::new("ae-report.nlp")?,
                    session: Some(SessionId::new(format!("session-{}", n % 100))?),
                    document: DocumentHash::of(&n.to_be_bytes()),
                };
                let attempt = Attempt { invocation: derive(&[&n.to_be_bytes()]), ordinal: 0, number: 1 };
                let asked = ObjectHash::of(&n.to_be_bytes());
                let hold = NanoUsd::new(10);
                let wanted = budgets.reserve(
                    &payer,
                    attempt,
                    asked,
                    hold,
                    LEASE,
                    Timestamp::from_second(4_000_000_000)?,
                );
                counters.reserve(&wanted).await?;
                counters.dispatch(&team, attempt, LEASE).await?;
                counters.settle(&team, attempt, NanoUsd::new(7)).await?;
                Ok(())
            }
        };
        println!(
            "reserve + dispatch + settle  c={callers:<3} {}",
            load::run(callers, TIME, &servers, call).await?
        );
    }
    Ok(())
}
