//! The cost ledger: what every attempt was to cost and has cost. It is written before the model is asked and after, and
//! nothing in it is ever changed or removed: counters, reports and the stored answers all follow from it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use clinflow_core::{TeamId, id::ObjectHash};
use clinflow_cost::{Attempt, Entry, Intent, Outcome};
use jiff::Timestamp;

use crate::error::StoreError;

/// What writing an intent found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// It is written.
    New,
    /// The attempt was written down before; this is what is known of it.
    Known(Box<Entry>),
}

/// The cost ledger. What is answered after a write holds for whoever asks next.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// The model is about to be asked. Written once for an attempt.
    async fn put_intent(&self, intent: &Intent) -> Result<Noted, StoreError>;

    /// What became of an attempt. The first one written stays; it is answered. An outcome with a stored answer becomes
    /// the answer to its fingerprint, unless there is one.
    async fn put_outcome(&self, outcome: &Outcome) -> Result<Outcome, StoreError>;

    /// What is known of an attempt.
    async fn attempt(&self, attempt: Attempt) -> Result<Option<Entry>, StoreError>;

    /// The outcome with the stored answer to identical calls (INV-05).
    async fn answer(&self, fingerprint: ObjectHash) -> Result<Option<Outcome>, StoreError>;

    /// Everything of a team whose intent was written at `from` or later and before `until`, by time.
    async fn read(&self, team: &TeamId, from: Timestamp, until: Timestamp) -> Result<Vec<Entry>, StoreError>;

    /// Somebody was told of this alert. Written after it was delivered and before it is acknowledged, so that a rebuild
    /// of the counters does not raise it again (INV-13).
    async fn put_alert(&self, team: &TeamId, alert: &str) -> Result<(), StoreError>;

    /// The ids of the team's alerts that somebody was told of.
    async fn alerts(&self, team: &TeamId) -> Result<BTreeSet<String>, StoreError>;
}
