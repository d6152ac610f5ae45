//! Joins: a hash each, and sixteen sorted sets of those that are still open.

mod layout;

use std::collections::HashMap;

use async_trait::async_trait;
use clinflow_core::join::{Arrival, Join, Part};
use clinflow_ports::{
    StoreError,
    joins::{Expired, JoinKey, Joins},
};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use redis::Script;

use crate::connection::{Connection, STORE, millis};
use layout::{Layout, SHARDS, Unreadable};

/// A join's hash as Redis answers it: field, value, field, value.
type Fields = Vec<Vec<u8>>;

/// [`Joins`] on Redis. Arriving and settling are one round trip; expiring is one to look at every shard and
/// one to close what is due.
#[derive(Debug)]
pub struct RedisJoins {
    connection: Connection,
    layout: Layout,
    arrive: Script,
    expire: Script,
}

impl RedisJoins {
    /// Joins over `connection`.
    pub fn new(connection: Connection) -> Self {
        Self {
            layout: Layout::new(&connection.prefix),
            connection,
            arrive: Script::new(include_str!("../scripts/arrive.lua")),
            expire: Script::new(include_str!("../scripts/expire.lua")),
        }
    }

    /// The joins of a shard that are due at `now`, by deadline and name: at most `limit`.
    async fn due(&self, shard: u8, now: i64, limit: usize) -> Result<Vec<(i64, JoinKey)>, StoreError> {
        let mut range = redis::cmd("ZRANGEBYSCORE");
        range
            .arg(self.layout.open(shard))
            .arg("-inf")
            .arg(now)
            .arg("WITHSCORES")
            .arg("LIMIT")
            .arg(0)
            .arg(limit);
        let found: Vec<(String, i64)> =
            self.connection.call(async |mut redis| range.query_async(&mut redis).await).await?;
        let read = |(name, deadline): (String, i64)| {
            layout::key(&name).map(|key| (deadline, key)).ok_or_else(|| corrupt("the index of open joins"))
        };
        found.into_iter().map(read).collect()
    }

    /// Closes the joins `due` of one shard.
    async fn close(&self, shard: u8, now: Timestamp, due: &[JoinKey]) -> Result<Vec<Expired>, StoreError> {
        let mut expire = self.expire.key(self.layout.open(shard));
        expire.arg(layout::floor(now));
        for key in due {
            expire.key(self.layout.join(*key)).arg(layout::name(*key));
        }
        let states: Vec<Fields> =
            self.connection.call(async |mut redis| expire.invoke_async(&mut redis).await).await?;
        let mut expired = Vec::new();
        for (key, state) in due.iter().zip(states) {
            if state.is_empty() {
                continue;
            }
            if let Some((parts, missing)) = read(*key, &state)?.expire(now) {
                expired.push(Expired { key: *key, parts, missing });
            }
        }
        Ok(expired)
    }
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { store: STORE, what: what.to_owned() }
}

fn read(key: JoinKey, fields: &[Vec<u8>]) -> Result<Join, StoreError> {
    layout::read(fields).map_err(|Unreadable| corrupt(&format!("join `{}`", layout::name(key))))
}

#[async_trait]
impl Joins for RedisJoins {
    async fn arrive(
        &self,
        key: JoinKey,
        expected: &[String],
        deadline: Timestamp,
        part: Part,
    ) -> Result<Arrival, StoreError> {
        let mut arrive = self.arrive.key(self.layout.join(key));
        arrive
            .key(self.layout.open(layout::shard(key)))
            .arg(layout::name(key))
            .arg(layout::ceil(deadline))
            .arg(millis(self.connection.keep_joins))
            .arg(&part.branch)
            .arg(layout::write(&part));
        for branch in expected {
            arrive.arg(branch);
        }
        let state: Fields =
            self.connection.call(async |mut redis| arrive.invoke_async(&mut redis).await).await?;
        // Arriving at a join that has the part already says how it stands, so this is the answer of the
        // arrival that the script made.
        Ok(read(key, &state)?.arrive(part))
    }

    async fn expire(&self, now: Timestamp, limit: usize) -> Result<Vec<Expired>, StoreError> {
        let shards =
            try_join_all((0..SHARDS).map(|shard| self.due(shard, layout::floor(now), limit))).await?;
        let mut due: Vec<(i64, JoinKey)> = shards.into_iter().flatten().collect();
        due.sort_unstable();
        due.truncate(limit);
        let of = |shard: u8| -> Vec<JoinKey> {
            due.iter().map(|(_, key)| *key).filter(|key| layout::shard(*key) == shard).collect()
        };
        let shards: Vec<(u8, Vec<JoinKey>)> =
            (0..SHARDS).map(|shard| (shard, of(shard))).filter(|(_, due)| !due.is_empty()).collect();
        let closed = try_join_all(shards.iter().map(|(shard, due)| self.close(*shard, now, due))).await?;
        let mut closed: HashMap<JoinKey, Expired> =
            closed.into_iter().flatten().map(|expired| (expired.key, expired)).collect();
        Ok(due.iter().filter_map(|(_, key)| closed.remove(key)).collect())
    }

    async fn settle(&self, key: JoinKey) -> Result<(), StoreError> {
        let mut remove = redis::cmd("ZREM");
        remove.arg(self.layout.open(layout::shard(key))).arg(layout::name(key));
        self.connection.call(async |mut redis| remove.exec_async(&mut redis).await).await
    }
}
