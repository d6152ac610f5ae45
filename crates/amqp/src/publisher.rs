//! Publishing: bounded, confirmed, and never for longer than its timeout.

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use clinflow_ports::{
    BrokerError, Envelope, Route,
    broker::{Confirmed, Health},
};
use lapin::ErrorKind;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tracing::warn;

use crate::{
    backoff,
    config::Config,
    confirm::{ConfirmChannel, Outcome, pump},
    declare::Declared,
    link::Link,
    stats::{Counters, count},
    wire,
};

/// How long publishes that were made before an alarm may still be confirmed, before they are refused like those
/// made after it.
const ALARM_GRACE: Duration = Duration::from_millis(500);

/// A channel is replaced no more often than this: a full queue refuses every publish, and a fresh channel for each
/// of them would help nobody.
const SHORTEST_LIFE: Duration = Duration::from_millis(250);

/// The reply code for an exchange that does not exist.
const NOT_FOUND: u16 = 404;

/// Publishes on whichever channel is current.
pub(crate) struct Publisher {
    link: Arc<Link>,
    channel: watch::Sender<Option<Arc<ConfirmChannel>>>,
    permits: Arc<Semaphore>,
    timeout: Duration,
    health: watch::Receiver<Health>,
    counters: Arc<Counters>,
}

impl Publisher {
    /// A publisher without a channel until it is supervised.
    pub(crate) fn new(config: &Config, link: Arc<Link>, counters: Arc<Counters>) -> Self {
        Self {
            health: link.health(),
            link,
            channel: watch::Sender::new(None),
            permits: Arc::new(Semaphore::new(usize::from(config.max_in_flight.max(1)))),
            timeout: config.publish_timeout,
            counters,
        }
    }

    /// Returns when there is a channel to publish on.
    pub(crate) async fn ready(&self) {
        // The sender is ours and cannot be gone.
        let _ = self.channel.subscribe().wait_for(Option::is_some).await;
    }

    /// Publishes, and waits for the confirm.
    pub(crate) async fn publish(&self, to: Route, message: Envelope) -> Result<Confirmed, BrokerError> {
        const ALARM: BrokerError = BrokerError::Refused { reason: "memory or disk alarm" };
        if *self.health.borrow() == Health::Blocked {
            return Err(ALARM);
        }
        let outcome = tokio::select! {
            biased;
            outcome = timeout(self.timeout, self.post(&to, message)) => outcome,
            () = self.alarm() => return Err(ALARM),
        };
        match outcome {
            Ok(Ok(Outcome::Confirmed)) => Ok(Confirmed::by_broker()),
            Ok(Ok(Outcome::Unroutable)) => {
                count(&self.counters.returned);
                Err(BrokerError::Unroutable { route: to.to_string() })
            }
            Ok(Ok(Outcome::Nacked)) => {
                count(&self.counters.nacked);
                Err(BrokerError::Refused {
                    reason: "the broker refused the message: a queue is full or has no leader",
                })
            }
            Ok(Ok(Outcome::InDoubt(error))) => {
                Err(BrokerError::Unavailable(anyhow!(error).context(format!("publish to `{to}`"))))
            }
            Ok(Err(error)) => Err(BrokerError::Unavailable(error)),
            Err(_) => {
                count(&self.counters.timeouts);
                // The next publishes shall not wait on the same channel.
                if let Some(channel) = self.channel.borrow().as_ref() {
                    channel.retire();
                }
                Err(BrokerError::Unavailable(anyhow!(
                    "publish to `{to}` was not confirmed within {:?}",
                    self.timeout
                )))
            }
        }
    }

    async fn post(&self, to: &Route, message: Envelope) -> anyhow::Result<Outcome> {
        let properties = wire::properties(&message)?;
        let routing_key = wire::short("routing key", &to.key)?;
        let permit = self.permits.clone().acquire_owned().await?;
        let channel = self.usable_channel().await?;
        let outcome = channel.publish(to, routing_key, properties, message.body, permit);
        let Some(outcome) = outcome else { return Err(anyhow!("the channel has just ended")) };
        outcome.await.map_err(|_| anyhow!("the channel ended before the confirm"))
    }

    async fn usable_channel(&self) -> anyhow::Result<Arc<ConfirmChannel>> {
        let current = self.channel.borrow().clone();
        if let Some(channel) = current.filter(|channel| channel.usable()) {
            return Ok(channel);
        }
        let mut channels = self.channel.subscribe();
        let usable = |channel: &Option<Arc<ConfirmChannel>>| match channel {
            Some(channel) if channel.usable() => true,
            Some(channel) => {
                channel.retire();
                false
            }
            None => false,
        };
        let channel = channels.wait_for(usable).await?.clone();
        channel.ok_or_else(|| anyhow!("no channel"))
    }

    /// Returns when an alarm has lasted longer than the grace.
    async fn alarm(&self) {
        let mut health = self.health.clone();
        loop {
            if health.wait_for(|health| *health == Health::Blocked).await.is_err() {
                return std::future::pending().await;
            }
            let over = timeout(ALARM_GRACE, health.wait_for(|health| *health != Health::Blocked)).await;
            if over.is_err() {
                return;
            }
        }
    }

    /// Keeps a channel to publish on. Ends only by being dropped.
    pub(crate) async fn supervise(&self, declared: &Declared) {
        let mut pumps = JoinSet::new();
        let mut failures = 0;
        loop {
            let channel = match ConfirmChannel::open(&self.link).await {
                Ok(channel) => channel,
                Err(error) => {
                    failures += 1;
                    warn!(failures, error = format!("{error:#}"), "no channel to publish on");
                    backoff::sleep_after(failures).await;
                    continue;
                }
            };
            failures = 0;
            let begun = Instant::now();
            pumps.spawn(pump(channel.clone(), self.timeout));
            self.channel.send_replace(Some(channel.clone()));
            channel.retirement().await;
            self.channel.send_replace(None);
            drop(channel);
            sleep(SHORTEST_LIFE.saturating_sub(begun.elapsed())).await;
            while let Some(ended) = pumps.try_join_next() {
                let failure = ended.ok().flatten();
                if failure.is_some_and(|error| is_not_found(&error)) {
                    declared.again(&self.link, &self.counters).await;
                }
            }
        }
    }
}

/// Whether a channel ended because an exchange or queue does not exist.
pub(crate) fn is_not_found(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if error.get_id() == NOT_FOUND)
}
