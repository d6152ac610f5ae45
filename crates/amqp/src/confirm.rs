//! A channel that cannot publish without confirms, and the pump that hears them.
//!
//! lapin numbers a publish and queues its frames in two steps of one poll, so that two tasks publishing at the same time
//! can get each other's confirms; here that poll happens under a lock. The rest of every publish is polled by one
//! pump a channel, because a returned message can come with a stranger's confirm (see [`crate::returns`]) and only
//! somebody who sees all confirms can tell.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use clinflow_ports::Route;
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, ready},
    stream::FuturesUnordered,
};
use lapin::{
    BasicProperties, Channel, Confirmation,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    link::Link,
    returns::{Identified, Identity, Returns, Routed},
};

/// What became of a publish.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The broker has it durably.
    Confirmed,
    /// No queue was bound.
    Unroutable,
    /// The broker refused it.
    Nacked,
    /// The channel ended first: it may have arrived or not.
    InDoubt(lapin::Error),
}

/// A channel in confirm mode.
pub(crate) struct ConfirmChannel {
    channel: Arc<Channel>,
    outbox: Mutex<Outbox>,
    /// Wakes the pump: there are fresh publishes.
    posted: Notify,
    /// No longer to be used for new publishes; also when the connection has ended.
    retired: CancellationToken,
}

#[derive(Default)]
struct Outbox {
    fresh: Vec<Publish>,
    /// The pump has ended.
    closed: bool,
}

impl ConfirmChannel {
    /// Opens a channel and puts it into confirm mode.
    pub(crate) async fn open(link: &Link) -> anyhow::Result<Arc<Self>> {
        let opened = link.channel().await?;
        link.ask(opened.channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Arc::new(Self {
            channel: Arc::new(opened.channel),
            outbox: Mutex::default(),
            posted: Notify::new(),
            retired: opened.connection_ended.child_token(),
        }))
    }

    /// Whether new publishes may use it.
    pub(crate) fn usable(&self) -> bool {
        !self.retired.is_cancelled() && self.channel.status().connected()
    }

    /// Takes it out of use; what is in flight may still be confirmed.
    pub(crate) fn retire(&self) {
        self.retired.cancel();
    }

    /// Returns when it is out of use.
    pub(crate) async fn retirement(&self) {
        self.retired.cancelled().await;
    }

    /// Posts a publish. `None` when the channel has ended, and nothing was sent.
    pub(crate) fn publish(
        &self,
        route: &Route,
        routing_key: ShortString,
        properties: BasicProperties,
        body: Bytes,
        permit: OwnedSemaphorePermit,
    ) -> Option<oneshot::Receiver<Outcome>> {
        let (outcome, receiver) = oneshot::channel();
        let identity = Identity {
            message_id: properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default(),
            exchange: route.exchange.to_owned(),
            routing_key: route.key.clone(),
        };
        let (channel, exchange) = (self.channel.clone(), ShortString::from(route.exchange));
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let mut confirm: BoxFuture<'static, lapin::Result<Confirmation>> = Box::pin(async move {
            channel.basic_publish(exchange, routing_key, options, &body, properties).await?.await
        });
        let mut outbox = self.lock();
        if outbox.closed {
            return None;
        }
        if let Poll::Ready(result) = confirm.poll_unpin(&mut Context::from_waker(Waker::noop())) {
            confirm = Box::pin(ready(result));
        }
        outbox.fresh.push(Publish { confirm, ticket: Some(Ticket { identity, outcome, _permit: permit }) });
        drop(outbox);
        self.posted.notify_one();
        Some(receiver)
    }

    fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A publish that waits for its confirm.
struct Publish {
    confirm: BoxFuture<'static, lapin::Result<Confirmation>>,
    ticket: Option<Ticket>,
}

/// Who waits for a publish. The permit bounds what lapin holds, also when nobody waits any more.
struct Ticket {
    identity: Identity,
    outcome: oneshot::Sender<Outcome>,
    _permit: OwnedSemaphorePermit,
}

impl Identified for Ticket {
    fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl Ticket {
    fn settle(self, outcome: Outcome) {
        // Whoever timed out has gone.
        let _ = self.outcome.send(outcome);
    }
}

/// A publish under its number.
struct Numbered(u64, Publish);

/// A publish whose confirm is there.
struct Landed {
    number: u64,
    ticket: Ticket,
    result: lapin::Result<Confirmation>,
}

impl Future for Numbered {
    type Output = Landed;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Landed> {
        let result = std::task::ready!(self.1.confirm.poll_unpin(cx));
        let number = self.0;
        let ticket = self.1.ticket.take().expect("a future is not polled after it was ready");
        Poll::Ready(Landed { number, ticket, result })
    }
}

/// Hears the confirms of one channel and tells those who wait. Ends when the channel is retired and nothing is in
/// flight, or `grace` after it was retired. Returns the error that ended the channel, if one did.
pub(crate) async fn pump(channel: Arc<ConfirmChannel>, grace: Duration) -> Option<lapin::Error> {
    let mut pump = Pump::default();
    let mut give_up: Option<Instant> = None;
    loop {
        if pump.landed.is_empty() {
            let deadline = give_up.unwrap_or_else(|| Instant::now() + grace);
            tokio::select! {
                biased;
                Some(landed) = pump.flying.next(), if !pump.flying.is_empty() => pump.land(landed),
                () = channel.posted.notified() => {}
                () = channel.retirement(), if give_up.is_none() => give_up = Some(Instant::now() + grace),
                () = sleep_until(deadline), if give_up.is_some() => return pump.close(&channel),
            }
        }
        if pump.round(&channel) {
            channel.retire();
        }
        if channel.retired.is_cancelled() && pump.idle() {
            return pump.close(&channel);
        }
    }
}

#[derive(Default)]
struct Pump {
    flying: FuturesUnordered<Numbered>,
    landed: Vec<Landed>,
    returns: Returns<Ticket>,
    failure: Option<lapin::Error>,
}

impl Pump {
    /// Judges every confirm that has arrived. Answers whether the channel should no longer be used.
    fn round(&mut self, channel: &ConfirmChannel) -> bool {
        self.collect();
        let judged = self.landed.len();
        // Taken after the confirms were collected: whatever lapin completed before them was posted before now, so
        // that a returned message that came with it is seen below.
        let fresh = std::mem::take(&mut channel.lock().fresh);
        if !fresh.is_empty() {
            for publish in fresh {
                self.flying.push(Numbered(self.returns.publish(), publish));
            }
            self.collect();
        }
        let mut spent = false;
        let later = self.landed.split_off(judged);
        for Landed { number, ticket, result } in std::mem::replace(&mut self.landed, later) {
            let returned = match result {
                Ok(Confirmation::Ack(returned)) => returned,
                Ok(Confirmation::Nack(_)) => {
                    spent = true;
                    self.returns.settle(number);
                    ticket.settle(Outcome::Nacked);
                    continue;
                }
                Ok(Confirmation::NotRequested) => {
                    unreachable!("`open` has put the channel into confirm mode")
                }
                Err(error) => {
                    spent = true;
                    self.failure.get_or_insert_with(|| error.clone());
                    self.returns.settle(number);
                    ticket.settle(Outcome::InDoubt(error));
                    continue;
                }
            };
            let stranger = returned.is_some_and(|message| identity(&message) != ticket.identity);
            if let Some((routed, ticket)) = self.returns.confirm(number, stranger, ticket) {
                ticket.settle(outcome(routed));
            }
        }
        for (routed, ticket) in self.returns.released() {
            ticket.settle(outcome(routed));
        }
        spent
    }

    fn collect(&mut self) {
        while let Some(Some(landed)) = self.flying.next().now_or_never() {
            self.land(landed);
        }
    }

    /// Keeps a confirm to be judged, and notes what came back with it.
    fn land(&mut self, landed: Landed) {
        if let Ok(Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message))) = &landed.result {
            self.returns.returned(identity(message));
        }
        self.landed.push(landed);
    }

    fn idle(&self) -> bool {
        self.flying.is_empty() && self.landed.is_empty()
    }

    /// Ends the outbox; whatever is still in flight is in doubt, because its ticket is dropped.
    fn close(self, channel: &ConfirmChannel) -> Option<lapin::Error> {
        let mut outbox = channel.lock();
        outbox.closed = true;
        outbox.fresh.clear();
        self.failure
    }
}

fn outcome(routed: Routed) -> Outcome {
    match routed {
        Routed::Yes => Outcome::Confirmed,
        Routed::No => Outcome::Unroutable,
    }
}

fn identity(message: &BasicReturnMessage) -> Identity {
    Identity {
        message_id: message.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default(),
        exchange: message.exchange.to_string(),
        routing_key: message.routing_key.to_string(),
    }
}
