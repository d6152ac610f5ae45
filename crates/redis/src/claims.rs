//! Claims: one key each, holding who has it until its time to live ends.

use std::time::Duration;

use async_trait::async_trait;
use clinflow_ports::{
    StoreError,
    claims::{Claim, ClaimKey, Claims},
};
use redis::Script;
use uuid::Uuid;

use crate::connection::{Connection, millis};

/// What a claim's key holds once the work is done. While it is held, it holds the owner's id.
const DONE: &str = "done";

/// [`Claims`] on Redis. Claiming and completing are one plain command each.
#[derive(Debug)]
pub struct RedisClaims {
    connection: Connection,
    renew: Script,
    abandon: Script,
}

impl RedisClaims {
    /// Claims over `connection`.
    pub fn new(connection: Connection) -> Self {
        Self {
            connection,
            renew: Script::new(include_str!("scripts/renew.lua")),
            abandon: Script::new(include_str!("scripts/abandon.lua")),
        }
    }

    fn key(&self, key: ClaimKey) -> String {
        format!("{}:claim:{}:{}:{}", self.connection.prefix, key.role, key.message_id.simple(), key.redrive)
    }
}

/// What a key that was taken says to `owner`; `None` when it is the owner's own.
fn taken(held: &str, owner: &str) -> Option<Claim> {
    match held {
        DONE => Some(Claim::AlreadyDone),
        held if held == owner => None,
        _ => Some(Claim::HeldElsewhere),
    }
}

#[async_trait]
impl Claims for RedisClaims {
    async fn claim(&self, key: ClaimKey, owner: Uuid, lease: Duration) -> Result<Claim, StoreError> {
        let (key, owner, lease) = (self.key(key), owner.simple().to_string(), millis(lease));
        let mut set = redis::cmd("SET");
        set.arg(&key).arg(&owner).arg("NX").arg("GET").arg("PX").arg(lease);
        let held: Option<String> =
            self.connection.call(async |mut redis| set.query_async(&mut redis).await).await?;
        let Some(held) = held else {
            return Ok(Claim::Fresh);
        };
        if let Some(claim) = taken(&held, &owner) {
            return Ok(claim);
        }
        // The owner claims again, which is rare: extend the lease, unless the key changed hands meanwhile.
        let mut renew = self.renew.key(&key);
        renew.arg(&owner).arg(lease);
        let held: String =
            self.connection.call(async |mut redis| renew.invoke_async(&mut redis).await).await?;
        Ok(taken(&held, &owner).unwrap_or(Claim::Fresh))
    }

    async fn complete(&self, key: ClaimKey, keep: Duration) -> Result<(), StoreError> {
        let mut set = redis::cmd("SET");
        set.arg(self.key(key)).arg(DONE).arg("PX").arg(millis(keep));
        self.connection.call(async |mut redis| set.exec_async(&mut redis).await).await
    }

    async fn abandon(&self, key: ClaimKey, owner: Uuid) -> Result<(), StoreError> {
        let mut abandon = self.abandon.key(self.key(key));
        abandon.arg(owner.simple().to_string());
        self.connection.call(async |mut redis| abandon.invoke_async(&mut redis).await).await
    }
}
