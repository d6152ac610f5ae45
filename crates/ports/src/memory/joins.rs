//! Joins in a map, decided by the pure state machine.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use clinflow_core::join::{Arrival, Join, Part};
use jiff::Timestamp;

use super::lock;
use crate::{
    error::StoreError,
    joins::{Expired, JoinKey, Joins},
};

/// [`Joins`] in memory.
#[derive(Debug, Default)]
pub struct MemoryJoins(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    joins: BTreeMap<JoinKey, Join>,
    /// Joins that still wait for a part or for their partial result to be emitted.
    open: BTreeMap<(Timestamp, JoinKey), ()>,
}

#[async_trait]
impl Joins for MemoryJoins {
    async fn arrive(
        &self,
        key: JoinKey,
        expected: &[String],
        deadline: Timestamp,
        part: Part,
    ) -> Result<Arrival, StoreError> {
        let State { joins, open } = &mut *lock(&self.0);
        let join = joins.entry(key).or_insert_with(|| {
            open.insert((deadline, key), ());
            Join::new(expected.iter().cloned(), deadline)
        });
        let arrival = join.arrive(part);
        if join.is_complete() {
            open.remove(&(join.deadline, key));
        }
        Ok(arrival)
    }

    async fn expire(&self, now: Timestamp, limit: usize) -> Result<Vec<Expired>, StoreError> {
        let State { joins, open } = &mut *lock(&self.0);
        let due: Vec<JoinKey> = open
            .keys()
            .take_while(|(deadline, _)| *deadline <= now)
            .take(limit)
            .map(|(_, key)| *key)
            .collect();
        let expire = |key: JoinKey| {
            let (parts, missing) = joins.get_mut(&key)?.expire(now)?;
            Some(Expired { key, parts, missing })
        };
        Ok(due.into_iter().filter_map(expire).collect())
    }

    async fn settle(&self, key: JoinKey) -> Result<(), StoreError> {
        let State { joins, open } = &mut *lock(&self.0);
        if let Some(join) = joins.get(&key) {
            open.remove(&(join.deadline, key));
        }
        Ok(())
    }
}
