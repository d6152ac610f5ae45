//! What is written down about every attempt: the truth from which counters are rebuilt and reports are made.
//!
//! An attempt has an intent before the model is asked and an outcome after. Neither is ever changed or removed.

use clinflow_core::{
    AgentId, DocumentHash, ExecutionId, SessionId, TeamId, WorkflowId, id::ObjectHash, step::ObjectRef,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Account, Attempt, NanoUsd, Usage};

/// The model is about to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The attempt.
    pub attempt: Attempt,
    /// When it was written.
    pub at: Timestamp,
    /// Who pays.
    pub team: TeamId,
    /// In which workflow.
    pub workflow: WorkflowId,
    /// Who asks.
    pub agent: AgentId,
    /// In which session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// In which execution.
    pub execution: ExecutionId,
    /// About which document.
    pub document: DocumentHash,
    /// What is asked: the same for identical calls.
    pub fingerprint: ObjectHash,
    /// The model's id.
    pub model: String,
    /// The price table's version.
    pub prices: ObjectHash,
    /// What it costs at most.
    pub hold: NanoUsd,
    /// Where it is booked, as of when it was reserved.
    pub accounts: Vec<Account>,
}

/// How much is known about what an attempt cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Billing {
    /// The provider said what it used.
    Billed,
    /// The provider does not bill it: throttled, refused, never sent.
    Free,
    /// Nobody knows; it is booked at the most it can have cost.
    Estimated,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The attempt.
    pub attempt: Attempt,
    /// When it was known.
    pub at: Timestamp,
    /// What was asked.
    pub fingerprint: ObjectHash,
    /// How much is known.
    pub billing: Billing,
    /// What it used.
    pub usage: Usage,
    /// What that costs, by `prices`.
    pub cost: NanoUsd,
    /// The model's id.
    pub model: String,
    /// The price table's version.
    pub prices: ObjectHash,
    /// The stored answer, when it may be used again: an identical call is answered with it (INV-05).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<ObjectRef>,
}

/// Everything the ledger knows about an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its intent.
    pub intent: Intent,
    /// Its outcome, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

impl Intent {
    /// Nobody has found out what became of the attempt: it is booked at what it can have cost at most.
    pub fn written_off(&self, at: Timestamp) -> Outcome {
        self.ended(at, Billing::Estimated, self.hold)
    }

    /// The provider does not bill the attempt, or it was never sent.
    pub fn free(&self, at: Timestamp) -> Outcome {
        self.ended(at, Billing::Free, NanoUsd::ZERO)
    }

    /// The attempt used this, which costs `cost`.
    pub fn billed(&self, at: Timestamp, usage: Usage, cost: NanoUsd, answer: Option<ObjectRef>) -> Outcome {
        Outcome { usage, answer, ..self.ended(at, Billing::Billed, cost) }
    }

    fn ended(&self, at: Timestamp, billing: Billing, cost: NanoUsd) -> Outcome {
        Outcome {
            attempt: self.attempt,
            at,
            fingerprint: self.fingerprint,
            billing,
            usage: Usage::default(),
            cost,
            model: self.model.clone(),
            prices: self.prices,
            answer: None,
        }
    }
}
