//! Messages a second through one quorum queue: published and confirmed, consumed and acked.
//!
//! `cargo run --release -p clinflow-amqp --example throughput [URL]` starts a private RabbitMQ unless it is given the URL
//! of one; it declares the standard topology there and uses the queue of parked messages.
#![expect(clippy::print_stdout, reason = "an example that prints its figures")]

use std::{
    process::id,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use anyhow::Context as _;
use bytes::Bytes;
use clinflow_amqp::{Amqp, Config};
use clinflow_ports::{
    Broker, Envelope, Route, Settled,
    topology::{PARKED, Topology},
};
use clinflow_testkit::rabbitmq::RabbitMq;
use futures_util::{StreamExt as _, stream};

/// A message of the size the reference figures were measured with.
const BODY: Bytes = Bytes::from_static(&[b'x'; 4096]);

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let (_node, url) = if let Some(url) = std::env::args().nth(1) {
        (None, url)
    } else {
        let node = RabbitMq::start(dir.path())?;
        let url = node.url();
        (Some(node), url)
    };
    let broker = Amqp::connect(Config { url, ..Config::default() }).await?;
    broker.declare(&Topology::standard()).await?;
    for (count, in_flight) in [(20_000, 256), (20_000, 256), (2_000, 1)] {
        publish_only(&broker, count, in_flight).await?;
        drain(&broker, count, 256).await?;
        through(&broker, count, in_flight).await?;
    }
    println!("{:?}", broker.stats());
    broker.close().await;
    Ok(())
}

async fn publish_only(broker: &Amqp, count: u64, in_flight: usize) -> anyhow::Result<()> {
    let measure = Measure::begin();
    publish(broker, count, in_flight).await?;
    measure.end(&format!("publish and confirm, {in_flight} in flight"), count)
}

async fn drain(broker: &Amqp, count: u64, prefetch: u16) -> anyhow::Result<()> {
    let measure = Measure::begin();
    consume(broker, count, prefetch).await?;
    measure.end(&format!("consume and ack, prefetch {prefetch}"), count)
}

async fn through(broker: &Amqp, count: u64, in_flight: usize) -> anyhow::Result<()> {
    let measure = Measure::begin();
    tokio::try_join!(publish(broker, count, in_flight), consume(broker, count, 256))?;
    measure.end(&format!("publish, confirm, consume and ack, {in_flight} in flight"), count)
}

async fn publish(broker: &Amqp, count: u64, in_flight: usize) -> anyhow::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut publishes = stream::iter(0..count)
        .map(|_| {
            let message_id = format!("{}-{}", id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let headers = ["workflow", "lane", "attempt"].map(|name| (name.to_owned(), "x".to_owned()));
            let message = Envelope {
                message_id: Some(message_id),
                headers: headers.into(),
                body: BODY,
                ..Envelope::default()
            };
            broker.publish(Route::parked("clinflow.nlp.batch"), message)
        })
        .buffer_unordered(in_flight);
    while let Some(published) = publishes.next().await {
        let _ = published?;
    }
    Ok(())
}

/// Acks as a runtime does: many at the same time.
async fn consume(broker: &Amqp, count: u64, prefetch: u16) -> anyhow::Result<()> {
    let mut consumer = broker.consume(PARKED, prefetch).await?;
    {
        let deliveries =
            stream::unfold(&mut consumer, async |consumer| Some((consumer.next().await?, consumer)));
        let acks = deliveries.take(usize::try_from(count)?).map(async |delivery| {
            let proof = Settled::publishing(broker, Vec::new()).await?;
            delivery.ack(proof).await
        });
        let mut acks = std::pin::pin!(acks.buffer_unordered(usize::from(prefetch)));
        while let Some(acked) = acks.next().await {
            acked?;
        }
    }
    consumer.cancel().await;
    Ok(())
}

/// Wall time and processor time of this process.
struct Measure {
    begun: Instant,
    ticks: u64,
}

impl Measure {
    fn begin() -> Self {
        Self { begun: Instant::now(), ticks: ticks().unwrap_or_default() }
    }

    fn end(self, what: &str, count: u64) -> anyhow::Result<()> {
        let rate = u128::from(count) * 1_000_000 / self.begun.elapsed().as_micros().max(1);
        // A tick is 10 ms.
        let processor = (ticks()? - self.ticks) * 10_000 / count;
        println!("{rate:>6}/s  {processor:>4} us of our processor time a message  {what}");
        Ok(())
    }
}

/// User and system time of this process, in ticks.
fn ticks() -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("no name in `/proc/self/stat`")?;
    // From the third field on: user time is the 14th, system time the 15th.
    let fields: Vec<_> = fields.split_whitespace().collect();
    Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
}
