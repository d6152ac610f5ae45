//! Bundles in a map.

use std::{collections::HashMap, sync::Mutex};

use async_trait::async_trait;
use clinflow_core::{BundleFiles, BundleHash};

use super::lock;
use crate::{bundles::Bundles, error::StoreError};

/// [`Bundles`] in memory.
#[derive(Debug, Default)]
pub struct MemoryBundles(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    bundles: HashMap<BundleHash, BundleFiles>,
    current: Option<BundleHash>,
}

#[async_trait]
impl Bundles for MemoryBundles {
    async fn publish(&self, files: &BundleFiles) -> Result<BundleHash, StoreError> {
        let hash = files.hash();
        let mut state = lock(&self.0);
        state.bundles.insert(hash, files.clone());
        state.current = Some(hash);
        Ok(hash)
    }

    async fn current(&self) -> Result<Option<BundleHash>, StoreError> {
        Ok(lock(&self.0).current)
    }

    async fn fetch(&self, hash: BundleHash) -> Result<Option<BundleFiles>, StoreError> {
        Ok(lock(&self.0).bundles.get(&hash).cloned())
    }
}
