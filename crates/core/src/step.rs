//! One step of an execution's history: who did what, when, at which attempt, at what cost.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    id::{AgentId, ObjectHash},
    role::Role,
};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It produced its output.
    Succeeded,
    /// It could not, this time or at all; the code says why.
    Failed,
}

/// An object in the object store, by reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Key in the object store.
    pub key: String,
    /// SHA-256 of its bytes.
    pub sha256: ObjectHash,
    /// Size in bytes.
    pub size: u64,
}

/// One invocation of one agent. Steps travel with the message, and the auditor makes them durable before
/// anything leaves the system (`docs/adr/0002-history-travels-with-the-message.md`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The role.
    pub role: Role,
    /// The role inside its workflow.
    pub agent_id: AgentId,
    /// The message it was handling.
    pub invocation_id: Uuid,
    /// Which attempt at that message this was, from 1.
    pub attempt: u32,
    /// When handling began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// The failure's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Model id and version, when a model took part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// SHA-256 of the prompt the model was given; none for a model that is given none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<ObjectHash>,
    /// What it wrote to the object store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<ObjectRef>,
    /// What it cost, in nano-dollars.
    #[serde(default)]
    pub cost_nano_usd: u64,
}

impl Step {
    /// True when both tell of the same attempt of the same role at the same message.
    pub fn is_same_invocation(&self, other: &Self) -> bool {
        (self.role, self.invocation_id, self.attempt) == (other.role, other.invocation_id, other.attempt)
    }
}
