//! What an operator says about Redis.

use std::{fmt, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as duration;
use serde::{Deserialize, Serialize};

/// Where Redis is and how long to wait for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `redis://[user:password@]host[:port][/database]`.
    pub url: String,
    /// What every key begins with, so that several deployments can share one Redis.
    pub prefix: String,
    /// How long a call may take, reconnecting included: `2s`. Two seconds are far above any healthy answer
    /// and far below a stage timeout.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// How long a join is kept after its first part: `1h`; 500 documents a second for an hour are about 5 GB. Must be longer than the longest wait for a
    /// branch; a part that is redelivered later than this finds a new join and ends in a redrive.
    #[serde(with = "duration")]
    pub keep_joins: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "redis://127.0.0.1:6379".to_owned(),
            prefix: "clinflow".to_owned(),
            timeout: Duration::from_secs(2),
            keep_joins: Duration::from_hours(1),
        }
    }
}

/// Without user and password.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("url", &without_credentials(&self.url))
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .field("keep_joins", &self.keep_joins)
            .finish()
    }
}

/// `url` with everything between the scheme and the last `@` left out. A URL without a scheme may be anything,
/// so nothing of it is shown.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "(not a URL)".to_owned();
    };
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown_even_when_it_holds_an_at_sign() {
        for url in
            ["redis://user:se@cret@cache.example.org:6379/0", "redis://:secret@cache.example.org:6379/0"]
        {
            let shown = format!("{:?}", Config { url: url.to_owned(), ..Config::default() });
            assert!(shown.contains("redis://cache.example.org:6379/0"), "{shown}");
            assert!(!shown.contains("cret") && !shown.contains("user"), "{shown}");
        }
        let shown = format!("{:?}", Config { url: "secret@cache".to_owned(), ..Config::default() });
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn what_is_not_said_has_a_default_and_what_is_unknown_is_refused() {
        let config: Config = serde_json::from_str(r#"{"url": "redis://cache", "timeout": "500ms"}"#).unwrap();
        assert_eq!(
            (config.timeout, config.keep_joins),
            (Duration::from_millis(500), Duration::from_hours(1))
        );
        assert!(serde_json::from_str::<Config>(r#"{"uri": "redis://cache"}"#).is_err());
    }
}
