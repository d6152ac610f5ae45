//! What a guardrail did to a result before it left.

use serde::{Deserialize, Serialize};

/// One thing a guardrail did. It never holds what was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Intervention {
    /// The policy: `sensitive-information`, `word`, `topic`, `content`, `contextual-grounding`.
    pub policy: String,
    /// The type of information, the pattern's, filter's or topic's name.
    pub name: String,
    /// What was done: `anonymized` or `blocked`.
    pub action: String,
    /// The field it was done to, `group.name` or `name`; `None` for something else than a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The repetition it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
}

/// The guardrail a result passed, and what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guarded {
    /// Its name and version.
    pub guardrail: String,
    /// Everything it did, in the order of the fields.
    pub interventions: Vec<Intervention>,
}
