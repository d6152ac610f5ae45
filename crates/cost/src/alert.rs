//! What somebody must be told about money.

use clinflow_core::{AgentId, DocumentHash, id::ObjectHash};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{NanoUsd, Scope};

/// An alert. Its id is derived from what it is about, so that it is the same however often it is delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostAlert {
    /// `team:oncology|2026-11|3|80`: scope, period, version of the limit, percent. For a loop
    /// `loop|<document>|<agent>|<raised at>`, with the first digits of the hash, and microseconds.
    pub id: String,
    /// When it was raised, by the counters' clock.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
}

/// Why an alert was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A share of a limit is used, or nothing more fits in it.
    Threshold {
        /// Of what.
        scope: Scope,
        /// In which period.
        period: String,
        /// The limit's version.
        version: u32,
        /// 100 also when a call was refused because it did not fit in what was left.
        percent: u8,
        /// Settled and in suspense.
        used: NanoUsd,
        /// The limit.
        limit: NanoUsd,
        /// The call that did not fit; zero when none was refused.
        refused: NanoUsd,
    },
    /// The loop guard has refused a call.
    Loop {
        /// About which document.
        document: DocumentHash,
        /// Whose call.
        agent: AgentId,
        /// `identical` or `stage`.
        trip: String,
        /// What was asked.
        fingerprint: ObjectHash,
        /// How many calls were made before.
        calls: u64,
    },
}

/// The id of a threshold's alert.
pub(crate) fn threshold_id(account: &str, version: u32, percent: u8) -> String {
    format!("{account}|{version}|{percent}")
}
