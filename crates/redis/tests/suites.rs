//! The suites of both ports against a real server, and random histories compared with the in-memory joins.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::sync::LazyLock;

use clinflow_redis::{Config, Connection, RedisClaims, RedisCounters, RedisJoins};
use clinflow_testkit::redis::Redis;

static SERVER: LazyLock<Redis> = LazyLock::new(|| Redis::start().unwrap());

/// A connection whose keys no other test sees.
fn connection(prefix: &str) -> Connection {
    Connection::new(&Config { url: SERVER.url(), prefix: prefix.to_owned(), ..Config::default() }).unwrap()
}

mod claims {
    clinflow_ports::claims_suite!(async { super::RedisClaims::new(super::connection("claims")) });
}

mod counters {
    clinflow_ports::counters_suite!(async { super::RedisCounters::new(super::connection("counters")) });
}

mod joins {
    clinflow_ports::joins_suite!(async { super::RedisJoins::new(super::connection("joins")) });
}

mod same_as_in_memory {
    use clinflow_core::{ExecutionId, join::Part};
    use clinflow_ports::{Joins, joins::JoinKey, memory::MemoryJoins};
    use jiff::Timestamp;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::{RedisJoins, connection};

    /// One call on a join.
    #[derive(Debug, Clone)]
    enum Op {
        Arrive { key: (u128, u32), expected: Vec<String>, deadline: i64, branch: &'static str, message: u128 },
        Expire { now: i64, limit: usize },
        Settle { key: (u128, u32) },
    }

    /// Few of everything, so that histories collide: three executions of which two share a shard.
    fn op() -> impl Strategy<Value = Op> {
        let key = || (prop::sample::select(vec![1u128, 2, 18]), 0u32..2);
        let expected = prop::sample::subsequence(vec!["nlp".to_owned(), "extractor".to_owned()], 0..=2);
        let branch = prop::sample::select(vec!["extractor", "nlp", "oracle", ""]);
        prop_oneof![
            6 => (key(), expected, 0i64..4, branch, 0u128..3).prop_map(|(key, expected, deadline, branch, message)| {
                Op::Arrive { key, expected, deadline, branch, message }
            }),
            2 => (0i64..5, 0usize..4).prop_map(|(now, limit)| Op::Expire { now, limit }),
            1 => key().prop_map(|key| Op::Settle { key }),
        ]
    }

    /// What `joins` says to each call.
    async fn answers(joins: &dyn Joins, history: &[Op]) -> Vec<String> {
        let key = |(execution, redrive)| JoinKey {
            execution: ExecutionId::from_uuid(Uuid::from_u128(execution)),
            redrive,
        };
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let mut answers = Vec::new();
        for op in history.iter().cloned() {
            answers.push(match op {
                Op::Arrive { key: name, expected, deadline, branch, message } => {
                    let body = message.to_be_bytes()[..usize::try_from(message).unwrap()].to_vec();
                    let part = Part { branch: branch.to_owned(), message_id: Uuid::from_u128(message), body };
                    format!("{:?}", joins.arrive(key(name), &expected, at(deadline), part).await.unwrap())
                }
                Op::Expire { now, limit } => format!("{:?}", joins.expire(at(now), limit).await.unwrap()),
                Op::Settle { key: name } => format!("{:?}", joins.settle(key(name)).await.unwrap()),
            });
        }
        answers
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_history_of_calls_gets_the_same_answers(history in prop::collection::vec(op(), 1..40)) {
            static CASE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
            let case = CASE.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let redis = RedisJoins::new(connection(&format!("case-{case}")));
                let memory = MemoryJoins::default();
                assert_eq!(answers(&redis, &history).await, answers(&memory, &history).await);
            });
        }
    }
}
