//! A broker in memory: topic exchanges, prefetch, redelivery, delivery limit, delay tiers and dead letters, as
//! the topology table describes them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep_until},
};

use super::lock;
use crate::{
    broker::{Broker, BrokerError, Confirmed, Consumer, Delivery, Health, Settled},
    envelope::Envelope,
    topology::{Argument, Binding, Queue, Route, Topology, matches},
};

/// [`Broker`] in memory. Clones share the same queues.
#[derive(Clone)]
pub struct MemoryBroker {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    /// Wakes consumers when a queue has gained a message.
    gained: Notify,
    health: watch::Sender<Health>,
}

#[derive(Default)]
struct State {
    queues: HashMap<String, Messages>,
    bindings: Vec<Binding>,
}

#[derive(Default)]
struct Messages {
    ready: VecDeque<Stored>,
    /// `x-message-ttl`: messages wait here and then go to `dead_letter_exchange`.
    time_to_live: Option<Duration>,
    dead_letter_exchange: Option<String>,
    delivery_limit: Option<u32>,
}

#[derive(Clone)]
struct Stored {
    envelope: Envelope,
    key: String,
    deliveries: u32,
    since: Instant,
}

impl Default for MemoryBroker {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryBroker {
    /// A broker without queues: declare the topology first.
    pub fn new() -> Self {
        let inner =
            Inner { state: Mutex::default(), gained: Notify::new(), health: watch::Sender::new(Health::Up) };
        Self { inner: Arc::new(inner) }
    }

    /// Loses every message, as a broker does whose data directory is gone. Queues and bindings stay declared.
    pub fn lose_everything(&self) {
        for queue in lock(&self.inner.state).queues.values_mut() {
            queue.ready.clear();
        }
    }
}

impl State {
    /// Puts a message into every queue bound for it; answers whether there was one.
    fn route(&mut self, exchange: &str, stored: &Stored) -> bool {
        let Self { queues, bindings } = self;
        let mut reached: Vec<&str> = bindings
            .iter()
            .filter(|binding| binding.exchange == exchange && matches(&binding.pattern, &stored.key))
            .map(|binding| binding.queue.as_str())
            .collect();
        reached.sort_unstable();
        reached.dedup();
        for queue in &reached {
            if let Some(queue) = queues.get_mut(*queue) {
                queue.ready.push_back(stored.clone());
            }
        }
        !reached.is_empty()
    }

    /// Moves on what has waited long enough; answers when the next message will have.
    fn release_delayed(&mut self, now: Instant) -> Option<Instant> {
        let mut released = Vec::new();
        let mut next: Option<Instant> = None;
        for queue in self.queues.values_mut() {
            let Some(time_to_live) = queue.time_to_live else { continue };
            while queue.ready.front().is_some_and(|stored| stored.since + time_to_live <= now) {
                let exchange = queue.dead_letter_exchange.clone();
                released.extend(queue.ready.pop_front().zip(exchange));
            }
            let waits = queue.ready.front().map(|stored| stored.since + time_to_live);
            next = [next, waits].into_iter().flatten().min();
        }
        for (stored, exchange) in released {
            self.route(&exchange, &Stored { deliveries: 0, since: now, ..stored });
        }
        next
    }

    /// The next message of a queue, dead-lettering what was handed out too often.
    fn pop(&mut self, queue: &str) -> Option<Stored> {
        loop {
            let messages = self.queues.get_mut(queue)?;
            let stored = messages.ready.pop_front()?;
            match (messages.delivery_limit, messages.dead_letter_exchange.clone()) {
                (Some(limit), Some(exchange)) if stored.deliveries > limit => {
                    self.route(&exchange, &stored);
                }
                _ => return Some(stored),
            }
        }
    }
}

fn text(queue: &Queue, name: &str) -> Option<String> {
    queue.arguments.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
}

fn number(queue: &Queue, name: &str) -> Option<u32> {
    queue.arguments.iter().find_map(|(key, value)| match value {
        Argument::Number(number) if *key == name => Some(*number),
        Argument::Number(_) | Argument::Text(_) => None,
    })
}

#[async_trait]
impl Broker for MemoryBroker {
    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        let mut state = lock(&self.inner.state);
        for queue in &topology.queues {
            let messages = state.queues.entry(queue.name.clone()).or_default();
            messages.time_to_live =
                number(queue, "x-message-ttl").map(|millis| Duration::from_millis(millis.into()));
            messages.dead_letter_exchange = text(queue, "x-dead-letter-exchange");
            messages.delivery_limit = number(queue, "x-delivery-limit");
        }
        state.bindings.clone_from(&topology.bindings);
        Ok(())
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Box<dyn Consumer>, BrokerError> {
        Ok(Box::new(MemoryConsumer {
            inner: self.inner.clone(),
            queue: queue.to_owned(),
            slots: Arc::new(Semaphore::new(usize::from(prefetch.max(1)))),
            cancelled: false,
        }))
    }

    async fn publish(&self, to: Route, message: Envelope) -> Result<Confirmed, BrokerError> {
        let stored = Stored { envelope: message, key: to.key.clone(), deliveries: 0, since: Instant::now() };
        if !lock(&self.inner.state).route(to.exchange, &stored) {
            return Err(BrokerError::Unroutable { route: to.to_string() });
        }
        self.inner.gained.notify_waiters();
        Ok(Confirmed::by_broker())
    }

    async fn depth(&self, queue: &str) -> Result<u64, BrokerError> {
        let mut state = lock(&self.inner.state);
        state.release_delayed(Instant::now());
        Ok(state.queues.get(queue).map_or(0, |messages| messages.ready.len() as u64))
    }

    async fn take(&self, queue: &str) -> Result<Option<Box<dyn Delivery>>, BrokerError> {
        let stored = lock(&self.inner.state).pop(queue);
        Ok(stored.map(|stored| {
            let delivery = MemoryDelivery::new(self.inner.clone(), queue.to_owned(), stored, None);
            Box::new(delivery) as Box<dyn Delivery>
        }))
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.inner.health.subscribe()
    }
}

struct MemoryConsumer {
    inner: Arc<Inner>,
    queue: String,
    slots: Arc<Semaphore>,
    cancelled: bool,
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn next(&mut self) -> Option<Box<dyn Delivery>> {
        if self.cancelled {
            return None;
        }
        let slot = self.slots.clone().acquire_owned().await.ok()?;
        loop {
            let gained = self.inner.gained.notified();
            tokio::pin!(gained);
            // Enabled before looking, so that a message between looking and waiting is not missed.
            gained.as_mut().enable();
            let wake = {
                let mut state = lock(&self.inner.state);
                let wake = state.release_delayed(Instant::now());
                if let Some(stored) = state.pop(&self.queue) {
                    let delivery =
                        MemoryDelivery::new(self.inner.clone(), self.queue.clone(), stored, Some(slot));
                    return Some(Box::new(delivery));
                }
                wake
            };
            match wake {
                Some(at) => tokio::select! {
                    () = gained => {}
                    () = sleep_until(at) => {}
                },
                None => gained.await,
            }
        }
    }

    async fn cancel(&mut self) {
        self.cancelled = true;
    }
}

/// A delivery that goes back to its queue when it is dropped unsettled, as when a consumer dies.
struct MemoryDelivery {
    inner: Arc<Inner>,
    queue: String,
    stored: Option<Stored>,
    envelope: Envelope,
    redelivered: bool,
    _slot: Option<OwnedSemaphorePermit>,
}

impl MemoryDelivery {
    fn new(inner: Arc<Inner>, queue: String, mut stored: Stored, slot: Option<OwnedSemaphorePermit>) -> Self {
        let redelivered = stored.deliveries > 0;
        stored.deliveries += 1;
        let envelope = stored.envelope.clone();
        Self { inner, queue, stored: Some(stored), envelope, redelivered, _slot: slot }
    }
}

#[async_trait]
impl Delivery for MemoryDelivery {
    fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    fn redelivered(&self) -> bool {
        self.redelivered
    }

    async fn ack(mut self: Box<Self>, _proof: Settled) -> Result<(), BrokerError> {
        self.stored = None;
        Ok(())
    }

    async fn release(self: Box<Self>) -> Result<(), BrokerError> {
        Ok(())
    }
}

impl Drop for MemoryDelivery {
    fn drop(&mut self) {
        if let Some(stored) = self.stored.take() {
            if let Some(queue) = lock(&self.inner.state).queues.get_mut(&self.queue) {
                queue.ready.push_front(stored);
            }
            self.inner.gained.notify_waiters();
        }
    }
}
