//! Why a message could not be handled this time, and what to do about it.

use std::{fmt, time::Duration};

/// What now? The three answers are exhaustive: a message that needs nothing has no failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The world was wrong (a timeout, a throttle, a broker that is down). Try again with the same bytes.
    Retry {
        /// When the other side said how long to wait; else the retry policy decides.
        after: Option<Duration>,
    },
    /// The message is wrong (undecodable, empty, encrypted). No retry can help: dead letter.
    Reject,
    /// The message is right and must wait for a person or a budget. Replayable.
    Park,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retry { .. } => "retry",
            Self::Reject => "rejected",
            Self::Park => "parked",
        })
    }
}

/// A verdict with its stable code and its cause. The cause is read by people and must hold no PHI: it says
/// which limit, which store, which page, never what the document says.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {source}")]
pub struct Failure {
    /// What now?
    pub verdict: Verdict,
    /// Stable and documented: a metric label, a header, and the name of a page in `docs/failures`.
    pub code: &'static str,
    /// What happened.
    pub source: anyhow::Error,
}

impl Failure {
    /// The world was wrong: try again.
    pub fn retry(code: &'static str, source: impl Into<anyhow::Error>) -> Self {
        Self { verdict: Verdict::Retry { after: None }, code, source: source.into() }
    }

    /// The world was wrong and said when to come back.
    pub fn retry_after(code: &'static str, after: Duration, source: impl Into<anyhow::Error>) -> Self {
        Self { verdict: Verdict::Retry { after: Some(after) }, code, source: source.into() }
    }

    /// The message is wrong.
    pub fn reject(code: &'static str, source: impl Into<anyhow::Error>) -> Self {
        Self { verdict: Verdict::Reject, code, source: source.into() }
    }

    /// The message is right and must wait.
    pub fn park(code: &'static str, source: impl Into<anyhow::Error>) -> Self {
        Self { verdict: Verdict::Park, code, source: source.into() }
    }
}
