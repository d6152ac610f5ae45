//! The broker: durable queues, confirmed publishes, deliveries that are settled exactly once.

use async_trait::async_trait;
use clinflow_core::Failure;
use futures_util::future::try_join_all;
use tokio::sync::watch;

use crate::{
    envelope::Envelope,
    topology::{Route, Topology},
};

/// A message the broker has durably taken. Only a broker can make one.
#[derive(Debug)]
#[must_use]
pub struct Confirmed(());

impl Confirmed {
    /// For broker adapters, after the broker's confirm; not for handlers.
    pub const fn by_broker() -> Self {
        Self(())
    }
}

/// Proof that everything a delivery gave rise to is durable (INV-04). [`Delivery::ack`] asks for it, so "ack
/// before confirm" does not compile.
#[derive(Debug)]
#[must_use]
pub struct Settled(());

impl Settled {
    /// The only way to make one: hand over *all* outputs and let them be confirmed. They are in flight
    /// together, because awaiting one confirm before the next publish is 14 to 20 times slower.
    pub async fn publishing(
        broker: &dyn Broker,
        outputs: Vec<(Route, Envelope)>,
    ) -> Result<Self, BrokerError> {
        try_join_all(outputs.into_iter().map(|(route, message)| broker.publish(route, message))).await?;
        Ok(Self(()))
    }
}

/// Whether the broker can be worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Connected, publishing and consuming.
    Up,
    /// Connected, but the broker asks publishers to wait (memory or disk alarm). Consuming and acking go on.
    Blocked,
    /// Not connected; the adapter is trying.
    Down,
}

/// A broker did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// It cannot be reached, or did not answer in time. A publish may or may not have arrived: publish again
    /// with the same id.
    #[error("broker unavailable")]
    Unavailable(#[source] anyhow::Error),
    /// It asks publishers to wait, or the queue is full.
    #[error("broker refuses publishes for now: {reason}")]
    Refused {
        /// Why.
        reason: &'static str,
    },
    /// No queue is bound for the message.
    #[error("no queue bound for `{route}`; run `clinflow topology apply`")]
    Unroutable {
        /// Where it was meant to go.
        route: String,
    },
    /// What the broker has differs from the topology table.
    #[error(
        "queue `{queue}` exists with another `{argument}` than {expected}: delete it when it is empty, or keep both versions apart"
    )]
    Mismatch {
        /// The queue or exchange.
        queue: String,
        /// The argument that differs, as the broker names it.
        argument: String,
        /// What the table says.
        expected: String,
    },
    /// The server is too old or too strange.
    #[error("broker `{found}` is not supported; clinflow needs RabbitMQ 3.10 or later")]
    Unsupported {
        /// What it says it is.
        found: String,
    },
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Unroutable { .. } => Self::retry("broker.unroutable", error),
            BrokerError::Refused { .. } => Self::retry("broker.refused", error),
            BrokerError::Unavailable(_) | BrokerError::Mismatch { .. } | BrokerError::Unsupported { .. } => {
                Self::retry("broker.unavailable", error)
            }
        }
    }
}

/// Carries messages.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// Declares the topology. Idempotent; a queue that exists with other arguments is a [`BrokerError::Mismatch`].
    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError>;

    /// Consumes a queue. `prefetch` is how many unsettled deliveries it may hold: the handler concurrency, no
    /// more, or a crash loop pushes innocent messages over the delivery limit. The consumer survives reconnects
    /// and broker restarts on its own.
    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Box<dyn Consumer>, BrokerError>;

    /// Publishes persistently and mandatorily, and waits for the confirm. Many calls may be in flight.
    async fn publish(&self, to: Route, message: Envelope) -> Result<Confirmed, BrokerError>;

    /// Messages ready in a queue (not those handed out and unsettled).
    async fn depth(&self, queue: &str) -> Result<u64, BrokerError>;

    /// Takes one message off a queue without consuming it: for people who look at dead letters and parked messages.
    async fn take(&self, queue: &str) -> Result<Option<Box<dyn Delivery>>, BrokerError>;

    /// Looks at up to `most` messages of a queue that nobody consumes, the oldest first, and leaves them there. While
    /// somebody else looks, that person holds what is not seen here.
    async fn browse(&self, queue: &str, most: usize) -> Result<Vec<Envelope>, BrokerError> {
        let held = hold(self, queue, most).await?;
        let seen = held.iter().map(|delivery| delivery.envelope().clone()).collect();
        put_back(held).await?;
        Ok(seen)
    }

    /// Takes the `wanted` among the first `most` messages of a queue that nobody consumes; the others stay. What was
    /// taken and is not settled goes back.
    async fn pick(
        &self,
        queue: &str,
        most: usize,
        wanted: &(dyn for<'a> Fn(&'a Envelope) -> bool + Send + Sync),
    ) -> Result<Vec<Box<dyn Delivery>>, BrokerError> {
        let held = hold(self, queue, most).await?;
        let (picked, others) = held.into_iter().partition(|delivery| wanted(delivery.envelope()));
        put_back(others).await?;
        Ok(picked)
    }

    /// Whether it can be worked with, as it changes.
    fn health(&self) -> watch::Receiver<Health>;
}

/// Takes messages off a queue until it is empty or `most` are in hand.
async fn hold<B: Broker + ?Sized>(
    broker: &B,
    queue: &str,
    most: usize,
) -> Result<Vec<Box<dyn Delivery>>, BrokerError> {
    let mut held = Vec::new();
    while held.len() < most
        && let Some(delivery) = broker.take(queue).await?
    {
        held.push(delivery);
    }
    Ok(held)
}

/// Puts messages back where they were: the newest first, because each goes back to the head of its queue.
async fn put_back(held: Vec<Box<dyn Delivery>>) -> Result<(), BrokerError> {
    for delivery in held.into_iter().rev() {
        delivery.release().await?;
    }
    Ok(())
}

/// The deliveries of one queue.
#[async_trait]
pub trait Consumer: Send + 'static {
    /// The next delivery; `None` once cancelled and drained.
    async fn next(&mut self) -> Option<Box<dyn Delivery>>;

    /// Asks the broker for no more. What was handed out and not yet taken by [`Consumer::next`] goes back to
    /// its queue.
    async fn cancel(&mut self);
}

/// One message, handed out until it is settled.
#[async_trait]
pub trait Delivery: Send + 'static {
    /// The message.
    fn envelope(&self) -> &Envelope;

    /// True when the broker has handed it out before.
    fn redelivered(&self) -> bool;

    /// Settles it for good. An ack on a connection that is gone answers `Ok`: the message is redelivered.
    async fn ack(self: Box<Self>, proof: Settled) -> Result<(), BrokerError>;

    /// Back to the queue: for drain and for a broker that refuses the outputs, never for errors of the message.
    async fn release(self: Box<Self>) -> Result<(), BrokerError>;
}
