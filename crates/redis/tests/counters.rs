//! Counters against a real server: the same answers as the books in memory, no overspending, crashes at every point,
//! everything lost in the middle, a cluster's rules.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

mod counters {
    mod cluster;
    mod money;
    mod same_as_books;
}

use std::sync::LazyLock;

use clinflow_redis::{Config, Connection, RedisCounters};
use clinflow_testkit::redis::Redis;

static SERVER: LazyLock<Redis> = LazyLock::new(|| Redis::start().unwrap());

/// Counters whose keys no other test sees.
fn fresh(prefix: &str) -> RedisCounters {
    on(&SERVER.url(), prefix)
}

/// Counters on this server.
fn on(url: &str, prefix: &str) -> RedisCounters {
    let config = Config { url: url.to_owned(), prefix: prefix.to_owned(), ..Config::default() };
    RedisCounters::new(Connection::new(&config).unwrap())
}

#[tokio::test]
async fn a_server_that_would_evict_counters_is_not_ready() {
    let redis = Redis::start().unwrap();
    let counters = on(&redis.url(), "eviction");
    counters.check_eviction().await.unwrap();
    let mut client =
        redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut set = redis::cmd("CONFIG");
    set.arg("SET").arg("maxmemory-policy").arg("allkeys-lru");
    set.exec_async(&mut client).await.unwrap();
    let refused = format!("{:?}", counters.check_eviction().await.unwrap_err());
    assert!(refused.contains("`allkeys-lru`: set it to `noeviction`"), "{refused}");
}
