//! Questions about single queues: how deep, and one message to look at.

use std::sync::Arc;

use clinflow_ports::{BrokerError, Delivery};
use lapin::{
    Channel, Queue,
    options::{BasicGetOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::sync::Mutex;

use crate::{
    delivery::{AmqpDelivery, Source},
    link::{Link, Opened},
    stats::Counters,
};

/// Asks about queues, one question at a time. A question about a queue that does not exist costs the channel, so depths
/// are asked on another channel than the one that taken messages are held on.
pub(crate) struct Control {
    link: Arc<Link>,
    counters: Arc<Counters>,
    depths: Mutex<Option<Channel>>,
    taken: Mutex<Option<Arc<Source>>>,
}

impl Control {
    pub(crate) fn new(link: Arc<Link>, counters: Arc<Counters>) -> Self {
        Self { link, counters, depths: Mutex::default(), taken: Mutex::default() }
    }

    /// Messages ready in a queue.
    pub(crate) async fn depth(&self, queue: &str) -> Result<u64, BrokerError> {
        let mut depths = self.depths.lock().await;
        let channel = match depths.take().filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => self.link.channel().await.map_err(BrokerError::Unavailable)?.channel,
        };
        let found = inspect(&self.link, &channel, queue).await.map_err(BrokerError::Unavailable)?;
        *depths = Some(channel);
        Ok(found.message_count().into())
    }

    /// One message off a queue, without consuming it.
    pub(crate) async fn take(&self, queue: &str) -> Result<Option<Box<dyn Delivery>>, BrokerError> {
        let mut taken = self.taken.lock().await;
        let source = match taken.take().filter(|source| source.channel.status().connected()) {
            Some(source) => source,
            None => {
                let Opened { channel, .. } = self.link.channel().await.map_err(BrokerError::Unavailable)?;
                Source::new(channel, self.counters.clone())
            }
        };
        let got = self.link.ask(source.channel.basic_get(queue.into(), BasicGetOptions::default())).await;
        let got =
            got.map_err(|error| BrokerError::Unavailable(error.context(format!("take from `{queue}`"))))?;
        *taken = Some(source.clone());
        Ok(got.map(|message| AmqpDelivery::new(&source, message.delivery) as Box<dyn Delivery>))
    }
}

/// A queue as it stands.
pub(crate) async fn inspect(link: &Link, channel: &Channel, queue: &str) -> anyhow::Result<Queue> {
    let passive = QueueDeclareOptions::default().passive();
    let declared = channel.queue_declare(queue.into(), passive, FieldTable::default());
    link.ask(declared).await.map_err(|error| error.context(format!("look at queue `{queue}`")))
}
