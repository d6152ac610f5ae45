//! What an operator says about alerts.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as duration;
use serde::{Deserialize, Serialize};

/// Who is told beside the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A URL that takes alerts as JSON by POST; the alert's id is its `Idempotency-Key`.
    pub webhook: Option<String>,
    /// The ARN of an SNS topic.
    pub sns_topic: Option<String>,
    /// Another endpoint for SNS than AWS'.
    pub sns_endpoint: Option<String>,
    /// The region; otherwise the one the AWS SDK finds.
    pub region: Option<String>,
    /// How long telling one of them may take: `5s`.
    #[serde(with = "duration")]
    pub timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            webhook: None,
            sns_topic: None,
            sns_endpoint: None,
            region: None,
            timeout: Duration::from_secs(5),
        }
    }
}
