//! What is and what was in the broker: a copy of every message that is ever published, and what waits in the queues.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clinflow_ports::{
    Envelope,
    topology::{DEAD, DELAY, EVENTS, PARKED, RETURN, Topology},
};
use clinflow_testkit::rabbitmq::RabbitMq;
use futures_util::StreamExt as _;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicConsumeOptions, BasicGetOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::task::JoinSet;

use super::Sink;

/// A message as somebody else on the exchange sees it.
#[derive(Clone)]
pub struct Copied {
    /// Exchange and routing key.
    pub route: String,
    /// Properties and headers, as the protocol has them.
    pub properties: BasicProperties,
    /// The body.
    pub body: Vec<u8>,
}

impl Copied {
    /// All of it, in one piece; without its body when that is one of `foreign`.
    fn sink(&self, name: &str, foreign: &[Vec<u8>]) -> Sink {
        let mut content = format!("{}\n{}\n", self.route, described(&self.properties)).into_bytes();
        if !foreign.contains(&self.body) {
            content.extend(&self.body);
        }
        Sink::new(format!("{name} {}", self.route), content)
    }

    /// The same message with another body, for its own queue once more. It has no id, so that it is another one.
    pub fn with_body(&self, body: Vec<u8>) -> Envelope {
        let text = |value: &AMQPValue| value.as_long_string().map(ToString::to_string);
        let headers = self.properties.headers().as_ref();
        let headers = headers.into_iter().flat_map(FieldTable::inner);
        Envelope {
            correlation_id: self.properties.correlation_id().as_ref().map(ToString::to_string),
            type_name: self.properties.kind().as_ref().map(ToString::to_string),
            headers: headers.filter_map(|(name, value)| Some((name.to_string(), text(value)?))).collect(),
            body: body.into(),
            ..Envelope::default()
        }
    }
}

/// Properties in words; texts stand there as they are.
fn described(properties: &BasicProperties) -> String {
    let mut words = BTreeMap::new();
    for (name, value) in [
        ("message-id", properties.message_id()),
        ("correlation-id", properties.correlation_id()),
        ("type", properties.kind()),
        ("content-type", properties.content_type()),
        ("reply-to", properties.reply_to()),
        ("expiration", properties.expiration()),
    ] {
        words.insert(name.to_owned(), value.as_ref().map(ToString::to_string).unwrap_or_default());
    }
    for (name, value) in properties.headers().as_ref().into_iter().flat_map(FieldTable::inner) {
        let text = value.as_long_string().map_or_else(|| format!("{value:?}"), ToString::to_string);
        words.insert(name.to_string(), text);
    }
    words.into_iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

/// A queue beside the others that gets a copy of every message: also of those that are long gone at the end.
pub struct Tap {
    copies: Arc<Mutex<Vec<Copied>>>,
    _listening: JoinSet<()>,
    _connection: Connection,
}

impl Tap {
    /// Copies from now on.
    pub async fn open(rabbitmq: &RabbitMq) -> anyhow::Result<Self> {
        let connection = Connection::connect(&rabbitmq.url(), ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        channel.queue_declare("canary.tap".into(), options, FieldTable::default()).await?;
        for exchange in [EVENTS, DELAY, RETURN, DEAD, PARKED] {
            let options = QueueBindOptions::default();
            channel
                .queue_bind("canary.tap".into(), exchange.into(), "#".into(), options, FieldTable::default())
                .await?;
        }
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let mut consumer = channel
            .basic_consume("canary.tap".into(), "canary".into(), options, FieldTable::default())
            .await?;
        let copies = Arc::<Mutex<Vec<Copied>>>::default();
        let mut listening = JoinSet::new();
        let to = copies.clone();
        listening.spawn(async move {
            while let Some(Ok(delivery)) = consumer.next().await {
                let route = format!("{}/{}", delivery.exchange, delivery.routing_key);
                lock(&to).push(Copied { route, properties: delivery.properties, body: delivery.data });
            }
        });
        Ok(Self { copies, _listening: listening, _connection: connection })
    }

    /// Every message so far.
    pub fn copies(&self) -> Vec<Copied> {
        lock(&self.copies).clone()
    }

    /// Every message so far, to be searched. A body of `foreign` came as it is from somebody else: nothing of a wrong
    /// message is lost, so it lies in the dead letters, and only what was said about it is looked at.
    pub fn sinks(&self, foreign: &[Vec<u8>]) -> Vec<Sink> {
        lock(&self.copies).iter().map(|copied| copied.sink("message", foreign)).collect()
    }
}

fn lock(copies: &Mutex<Vec<Copied>>) -> MutexGuard<'_, Vec<Copied>> {
    copies.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What waits in every queue of the topology, but for bodies of `foreign`. It goes back when the connection is closed at
/// the end.
pub async fn queues(rabbitmq: &RabbitMq, foreign: &[Vec<u8>]) -> anyhow::Result<Vec<Sink>> {
    let connection = Connection::connect(&rabbitmq.url(), ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let mut sinks = Vec::new();
    for queue in Topology::standard().queues {
        while let Some(got) =
            channel.basic_get(queue.name.as_str().into(), BasicGetOptions::default()).await?
        {
            let delivery = got.delivery;
            let route = format!("{}/{}", delivery.exchange, delivery.routing_key);
            let copied = Copied { route, properties: delivery.properties, body: delivery.data };
            sinks.push(copied.sink(&format!("queue {}:", queue.name), foreign));
        }
    }
    connection.close(200, "done".into()).await?;
    Ok(sinks)
}
