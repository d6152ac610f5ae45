//! What the submitter said about a document.

use clinflow_core::Phi;
use clinflow_ports::StoreError;
use serde::Deserialize;

/// The part of a submission object that a report shows; the gateway writes it and may know more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub(crate) struct Submission {
    /// The file's name as its owner knows it.
    #[serde(default)]
    pub(crate) name: Option<Phi>,
}

impl Submission {
    /// Reads a submission object. An empty name is none.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        // The parser's words may quote the name.
        let submission: Self = serde_json::from_slice(bytes)
            .map_err(|_| StoreError::Corrupt { store: "objects", what: "a submission".to_owned() })?;
        Ok(Self { name: submission.name.filter(|name| !name.is_empty()) })
    }
}
