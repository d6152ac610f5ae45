//! One connection, shared by everything in a process, that comes back by itself.

use std::time::Duration;

use anyhow::Context as _;
use clinflow_ports::StoreError;
use redis::{
    Client, IntoConnectionInfo as _, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
    io::tcp::TcpSettings,
};

use crate::Config;

/// The store's name in errors and metrics.
pub(crate) const STORE: &str = "redis";

/// How often one call tries to connect before it fails. The next call tries again.
const CONNECTS_PER_CALL: usize = 2;

/// A connection to Redis over which any number of calls run at once. Cheap to clone. It connects with the first
/// call and reconnects with the first call after a failure.
#[derive(Clone)]
pub struct Connection {
    manager: ConnectionManager,
    timeout: Duration,
    pub(crate) prefix: String,
    pub(crate) keep_joins: Duration,
}

impl Connection {
    /// Reads the configuration; fails only when the URL cannot be read. Must be called inside a tokio runtime.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        // redis-rs' own message repeats the URL, and with it the password.
        let info = config.url.as_str().into_connection_info().ok().with_context(|| {
            format!(
                "the URL in {config:?} cannot be read: write `redis://[user:password@]host[:port][/database]`"
            )
        })?;
        // Nagle's algorithm holds a call back while the answer to another is under way; and a peer that is gone
        // without a word must be noticed within seconds, not after the kernel's quarter of an hour.
        let tcp = TcpSettings::default().set_nodelay(true).set_user_timeout(config.timeout);
        let client = Client::open(info.set_tcp_settings(tcp)).context("open Redis client")?;
        let options = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(config.timeout / 2))
            .set_response_timeout(Some(config.timeout))
            .set_min_delay(Duration::from_millis(50))
            .set_number_of_retries(CONNECTS_PER_CALL - 1);
        Ok(Self {
            manager: ConnectionManager::new_lazy_with_config(client, options)
                .context("set up Redis connection")?,
            timeout: config.timeout,
            prefix: config.prefix.clone(),
            keep_joins: config.keep_joins,
        })
    }

    /// Runs one call over the connection, with a bound on its time.
    pub(crate) async fn call<T, F>(&self, call: impl FnOnce(ConnectionManager) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        match tokio::time::timeout(self.timeout, call(self.manager.clone())).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(StoreError::unavailable(STORE, error)),
            Err(elapsed) => Err(StoreError::unavailable(STORE, elapsed)),
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("prefix", &self.prefix).field("timeout", &self.timeout).finish()
    }
}

/// A duration as Redis takes it: whole milliseconds, at least one.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX >> 1).max(1)
}
