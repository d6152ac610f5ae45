//! What an operator says about Bedrock.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as duration;
use serde::{Deserialize, Serialize};

/// Where Bedrock is, which model is asked, and how. It holds no credentials: those come from where the AWS SDK looks
/// for them (environment, web identity, container, profile).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The model's id or the ARN of an inference profile: `us.anthropic.claude-sonnet-5-5`.
    pub model: String,
    /// For the ARN of an application inference profile, which says nothing about its model: the id of the model it
    /// leads to. The price and the capabilities are that model's.
    pub stands_for: Option<String>,
    /// Another endpoint than AWS'. At one without TLS, credentials and region may be left out.
    pub endpoint: Option<String>,
    /// The region; otherwise the one the AWS SDK finds.
    pub region: Option<String>,
    /// A guardrail of Bedrock that looks at every call too, beside the policy of this system.
    pub guardrail: Option<GuardrailRef>,
    /// How long instructions are kept by the provider.
    pub cache: Cache,
    /// Whether `CountTokens` is asked, for models that it knows. It costs nothing but its time.
    pub count_tokens: bool,
    /// How long one `CountTokens` or `ApplyGuardrail` may take: `5s`. How long one `Converse` may take, its caller says.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// How long connecting may take: `3s`.
    #[serde(with = "duration")]
    pub connect_timeout: Duration,
}

/// A guardrail of Bedrock in one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardrailRef {
    /// Its id or ARN.
    pub id: String,
    /// Its version: a number, or `DRAFT`.
    pub version: String,
}

/// How long the provider keeps what can be cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Cache {
    /// Nothing is kept.
    #[serde(rename = "off")]
    Off,
    /// Five minutes: writing costs a quarter more, reading a tenth or less.
    #[default]
    #[serde(rename = "5m")]
    FiveMinutes,
    /// An hour: writing costs twice as much. For workflows whose documents come minutes apart.
    #[serde(rename = "1h")]
    OneHour,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: String::new(),
            stands_for: None,
            endpoint: None,
            region: None,
            guardrail: None,
            cache: Cache::default(),
            count_tokens: true,
            timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(3),
        }
    }
}

impl Config {
    /// Refuses what cannot be right, before anything is sent.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if let Some(GuardrailRef { id, version }) = &self.guardrail {
            anyhow::ensure!(!id.is_empty(), "`guardrail.id` is empty: give the guardrail's id or ARN");
            let is_number = (1..=8).contains(&version.len()) && version.bytes().all(|b| b.is_ascii_digit());
            anyhow::ensure!(
                is_number || version == "DRAFT",
                "`guardrail.version` is `{version}`: give the number of a version, or `DRAFT`"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_a_default_and_what_is_unknown_is_refused() {
        let config: Config =
            serde_json::from_str(r#"{"model": "us.anthropic.claude-sonnet-5-5", "cache": "1h"}"#).unwrap();
        assert_eq!((config.cache, config.timeout), (Cache::OneHour, Duration::from_secs(5)));
        assert!(serde_json::from_str::<Config>(r#"{"models": "x"}"#).is_err());
    }

    #[test]
    fn a_guardrail_needs_an_id_and_a_version() {
        let with = |id: &str, version: &str| Config {
            guardrail: Some(GuardrailRef { id: id.to_owned(), version: version.to_owned() }),
            ..Config::default()
        };
        for good in ["1", "42", "DRAFT"] {
            assert!(with("abcd1234", good).check().is_ok(), "{good}");
        }
        for bad in ["", "draft", "v1", "123456789"] {
            assert!(with("abcd1234", bad).check().is_err(), "{bad}");
        }
        assert!(with("", "1").check().is_err());
    }
}
