//! Counters in memory: the books of every team behind a lock.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use clinflow_core::TeamId;
use clinflow_cost::{
    Account, Answer, Attempt, Books, CostAlert, Dispatch, Install, NanoUsd, Position, Release, Reservation,
    Settlement, Suspend,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::lock;
use crate::{clock::Clock, counters::Counters, error::StoreError};

/// [`Counters`] in memory.
pub struct MemoryCounters {
    books: Mutex<BTreeMap<TeamId, Books>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for MemoryCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCounters").field("books", &self.books).finish_non_exhaustive()
    }
}

impl MemoryCounters {
    /// Counters of no team yet, by the time of `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { books: Mutex::default(), clock }
    }

    /// What `call` does with a team's books at this moment.
    fn with<T>(&self, team: &TeamId, call: impl FnOnce(&mut Books, Timestamp) -> T) -> T {
        let mut books = lock(&self.books);
        // Read while the lock is held, so that time does not go back between two calls.
        let now = self.clock.now();
        if let Some(books) = books.get_mut(team) {
            return call(books, now);
        }
        call(books.entry(team.clone()).or_default(), now)
    }
}

#[async_trait]
impl Counters for MemoryCounters {
    async fn epoch(&self, team: &TeamId) -> Result<Option<Uuid>, StoreError> {
        Ok(self.with(team, |books, _| books.epoch()))
    }

    async fn reserve(&self, wanted: &Reservation) -> Result<Answer, StoreError> {
        Ok(self.with(&wanted.team, |books, now| books.reserve(wanted, now)))
    }

    async fn dispatch(
        &self,
        team: &TeamId,
        attempt: Attempt,
        lease: Duration,
    ) -> Result<Dispatch, StoreError> {
        Ok(self.with(team, |books, now| books.dispatch(attempt, lease, now)))
    }

    async fn settle(
        &self,
        team: &TeamId,
        attempt: Attempt,
        actual: NanoUsd,
    ) -> Result<Settlement, StoreError> {
        Ok(self.with(team, |books, now| books.settle(attempt, actual, now)))
    }

    async fn release(&self, team: &TeamId, attempt: Attempt) -> Result<Release, StoreError> {
        Ok(self.with(team, |books, now| books.release(attempt, now)))
    }

    async fn suspend(&self, team: &TeamId, attempt: Attempt) -> Result<Suspend, StoreError> {
        Ok(self.with(team, |books, now| books.suspend(attempt, now)))
    }

    async fn expired(&self, team: &TeamId, limit: usize) -> Result<Vec<Attempt>, StoreError> {
        Ok(self.with(team, |books, now| books.expired(limit, now)))
    }

    async fn expire(&self, team: &TeamId, attempt: Attempt) -> Result<Suspend, StoreError> {
        Ok(self.with(team, |books, now| books.expire(attempt, now)))
    }

    async fn freeze(&self, team: &TeamId, account: &Account, frozen: bool) -> Result<(), StoreError> {
        self.with(team, |books, _| books.freeze(account, frozen));
        Ok(())
    }

    async fn position(&self, team: &TeamId, account: &Account) -> Result<Position, StoreError> {
        Ok(self.with(team, |books, _| books.position(account)))
    }

    async fn positions(&self, team: &TeamId) -> Result<Vec<Position>, StoreError> {
        Ok(self.with(team, |books, _| books.positions()))
    }

    async fn take_alerts(
        &self,
        team: &TeamId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<CostAlert>, StoreError> {
        Ok(self.with(team, |books, now| books.take_alerts(limit, lease, now)))
    }

    async fn acknowledge(&self, team: &TeamId, alerts: &[String]) -> Result<(), StoreError> {
        self.with(team, |books, _| books.acknowledge(alerts));
        Ok(())
    }

    async fn begin(&self, team: &TeamId, token: Uuid, patience: Duration) -> Result<bool, StoreError> {
        Ok(self.with(team, |books, now| books.begin(token, patience, now)))
    }

    async fn install(&self, team: &TeamId, token: Uuid, install: &Install) -> Result<bool, StoreError> {
        Ok(self.with(team, |books, now| books.install(token, install, now)))
    }
}
