//! What happens to the whole node, one disaster after the other, under load.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

mod common;

use std::{collections::BTreeSet, time::Duration};

use clinflow_amqp::Amqp;
use clinflow_ports::{Broker, BrokerError, Health, topology::PARKED};
use clinflow_testkit::rabbitmq::RabbitMq;
use common::{PATIENCE, ack, broker, classified, eventually, message, next, nlp, parked, publish, vhost};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::{Mutex, MutexGuard},
    task::block_in_place,
    time::{Instant, timeout},
};

/// The node, for one test at a time.
async fn alone() -> (MutexGuard<'static, ()>, &'static RabbitMq) {
    static ONE: Mutex<()> = Mutex::const_new(());
    (ONE.lock().await, RabbitMq::shared())
}

/// The bodies of everything in a queue.
async fn everything(broker: &Amqp, queue: &str) -> BTreeSet<String> {
    let mut bodies = BTreeSet::new();
    while let Some(delivery) = broker.take(queue).await.unwrap() {
        bodies.insert(String::from_utf8(delivery.envelope().body.to_vec()).unwrap());
        ack(broker, delivery).await;
    }
    bodies
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_confirmed_before_a_kill_is_there_after_it() {
    let (_one, node) = alone().await;
    let (_, url) = vhost();
    let broker = broker(&url).await;
    block_in_place(|| node.sync()).unwrap();
    let (mut confirmed, mut in_doubt, mut n) = (BTreeSet::new(), BTreeSet::new(), 0);
    for _ in 0..2 {
        let mut flying = FuturesUnordered::new();
        let killed_at = confirmed.len() + 2_000;
        let mut killed = false;
        loop {
            while !killed && flying.len() < 256 {
                let (body, broker) = (n.to_string(), &broker);
                flying.push(async move { (body.clone(), broker.publish(parked(), message(&body)).await) });
                n += 1;
            }
            match flying.next().await {
                Some((body, Ok(_))) => drop(confirmed.insert(body)),
                Some((body, Err(BrokerError::Unavailable(_)))) => drop(in_doubt.insert(body)),
                Some((body, Err(error))) => panic!("{body}: {error:?}"),
                None => break,
            }
            if !killed && confirmed.len() >= killed_at {
                block_in_place(|| node.kill());
                killed = true;
            }
        }
        block_in_place(|| node.restart()).unwrap();
        publish(&broker, parked(), message(&n.to_string())).await;
        n += 1;
        // Both connections are back before the next kill, so that each kill is counted for each.
        broker.health().wait_for(|health| *health == Health::Up).await.unwrap();
    }
    let found = everything(&broker, PARKED).await;
    let lost: Vec<_> = confirmed.difference(&found).collect();
    println!("{} confirmed, {} in doubt, {} lost", confirmed.len(), in_doubt.len(), lost.len());
    assert!(lost.is_empty(), "confirmed and lost: {lost:?}");
    assert!(!in_doubt.is_empty(), "the kill came too late to prove anything");
    assert_eq!(broker.stats().reconnects, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_outlives_a_kill_and_gets_what_was_confirmed() {
    let (_one, node) = alone().await;
    let (_, url) = vhost();
    let broker = broker(&url).await;
    let mut consumer = broker.consume(&nlp(), 4).await.unwrap();
    for n in 0..10 {
        publish(&broker, classified(), message(&n.to_string())).await;
    }
    let held = next(&mut consumer).await;
    block_in_place(|| node.sync()).unwrap();
    block_in_place(|| node.kill());
    broker.health().wait_for(|health| *health == Health::Down).await.unwrap();
    ack(&broker, held).await;
    assert_eq!(broker.stats().stale_acks, 1);
    block_in_place(|| node.restart()).unwrap();
    let mut seen = BTreeSet::new();
    while seen.len() < 10 {
        let delivery = next(&mut consumer).await;
        seen.insert(delivery.envelope().body.clone());
        ack(&broker, delivery).await;
    }
    broker.health().wait_for(|health| *health == Health::Up).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn total_loss_of_the_brokers_data_is_survived_by_declaring_again() {
    let (_one, node) = alone().await;
    let (name, url) = vhost();
    let broker = broker(&url).await;
    let mut consumer = broker.consume(&nlp(), 4).await.unwrap();
    publish(&broker, classified(), message("gone")).await;
    ack(&broker, next(&mut consumer).await).await;
    block_in_place(|| -> anyhow::Result<()> {
        node.wipe()?;
        node.restart()?;
        node.vhost(&name)?;
        Ok(())
    })
    .unwrap();
    let (delivery, ()) =
        tokio::join!(next(&mut consumer), publish(&broker, classified(), message("after the loss")));
    assert_eq!(delivery.envelope().body, "after the loss");
    ack(&broker, delivery).await;
    assert_eq!(broker.depth(PARKED).await.unwrap(), 0);
    assert!(broker.stats().redeclared > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_alarm_refuses_publishes_while_acks_go_on_and_then_it_is_over() {
    let (_one, node) = alone().await;
    let (_, url) = vhost();
    let broker = broker(&url).await;
    for n in 0..50 {
        publish(&broker, classified(), message(&n.to_string())).await;
    }
    let mut consumer = broker.consume(&nlp(), 1).await.unwrap();
    block_in_place(|| node.ctl(&["set_vm_memory_high_watermark", "0"])).unwrap();
    // RabbitMQ tells a connection about the alarm when it publishes.
    eventually("a refusal", async || {
        matches!(broker.publish(parked(), message("probe")).await, Err(BrokerError::Refused { .. }))
    })
    .await;
    assert_eq!(*broker.health().borrow(), Health::Blocked);
    let begun = Instant::now();
    let refused = broker.publish(parked(), message("refused")).await;
    assert!(matches!(refused, Err(BrokerError::Refused { .. })), "{refused:?}");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    for _ in 0..50 {
        ack(&broker, next(&mut consumer).await).await;
    }
    assert_eq!(broker.depth(&nlp()).await.unwrap(), 0);
    assert_eq!(broker.stats().stale_acks, 0);
    block_in_place(|| node.ctl(&["set_vm_memory_high_watermark", "absolute", "512MiB"])).unwrap();
    let mut health = broker.health();
    timeout(PATIENCE, health.wait_for(|health| *health == Health::Up)).await.unwrap().unwrap();
    publish(&broker, classified(), message("after")).await;
    assert_eq!(next(&mut consumer).await.envelope().body, "after");
    assert_eq!(broker.stats().reconnects, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_whose_channel_the_broker_ends_comes_back() {
    let (_one, node) = alone().await;
    let (_, url) = vhost();
    let broker = broker(&url).await;
    // Both are read when a channel opens or ticks, so they are set before the consumer is made.
    let set = |timeout: &str, tick: &str| {
        let command = format!(
            "application:set_env(rabbit, consumer_timeout, {timeout}), \
             application:set_env(rabbit, channel_tick_interval, {tick})."
        );
        block_in_place(|| node.ctl(&["eval", &command])).unwrap();
    };
    set("1000", "200");
    let mut consumer = broker.consume(&nlp(), 1).await.unwrap();
    publish(&broker, classified(), message("held too long")).await;
    let held = next(&mut consumer).await;
    // The broker ends the channel because the ack does not come, and the message comes again.
    let again = next(&mut consumer).await;
    set("1800000", "60000");
    assert!(again.redelivered());
    assert_eq!(again.envelope().body, "held too long");
    ack(&broker, held).await;
    assert_eq!(broker.stats().stale_acks, 1);
    eventually("an ack on a live channel", async || {
        // The second channel may have been made before the timeout was long again.
        let settled = broker.depth(&nlp()).await.unwrap() == 0;
        settled && broker.stats().resubscribes > 0
    })
    .await;
    ack(&broker, again).await;
    assert_eq!(broker.stats().reconnects, 0, "only the channel was lost");
}
