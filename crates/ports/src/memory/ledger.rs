//! The ledger in maps.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use async_trait::async_trait;
use clinflow_core::{TeamId, id::ObjectHash};
use clinflow_cost::{Attempt, Entry, Intent, Outcome};
use jiff::Timestamp;

use super::lock;
use crate::{
    error::StoreError,
    ledger::{Ledger, Noted},
};

/// [`Ledger`] in memory.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Attempt, Entry>,
    answers: BTreeMap<ObjectHash, Outcome>,
    alerts: BTreeMap<TeamId, BTreeSet<String>>,
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn put_intent(&self, intent: &Intent) -> Result<Noted, StoreError> {
        let mut state = lock(&self.0);
        if let Some(known) = state.entries.get(&intent.attempt) {
            return Ok(Noted::Known(Box::new(known.clone())));
        }
        state.entries.insert(intent.attempt, Entry { intent: intent.clone(), outcome: None });
        Ok(Noted::New)
    }

    async fn put_outcome(&self, outcome: &Outcome) -> Result<Outcome, StoreError> {
        let mut state = lock(&self.0);
        let missing = || StoreError::Missing { store: "memory", key: outcome.attempt.to_string() };
        let entry = state.entries.get_mut(&outcome.attempt).ok_or_else(missing)?;
        let kept = entry.outcome.get_or_insert_with(|| outcome.clone()).clone();
        if kept.answer.is_some() {
            state.answers.entry(kept.fingerprint).or_insert_with(|| kept.clone());
        }
        Ok(kept)
    }

    async fn attempt(&self, attempt: Attempt) -> Result<Option<Entry>, StoreError> {
        Ok(lock(&self.0).entries.get(&attempt).cloned())
    }

    async fn answer(&self, fingerprint: ObjectHash) -> Result<Option<Outcome>, StoreError> {
        Ok(lock(&self.0).answers.get(&fingerprint).cloned())
    }

    async fn read(&self, team: &TeamId, from: Timestamp, until: Timestamp) -> Result<Vec<Entry>, StoreError> {
        let state = lock(&self.0);
        let wanted = |entry: &&Entry| entry.intent.team == *team && (from..until).contains(&entry.intent.at);
        let mut entries: Vec<Entry> = state.entries.values().filter(wanted).cloned().collect();
        entries.sort_by_key(|entry| (entry.intent.at, entry.intent.attempt));
        Ok(entries)
    }

    async fn put_alert(&self, team: &TeamId, alert: &str) -> Result<(), StoreError> {
        lock(&self.0).alerts.entry(team.clone()).or_default().insert(alert.to_owned());
        Ok(())
    }

    async fn alerts(&self, team: &TeamId) -> Result<BTreeSet<String>, StoreError> {
        Ok(lock(&self.0).alerts.get(team).cloned().unwrap_or_default())
    }
}
