//! Bundles: the workflow and pattern table, addressed by content.

use async_trait::async_trait;
use clinflow_core::{BundleFiles, BundleHash};

use crate::error::StoreError;

/// Every bundle that was ever published, and which one is current. A bundle is never changed: an edited
/// pattern makes a new bundle, and executions that began under the old one finish under it.
#[async_trait]
pub trait Bundles: Send + Sync + 'static {
    /// Stores a bundle under its hash and makes it the current one.
    async fn publish(&self, files: &BundleFiles) -> Result<BundleHash, StoreError>;

    /// The current bundle's hash; `None` before the first publish.
    async fn current(&self) -> Result<Option<BundleHash>, StoreError>;

    /// The files of a bundle.
    async fn fetch(&self, hash: BundleHash) -> Result<Option<BundleFiles>, StoreError>;
}
