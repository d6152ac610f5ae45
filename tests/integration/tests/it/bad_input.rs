//! Bad input gets a clear error and loses nothing.

use std::{collections::BTreeSet, path::Path};

use bytes::Bytes;
use clinflow_core::{Lane, Status, WorkflowId};
use clinflow_integration::{
    documents::{self, Document},
    fleet::{Fleet, PATIENCE, Settings},
    outcome::{self, judge},
};
use clinflow_ports::{Broker as _, Envelope, Event, Executions as _, Route, topology::DEAD};

use crate::pipeline::{by_amqp, by_http, execution_of};

fn broken(name: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/broken").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_document_is_refused_or_fails_with_its_code_and_the_good_ones_go_on() -> anyhow::Result<()>
{
    let fleet = Fleet::start(Settings { redrive_after: "600s", ..Settings::default() }).await?;
    let http = fleet.http();

    // Refused at the door, before anything is stored.
    let two_hundred_megabytes = Bytes::from(vec![b' '; 200 << 20]);
    for (body, media_type, query, status, code) in [
        (broken("empty.txt"), "text/plain", "", 400, "submit.empty"),
        (two_hundred_megabytes, "text/plain", "", 413, "submit.too-large"),
        (broken("not-a-pdf.pdf"), "application/pdf", "", 415, "submit.media-type-mismatch"),
        (
            broken("shopping-list.txt"),
            "text/plain",
            "?workflow=no-such-workflow",
            400,
            "submit.unknown-workflow",
        ),
    ] {
        match http.submit(query, media_type, body).await {
            Ok((found, problem)) => {
                assert_eq!((found.as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem}");
            }
            // A gateway that refuses 200 MB by its length may close the connection before it has read them.
            Err(error) => assert_eq!(code, "submit.too-large", "{error:#}"),
        }
    }
    assert_eq!(fleet.executions.list(None, 10, None).await?.executions.len(), 0);

    // Accepted, and found wanting when it is read.
    for (name, media_type, workflow, status, code) in [
        ("encrypted.pdf", "application/pdf", "", Status::Failed, "ingest.encrypted"),
        ("invalid-utf8.txt", "text/plain", "", Status::Failed, "ingest.invalid-utf8"),
        ("shopping-list.txt", "text/plain", "", Status::NeedsReview, "classify.no-workflow"),
    ] {
        let document = Document {
            name: name.to_owned(),
            bytes: broken(name),
            media_type,
            workflow: workflow.to_owned(),
        };
        let id = by_http(&fleet, &document).await?;
        outcome::wait_for_end(&fleet, &BTreeSet::from([id])).await?;
        let execution = fleet.executions.get(id).await?.unwrap();
        let found = execution.disposition.and_then(|end| end.code);
        assert_eq!((execution.status, found.as_deref()), (status, Some(code)), "{name}");
    }

    // Published by an upstream system, without the gateway's eyes.
    let amqp = fleet.amqp().await?;
    for (name, media_type, workflow, code) in [
        ("empty.txt", "text/plain", "ae-report", "ingest.empty"),
        ("not-a-pdf.pdf", "application/pdf", "ae-report", "ingest.not-pdf"),
        ("shopping-list.txt", "text/plain", "no-such-workflow", "workflow.unknown"),
    ] {
        let document = Document {
            name: name.to_owned(),
            bytes: broken(name),
            media_type,
            workflow: workflow.to_owned(),
        };
        by_amqp(&fleet.objects, &amqp, &document).await?;
        let id = execution_of(&fleet, &document).await?;
        outcome::wait_for_end(&fleet, &BTreeSet::from([id])).await?;
        let execution = fleet.executions.get(id).await?.unwrap();
        let found = execution.disposition.and_then(|end| end.code);
        assert_eq!((execution.status, found.as_deref()), (Status::Failed, Some(code)), "{name}");
    }

    // A body that is no protobuf, in front of a good document on the same queue.
    let route = Route::event(Event::DocumentSubmitted, &WorkflowId::new("ae-report")?, Lane::Batch);
    let garbage = Envelope { body: Bytes::from_static(b"\xff\xfe\xfd not protobuf"), ..Envelope::default() };
    let _ = amqp.publish(route, garbage).await?;
    let good = &documents::distinct("after-garbage", 1)?[0];
    by_amqp(&fleet.objects, &amqp, good).await?;
    let verdict = judge(&fleet, &BTreeSet::from([execution_of(&fleet, good).await?])).await?;
    assert_eq!((verdict.lost, verdict.broken), (0, 0), "{verdict:?}");
    let began = std::time::Instant::now();
    let dead = loop {
        if let Some(dead) = amqp.take(DEAD).await? {
            if dead.envelope().headers.get("failure-code").is_some_and(|code| code == "message.undecodable") {
                break dead;
            }
            dead.ack(clinflow_ports::Settled::publishing(&amqp, Vec::new()).await?).await?;
        }
        assert!(began.elapsed() < PATIENCE, "the dead letter has not come");
    };
    assert_eq!(dead.envelope().body, &b"\xff\xfe\xfd not protobuf"[..], "nothing of it is lost");
    Ok(())
}
