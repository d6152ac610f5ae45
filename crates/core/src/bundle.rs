//! All configuration an execution runs under, as the files it consists of, addressed by their content.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::BundleHash;

/// The files of a bundle by path (`ae-report/workflow.yaml`), unread. `clinflow_workflow` reads them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BundleFiles(pub BTreeMap<String, String>);

impl BundleFiles {
    /// The bundle's identity: a SHA-256 over every path and text, length-prefixed, in path order.
    pub fn hash(&self) -> BundleHash {
        let mut hasher = Sha256::new();
        for (path, text) in &self.0 {
            for part in [path, text] {
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part.as_bytes());
            }
        }
        BundleHash::from_bytes(hasher.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::BundleFiles;

    #[test]
    fn the_hash_changes_with_every_path_and_every_text() {
        let files = |path: &str, text: &str| BundleFiles([(path.to_owned(), text.to_owned())].into()).hash();
        assert_eq!(files("a.yaml", "x"), files("a.yaml", "x"));
        assert_ne!(files("a.yaml", "x"), files("a.yaml", "y"));
        assert_ne!(files("a.yaml", "x"), files("a.yam", "lx"));
    }
}
