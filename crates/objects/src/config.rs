//! What an operator says about the object store.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as duration;
use serde::{Deserialize, Serialize};

/// Where objects are kept. It holds no credentials: those of S3 come from the environment (`AWS_*` variables,
/// web identity, container, metadata service).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `/path/to/folder`, `file:///path/to/folder`, `s3://bucket/prefix`, or `memory:`.
    pub url: String,
    /// S3: another endpoint than AWS': `http://127.0.0.1:9000`. With plain HTTP, credentials may be left out.
    pub endpoint: Option<String>,
    /// S3: the region; otherwise `AWS_REGION`.
    pub region: Option<String>,
    /// S3: how long one call may take: `30s`, enough for a scan of some hundred megabytes.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// Folder: whether a write waits until the disk has it. Without, a power failure can take the last seconds
    /// of results, whose documents are then parked; with it, every write waits for the disk.
    pub fsync: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "data/objects".to_owned(),
            endpoint: None,
            region: None,
            timeout: Duration::from_secs(30),
            fsync: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_a_default_and_what_is_unknown_is_refused() {
        let config: Config = serde_json::from_str(r#"{"url": "s3://documents", "timeout": "5s"}"#).unwrap();
        assert_eq!((config.timeout, config.fsync), (Duration::from_secs(5), false));
        assert!(serde_json::from_str::<Config>(r#"{"bucket": "documents"}"#).is_err());
    }
}
