//! What the gateway is told, and what of it cannot be.

use std::{fmt, net::SocketAddr, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};

use crate::auth::AuthSettings;

/// What the gateway is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where gRPC and HTTP are served, without TLS: that is the load balancer's or the mesh's. Port 0 picks a
    /// free one.
    pub listen: SocketAddr,
    /// Who may call: `"none"` on a loopback address, or `[auth.jwt]`.
    pub auth: AuthSettings,
    /// The largest document taken, in bytes.
    pub max_document: usize,
    /// How many submissions may be in hand at once. Each holds up to `max_document` in memory, and a gRPC stream,
    /// which counts as one, up to `stream_in_flight` times that.
    pub max_uploads: usize,
    /// How many documents of one gRPC stream may be in hand at once.
    pub stream_in_flight: usize,
    /// How long a submission may take, its upload included; in a stream, how long it may wait for the next one.
    #[serde(with = "friendly")]
    pub submit_timeout: Duration,
    /// When the sweeper looks at a new execution first. The sweeper's own `redrive_after`.
    #[serde(with = "friendly")]
    pub redrive_after: Duration,
    /// How long callers are asked to wait when the gateway cannot take a document, and how long it takes none
    /// after the broker refused one.
    #[serde(with = "friendly")]
    pub retry_after: Duration,
    /// Watching executions.
    pub watch: WatchSettings,
    /// Questions about executions.
    pub ask: AskSettings,
}

/// How questions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AskSettings {
    /// How long a caller waits for an answer; whoever asks again then finds it.
    #[serde(with = "friendly")]
    pub timeout: Duration,
    /// How often it is looked whether there is one.
    #[serde(with = "friendly")]
    pub interval: Duration,
    /// How many questions may be waited for at once.
    pub most: usize,
    /// How long after it was asked a question is still answered. Longer than `timeout`, for those who ask again.
    #[serde(with = "friendly")]
    pub useful: Duration,
}

impl Default for AskSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            interval: Duration::from_millis(50),
            most: 64,
            useful: Duration::from_secs(600),
        }
    }
}

/// How executions are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WatchSettings {
    /// How often a watched execution is looked at.
    #[serde(with = "friendly")]
    pub interval: Duration,
    /// How many may be watched at once. Each costs two reads an interval.
    pub most: usize,
    /// How long one may be watched. A watcher who wants more asks again, with a token that is still good.
    #[serde(with = "friendly")]
    pub longest: Duration,
    /// How often an event stream without news says that it is alive; below the idle timeout of load balancers.
    #[serde(with = "friendly")]
    pub keep_alive: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            auth: AuthSettings::None,
            max_document: 25 * 1024 * 1024,
            max_uploads: 16,
            stream_in_flight: 4,
            submit_timeout: Duration::from_secs(60),
            redrive_after: Duration::from_secs(60),
            retry_after: Duration::from_secs(5),
            watch: WatchSettings::default(),
            ask: AskSettings::default(),
        }
    }
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(250),
            most: 256,
            longest: Duration::from_secs(3600),
            keep_alive: Duration::from_secs(15),
        }
    }
}

/// A configuration that cannot be used: everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Invalid(Vec<String>);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl Config {
    /// Checks what types cannot.
    ///
    /// # Errors
    ///
    /// Every problem at once, each naming its key.
    pub fn check(&self) -> Result<(), Invalid> {
        let mut problems = match &self.auth {
            AuthSettings::None if self.listen.ip().is_loopback() => Vec::new(),
            AuthSettings::None => vec![format!(
                "`auth` is `none` while `listen` is `{}`: configure `auth.jwt`, or listen on a loopback address",
                self.listen
            )],
            AuthSettings::Jwt(settings) => settings.problems(),
        };
        for (key, number) in [
            ("max_document", self.max_document),
            ("max_uploads", self.max_uploads),
            ("stream_in_flight", self.stream_in_flight),
            ("watch.most", self.watch.most),
            ("ask.most", self.ask.most),
        ] {
            if number == 0 {
                problems.push(format!("`{key}` is 0: it must be at least 1"));
            }
        }
        for (key, duration) in [
            ("submit_timeout", self.submit_timeout),
            ("retry_after", self.retry_after),
            ("watch.interval", self.watch.interval),
            ("watch.longest", self.watch.longest),
            ("watch.keep_alive", self.watch.keep_alive),
            ("ask.timeout", self.ask.timeout),
            ("ask.interval", self.ask.interval),
            ("ask.useful", self.ask.useful),
        ] {
            if duration.is_zero() {
                problems.push(format!("`{key}` is 0: it must be longer"));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Invalid(problems)) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn without_authentication_only_this_machine_may_call() {
        for listen in ["127.0.0.1:0", "[::1]:8080"] {
            assert_eq!(Config { listen: listen.parse().unwrap(), ..Config::default() }.check(), Ok(()));
        }
        for listen in ["0.0.0.0:8080", "192.0.2.1:8080", "[::]:0"] {
            let error = Config { listen: listen.parse().unwrap(), ..Config::default() }.check().unwrap_err();
            assert!(error.to_string().starts_with("`auth` is `none` while `listen` is "), "{error}");
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let config = Config { max_uploads: 0, retry_after: Duration::ZERO, ..Config::default() };
        let error = config.check().unwrap_err().to_string();
        assert_eq!(error, "`max_uploads` is 0: it must be at least 1; `retry_after` is 0: it must be longer");
    }

    #[test]
    fn a_file_configures_the_issuer_and_what_its_groups_may_do() {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        let text = r#"
            listen = "0.0.0.0:8080"
            submit_timeout = "2m"
            [auth.jwt]
            issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE"
            audience = ["upstream"]
            [auth.jwt.groups]
            "PV-Team" = ["ae-report", "patient-narrative"]
            operators = ["*"]
        "#;
        file.write_all(text.as_bytes()).unwrap();
        let config: Config = clinflow_runtime::config::load(Some(file.path())).unwrap();
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.submit_timeout, Duration::from_secs(120));
        let AuthSettings::Jwt(jwt) = config.auth else { panic!("{:?}", config.auth) };
        assert_eq!(jwt.groups["PV-Team"], ["ae-report", "patient-narrative"]);
        assert_eq!(
            jwt.keys_url(),
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE/.well-known/jwks.json"
        );
    }
}
