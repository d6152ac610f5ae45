//! A consumer that comes back by itself and is never silent without reason.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use clinflow_ports::{Consumer, Delivery};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, OptionFuture},
};
use lapin::{
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    backoff, control,
    declare::Declared,
    delivery::{AmqpDelivery, Source},
    link::{Link, Opened},
    publisher::is_not_found,
    stats::{Counters, count},
};

/// How long a message that is ready may take to reach a consumer that is registered.
const TRANSIT: Duration = Duration::from_secs(1);

/// What a consumer needs to register itself, the first time and again.
#[derive(Clone)]
pub(crate) struct Subscriber {
    pub(crate) link: Arc<Link>,
    pub(crate) declared: Arc<Declared>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) queue: String,
    pub(crate) prefetch: u16,
    pub(crate) watchdog: Duration,
    /// The whole adapter is gone.
    pub(crate) closed: CancellationToken,
}

/// A registered consumer.
struct Subscription {
    source: Arc<Source>,
    stream: lapin::Consumer,
    connection_ended: CancellationToken,
    /// When it was registered, last received something, or last had its silence explained.
    content_since: Instant,
    /// Asks whether the queue has messages that do not reach us.
    doubt: Option<BoxFuture<'static, bool>>,
}

impl Subscriber {
    /// One attempt to register; declares the topology again when the queue is missing.
    async fn subscribe(&self) -> anyhow::Result<Subscription> {
        let Opened { channel, connection_ended } = self.link.channel().await?;
        // Per consumer: a quorum queue ends the connection over a global one.
        let qos = channel.basic_qos(self.prefetch.max(1), BasicQosOptions { global: false });
        self.link.ask(qos).await?;
        let consume = channel.basic_consume(
            self.queue.as_str().into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        match self.link.ask(consume).await {
            Ok(stream) => {
                let source = Source::new(channel, self.counters.clone());
                Ok(Subscription {
                    source,
                    stream,
                    connection_ended,
                    content_since: Instant::now(),
                    doubt: None,
                })
            }
            Err(error) => {
                if error.downcast_ref().is_some_and(is_not_found) {
                    self.declared.again(&self.link, &self.counters).await;
                }
                Err(error.context(format!("consume `{}`", self.queue)))
            }
        }
    }

    /// Registers, and tries for as long as it takes.
    async fn persist(self) -> Subscription {
        let mut failures = 0;
        loop {
            match self.subscribe().await {
                Ok(subscription) => return subscription,
                Err(error) => {
                    failures += 1;
                    warn!(queue = self.queue, failures, error = format!("{error:#}"), "cannot consume");
                    backoff::sleep_after(failures).await;
                }
            }
        }
    }

    /// Whether messages are ready in the queue, now and a moment later.
    async fn starves(self) -> bool {
        for pause in [TRANSIT, Duration::ZERO] {
            let Ok(Opened { channel, .. }) = self.link.channel().await else { return false };
            match control::inspect(&self.link, &channel, &self.queue).await {
                Ok(queue) if queue.message_count() > 0 => sleep(pause).await,
                // A queue that is gone is a reason to register again too.
                Err(error) if error.downcast_ref().is_some_and(is_not_found) => return true,
                Ok(_) | Err(_) => return false,
            }
        }
        true
    }
}

/// The deliveries of one queue.
pub(crate) struct AmqpConsumer {
    subscriber: Subscriber,
    state: State,
}

enum State {
    Registering(BoxFuture<'static, Subscription>),
    Registered(Subscription),
    Cancelled,
}

/// What happened to a registered consumer.
enum Event {
    Delivered(Box<AmqpDelivery>),
    /// It must be registered again.
    Lost(&'static str),
    /// Nothing came for as long as the watchdog allows.
    Silent,
    /// The silence is explained: the queue is empty.
    Content,
    /// Messages are ready and do not reach us.
    Starving,
}

impl Subscription {
    async fn event(&mut self, watchdog: Duration) -> Event {
        let silent_at = self.content_since + watchdog;
        tokio::select! {
            biased;
            item = self.stream.next() => match item {
                Some(Ok(delivery)) => Event::Delivered(AmqpDelivery::new(&self.source, delivery)),
                // lapin is silent for ever after one of these.
                Some(Err(_)) => Event::Lost("channel error"),
                None => Event::Lost("cancelled by the broker"),
            },
            () = self.connection_ended.cancelled() => Event::Lost("connection lost"),
            Some(starves) = OptionFuture::from(self.doubt.as_mut()), if self.doubt.is_some() => {
                if starves { Event::Starving } else { Event::Content }
            }
            () = sleep_until(silent_at), if self.doubt.is_none() => Event::Silent,
        }
    }

    /// After a silence: asks the broker whether there is a reason for it, unless the reason is that we hold messages.
    fn doubt_if_idle(&mut self, subscriber: &Subscriber) {
        if self.source.unsettled.load(Ordering::Relaxed) == 0 {
            self.doubt = Some(subscriber.clone().starves().boxed());
        } else {
            self.content_since = Instant::now();
        }
    }
}

impl AmqpConsumer {
    /// A consumer that is not registered yet.
    pub(crate) fn new(subscriber: Subscriber) -> Self {
        let state = State::Registering(subscriber.clone().persist().boxed());
        Self { subscriber, state }
    }

    /// Returns when it is registered.
    pub(crate) async fn registered(&mut self) {
        if let State::Registering(subscription) = &mut self.state {
            self.state = State::Registered(subscription.await);
        }
    }

    fn register_again(&mut self, reason: &'static str) {
        warn!(queue = self.subscriber.queue, reason, "consumer lost, registering again");
        count(&self.subscriber.counters.resubscribes);
        self.state = State::Registering(self.subscriber.clone().persist().boxed());
    }

    /// Waits for a delivery for as long as it takes, registering again whenever that is needed. Whatever is under way
    /// is kept in `self`, so that the future may be dropped at any time.
    async fn delivery(&mut self) -> Option<Box<AmqpDelivery>> {
        loop {
            self.registered().await;
            let State::Registered(subscription) = &mut self.state else { return None };
            let event = subscription.event(self.subscriber.watchdog).await;
            if !matches!(event, Event::Silent) {
                subscription.content_since = Instant::now();
                subscription.doubt = None;
            }
            match event {
                Event::Delivered(delivery) => return Some(delivery),
                Event::Content => {}
                Event::Silent => subscription.doubt_if_idle(&self.subscriber),
                Event::Lost(reason) => self.register_again(reason),
                Event::Starving => {
                    count(&self.subscriber.counters.watchdog_rebuilds);
                    self.register_again("silent although messages are ready");
                }
            }
        }
    }
}

#[async_trait]
impl Consumer for AmqpConsumer {
    async fn next(&mut self) -> Option<Box<dyn Delivery>> {
        let closed = self.subscriber.closed.clone();
        tokio::select! {
            biased;
            delivery = self.delivery() => Some(delivery?),
            () = closed.cancelled() => None,
        }
    }

    async fn cancel(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Cancelled);
        let State::Registered(mut subscription) = state else { return };
        let channel = &subscription.source.channel;
        let cancelled = channel.basic_cancel(subscription.stream.tag(), BasicCancelOptions::default());
        // Without an answer the connection is given up, which cancels as well.
        let _ = self.subscriber.link.ask(cancelled).await;
        while let Some(Some(Ok(delivery))) = subscription.stream.next().now_or_never() {
            subscription.source.put_back(delivery.delivery_tag).await;
        }
    }
}
