//! Alerts: what a person must hear of now, told to somebody outside.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody should look today.
    Warning,
    /// Work has stopped.
    Critical,
}

impl Severity {
    /// The one spelling of this severity.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Something a person must hear of. It holds ids, amounts and codes; never a word of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The same alert has the same id, so that a receiver can drop what it has seen (INV-13): 1 to 128 of
    /// `A-Z a-z 0-9 . : | _ -`.
    pub id: String,
    /// What happened, by its name in `docs/runbook`: `budget-exhausted`.
    pub name: String,
    /// How much it matters.
    pub severity: Severity,
    /// One line.
    pub summary: String,
    /// What it is about and what to do.
    pub description: String,
}

/// Somebody to tell.
#[async_trait]
pub trait Alerts: Send + Sync + 'static {
    /// Tells. After an error the same alert is raised again; the receiver may then hear it twice, with the same id.
    async fn raise(&self, alert: &Alert) -> Result<(), StoreError>;
}
