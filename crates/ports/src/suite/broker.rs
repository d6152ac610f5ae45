//! What every [`Broker`] does. The broker under test has the standard topology and is used by this test alone.
#![expect(clippy::unwrap_used, reason = "a test suite: a failure is the answer")]

use std::time::Duration;

use bytes::Bytes;
use clinflow_core::{Lane, Role, WorkflowId};
use tokio::time::timeout;

use super::unique;
use crate::{
    broker::{Broker, BrokerError, Consumer, Delivery, Settled},
    envelope::Envelope,
    topology::{DEAD, Event, PARKED, Route, queue_name},
};

/// Longer than any broker needs for what a test waits for; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

fn message(body: &str) -> Envelope {
    Envelope {
        message_id: Some(unique().to_string()),
        correlation_id: Some(unique().to_string()),
        type_name: Some(Event::DocumentClassified.type_name().to_owned()),
        content_type: Some("application/x-protobuf".to_owned()),
        timestamp: Some(1_700_000_000),
        headers: [("workflow".to_owned(), "ae-report".to_owned()), ("attempt".to_owned(), "1".to_owned())]
            .into(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn classified(lane: Lane) -> Route {
    Route::event(Event::DocumentClassified, &WorkflowId::new("ae-report").unwrap(), lane)
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Box<dyn Delivery> {
    timeout(PATIENCE, consumer.next()).await.expect("a delivery within the patience").unwrap()
}

async fn settled(broker: &dyn Broker) -> Settled {
    Settled::publishing(broker, Vec::new()).await.unwrap()
}

/// An event reaches every role that consumes it, on its lane only, with its properties and headers.
pub async fn an_event_reaches_every_consumer_on_its_lane(broker: &dyn Broker) {
    let sent = message("body");
    let _ = broker.publish(classified(Lane::Batch), sent.clone()).await.unwrap();
    for role in [Role::Extractor, Role::Nlp] {
        let mut consumer = broker.consume(&queue_name(role, Lane::Batch), 1).await.unwrap();
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.envelope(), &sent);
        assert!(!delivery.redelivered());
        delivery.ack(settled(broker).await).await.unwrap();
    }
    assert_eq!(broker.depth(&queue_name(Role::Extractor, Lane::Interactive)).await.unwrap(), 0);
}

/// A publish nobody would receive is an error, also in the middle of many that somebody receives.
pub async fn an_unroutable_publish_is_an_error_of_that_publish(broker: &dyn Broker) {
    let nowhere = Route { exchange: crate::topology::EVENTS, key: "nobody.listens".to_owned() };
    let publishes = (0..200).map(|n| {
        let route = if n % 20 == 7 { nowhere.clone() } else { classified(Lane::Batch) };
        async move { (n, broker.publish(route, message("x")).await) }
    });
    for (n, outcome) in futures_util::future::join_all(publishes).await {
        match outcome {
            Err(BrokerError::Unroutable { route }) => {
                assert_eq!(n % 20, 7, "publish {n} was routable");
                assert!(route.contains("nobody.listens"));
            }
            other => assert!(other.is_ok() && n % 20 != 7, "publish {n}: {other:?}"),
        }
    }
}

/// A consumer holds no more than its prefetch.
pub async fn a_consumer_holds_no_more_than_its_prefetch(broker: &dyn Broker) {
    for n in 0..3 {
        let _ = broker.publish(classified(Lane::Batch), message(&n.to_string())).await.unwrap();
    }
    let mut consumer = broker.consume(&queue_name(Role::Nlp, Lane::Batch), 2).await.unwrap();
    let (first, _second) = (next(&mut consumer).await, next(&mut consumer).await);
    assert!(timeout(Duration::from_millis(300), consumer.next()).await.is_err(), "a third delivery came");
    first.ack(settled(broker).await).await.unwrap();
    assert_eq!(next(&mut consumer).await.envelope().body, "2");
}

/// What is released comes back, flagged.
pub async fn a_released_message_comes_back(broker: &dyn Broker) {
    let _ = broker.publish(classified(Lane::Batch), message("again")).await.unwrap();
    let mut consumer = broker.consume(&queue_name(Role::Nlp, Lane::Batch), 1).await.unwrap();
    next(&mut consumer).await.release().await.unwrap();
    let again = next(&mut consumer).await;
    assert_eq!(again.envelope().body, "again");
    assert!(again.redelivered());
    again.ack(settled(broker).await).await.unwrap();
}

/// A delayed message returns, after its tier, to the one queue it was meant for.
pub async fn a_delayed_message_returns_to_its_queue_alone(broker: &dyn Broker) {
    let queue = queue_name(Role::Nlp, Lane::Batch);
    let sent = message("later");
    let _ = broker.publish(Route::delayed(Duration::from_secs(1), &queue), sent.clone()).await.unwrap();
    assert_eq!(broker.depth(&queue).await.unwrap(), 0);
    let mut consumer = broker.consume(&queue, 1).await.unwrap();
    let delivery = next(&mut consumer).await;
    assert_eq!((&delivery.envelope().body, &delivery.envelope().message_id), (&sent.body, &sent.message_id));
    assert_eq!(broker.depth(&queue_name(Role::Extractor, Lane::Batch)).await.unwrap(), 0);
}

/// Dead letters and parked messages are kept apart and can be taken.
pub async fn dead_and_parked_messages_are_kept_apart(broker: &dyn Broker) {
    let queue = queue_name(Role::Nlp, Lane::Batch);
    let _ = broker.publish(Route::dead(&queue), message("wrong")).await.unwrap();
    let _ = broker.publish(Route::parked(&queue), message("waits")).await.unwrap();
    for (queue, body) in [(DEAD, "wrong"), (PARKED, "waits")] {
        let taken = broker.take(queue).await.unwrap().unwrap();
        assert_eq!(taken.envelope().body, body);
        taken.ack(settled(broker).await).await.unwrap();
        assert!(broker.take(queue).await.unwrap().is_none());
    }
}

/// Looking at parked messages changes nothing, however often; picking one leaves the others; what was picked and not
/// settled is there again.
pub async fn parked_messages_are_looked_at_and_picked_without_loss(broker: &dyn Broker) {
    let queue = queue_name(Role::Nlp, Lane::Batch);
    for body in ["one", "two", "three"] {
        let _ = broker.publish(Route::parked(&queue), message(body)).await.unwrap();
    }
    let bodies = async |most| {
        let seen = broker.browse(PARKED, most).await.unwrap();
        let mut bodies: Vec<_> = seen.into_iter().map(|envelope| envelope.body).collect();
        bodies.sort_unstable();
        bodies
    };
    // More often than a broker hands out a message of a queue that says nothing about it.
    for look in 0..25 {
        assert_eq!(bodies(10).await, ["one", "three", "two"], "look {look}");
    }
    assert_eq!(bodies(2).await.len(), 2);
    let second = |envelope: &Envelope| envelope.body == "two";
    let picked = broker.pick(PARKED, 10, &second).await.unwrap();
    assert_eq!(picked.len(), 1);
    assert_eq!(bodies(10).await, ["one", "three"], "the picked one is in hand");
    drop(picked);
    let mut picked = broker.pick(PARKED, 10, &second).await.unwrap();
    let again = picked.pop().expect("what was not settled is there again");
    assert_eq!(again.envelope().body, "two");
    let back = Settled::publishing(broker, vec![(Route::returned(&queue), again.envelope().clone())]).await;
    again.ack(back.unwrap()).await.unwrap();
    assert_eq!(bodies(10).await, ["one", "three"]);
    assert_eq!(broker.depth(&queue).await.unwrap(), 1);
    assert_eq!(
        broker.depth(&queue_name(Role::Extractor, Lane::Batch)).await.unwrap(),
        0,
        "to its queue alone"
    );
}

/// A cancelled consumer ends, and what it had not handed on goes back.
pub async fn a_cancelled_consumer_ends_and_loses_nothing(broker: &dyn Broker) {
    let queue = queue_name(Role::Nlp, Lane::Batch);
    for n in 0..4 {
        let _ = broker.publish(classified(Lane::Batch), message(&n.to_string())).await.unwrap();
    }
    let mut consumer = broker.consume(&queue, 4).await.unwrap();
    let first = next(&mut consumer).await;
    consumer.cancel().await;
    while let Some(delivery) = timeout(PATIENCE, consumer.next()).await.unwrap() {
        delivery.release().await.unwrap();
    }
    first.ack(settled(broker).await).await.unwrap();
    let mut again = broker.consume(&queue, 4).await.unwrap();
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let delivery = next(&mut again).await;
        bodies.push(delivery.envelope().body.clone());
        delivery.ack(settled(broker).await).await.unwrap();
    }
    bodies.sort_unstable();
    assert_eq!(bodies, ["1", "2", "3"]);
}

/// Declaring again changes nothing and loses nothing.
pub async fn declaring_again_changes_nothing(broker: &dyn Broker) {
    let _ = broker.publish(classified(Lane::Batch), message("kept")).await.unwrap();
    broker.declare(&crate::topology::Topology::standard()).await.unwrap();
    let mut consumer = broker.consume(&queue_name(Role::Nlp, Lane::Batch), 1).await.unwrap();
    assert_eq!(next(&mut consumer).await.envelope().body, "kept");
}

/// Runs the suite against one implementation; the expression makes a broker of its own, with the topology declared.
#[macro_export]
macro_rules! broker_suite {
    ($make:expr) => {
        $crate::suite_tests!(
            broker,
            $make,
            [
                an_event_reaches_every_consumer_on_its_lane,
                an_unroutable_publish_is_an_error_of_that_publish,
                a_consumer_holds_no_more_than_its_prefetch,
                a_released_message_comes_back,
                a_delayed_message_returns_to_its_queue_alone,
                dead_and_parked_messages_are_kept_apart,
                parked_messages_are_looked_at_and_picked_without_loss,
                a_cancelled_consumer_ends_and_loses_nothing,
                declaring_again_changes_nothing,
            ]
        );
    };
}
