//! The suite of the Broker port, and what goes wrong with one client, channel or queue; each test on a vhost of its own.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

mod common;

use std::{collections::BTreeMap, time::Duration};

use clinflow_amqp::{Amqp, Config};
use clinflow_ports::{
    Broker, BrokerError, Health, Route,
    topology::{Argument, DEAD, PARKED, Topology},
};
use clinflow_testkit::{ports, rabbitmq::RabbitMq};
use common::{
    PATIENCE, ack, broker, classified, config, eventually, message, next, nlp, parked, publish, vhost,
};
use futures_util::future::join_all;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::time::{Instant, timeout};

mod suite {
    clinflow_ports::broker_suite!(async {
        let (_, url) = super::vhost();
        super::broker(&url).await
    });
}

/// A client that is not ours.
async fn foreigner(url: &str) -> lapin::Channel {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    connection.create_channel().await.unwrap()
}

#[tokio::test]
async fn the_server_says_who_it_is() {
    let (_, url) = vhost();
    let broker = Amqp::connect(config(&url)).await.unwrap();
    assert_eq!(broker.server().product, "RabbitMQ");
    assert!(broker.server().version.starts_with(|digit: char| digit.is_ascii_digit()));
}

#[tokio::test]
async fn connecting_to_nobody_ends_with_the_patience() {
    let [port] = ports::free().unwrap();
    let config = Config {
        patience: Duration::from_millis(500),
        ..config(&format!("amqp://guest:secret@127.0.0.1:{port}/%2f"))
    };
    let begun = Instant::now();
    let error = Amqp::connect(config).await.err().unwrap();
    assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("secret"));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_does_not_hang_the_connect() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let config = Config {
        connect_timeout: Duration::from_millis(300),
        patience: Duration::from_millis(500),
        ..config(&format!("amqp://127.0.0.1:{}/%2f", silent.local_addr().unwrap().port()))
    };
    let connected = timeout(PATIENCE, Amqp::connect(config)).await.unwrap();
    assert!(matches!(connected.err(), Some(BrokerError::Unavailable(_))));
}

#[tokio::test]
async fn closed_connections_come_back_and_what_was_held_is_redelivered() {
    let (name, url) = vhost();
    let broker = broker(&url).await;
    for n in 0..20 {
        publish(&broker, classified(), message(&n.to_string())).await;
    }
    let mut consumer = broker.consume(&nlp(), 3).await.unwrap();
    let held = [next(&mut consumer).await, next(&mut consumer).await, next(&mut consumer).await];
    RabbitMq::shared().ctl(&["close_all_connections", "-p", &name, "test"]).unwrap();
    eventually("two reconnects", async || broker.stats().reconnects == 2).await;
    for stale in held {
        ack(&broker, stale).await;
    }
    assert_eq!(broker.stats().stale_acks, 3);
    let mut seen = BTreeMap::new();
    while seen.len() < 20 {
        let delivery = next(&mut consumer).await;
        seen.insert(delivery.envelope().body.clone(), delivery.redelivered());
        ack(&broker, delivery).await;
    }
    assert_eq!(seen.values().filter(|redelivered| **redelivered).count(), 3, "prefetch survived: {seen:?}");
    publish(&broker, classified(), message("and on")).await;
    assert_eq!(next(&mut consumer).await.envelope().body, "and on");
    broker.health().wait_for(|health| *health == Health::Up).await.unwrap();
}

#[tokio::test]
async fn prefetch_holds_after_a_reconnect() {
    let (name, url) = vhost();
    let broker = broker(&url).await;
    let mut consumer = broker.consume(&nlp(), 2).await.unwrap();
    RabbitMq::shared().ctl(&["close_all_connections", "-p", &name, "test"]).unwrap();
    eventually("two reconnects", async || broker.stats().reconnects == 2).await;
    for n in 0..5 {
        publish(&broker, classified(), message(&n.to_string())).await;
    }
    let _held = [next(&mut consumer).await, next(&mut consumer).await];
    assert!(timeout(Duration::from_millis(300), consumer.next()).await.is_err(), "a third delivery came");
}

#[tokio::test]
async fn a_deleted_queue_is_declared_again_and_consumed() {
    let (_, url) = vhost();
    let broker = broker(&url).await;
    let mut consumer = broker.consume(&nlp(), 1).await.unwrap();
    foreigner(&url).await.queue_delete(nlp().as_str().into(), QueueDeleteOptions::default()).await.unwrap();
    // The consumer hears of it, declares the topology with its bindings, and registers again.
    let (delivery, ()) = tokio::join!(next(&mut consumer), async {
        eventually("the queue", async || broker.depth(&nlp()).await.is_ok()).await;
        eventually("the binding", async || broker.stats().redeclared > 0).await;
        publish(
            &broker,
            Route { exchange: "clinflow.return", key: format!("1s.{}", nlp()) },
            message("after"),
        )
        .await;
    });
    assert_eq!(delivery.envelope().body, "after");
}

#[tokio::test]
async fn a_missing_exchange_is_declared_again_by_a_process_that_only_publishes() {
    let (_, url) = vhost();
    let broker = broker(&url).await;
    publish(&broker, parked(), message("before")).await;
    foreigner(&url).await.exchange_delete("clinflow.parked".into(), Default::default()).await.unwrap();
    let first = broker.publish(parked(), message("lost with the channel")).await;
    assert!(matches!(first, Err(BrokerError::Unavailable(_))), "{first:?}");
    publish(&broker, parked(), message("after")).await;
    assert_eq!(broker.depth(PARKED).await.unwrap(), 2);
}

#[tokio::test]
async fn a_difference_names_queue_and_argument_and_harms_nothing() {
    let (_, url) = vhost();
    let broker = broker(&url).await;
    let mut consumer = broker.consume(&nlp(), 1).await.unwrap();
    let mut other = Topology::standard();
    let tier = other.queues.iter_mut().find(|queue| queue.name == "clinflow.delay.5s").unwrap();
    for (name, value) in &mut tier.arguments {
        if *name == "x-message-ttl" {
            *value = Argument::Number(7_000);
        }
    }
    for _ in 0..3 {
        let error = broker.declare(&other).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "queue `clinflow.delay.5s` exists with another `x-message-ttl` than 7000: delete it when it is empty, \
             or keep both versions apart"
        );
    }
    publish(&broker, classified(), message("still")).await;
    assert_eq!(next(&mut consumer).await.envelope().body, "still");
    assert_eq!((broker.stats().reconnects, broker.stats().resubscribes), (0, 0));
}

#[tokio::test]
async fn a_classic_queue_in_the_place_of_a_quorum_queue_is_a_difference() {
    let (_, url) = vhost();
    let channel = foreigner(&url).await;
    channel
        .queue_declare(PARKED.into(), QueueDeclareOptions::durable(), FieldTable::default())
        .await
        .unwrap();
    let broker = Amqp::connect(config(&url)).await.unwrap();
    match broker.declare(&Topology::standard()).await {
        Err(BrokerError::Mismatch { queue, argument, expected }) => {
            assert_eq!(
                (queue.as_str(), argument.as_str(), expected.as_str()),
                (PARKED, "x-queue-type", "quorum")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_handed_out_too_often_is_a_dead_letter() {
    let (_, url) = vhost();
    let broker = Amqp::connect(config(&url)).await.unwrap();
    let mut topology = Topology::standard();
    for queue in &mut topology.queues {
        for (name, value) in &mut queue.arguments {
            if *name == "x-delivery-limit" {
                *value = Argument::Number(2);
            }
        }
    }
    broker.declare(&topology).await.unwrap();
    publish(&broker, classified(), message("poison")).await;
    let mut consumer = broker.consume(&nlp(), 1).await.unwrap();
    for _ in 0..3 {
        next(&mut consumer).await.release().await.unwrap();
    }
    eventually("a dead letter", async || broker.depth(DEAD).await.unwrap() == 1).await;
    let dead = broker.take(DEAD).await.unwrap().unwrap();
    assert_eq!(dead.envelope().body, "poison");
    ack(&broker, dead).await;
}

#[tokio::test]
async fn a_full_queue_refuses_and_others_go_on() {
    let (_, url) = vhost();
    let broker = Amqp::connect(config(&url)).await.unwrap();
    let mut topology = Topology::standard();
    let parked_queue = topology.queues.iter_mut().find(|queue| queue.name == PARKED).unwrap();
    parked_queue.arguments = vec![
        ("x-max-length", Argument::Number(5)),
        ("x-overflow", Argument::Text("reject-publish".to_owned())),
    ];
    broker.declare(&topology).await.unwrap();
    let outcomes = join_all((0..50).map(|n| broker.publish(parked(), message(&n.to_string())))).await;
    let taken = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let refused =
        outcomes.iter().filter(|outcome| matches!(outcome, Err(BrokerError::Refused { .. }))).count();
    assert_eq!(taken + refused, 50, "{outcomes:?}");
    eventually("every confirmed message", async || broker.depth(PARKED).await.unwrap() == taken as u64).await;
    assert_eq!(broker.stats().nacked, refused as u64);
    // On a fresh channel.
    publish(&broker, classified(), message("fits")).await;
    assert_eq!(broker.depth(&nlp()).await.unwrap(), 1);
}

#[tokio::test]
async fn headers_and_properties_of_a_foreign_client_are_read() {
    let (_, url) = vhost();
    let broker = broker(&url).await;
    let channel = foreigner(&url).await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let headers = FieldTable::from(BTreeMap::from([
        // As pika sends them: int, short text, bool; and the two we cannot use.
        ("attempt".into(), AMQPValue::LongInt(3)),
        ("hops".into(), AMQPValue::LongLongInt(4)),
        ("team".into(), AMQPValue::LongString("team-pv".into())),
        ("urgent".into(), AMQPValue::Boolean(true)),
        ("nothing".into(), AMQPValue::Void),
        ("nested".into(), AMQPValue::FieldTable(FieldTable::default())),
    ]));
    let properties = BasicProperties::default().with_headers(headers).with_message_id("m-1".into());
    let route = classified();
    channel
        .basic_publish(
            route.exchange.into(),
            route.key.as_str().into(),
            BasicPublishOptions::default(),
            b"x",
            properties,
        )
        .await
        .unwrap()
        .await
        .unwrap();
    let mut consumer = broker.consume(&nlp(), 1).await.unwrap();
    let delivery = next(&mut consumer).await;
    let headers: Vec<_> =
        delivery.envelope().headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(headers, [("attempt", "3"), ("hops", "4"), ("team", "team-pv"), ("urgent", "true")]);
    assert_eq!(delivery.envelope().message_id.as_deref(), Some("m-1"));
    assert_eq!(delivery.envelope().type_name, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_publishes_get_each_its_own_verdict() {
    let (_, url) = vhost();
    let broker = broker(&url).await;
    let nowhere = Route { exchange: "clinflow.events", key: "nobody.listens".to_owned() };
    let publishes = (0..5_000).map(|n| {
        let route = if n % 37 == 5 { nowhere.clone() } else { parked() };
        let broker = &broker;
        async move { (n, broker.publish(route, message("x")).await) }
    });
    for (n, outcome) in join_all(publishes).await {
        match outcome {
            Err(BrokerError::Unroutable { .. }) => assert_eq!(n % 37, 5, "publish {n} was routable"),
            Ok(_) => assert_ne!(n % 37, 5, "publish {n} was unroutable"),
            Err(error) => panic!("publish {n}: {error:?}"),
        }
    }
    assert_eq!(broker.stats().returned, 135);
    assert_eq!(broker.depth(PARKED).await.unwrap(), 4_865);
}

#[tokio::test]
async fn a_property_amqp_cannot_carry_is_an_error_and_harms_nothing() {
    let (_, url) = vhost();
    let broker = broker(&url).await;
    let mut long = message("x");
    long.message_id = Some("x".repeat(300));
    assert!(broker.publish(parked(), long).await.is_err());
    publish(&broker, parked(), message("fine")).await;
    assert_eq!(broker.stats().reconnects, 0);
}

#[tokio::test]
async fn a_delivery_dropped_unsettled_goes_back() {
    let (_, url) = vhost();
    let broker = broker(&url).await;
    publish(&broker, classified(), message("dropped")).await;
    let mut consumer = broker.consume(&nlp(), 1).await.unwrap();
    drop(next(&mut consumer).await);
    assert!(next(&mut consumer).await.redelivered());
}

#[tokio::test]
async fn a_consumer_ends_with_its_broker() {
    let (_, url) = vhost();
    let broker = broker(&url).await;
    let mut consumer = broker.consume(&nlp(), 1).await.unwrap();
    broker.close().await;
    assert!(timeout(PATIENCE, consumer.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_consumer_that_is_silent_beside_ready_messages_is_registered_again() {
    let (_, url) = vhost();
    let broker =
        Amqp::connect(Config { watchdog: Duration::from_millis(300), ..config(&url) }).await.unwrap();
    // Nothing reaches the second consumer of a queue with a single active one: as silent as a dead channel.
    let channel = foreigner(&url).await;
    let arguments = FieldTable::from(BTreeMap::from([
        ("x-queue-type".into(), AMQPValue::LongString("quorum".into())),
        ("x-single-active-consumer".into(), AMQPValue::Boolean(true)),
    ]));
    channel.queue_declare("single".into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
    let active = broker.consume("single", 1).await.unwrap();
    let mut silent = broker.consume("single", 1).await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    for body in ["one", "two"] {
        let publish = channel.basic_publish(
            "".into(),
            "single".into(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            BasicProperties::default(),
        );
        publish.await.unwrap().await.unwrap();
    }
    // "one" is with the active consumer, "two" is ready, and the silent one gets nothing.
    let silence = async {
        tokio::select! {
            delivery = silent.next() => panic!("{:?}", delivery.unwrap().envelope()),
            () = eventually("a rebuild", async || broker.stats().watchdog_rebuilds > 0) => {}
        }
    };
    silence.await;
    // It is still alive, and what the dropped consumer held comes too.
    drop(active);
    let mut bodies = Vec::new();
    for _ in 0..2 {
        let delivery = next(&mut silent).await;
        bodies.push(delivery.envelope().body.clone());
        ack(&broker, delivery).await;
    }
    bodies.sort_unstable();
    assert_eq!(bodies, ["one", "two"]);
}
