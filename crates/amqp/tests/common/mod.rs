//! What the tests on a real RabbitMQ share.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::time::Duration;

use bytes::Bytes;
use clinflow_amqp::{Amqp, Config};
use clinflow_core::{Lane, Role, WorkflowId};
use clinflow_ports::{
    Broker, Consumer, Delivery, Envelope, Event, Route, Settled,
    suite::unique,
    topology::{Topology, queue_name},
};
use clinflow_testkit::rabbitmq::RabbitMq;
use tokio::time::{Instant, sleep, timeout};

/// Longer than anything a test waits for; a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The vhost of this test, on the node that all tests of the binary share.
pub(crate) fn vhost() -> (String, String) {
    let name = unique().to_string();
    let url = RabbitMq::shared().vhost(&name).unwrap();
    (name, url)
}

/// Short timeouts, so that a test of them is short; and the log of a test that fails.
pub(crate) fn config(url: &str) -> Config {
    // Only the first test of a binary sets it.
    let _ = tracing_subscriber::fmt().with_test_writer().with_max_level(tracing::Level::INFO).try_init();
    Config {
        url: url.to_owned(),
        connection_name: "test".to_owned(),
        publish_timeout: Duration::from_secs(5),
        ..Config::default()
    }
}

/// A broker with the standard topology.
pub(crate) async fn broker(url: &str) -> Amqp {
    let broker = Amqp::connect(config(url)).await.unwrap();
    broker.declare(&Topology::standard()).await.unwrap();
    broker
}

/// A message with an id of its own.
pub(crate) fn message(body: &str) -> Envelope {
    Envelope {
        message_id: Some(unique().to_string()),
        body: Bytes::copy_from_slice(body.as_bytes()),
        ..Envelope::default()
    }
}

/// Reaches the batch queues of extractor and nlp.
pub(crate) fn classified() -> Route {
    Route::event(Event::DocumentClassified, &WorkflowId::new("ae-report").unwrap(), Lane::Batch)
}

/// Reaches the parked messages, and nothing else.
pub(crate) fn parked() -> Route {
    Route::parked("clinflow.nlp.batch")
}

/// One of the queues that [`classified`] reaches.
pub(crate) fn nlp() -> String {
    queue_name(Role::Nlp, Lane::Batch)
}

/// The next delivery.
pub(crate) async fn next(consumer: &mut Box<dyn Consumer>) -> Box<dyn Delivery> {
    timeout(PATIENCE, consumer.next()).await.expect("a delivery within the patience").unwrap()
}

/// Acks a delivery that gave rise to nothing.
pub(crate) async fn ack(broker: &dyn Broker, delivery: Box<dyn Delivery>) {
    delivery.ack(Settled::publishing(broker, Vec::new()).await.unwrap()).await.unwrap();
}

/// Publishes until it is confirmed, as the runtime does: again and again under the same id.
pub(crate) async fn publish(broker: &dyn Broker, to: Route, message: Envelope) {
    let confirmed = async || {
        let outcome = broker.publish(to.clone(), message.clone()).await;
        outcome.inspect_err(|error| tracing::warn!(?error, "publishing again")).is_ok()
    };
    eventually("a confirmed publish", confirmed).await;
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "never came: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}
