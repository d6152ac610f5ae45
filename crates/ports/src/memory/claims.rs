//! Claims in a map.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use async_trait::async_trait;
use tokio::time::Instant;
use uuid::Uuid;

use super::lock;
use crate::{
    claims::{Claim, ClaimKey, Claims},
    error::StoreError,
};

/// How many entries may gather before the expired ones are swept out.
const SWEEP_EVERY: usize = 4096;

/// [`Claims`] in memory.
#[derive(Debug, Default)]
pub struct MemoryClaims(Mutex<HashMap<ClaimKey, (Entry, Instant)>>);

#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Held(Uuid),
    Done,
}

#[async_trait]
impl Claims for MemoryClaims {
    async fn claim(&self, key: ClaimKey, owner: Uuid, lease: Duration) -> Result<Claim, StoreError> {
        let now = Instant::now();
        let mut entries = lock(&self.0);
        match entries.get(&key) {
            Some((Entry::Done, until)) if *until > now => return Ok(Claim::AlreadyDone),
            Some((Entry::Held(by), until)) if *until > now && *by != owner => {
                return Ok(Claim::HeldElsewhere);
            }
            _ => {}
        }
        if entries.len() % SWEEP_EVERY == SWEEP_EVERY - 1 {
            entries.retain(|_, (_, until)| *until > now);
        }
        entries.insert(key, (Entry::Held(owner), now + lease));
        Ok(Claim::Fresh)
    }

    async fn complete(&self, key: ClaimKey, keep: Duration) -> Result<(), StoreError> {
        lock(&self.0).insert(key, (Entry::Done, Instant::now() + keep));
        Ok(())
    }

    async fn abandon(&self, key: ClaimKey, owner: Uuid) -> Result<(), StoreError> {
        let mut entries = lock(&self.0);
        if entries.get(&key).is_some_and(|(entry, _)| *entry == Entry::Held(owner)) {
            entries.remove(&key);
        }
        Ok(())
    }
}
