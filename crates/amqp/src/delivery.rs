//! A message in our hands.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use clinflow_ports::{BrokerError, Delivery, Envelope, Settled};
use futures_util::FutureExt as _;
use lapin::{
    Channel,
    options::{BasicAckOptions, BasicNackOptions},
};

use crate::{
    stats::{Counters, count},
    wire,
};

const REQUEUE: BasicNackOptions = BasicNackOptions { multiple: false, requeue: true };

/// A channel messages come on, and how many of them are unsettled.
pub(crate) struct Source {
    pub(crate) channel: Channel,
    pub(crate) unsettled: AtomicUsize,
    pub(crate) counters: Arc<Counters>,
}

impl Source {
    pub(crate) fn new(channel: Channel, counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self { channel, unsettled: AtomicUsize::new(0), counters })
    }

    /// Puts back a message that nobody has seen yet.
    pub(crate) async fn put_back(&self, tag: u64) {
        // On a channel that is gone the broker has put it back already.
        let _ = self.channel.basic_nack(tag, REQUEUE).await;
    }
}

/// A message that goes back to its queue when it is dropped unsettled.
pub(crate) struct AmqpDelivery {
    envelope: Envelope,
    redelivered: bool,
    tag: u64,
    source: Arc<Source>,
    settled: bool,
}

impl AmqpDelivery {
    pub(crate) fn new(source: &Arc<Source>, delivery: lapin::message::Delivery) -> Box<Self> {
        source.unsettled.fetch_add(1, Ordering::Relaxed);
        Box::new(Self {
            envelope: wire::envelope(&delivery.properties, delivery.data),
            redelivered: delivery.redelivered,
            tag: delivery.delivery_tag,
            source: source.clone(),
            settled: false,
        })
    }

    /// A channel that is gone has given the message back: that is no error, but it is counted.
    fn settled(&mut self, result: &lapin::Result<()>) {
        if result.is_err() {
            count(&self.source.counters.stale_acks);
        }
    }
}

#[async_trait]
impl Delivery for AmqpDelivery {
    fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    fn redelivered(&self) -> bool {
        self.redelivered
    }

    async fn ack(mut self: Box<Self>, _proof: Settled) -> Result<(), BrokerError> {
        self.settled = true;
        let result = self.source.channel.basic_ack(self.tag, BasicAckOptions::default()).await;
        self.settled(&result);
        Ok(())
    }

    async fn release(mut self: Box<Self>) -> Result<(), BrokerError> {
        self.settled = true;
        let result = self.source.channel.basic_nack(self.tag, REQUEUE).await;
        self.settled(&result);
        Ok(())
    }
}

impl Drop for AmqpDelivery {
    fn drop(&mut self) {
        if !self.settled {
            // The first poll queues the frame; only waiting until it is written needs more.
            let _ = self.source.channel.basic_nack(self.tag, REQUEUE).now_or_never();
        }
        self.source.unsettled.fetch_sub(1, Ordering::Relaxed);
    }
}
