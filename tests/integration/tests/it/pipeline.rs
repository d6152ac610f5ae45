//! Eight processes, documents by AMQP, by gRPC and by HTTP, and each of them ends once.

use std::{collections::BTreeSet, process::Command, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use clinflow_core::{DocumentHash, ExecutionId, Lane, WorkflowId};
use clinflow_integration::{
    documents::{self, Document},
    fleet::{Fleet, Settings},
    outcome::{self, judge},
};
use clinflow_ports::{Bundles as _, Envelope, Event, Executions as _, Objects, Route, objects::key};
use clinflow_proto::v1;
use prost::Message as _;

/// Submits by HTTP, and again while the gateway is away or busy.
pub(crate) async fn by_http(fleet: &Fleet, document: &Document) -> anyhow::Result<ExecutionId> {
    let http = fleet.http();
    let began = std::time::Instant::now();
    loop {
        let answer = http.submit("", document.media_type, document.bytes.clone()).await;
        if let Ok((status, execution)) = &answer
            && status.is_success()
        {
            return Ok(execution["execution_id"].as_str().context("an execution has an id")?.parse()?);
        }
        ensure!(began.elapsed() < clinflow_integration::fleet::PATIENCE, "{}: {answer:?}", document.name);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Submits by gRPC, and again while the gateway is away or busy.
pub(crate) async fn by_grpc(fleet: &Fleet, document: &Document) -> anyhow::Result<ExecutionId> {
    let began = std::time::Instant::now();
    loop {
        let request = v1::SubmitRequest {
            content: document.bytes.clone(),
            media_type: document.media_type.to_owned(),
            workflow_id: document.workflow.clone(),
            ..v1::SubmitRequest::default()
        };
        let answer = match fleet.grpc().await {
            Ok(mut client) => client.submit(request).await.map_err(anyhow::Error::from),
            Err(error) => Err(error),
        };
        if let Ok(response) = &answer {
            let execution = response.get_ref().execution.as_ref().context("an answer has an execution")?;
            return Ok(execution.execution_id.parse()?);
        }
        ensure!(began.elapsed() < clinflow_integration::fleet::PATIENCE, "{}: {answer:?}", document.name);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Publishes as an upstream system does: the document into the object store, the event onto the exchange.
pub(crate) async fn by_amqp(
    objects: &Arc<dyn Objects>,
    broker: &dyn clinflow_ports::Broker,
    document: &Document,
) -> anyhow::Result<()> {
    let hash = DocumentHash::of(&document.bytes);
    let key = key::document(&hash);
    objects.put(&key, document.bytes.clone()).await?;
    let reference = v1::DocumentRef {
        sha256: bytes::Bytes::copy_from_slice(hash.as_bytes()),
        key,
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
    let workflow = WorkflowId::new(document.workflow.clone())?;
    let envelope = Envelope {
        message_id: Some(format!("upstream-{}", hash.prefix())),
        type_name: Some(Event::DocumentSubmitted.type_name().to_owned()),
        body: submitted.encode_to_vec().into(),
        ..Envelope::default()
    };
    let began = std::time::Instant::now();
    loop {
        let route = Route::event(Event::DocumentSubmitted, &workflow, Lane::Batch);
        match broker.publish(route, envelope.clone()).await {
            Ok(_confirmed) => return Ok(()),
            Err(error) => ensure!(began.elapsed() < clinflow_integration::fleet::PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The execution that a document published under its workflow gets.
pub(crate) async fn execution_of(fleet: &Fleet, document: &Document) -> anyhow::Result<ExecutionId> {
    let database = clinflow_dynamodb::Database::connect(&fleet.dynamodb.config("clinflow")).await?;
    let bundle =
        clinflow_dynamodb::DynamoBundles::new(database).current().await?.context("a bundle is published")?;
    let workflow = WorkflowId::new(document.workflow.clone())?;
    Ok(ExecutionId::derive(&workflow, &DocumentHash::of(&document.bytes), &bundle, 0))
}

/// Submits a third of the documents each way.
pub(crate) async fn submit_all(
    fleet: &Fleet,
    documents: &[Document],
) -> anyhow::Result<BTreeSet<ExecutionId>> {
    let amqp = fleet.amqp().await?;
    let submissions = documents.iter().enumerate().map(|(n, document)| {
        let amqp = &amqp;
        async move {
            match n % 3 {
                0 => by_http(fleet, document).await,
                1 => by_grpc(fleet, document).await,
                _ => {
                    by_amqp(&fleet.objects, amqp, document).await?;
                    execution_of(fleet, document).await
                }
            }
        }
    });
    use futures_util::{StreamExt as _, TryStreamExt as _, stream};
    stream::iter(submissions.collect::<Vec<_>>()).buffer_unordered(16).try_collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_documents_by_amqp_grpc_and_http_each_end_once() -> anyhow::Result<()> {
    let fleet = Fleet::start(Settings { redrive_after: "600s", ..Settings::default() }).await?;
    let documents = documents::distinct("pipeline", 200)?;
    let accepted = submit_all(&fleet, &documents).await?;
    let verdict = judge(&fleet, &accepted).await?;
    println!("{verdict:?}");
    assert_eq!((verdict.accepted, verdict.lost, verdict.duplicates, verdict.broken), (200, 0, 0, 0));
    let reported = verdict.terminal.get("completed").copied().unwrap_or_default()
        + verdict.terminal.get("needs-review").copied().unwrap_or_default();
    assert_eq!(reported, 200, "{verdict:?}");
    let redriven = redriven(&fleet, &accepted).await?;
    assert_eq!(redriven, 0, "nothing had to be driven again");
    Ok(())
}

/// How many executions were driven again.
async fn redriven(fleet: &Fleet, accepted: &BTreeSet<ExecutionId>) -> anyhow::Result<usize> {
    let mut redriven = 0;
    for id in accepted {
        redriven +=
            usize::from(fleet.executions.get(*id).await?.is_some_and(|execution| execution.redrives > 0));
    }
    Ok(redriven)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_document_twice_each_way_is_one_execution_one_record_one_report() -> anyhow::Result<()> {
    let fleet = Fleet::start(Settings { redrive_after: "600s", ..Settings::default() }).await?;
    let document = &documents::distinct("twice", 1)?[0];
    let first = by_grpc(&fleet, document).await?;
    assert_eq!(by_grpc(&fleet, document).await?, first);
    let query = format!("?workflow={}", document.workflow);
    let (status, again) = fleet.http().submit(&query, document.media_type, document.bytes.clone()).await?;
    assert_eq!((status.as_u16(), again["execution_id"].as_str()), (200, Some(first.to_string().as_str())));
    let amqp = fleet.amqp().await?;
    for _ in 0..2 {
        by_amqp(&fleet.objects, &amqp, document).await?;
    }
    let accepted = BTreeSet::from([first]);
    let verdict = judge(&fleet, &accepted).await?;
    assert_eq!((verdict.lost, verdict.duplicates, verdict.broken), (0, 0, 0), "{verdict:?}");
    // The duplicates by AMQP are behind the first in the same queue, so they are through once nothing is left.
    wait_until_empty(&amqp).await?;
    assert_eq!(fleet.executions.list(None, 10, None).await?.executions.len(), 1);
    let reports = fleet.objects.list("reports").await?;
    assert_eq!(reports.iter().filter(|key| key.ends_with("/record.json")).count(), 1, "{reports:?}");
    let records = clinflow_ports::AuditLog::read(&fleet.log, first).await?;
    assert_eq!(records.len(), 2, "one record and one report: {records:?}");
    Ok(())
}

/// Waits until no queue of a role holds a message.
async fn wait_until_empty(broker: &dyn clinflow_ports::Broker) -> anyhow::Result<()> {
    let began = std::time::Instant::now();
    loop {
        let mut waiting = 0;
        for (role, _) in clinflow_ports::topology::CONSUMES {
            for lane in Lane::ALL {
                waiting += broker.depth(&clinflow_ports::topology::queue_name(role, lane)).await?;
            }
        }
        if waiting == 0 {
            return Ok(());
        }
        ensure!(began.elapsed() < clinflow_integration::fleet::PATIENCE, "{waiting} messages still wait");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_publishers_guide_works_as_it_is_written() -> anyhow::Result<()> {
    let fleet = Fleet::start(Settings { redrive_after: "600s", ..Settings::default() }).await?;
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/python/bin/python");
    ensure!(python.exists(), "run tests/servers.sh first: {} is not there", python.display());
    let document =
        documents::samples()?.into_iter().find(|sample| sample.media_type == "text/plain").unwrap();
    let path = root.join("samples").join(&document.name);
    for _ in 0..2 {
        let output = Command::new(&python)
            .arg(root.join("docs/guide/publish.py"))
            .arg(fleet.rabbitmq.url())
            .arg(fleet.objects_folder())
            .arg(&path)
            .args(["--workflow", &document.workflow, "--lane", "batch"])
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let accepted = BTreeSet::from([execution_of(&fleet, &document).await?]);
    let verdict = judge(&fleet, &accepted).await?;
    assert_eq!((verdict.lost, verdict.duplicates, verdict.broken), (0, 0, 0), "{verdict:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_service_finishes_what_it_holds_and_a_changed_log_filter_takes_effect() -> anyhow::Result<()>
{
    let mut fleet = Fleet::start(Settings { redrive_after: "600s", ..Settings::default() }).await?;
    let role = clinflow_core::Role::Extractor;
    let operators = fleet.operators(role);
    let (status, _) = operators.send(hyper::Method::PUT, "/log", "text/plain", "debug".into()).await?;
    assert!(status.is_success());
    let documents = documents::distinct("drain", 40)?;
    let accepted = submit_all(&fleet, &documents).await?;
    fleet.stop(role)?;
    fleet.spawn(role)?;
    fleet.ready(role).await?;
    let (_, metrics) = fleet.operators(role).get("/metrics").await?;
    assert!(metrics.contains("clinflow_broker_up 1"), "{metrics}");
    outcome::wait_for_end(&fleet, &accepted).await?;
    assert_eq!(redriven(&fleet, &accepted).await?, 0, "a drain loses nothing, so nothing is driven again");
    Ok(())
}
