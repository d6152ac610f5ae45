//! One connection that is kept alive: made, watched, and made again.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use clinflow_ports::broker::Health;
use futures_util::StreamExt as _;
use lapin::{Channel, Connection, ConnectionProperties, Event, uri::AMQPUri};
use tokio::{
    sync::{Notify, watch},
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    backoff,
    config::{Config, address},
    stats::{Counters, count},
};

/// How often a connection is asked whether it still is one, beside listening to its events.
const CHECK: Duration = Duration::from_secs(1);

/// Where to connect to, and under which name.
#[derive(Clone)]
pub(crate) struct Endpoint {
    uri: AMQPUri,
    name: String,
    timeout: Duration,
}

impl Endpoint {
    /// The endpoint of the `kind` connection, `publisher` or `consumer`.
    pub(crate) fn new(config: &Config, kind: &str) -> anyhow::Result<Self> {
        Ok(Self {
            uri: config.uri()?,
            name: format!("{} {kind}", config.connection_name),
            timeout: config.connect_timeout,
        })
    }

    /// One attempt. lapin sets no limit to a handshake, and was seen to hang on a refused port.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        let properties = ConnectionProperties::default().with_connection_name(self.name.as_str().into());
        timeout(self.timeout, Connection::connect_uri(self.uri.clone(), properties))
            .await
            .context("the handshake took too long")?
            .with_context(|| format!("connect to `{}`", address(&self.uri)))
    }
}

/// A connection and the sign that it is given up.
struct Established {
    connection: Connection,
    ended: CancellationToken,
}

/// A fresh channel.
pub(crate) struct Opened {
    pub(crate) channel: Channel,
    /// Cancelled when the connection of the channel is given up, which lapin may never notice.
    pub(crate) connection_ended: CancellationToken,
}

/// A connection as its users see it.
pub(crate) struct Link {
    current: watch::Sender<Option<Arc<Established>>>,
    health: watch::Sender<Health>,
    /// Somebody waited in vain for an answer.
    suspected: Notify,
    timeout: Duration,
    counters: Arc<Counters>,
}

impl Link {
    /// A link that is down until it is supervised.
    pub(crate) fn new(config: &Config, counters: Arc<Counters>) -> Self {
        Self {
            current: watch::Sender::new(None),
            health: watch::Sender::new(Health::Down),
            suspected: Notify::new(),
            timeout: config.connect_timeout,
            counters,
        }
    }

    /// The health of this connection alone.
    pub(crate) fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// A fresh channel; waits for a connection as long as it takes.
    pub(crate) async fn channel(&self) -> anyhow::Result<Opened> {
        let mut current = self.current.subscribe();
        let established = current.wait_for(Option::is_some).await.context("the link is gone")?.clone();
        let established = established.context("the link is gone")?;
        let channel = self.ask(established.connection.create_channel()).await.context("open a channel")?;
        Ok(Opened { channel, connection_ended: established.ended.clone() })
    }

    /// The answer to a question, or an error when it takes too long; then the connection is suspected.
    pub(crate) async fn ask<T>(&self, question: impl Future<Output = lapin::Result<T>>) -> anyhow::Result<T> {
        let Ok(answer) = timeout(self.timeout, question).await else {
            self.suspected.notify_one();
            anyhow::bail!("the broker did not answer within {:?}", self.timeout);
        };
        Ok(answer?)
    }

    /// Keeps a connection, beginning with `connection`. Ends only by being dropped.
    pub(crate) async fn supervise(&self, endpoint: &Endpoint, mut connection: Connection) {
        loop {
            let established = Arc::new(Established { connection, ended: CancellationToken::new() });
            self.current.send_replace(Some(established.clone()));
            self.health.send_replace(Health::Up);
            let reason = self.watch(&established.connection).await;
            self.current.send_replace(None);
            self.health.send_replace(Health::Down);
            established.ended.cancel();
            warn!(connection = endpoint.name, reason, "broker connection lost");
            // Not closed with a handshake: a broker that does not answer would not answer that either.
            drop(established);
            connection = self.reconnect(endpoint).await;
            count(&self.counters.reconnects);
            info!(connection = endpoint.name, "broker connection made again");
        }
    }

    /// Says good-bye, so that what was sent before is read before the connection ends.
    pub(crate) async fn close(&self) {
        let established = self.current.borrow().clone();
        if let Some(established) = established {
            // A broker that does not answer has lost us already.
            let _ = timeout(self.timeout, established.connection.close(200, "bye".into())).await;
        }
    }

    /// Returns when the connection is of no use any more, with the reason.
    async fn watch(&self, connection: &Connection) -> &'static str {
        let mut events = Box::pin(connection.events_listener());
        let mut check = interval(CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                _ = check.tick() => None,
                () = self.suspected.notified() => {
                    // Nothing is answered during an alarm, and that is no reason to leave.
                    if !connection.status().blocked() {
                        return "no answer";
                    }
                    None
                }
            };
            if let Some(Event::ConnectionBlocked(reason)) = &event {
                warn!(reason, "the broker asks publishers to wait");
            }
            if !connection.status().connected() {
                return "closed";
            }
            let health = if connection.status().blocked() { Health::Blocked } else { Health::Up };
            self.health.send_if_modified(|now| std::mem::replace(now, health) != health);
        }
    }

    async fn reconnect(&self, endpoint: &Endpoint) -> Connection {
        let mut failures = 0;
        loop {
            failures += 1;
            backoff::sleep_after(failures).await;
            match endpoint.connect().await {
                Ok(connection) => return connection,
                Err(error) => warn!(failures, error = format!("{error:#}"), "broker cannot be reached"),
            }
        }
    }
}
