//! Losing everything, and losing the server.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::time::{Duration, Instant};

use clinflow_core::{
    ExecutionId, Role,
    join::{Arrival, Part},
};
use clinflow_ports::{
    StoreError,
    claims::{Claim, ClaimKey, Claims},
    joins::{JoinKey, Joins},
};
use clinflow_redis::{Config, Connection, RedisClaims, RedisJoins};
use clinflow_testkit::redis::Redis;
use jiff::Timestamp;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(30);

fn connection(redis: &Redis) -> Connection {
    let config = Config { url: redis.url(), timeout: Duration::from_millis(500), ..Config::default() };
    Connection::new(&config).unwrap()
}

fn claim_key() -> ClaimKey {
    ClaimKey { role: Role::Nlp, message_id: Uuid::from_u128(1), redrive: 0 }
}

fn part(branch: &str) -> Part {
    Part { branch: branch.to_owned(), message_id: Uuid::from_u128(7), body: b"reference".to_vec() }
}

async fn arrive(joins: &dyn Joins, branch: &str) -> Result<Arrival, StoreError> {
    let key = JoinKey { execution: ExecutionId::from_uuid(Uuid::from_u128(2)), redrive: 0 };
    let expected = ["extractor".to_owned(), "nlp".to_owned()];
    joins.arrive(key, &expected, Timestamp::from_second(1_000).unwrap(), part(branch)).await
}

#[tokio::test]
async fn losing_every_key_forgets_claims_and_joins_and_breaks_nothing() {
    let redis = Redis::start().unwrap();
    let (claims, joins) = (RedisClaims::new(connection(&redis)), RedisJoins::new(connection(&redis)));
    claims.complete(claim_key(), LEASE).await.unwrap();
    assert_eq!(arrive(&joins, "nlp").await.unwrap(), Arrival::Waiting);

    redis.flushall().unwrap();

    assert_eq!(claims.claim(claim_key(), Uuid::from_u128(1), LEASE).await.unwrap(), Claim::Fresh);
    assert_eq!(joins.expire(Timestamp::from_second(2_000).unwrap(), 10).await.unwrap(), []);
    assert_eq!(arrive(&joins, "extractor").await.unwrap(), Arrival::Waiting, "a new join waits for both");
    assert_eq!(arrive(&joins, "nlp").await.unwrap(), Arrival::Complete(vec![part("extractor"), part("nlp")]));
}

#[tokio::test]
async fn a_killed_server_is_unavailable_within_the_timeout_and_works_again_after_its_restart() {
    let mut redis = Redis::start().unwrap();
    let (claims, joins) = (RedisClaims::new(connection(&redis)), RedisJoins::new(connection(&redis)));
    let owner = Uuid::from_u128(1);
    claims.claim(claim_key(), owner, LEASE).await.unwrap();
    arrive(&joins, "nlp").await.unwrap();

    redis.kill();
    for _ in 0..5 {
        let began = Instant::now();
        let refused = claims.claim(claim_key(), owner, LEASE).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable { store: "redis", .. }), "{refused:?}");
        let refused = arrive(&joins, "nlp").await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable { store: "redis", .. }), "{refused:?}");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }

    redis.restart().unwrap();
    // The first call after the restart may still be told about the lost connection; no more than a few are.
    let mut claimed = claims.claim(claim_key(), owner, LEASE).await;
    let mut arrived = arrive(&joins, "extractor").await;
    for _ in 0..3 {
        if claimed.is_err() {
            claimed = claims.claim(claim_key(), owner, LEASE).await;
        }
        if arrived.is_err() {
            // The new server does not know the script: it is loaded on the way.
            arrived = arrive(&joins, "extractor").await;
        }
    }
    assert_eq!(claimed.unwrap(), Claim::Fresh);
    assert_eq!(arrived.unwrap(), Arrival::Waiting);
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_unavailable_within_the_timeout() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let config = Config { url, timeout: Duration::from_millis(200), ..Config::default() };
    let claims = RedisClaims::new(Connection::new(&config).unwrap());
    let began = Instant::now();
    let refused = claims.claim(claim_key(), Uuid::from_u128(1), LEASE).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn everything_expires() {
    let redis = Redis::start().unwrap();
    let (claims, joins) = (RedisClaims::new(connection(&redis)), RedisJoins::new(connection(&redis)));
    claims.claim(claim_key(), Uuid::from_u128(1), LEASE).await.unwrap();
    claims.complete(ClaimKey { redrive: 1, ..claim_key() }, LEASE).await.unwrap();
    arrive(&joins, "nlp").await.unwrap();
    let mut client =
        redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut client).await.unwrap();
    assert_eq!(keys.len(), 4, "two claims, a join and its index: {keys:?}");
    for key in keys {
        let left: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut client).await.unwrap();
        assert!(left > 0, "`{key}` has {left} ms left");
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_read_is_refused_without_its_password() {
    let config = Config { url: "redis://:secret@host:not-a-port".to_owned(), ..Config::default() };
    let error = format!("{:#}", Connection::new(&config).unwrap_err());
    assert!(error.contains("cannot be read") && !error.contains("secret"), "{error}");
}
