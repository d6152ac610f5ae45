//! What an operator says about DynamoDB.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as duration;
use serde::{Deserialize, Serialize};

/// The most actions DynamoDB takes in one `TransactWriteItems`.
pub(crate) const MAX_ACTIONS: u16 = 100;

/// Where DynamoDB is and how it is used. It holds no credentials: those come from where the AWS SDK looks for
/// them (environment, web identity, container, profile).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Another endpoint than AWS': `http://127.0.0.1:8000`. At one without TLS, credentials and region may be left
    /// out.
    pub endpoint: Option<String>,
    /// The region; otherwise the one the AWS SDK finds.
    pub region: Option<String>,
    /// What every table's name begins with: `clinflow-executions`.
    pub table_prefix: String,
    /// How long one call may take: `3s`.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// How long connecting may take: `1s`.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
    /// How many waiting writes go out in one `TransactWriteItems`, 1 to 100. AWS bills a write in a
    /// transaction twice and has room for any number of single ones, so there it is 1 unless said otherwise;
    /// a local server gains throughput, so at an `endpoint` it is 100.
    pub group: Option<u16>,
    /// How many such calls are under way at once, when `group` is more than 1. A local server writes one
    /// after the other anyway, and one call at a time makes the largest groups (`examples/dynamodb_load.rs`
    /// finds no gain from more); a distant one gains from several.
    pub commits: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: None,
            table_prefix: "clinflow".to_owned(),
            timeout: Duration::from_secs(3),
            connect_timeout: Duration::from_secs(1),
            group: None,
            commits: 1,
        }
    }
}

impl Config {
    /// The effective [`Config::group`].
    pub(crate) fn effective_group(&self) -> u16 {
        let default = if self.endpoint.is_some() { MAX_ACTIONS } else { 1 };
        self.group.unwrap_or(default).clamp(1, MAX_ACTIONS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_grouped_at_an_endpoint_and_single_at_aws_unless_said_otherwise() {
        let aws = Config::default();
        let local = Config { endpoint: Some("http://127.0.0.1:8000".to_owned()), ..Config::default() };
        assert_eq!((aws.effective_group(), local.effective_group()), (1, 100));
        assert_eq!(Config { group: Some(20), ..aws }.effective_group(), 20);
        assert_eq!(Config { group: Some(0), ..local }.effective_group(), 1);
    }

    #[test]
    fn what_is_not_said_has_a_default_and_what_is_unknown_is_refused() {
        let config: Config = serde_json::from_str(r#"{"region": "eu-west-1", "timeout": "500ms"}"#).unwrap();
        assert_eq!((config.timeout, config.table_prefix.as_str()), (Duration::from_millis(500), "clinflow"));
        assert!(serde_json::from_str::<Config>(r#"{"tables": "x"}"#).is_err());
    }
}
