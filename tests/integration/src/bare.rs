//! The bare pipeline: the shape of clinflow's flow on quorum queues, hand-rolled on lapin, with confirms before acks
//! and nothing else. It is the ceiling of the transport, to which the bench relates clinflow's figures.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clinflow_testkit::{
    process::{self, Owned},
    rabbitmq::RabbitMq,
};
use futures_util::{StreamExt as _, TryStreamExt as _};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::task::JoinSet;

/// From which queue each stage takes, and to which it publishes. Two branches leave stage 0 and meet in stage 3, which
/// passes on every second message.
const STAGES: [(usize, &[usize]); 7] =
    [(0, &[1, 2]), (1, &[3]), (2, &[3]), (3, &[4]), (4, &[5]), (5, &[6]), (6, &[7])];

/// The queue of the finished documents.
const LAST: usize = 7;

/// The bodies are as large as clinflow's median message.
const BODY: [u8; 1024] = [b'x'; 1024];

/// What the bare pipeline came to.
pub struct Bare {
    /// Documents a second at saturation.
    pub per_second: f64,
    /// End to end at a light load, in milliseconds, sorted.
    pub latencies: Vec<f64>,
}

fn queue(stage: usize) -> String {
    format!("bare.{stage}")
}

/// Runs it with seven processes.
pub async fn run(rabbitmq: &RabbitMq, saturated: usize, light: usize, rate: u64) -> anyhow::Result<Bare> {
    let url = rabbitmq.url();
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for stage in 0..=LAST {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue(stage).into(), options, arguments).await?;
    }
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let mut stages = Vec::new();
    for (stage, _) in STAGES {
        let mut command = process::bound(std::env::current_exe()?);
        command.args(["bare-stage", &url, &stage.to_string()]);
        stages.push(Owned::start_bound(command)?);
    }
    let reader = Connection::connect(&url, ConnectionProperties::default()).await?.create_channel().await?;
    let mut finished = consume(&reader, LAST, 256).await?;
    // A few to warm up.
    for n in 0..50 {
        publish(&channel, 0, &format!("warm-{n}")).await?;
        let _ = next(&mut finished).await?;
    }
    let began = Instant::now();
    let sending = futures_util::stream::iter(0..saturated)
        .map(|n| {
            let channel = &channel;
            async move { publish(channel, 0, &format!("saturated-{n}")).await }
        })
        .buffer_unordered(256)
        .try_collect::<Vec<()>>();
    let hearing = async {
        for _ in 0..saturated {
            next(&mut finished).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(sending, hearing)?;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let per_second = saturated as f64 / began.elapsed().as_secs_f64();
    let mut sent = HashMap::new();
    let mut latencies = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_millis(1_000 / rate));
    while latencies.len() < light {
        tokio::select! {
            _ = pace.tick(), if sent.len() + latencies.len() < light => {
                let id = format!("light-{}", sent.len() + latencies.len());
                sent.insert(id.clone(), Instant::now());
                publish(&channel, 0, &id).await?;
            }
            id = next(&mut finished) => {
                if let Some(at) = sent.remove(&id?) {
                    latencies.push(at.elapsed().as_secs_f64() * 1_000.0);
                }
            }
        }
    }
    latencies.sort_by(f64::total_cmp);
    Ok(Bare { per_second, latencies })
}

/// One stage's process: takes, publishes with confirms, acks.
pub async fn stage(url: &str, stage: usize) -> anyhow::Result<()> {
    let (from, to) = STAGES.get(stage).copied().context("there are seven stages")?;
    let publisher = Connection::connect(url, ConnectionProperties::default()).await?.create_channel().await?;
    publisher.confirm_select(ConfirmSelectOptions::default()).await?;
    let reader = Connection::connect(url, ConnectionProperties::default()).await?.create_channel().await?;
    let mut consumer = consume(&reader, from, 64).await?;
    let mut joined: HashMap<String, u32> = HashMap::new();
    let mut in_hand = JoinSet::new();
    while let Some(delivery) = consumer.next().await {
        let delivery = delivery?;
        let id = delivery.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default();
        let mut outputs = to;
        if from == 3 {
            let arrived = joined.entry(id.clone()).or_default();
            *arrived += 1;
            if *arrived < 2 {
                outputs = &[];
            } else {
                joined.remove(&id);
            }
        }
        let publisher = publisher.clone();
        in_hand.spawn(async move {
            for output in outputs {
                publish(&publisher, *output, &id).await?;
            }
            delivery.acker.ack(BasicAckOptions::default()).await?;
            anyhow::Ok(())
        });
        while let Some(done) = in_hand.try_join_next() {
            done??;
        }
    }
    Ok(())
}

async fn consume(channel: &Channel, stage: usize, prefetch: u16) -> anyhow::Result<lapin::Consumer> {
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    let consumer = channel.basic_consume(
        queue(stage).into(),
        format!("bare-{stage}").into(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    Ok(consumer.await?)
}

/// The id of the next finished document.
async fn next(consumer: &mut lapin::Consumer) -> anyhow::Result<String> {
    let delivery = consumer.next().await.context("the consumer ended")??;
    delivery.acker.ack(BasicAckOptions::default()).await?;
    Ok(delivery.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default())
}

/// Publishes persistently and waits for the confirm.
async fn publish(channel: &Channel, stage: usize, id: &str) -> anyhow::Result<()> {
    let properties = BasicProperties::default().with_delivery_mode(2).with_message_id(id.into());
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let confirm = channel.basic_publish("".into(), queue(stage).into(), options, &BODY, properties).await?;
    let confirmation = confirm.await?;
    anyhow::ensure!(confirmation.is_ack(), "the broker refused a publish");
    Ok(())
}
