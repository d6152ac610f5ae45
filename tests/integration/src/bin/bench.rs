//! `make bench`: the eight processes at saturation and at a light load, beside a bare pipeline of the same shape on
//! the same machine in the same run. Figures are ratios first, because machines are noisy.
#![expect(clippy::print_stdout, reason = "the figures are the answer")]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use clinflow_core::{DocumentHash, ExecutionId, Lane, Role, WorkflowId};
use clinflow_integration::{
    bare,
    documents::{self, Document},
    fleet::{Fleet, PATIENCE, Settings},
    outcome::wait_for_end,
    usage,
};
use clinflow_ports::{Broker as _, Bundles as _, Envelope, Event, Route, objects::key};
use clinflow_proto::v1;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use prost::Message as _;

/// Documents of a saturated run.
const SATURATED: usize = 3_000;
/// Documents a second of a light run, and how many.
const LIGHT_RATE: u64 = 20;
const LIGHT: usize = 300;
/// Submissions under way together.
const IN_FLIGHT: usize = 256;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bare-stage", url, stage] => runtime.block_on(bare::stage(url, stage.parse()?)),
        [] => runtime.block_on(bench()),
        _ => anyhow::bail!("usage: bench"),
    }
}

async fn bench() -> anyhow::Result<()> {
    let fleet = Fleet::start(Settings {
        redrive_after: "600s",
        concurrency: 64,
        log: "error",
        ..Settings::default()
    })
    .await?;
    println!("machine: {} processors", std::thread::available_parallelism()?);
    start_and_memory(fleet).await?;

    let fleet = Fleet::start(Settings {
        redrive_after: "600s",
        concurrency: 64,
        log: "error",
        ..Settings::default()
    })
    .await?;
    let texts: Vec<Document> =
        documents::distinct("warm", 400)?.into_iter().filter(|one| one.media_type == "text/plain").collect();
    let _ = saturate(&fleet, &texts).await?;

    let only_text = |document: &Document| document.media_type == "text/plain";
    let texts: Vec<Document> =
        documents::distinct("text", SATURATED * 3)?.into_iter().filter(only_text).take(SATURATED).collect();
    let text = saturate(&fleet, &texts).await?;
    report("text documents", &text);
    let mixed = saturate(&fleet, &documents::distinct("mixed", SATURATED / 2)?).await?;
    report("text and PDF documents", &mixed);

    let light: Vec<Document> =
        documents::distinct("light", LIGHT * 3)?.into_iter().filter(only_text).take(LIGHT).collect();
    let latencies = light_load(&fleet, &light).await?;
    let bare = bare::run(&fleet.rabbitmq, SATURATED, LIGHT, LIGHT_RATE).await?;
    println!("\nbare confirm-then-ack pipeline of the same shape (no store, no work)");
    println!("  {:.0} documents/s at saturation", bare.per_second);
    println!("\nend to end at {LIGHT_RATE} documents/s, milliseconds");
    let (p50, p99) = (percentile(&latencies, 50), percentile(&latencies, 99));
    let (bare_p50, bare_p99) = (percentile(&bare.latencies, 50), percentile(&bare.latencies, 99));
    println!("  clinflow  p50 {p50:.1}  p99 {p99:.1}");
    println!("  bare      p50 {bare_p50:.1}  p99 {bare_p99:.1}");
    println!("\nratios to the bare pipeline");
    println!(
        "  throughput {:.2} (text), {:.2} (text and PDF)",
        text.per_second / bare.per_second,
        mixed.per_second / bare.per_second
    );
    println!("  p50 {:.2}, p99 {:.2}", p50 / bare_p50, p99 / bare_p99);
    Ok(())
}

/// How fast a service is ready after its start, and how much memory it holds idle.
async fn start_and_memory(mut fleet: Fleet) -> anyhow::Result<()> {
    println!("\nservice        ready ms   idle MiB resident");
    for role in Role::ALL {
        fleet.stop(role)?;
        fleet.spawn(role)?;
        let ready = fleet.ready(role).await?;
        let resident = usage::resident(fleet.pid(role).context("it runs")?)?;
        println!("{role:<14} {:>8}   {:>8.1}", ready.as_millis(), to_f64(resident) / 1_048_576.0);
    }
    Ok(())
}

/// What a saturated run came to.
struct Saturated {
    per_second: f64,
    /// CPU milliseconds a document, by process.
    cpu: BTreeMap<String, f64>,
}

fn report(what: &str, run: &Saturated) {
    println!("\n{what}: {:.0} documents/s at saturation", run.per_second);
    let ours: f64 = Role::CONSUMERS.iter().filter_map(|role| run.cpu.get(role.as_str())).sum();
    for (process, milliseconds) in &run.cpu {
        println!("  {process:<14} {milliseconds:>6.2} ms CPU a document");
    }
    println!("  {:<14} {ours:>6.2} ms CPU a document", "our processes");
}

/// Publishes everything at once and waits for the last end.
async fn saturate(fleet: &Fleet, documents: &[Document]) -> anyhow::Result<Saturated> {
    let amqp = fleet.amqp().await?;
    for document in documents {
        fleet.objects.put(&key::document(&DocumentHash::of(&document.bytes)), document.bytes.clone()).await?;
    }
    let mut reports = Reports::listen(fleet).await?;
    let before = usage::of_fleet(fleet)?;
    let began = Instant::now();
    let publish = stream::iter(documents)
        .map(|document| publish(&amqp, document))
        .buffer_unordered(IN_FLIGHT)
        .try_collect::<Vec<()>>();
    let heard = async {
        for _ in 0..documents.len() {
            reports.next().await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(publish, heard)?;
    let took = began.elapsed().as_secs_f64();
    let after = usage::of_fleet(fleet)?;
    let count = to_f64(documents.len() as u64);
    let cpu = after
        .into_iter()
        .map(|(process, time)| {
            let spent = time.saturating_sub(before.get(&process).copied().unwrap_or_default());
            (process, spent.as_secs_f64() * 1_000.0 / count)
        })
        .collect();
    let accepted = executions_of(fleet, documents).await?;
    wait_for_end(fleet, &accepted).await?;
    Ok(Saturated { per_second: count / took, cpu })
}

/// Publishes at a fixed rate and answers each document's time from publish to report, in milliseconds.
async fn light_load(fleet: &Fleet, documents: &[Document]) -> anyhow::Result<Vec<f64>> {
    let amqp = Arc::new(fleet.amqp().await?);
    let ids = executions_in_order(fleet, documents).await?;
    for document in documents {
        fleet.objects.put(&key::document(&DocumentHash::of(&document.bytes)), document.bytes.clone()).await?;
    }
    let mut reports = Reports::listen(fleet).await?;
    let mut sent: HashMap<ExecutionId, Instant> = HashMap::new();
    let mut latencies = Vec::with_capacity(documents.len());
    let mut pace = tokio::time::interval(Duration::from_millis(1_000 / LIGHT_RATE));
    let mut waiting = documents.iter().zip(ids);
    let mut next = waiting.next();
    while latencies.len() < documents.len() {
        tokio::select! {
            _ = pace.tick(), if next.is_some() => {
                if let Some((document, id)) = next.take() {
                    sent.insert(id, Instant::now());
                    publish(&amqp, document).await?;
                    next = waiting.next();
                }
            }
            id = reports.next() => {
                if let Some(at) = sent.remove(&id?) {
                    latencies.push(at.elapsed().as_secs_f64() * 1_000.0);
                }
            }
        }
    }
    latencies.sort_by(f64::total_cmp);
    Ok(latencies)
}

async fn publish(amqp: &clinflow_amqp::Amqp, document: &Document) -> anyhow::Result<()> {
    let hash = DocumentHash::of(&document.bytes);
    let reference = v1::DocumentRef {
        sha256: Bytes::copy_from_slice(hash.as_bytes()),
        key: key::document(&hash),
        media_type: document.media_type.to_owned(),
        size: document.bytes.len() as u64,
    };
    let submitted = v1::DocumentSubmitted {
        execution: Some(v1::ExecutionContext {
            document: Some(reference),
            ..v1::ExecutionContext::default()
        }),
        workflow_id: document.workflow.clone(),
    };
    let envelope = Envelope {
        message_id: Some(format!("bench-{}", hash.prefix())),
        type_name: Some(Event::DocumentSubmitted.type_name().to_owned()),
        body: submitted.encode_to_vec().into(),
        ..Envelope::default()
    };
    let route =
        Route::event(Event::DocumentSubmitted, &WorkflowId::new(document.workflow.clone())?, Lane::Batch);
    let _confirmed = amqp.publish(route, envelope).await?;
    Ok(())
}

async fn executions_in_order(fleet: &Fleet, documents: &[Document]) -> anyhow::Result<Vec<ExecutionId>> {
    let database = clinflow_dynamodb::Database::connect(&fleet.dynamodb.config("clinflow")).await?;
    let bundle =
        clinflow_dynamodb::DynamoBundles::new(database).current().await?.context("a bundle is published")?;
    documents
        .iter()
        .map(|document| {
            let workflow = WorkflowId::new(document.workflow.clone())?;
            Ok(ExecutionId::derive(&workflow, &DocumentHash::of(&document.bytes), &bundle, 0))
        })
        .collect()
}

async fn executions_of(fleet: &Fleet, documents: &[Document]) -> anyhow::Result<BTreeSet<ExecutionId>> {
    Ok(executions_in_order(fleet, documents).await?.into_iter().collect())
}

/// The reports that a downstream system hears of, each once.
struct Reports {
    consumer: lapin::Consumer,
    seen: BTreeSet<ExecutionId>,
    _connection: lapin::Connection,
}

impl Reports {
    async fn listen(fleet: &Fleet) -> anyhow::Result<Self> {
        let connection =
            lapin::Connection::connect(&fleet.rabbitmq.url(), lapin::ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let options =
            QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare("".into(), options, lapin::types::FieldTable::default()).await?;
        let exchange = clinflow_ports::topology::EVENTS;
        channel
            .queue_bind(
                queue.name().clone(),
                exchange.into(),
                "report.completed.#".into(),
                QueueBindOptions::default(),
                lapin::types::FieldTable::default(),
            )
            .await?;
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consumer = channel
            .basic_consume(queue.name().clone(), "bench".into(), options, lapin::types::FieldTable::default())
            .await?;
        Ok(Self { consumer, seen: BTreeSet::new(), _connection: connection })
    }

    /// The next execution that was not heard of before.
    async fn next(&mut self) -> anyhow::Result<ExecutionId> {
        loop {
            let delivery = tokio::time::timeout(PATIENCE, self.consumer.next())
                .await?
                .context("the consumer ended")??;
            let id =
                delivery.properties.correlation_id().as_ref().context("a report has a correlation id")?;
            let id: ExecutionId = id.as_str().parse()?;
            if self.seen.insert(id) {
                return Ok(id);
            }
        }
    }
}

/// The value below which `percent` of the sorted `values` lie.
fn percentile(values: &[f64], percent: usize) -> f64 {
    values
        .get((values.len() * percent / 100).min(values.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
const fn to_f64(value: u64) -> f64 {
    value as f64
}
