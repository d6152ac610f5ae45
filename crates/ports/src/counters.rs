//! Counters: how much a team has spent and holds, and whether one more call may be made. They decide as
//! [`clinflow_cost::Books`] does, atomically, by their own clock, whoever else asks.
//!
//! Counters may be lost at any time (INV-11): then nothing may be spent until [`crate::reconcile::rebuild`] has made them
//! from the ledger again.

use std::time::Duration;

use async_trait::async_trait;
use clinflow_core::TeamId;
use clinflow_cost::{
    Account, Answer, Attempt, CostAlert, Dispatch, Install, NanoUsd, Position, Release, Reservation,
    Settlement, Suspend,
};
use uuid::Uuid;

use crate::error::StoreError;

/// The counters of all teams. Each call is atomic; none costs more than a few milliseconds.
///
/// One attempt goes: [`Counters::reserve`]; an intent in the ledger; [`Counters::dispatch`]; the model, only after
/// [`Dispatch::Go`]; an outcome in the ledger; [`Counters::settle`]. Before `dispatch` it may be given up with
/// [`Counters::release`]. Any step may be repeated.
#[async_trait]
pub trait Counters: Send + Sync + 'static {
    /// The generation of a team's counters; `None` while they are lost or being rebuilt.
    async fn epoch(&self, team: &TeamId) -> Result<Option<Uuid>, StoreError>;

    /// May this attempt be made? Holds its money on every account, or on none.
    async fn reserve(&self, wanted: &Reservation) -> Result<Answer, StoreError>;

    /// The intent is in the ledger: may the model be asked? The hold then counts for another `lease`, which must be longer
    /// than the model may take. Without it a rebuild that did not see the intent could let the money be spent twice.
    async fn dispatch(
        &self,
        team: &TeamId,
        attempt: Attempt,
        lease: Duration,
    ) -> Result<Dispatch, StoreError>;

    /// Books what an attempt has cost instead of its hold; more than the hold is booked too.
    async fn settle(
        &self,
        team: &TeamId,
        attempt: Attempt,
        actual: NanoUsd,
    ) -> Result<Settlement, StoreError>;

    /// Gives a hold back, if the model was not asked.
    async fn release(&self, team: &TeamId, attempt: Attempt) -> Result<Release, StoreError>;

    /// Nobody knows what an attempt has cost: its hold counts as spent until it is settled.
    async fn suspend(&self, team: &TeamId, attempt: Attempt) -> Result<Suspend, StoreError>;

    /// Up to `limit` attempts that somebody must look at: their lease has ended, or they are in suspense.
    async fn expired(&self, team: &TeamId, limit: usize) -> Result<Vec<Attempt>, StoreError>;

    /// [`Counters::suspend`], if the attempt's lease has ended.
    async fn expire(&self, team: &TeamId, attempt: Attempt) -> Result<Suspend, StoreError>;

    /// Stops an account or lets it go on. A rebuild forgets it.
    async fn freeze(&self, team: &TeamId, account: &Account, frozen: bool) -> Result<(), StoreError>;

    /// How an account stands; zero when nobody has booked to it.
    async fn position(&self, team: &TeamId, account: &Account) -> Result<Position, StoreError>;

    /// How the accounts of the team, its workflows and its agents stand, by name.
    async fn positions(&self, team: &TeamId) -> Result<Vec<Position>, StoreError>;

    /// Up to `limit` alerts, given to nobody else for `lease` and again to somebody after it, until acknowledged. Of a
    /// team without counters too.
    async fn take_alerts(
        &self,
        team: &TeamId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<CostAlert>, StoreError>;

    /// Somebody was told.
    async fn acknowledge(&self, team: &TeamId, alerts: &[String]) -> Result<(), StoreError>;

    /// Closes the counters for the holder of `token`, for `patience`. False when somebody else is at it.
    async fn begin(&self, team: &TeamId, token: Uuid, patience: Duration) -> Result<bool, StoreError>;

    /// Replaces everything but alerts in the outbox and opens the counters. False, and nothing changed, when `token` no
    /// longer holds them.
    async fn install(&self, team: &TeamId, token: Uuid, install: &Install) -> Result<bool, StoreError>;
}
