//! What an operator may set.

use std::{fmt, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use lapin::uri::AMQPUri;
use serde::{Deserialize, Serialize};

/// How to reach RabbitMQ, and how patient to be with it. Durations are written as in `10s` or `5m`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `amqp://user:password@host:port/vhost`, or `amqps://` for TLS. The vhost is percent-encoded: `%2f` is the
    /// default one.
    pub url: String,
    /// The name the broker shows for our connections; ` publisher` and ` consumer` are appended.
    pub connection_name: String,
    /// How long one attempt to connect, or one question to the broker, may take. lapin itself sets no limit to a
    /// handshake.
    #[serde(with = "friendly")]
    pub connect_timeout: Duration,
    /// How long the first connect keeps trying, and how long a new consumer may take.
    #[serde(with = "friendly")]
    pub patience: Duration,
    /// How long a publish may take until it is confirmed.
    #[serde(with = "friendly")]
    pub publish_timeout: Duration,
    /// How many publishes may wait for their confirms together. lapin's own buffers have no bound.
    pub max_in_flight: u16,
    /// A connection that is silent for twice as long is dead.
    #[serde(with = "friendly")]
    pub heartbeat: Duration,
    /// How long a consumer that holds no message may receive nothing before it asks whether its queue has any.
    #[serde(with = "friendly")]
    pub watchdog: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned(),
            connection_name: "clinflow".to_owned(),
            connect_timeout: Duration::from_secs(5),
            patience: Duration::from_secs(60),
            publish_timeout: Duration::from_secs(10),
            // 256 in flight already reach the broker's full rate; the rest is room for its slow moments.
            max_in_flight: 1024,
            heartbeat: Duration::from_secs(10),
            // A rebuild that was not needed costs a few milliseconds, so this may be short.
            watchdog: Duration::from_secs(30),
        }
    }
}

/// The largest frame, in bytes. lapin holds two buffers of 32 frames a connection, so that the usual 128 KiB
/// would be 16 MiB in every process; our messages are references and fit in one frame of this size.
const FRAME_MAX: u32 = 32 * 1024;

impl Config {
    /// The URL in parts, with our timeouts in it.
    pub(crate) fn uri(&self) -> anyhow::Result<AMQPUri> {
        // The parser's own message may quote the URL, which holds a password.
        let mut uri: AMQPUri = self.url.parse().map_err(|_| {
            anyhow::anyhow!("`url` is not of the form `amqp://user:password@host:port/vhost`")
        })?;
        uri.query.heartbeat = Some(u16::try_from(self.heartbeat.as_secs()).unwrap_or(u16::MAX).max(1));
        uri.query.frame_max = Some(FRAME_MAX);
        uri.query.connection_timeout = u64::try_from(self.connect_timeout.as_millis()).ok();
        Ok(uri)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.uri().map_or_else(|_| "(unreadable)".to_owned(), |uri| address(&uri));
        f.debug_struct("Config")
            .field("url", &url)
            .field("connection_name", &self.connection_name)
            .field("connect_timeout", &self.connect_timeout)
            .field("patience", &self.patience)
            .field("publish_timeout", &self.publish_timeout)
            .field("max_in_flight", &self.max_in_flight)
            .field("heartbeat", &self.heartbeat)
            .field("watchdog", &self.watchdog)
            .finish()
    }
}

/// A URL without user and password, for people.
pub(crate) fn address(uri: &AMQPUri) -> String {
    format!("{}://{}:{}/{}", uri.scheme, uri.authority.host, uri.authority.port, uri.vhost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_user_nor_password() {
        let config =
            Config { url: "amqps://svc:hunter2@mq.example.org/prod".to_owned(), ..Config::default() };
        let shown = format!("{config:?}");
        assert!(shown.contains("amqps://mq.example.org:5671/prod"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("svc"), "{shown}");
        let unreadable = Config { url: "hunter2".to_owned(), ..Config::default() };
        assert!(!format!("{unreadable:?} {:#}", unreadable.uri().unwrap_err()).contains("hunter2"));
    }

    #[test]
    fn a_config_names_only_what_differs_from_the_defaults() {
        let config: Config =
            serde_json::from_str(r#"{"publish_timeout": "2s", "max_in_flight": 64}"#).unwrap();
        assert_eq!(config.publish_timeout, Duration::from_secs(2));
        assert_eq!(config.max_in_flight, 64);
        assert_eq!(config.watchdog, Config::default().watchdog);
        assert!(serde_json::from_str::<Config>(r#"{"publish_timeuot": "2s"}"#).is_err());
    }
}
