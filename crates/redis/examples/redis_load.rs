//! Measures claims and joins against a private redis-server:
//! `cargo run --release -p clinflow-redis --example redis_load`.
#![expect(clippy::print_stdout, reason = "a measurement for people")]

use std::{sync::Arc, time::Duration};

use clinflow_core::{ExecutionId, Role, id::derive, join::Part};
use clinflow_ports::{Claims, Joins, claims::ClaimKey, joins::JoinKey};
use clinflow_redis::{Config, Connection, RedisClaims, RedisJoins};
use clinflow_testkit::{load, redis::Redis};
use jiff::Timestamp;

const TIME: Duration = Duration::from_secs(3);
const LEASE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let redis = Redis::start()?;
    let servers: Vec<u32> = redis.id().into_iter().collect();
    let connection = Connection::new(&Config { url: redis.url(), ..Config::default() })?;
    for callers in [1, 16, 64] {
        redis.flushall()?;
        let claims = Arc::new(RedisClaims::new(connection.clone()));
        let claim = move |n: u64| {
            let claims = Arc::clone(&claims);
            async move {
                let key = ClaimKey { role: Role::Nlp, message_id: derive(&[&n.to_be_bytes()]), redrive: 0 };
                claims.claim(key, derive(&[b"owner"]), LEASE).await?;
                Ok(claims.complete(key, LEASE).await?)
            }
        };
        println!("claim + complete  c={callers:<3} {}", load::run(callers, TIME, &servers, claim).await?);

        redis.flushall()?;
        let joins = Arc::new(RedisJoins::new(connection.clone()));
        let arrive = move |n: u64| {
            let joins = Arc::clone(&joins);
            async move {
                // Both parts of a join come one after the other. A body of a kilobyte is a message with its history.
                let key = JoinKey {
                    execution: ExecutionId::from_uuid(derive(&[&(n / 2).to_be_bytes()])),
                    redrive: 0,
                };
                let branch = if n.is_multiple_of(2) { "extractor" } else { "nlp" }.to_owned();
                let part = Part { branch, message_id: derive(&[&n.to_be_bytes()]), body: vec![7; 1024] };
                let expected = ["extractor".to_owned(), "nlp".to_owned()];
                joins.arrive(key, &expected, Timestamp::UNIX_EPOCH, part).await?;
                Ok(())
            }
        };
        println!("arrive            c={callers:<3} {}", load::run(callers, TIME, &servers, arrive).await?);
    }
    Ok(())
}
