//! Claims: has this role already done this message, or is somebody at it?

use std::time::Duration;

use async_trait::async_trait;
use clinflow_core::Role;
use uuid::Uuid;

use crate::error::StoreError;

/// What is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClaimKey {
    /// Who does the work.
    pub role: Role,
    /// The message.
    pub message_id: Uuid,
    /// The redrive it belongs to: a redriven message has the same id and is handled again.
    pub redrive: u32,
}

/// What a claim found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nobody has it: it is now held by the caller until the lease ends.
    Fresh,
    /// Somebody holds it.
    HeldElsewhere,
    /// It is done: its outputs are confirmed.
    AlreadyDone,
}

/// The one place where "was this done before?" is answered. It saves work and money; losing it costs neither
/// documents nor correctness, because effects are keyed by ids that are derived from inputs (INV-03, INV-11).
#[async_trait]
pub trait Claims: Send + Sync + 'static {
    /// Claims `key` for `owner` until `lease` has passed. The same owner may claim again.
    async fn claim(&self, key: ClaimKey, owner: Uuid, lease: Duration) -> Result<Claim, StoreError>;

    /// Marks it done for `keep`, whoever holds it.
    async fn complete(&self, key: ClaimKey, keep: Duration) -> Result<(), StoreError>;

    /// Gives it up, if `owner` holds it.
    async fn abandon(&self, key: ClaimKey, owner: Uuid) -> Result<(), StoreError>;
}
