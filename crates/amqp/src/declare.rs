//! Declaring the topology, and naming what differs from it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::anyhow;
use clinflow_ports::{
    BrokerError,
    topology::{Argument, Topology},
};
use futures_util::future::try_join_all;
use lapin::{
    Channel, ErrorKind, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use tracing::{info, warn};

use crate::{
    link::Link,
    stats::{Counters, count},
};

/// The reply code for something that exists in another form.
const PRECONDITION_FAILED: u16 = 406;

/// The topology that was asked for, kept to declare it again after the broker has lost its data.
#[derive(Default)]
pub(crate) struct Declared(Mutex<Option<Arc<Topology>>>);

impl Declared {
    /// Remembers the topology.
    pub(crate) fn set(&self, topology: Topology) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(topology));
    }

    /// Declares it again, if there is one. A failure is logged and tried again by whoever misses something next.
    pub(crate) async fn again(&self, link: &Link, counters: &Counters) {
        let topology = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(topology) = topology else { return };
        count(&counters.redeclared);
        match declare(link, &topology).await {
            Ok(()) => info!("something was missing on the broker: declared the topology again"),
            Err(error) => warn!(error = format!("{:#}", anyhow!(error)), "cannot declare the topology again"),
        }
    }
}

/// Declares everything on a channel of its own, because a difference costs the channel.
pub(crate) async fn declare(link: &Link, topology: &Topology) -> Result<(), BrokerError> {
    let opened = link.channel().await.map_err(BrokerError::Unavailable)?;
    let channel = &opened.channel;
    for exchange in &topology.exchanges {
        let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
        let declared =
            channel.exchange_declare((*exchange).into(), ExchangeKind::Topic, options, FieldTable::default());
        link.ask(declared).await.map_err(|error| named(error, exchange))?;
    }
    for queue in &topology.queues {
        let declared = channel.queue_declare(
            queue.name.as_str().into(),
            QueueDeclareOptions::durable(),
            arguments(&queue.arguments),
        );
        link.ask(declared).await.map_err(|error| named(error, &queue.name))?;
    }
    // A binding cannot differ, so that all may be asked for together.
    let bindings = topology.bindings.iter().map(|binding| bind(channel, binding));
    link.ask(try_join_all(bindings)).await.map_err(BrokerError::Unavailable)?;
    // lapin closes the channel when it is dropped.
    Ok(())
}

async fn bind(channel: &Channel, binding: &clinflow_ports::topology::Binding) -> lapin::Result<()> {
    let (queue, exchange) = (binding.queue.as_str().into(), binding.exchange.into());
    let pattern = binding.pattern.as_str().into();
    channel.queue_bind(queue, exchange, pattern, QueueBindOptions::default(), FieldTable::default()).await
}

fn arguments(table: &[(&'static str, Argument)]) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    for (name, value) in table {
        let value = match value {
            Argument::Number(number) => AMQPValue::LongLongInt(i64::from(*number)),
            Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
        };
        arguments.insert((*name).into(), value);
    }
    arguments
}

/// The error of a declaration of `name`.
fn named(error: anyhow::Error, name: &str) -> BrokerError {
    let reply = error.downcast_ref::<lapin::Error>().and_then(|error| match error.kind() {
        ErrorKind::ProtocolError(error) if error.get_id() == PRECONDITION_FAILED => Some(error.get_message()),
        _ => None,
    });
    match reply.and_then(|reply| difference(reply.as_str())) {
        Some((argument, expected)) => BrokerError::Mismatch { queue: name.to_owned(), argument, expected },
        None => BrokerError::Unavailable(error.context(format!("declare `{name}`"))),
    }
}

/// The argument that differs and the value we sent, from replies such as `PRECONDITION_FAILED - inequivalent arg
/// 'x-message-ttl' for queue 'q' in vhost '/': received the value '1000' of type 'signedint' but current is none`.
fn difference(reply: &str) -> Option<(String, String)> {
    let (_, rest) = reply.split_once("inequivalent arg '")?;
    let (argument, rest) = rest.split_once('\'')?;
    let (_, received) = rest.split_once(": received ")?;
    let (received, _) = received.split_once(" but current is ")?;
    let quoted = received.split_once('\'').and_then(|(_, rest)| rest.split_once('\''));
    let expected = quoted.map_or(received, |(value, _)| value);
    Some((argument.to_owned(), expected.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_names_the_argument_and_what_we_sent() {
        let replies = [
            (
                "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received the \
                 value '1000' of type 'signedint' but current is the value '2000' of type 'signedint'",
                ("x-message-ttl", "1000"),
            ),
            (
                "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost 'v': received 'true' but \
                 current is 'false'",
                ("durable", "true"),
            ),
            (
                "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'q' in vhost 'v': received \
                 none but current is the value '20' of type 'signedint'",
                ("x-delivery-limit", "none"),
            ),
        ];
        for (reply, (argument, expected)) in replies {
            assert_eq!(difference(reply), Some((argument.to_owned(), expected.to_owned())), "{reply}");
        }
        assert_eq!(difference("PRECONDITION_FAILED - unknown delivery tag 7"), None);
    }
}
