//! The published examples say what the programs read: `docs/guide/publish.py`, as far as it goes without a broker.

use std::{path::Path, process::Command};

use clinflow_core::{DocumentHash, Lane};
use clinflow_ports::{Envelope, Event, Meta, Route, objects::key};
use clinflow_proto::v1;
use jiff::Timestamp;
use prost::Message as _;
use serde_json::Value;

use crate::house::NOW;

const DOCUMENT: &[u8] = b"a document";

/// What the script would publish, with these options.
fn dry_run(options: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("report.txt");
    std::fs::write(&document, DOCUMENT).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/publish.py");
    let mut command = Command::new("python3");
    command.arg(script).arg("amqp://broker").arg(folder.path()).arg(document).arg("--dry-run").args(options);
    let output = command.output().expect("the tests need python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The message as the broker would hand it out.
fn envelope(published: &Value) -> Envelope {
    let text = |name: &str| published[name].as_str().map(str::to_owned);
    let body = text("body").unwrap();
    let bytes = (0..body.len()).step_by(2).map(|at| u8::from_str_radix(&body[at..at + 2], 16).unwrap());
    let headers = published["headers"].as_object().unwrap().iter();
    Envelope {
        message_id: text("message_id"),
        correlation_id: None,
        type_name: text("type"),
        content_type: text("content_type"),
        timestamp: published["timestamp"].as_u64(),
        headers: headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
        body: bytes.collect::<Vec<u8>>().into(),
    }
}

#[test]
fn the_script_publishes_what_the_classifier_reads() {
    let options =
        ["--workflow", "ae-report", "--lane", "interactive", "--session", "s-1", "--team", "team-pv"];
    let published = dry_run(&[&options[..], &["--media-type", "text/plain"]].concat());
    let envelope = envelope(&published);
    let meta = Meta::read(&envelope, Lane::Batch, Timestamp::from_second(NOW).unwrap()).unwrap();
    assert_eq!(Event::of_type(&meta.type_name), Some(Event::DocumentSubmitted));
    assert_eq!(envelope.content_type.as_deref(), Some(clinflow_ports::envelope::CONTENT_TYPE));
    assert_eq!((meta.lane, meta.execution), (Lane::Interactive, None));
    assert_eq!(published["message_id"], meta.message_id.to_string(), "the id is a UUID and is kept");
    let route = Route::event(Event::DocumentSubmitted, &meta.workflow, meta.lane);
    assert_eq!(
        (&published["exchange"], &published["routing_key"]),
        (&route.exchange.into(), &route.key.into())
    );

    let hash = DocumentHash::of(DOCUMENT);
    let expected = v1::DocumentSubmitted {
        execution: Some(v1::ExecutionContext {
            document: Some(v1::DocumentRef {
                sha256: hash.as_bytes().to_vec().into(),
                key: key::document(&hash),
                media_type: "text/plain".to_owned(),
                size: DOCUMENT.len() as u64,
            }),
            session_id: "s-1".to_owned(),
            team_id: "team-pv".to_owned(),
            ..v1::ExecutionContext::default()
        }),
        workflow_id: "ae-report".to_owned(),
    };
    assert_eq!(v1::DocumentSubmitted::decode(envelope.body).unwrap(), expected);
}

#[test]
fn the_script_makes_the_same_message_of_the_same_document() {
    let (one, again, other) = (dry_run(&[]), dry_run(&[]), dry_run(&["--workflow", "lab-report"]));
    assert_eq!((&one["message_id"], &one["body"]), (&again["message_id"], &again["body"]));
    assert_ne!(one["message_id"], other["message_id"]);
    assert_eq!(one["routing_key"], "document.submitted.auto.batch");
}
