//! INV-08: whatever happens to a document about a patient, nothing that identifies the patient is found outside the
//! object store, nor in a report.
//!
//! The documents hold every identifier there is. They go through the eight processes at log level debug, with errors at
//! every stage; then every message that was ever published, every command that Redis was ever given, and everything
//! that lies anywhere at the end is searched.

mod documents;

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use clinflow_core::{ExecutionId, Lane, Role, Status, step::ObjectRef};
use clinflow_integration::{
    documents::Document,
    fleet::{Fleet, PATIENCE, Settings},
    sinks::{self, Copied, Leak, Monitor, Search, Sink, Tap},
};
use clinflow_ports::{
    Broker as _, Envelope, Event, Executions as _, Route,
    objects::key,
    topology::{CONSUMES, queue_name},
};
use clinflow_proto::v1;
use clinflow_runtime::wire;
use clinflow_stand_in_bedrock::{Fault, Plan, Server};
use hyper::Method;
use prost::Message as _;
use serde_json::{Value, json};

use crate::pipeline::{by_amqp, by_http, execution_of};

/// The name of a photo that somebody submits.
const PHOTO: &str = "IMG_wquast_face_0317.jpg";

/// How long a server is away: long enough for several attempts.
const OUTAGE: Duration = Duration::from_secs(2);

fn search() -> Search {
    let whole = documents::IDENTIFIERS.iter().map(|(_, identifier)| *identifier);
    Search::new(whole.chain(documents::PIECES)).unwrap()
}

/// A fleet with somebody who listens everywhere.
struct House {
    fleet: Fleet,
    tap: Tap,
    monitors: Vec<Monitor>,
    /// Bodies of messages that somebody else published with identifiers in them.
    foreign: Vec<Vec<u8>>,
    /// Executions of the form with identifiers in its answers.
    answers: BTreeSet<ExecutionId>,
}

impl House {
    async fn open(bedrock: Option<&Server>) -> anyhow::Result<Self> {
        let settings = Settings {
            redrive_after: "5s",
            stage_timeout: "8s",
            log: "debug",
            bedrock: bedrock.map(|server| ("us.anthropic.claude-sonnet-5-5".to_owned(), server.url())),
            ..Settings::default()
        };
        let fleet = Fleet::start(settings).await?;
        let tap = Tap::open(&fleet.rabbitmq).await?;
        let monitors = vec![Monitor::open(&fleet.redis)?];
        Ok(Self { fleet, tap, monitors, foreign: Vec::new(), answers: BTreeSet::new() })
    }

    /// Submits each document three ways under a name that identifies, and waits until no execution moves any more.
    async fn process(&mut self, documents: &[Document]) -> anyhow::Result<BTreeSet<ExecutionId>> {
        let amqp = self.fleet.amqp().await?;
        let mut ids = BTreeSet::new();
        for (number, document) in documents.iter().enumerate() {
            let id = match number % 3 {
                0 => self.by_name(document).await?,
                1 => by_http(&self.fleet, document).await?,
                _ => {
                    by_amqp(&self.fleet.objects, &amqp, document).await?;
                    execution_of(&self.fleet, document).await?
                }
            };
            ids.insert(id);
            if is_hostile(document) {
                self.answers.insert(id);
            }
        }
        self.settle(&ids).await?;
        Ok(ids)
    }

    /// Submits a document under a name that identifies.
    async fn by_name(&self, document: &Document) -> anyhow::Result<ExecutionId> {
        let request = v1::SubmitRequest {
            content: document.bytes.clone(),
            media_type: document.media_type.to_owned(),
            workflow_id: document.workflow.clone(),
            name: PHOTO.to_owned(),
            ..v1::SubmitRequest::default()
        };
        let submitted = self.fleet.grpc().await?.submit(request).await?.into_inner();
        Ok(submitted.execution.context("it was accepted")?.execution_id.parse()?)
    }

    /// Waits until each of them has ended or is parked.
    async fn settle(&self, ids: &BTreeSet<ExecutionId>) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        for id in ids {
            loop {
                let execution = self.fleet.executions.get(*id).await?;
                if execution.as_ref().is_some_and(|execution| execution.status != Status::Running) {
                    break;
                }
                ensure!(Instant::now() < until, "it does not settle: {execution:?}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    async fn post(&self, path: &str, body: impl Into<Bytes>) -> anyhow::Result<(u16, Value)> {
        let answer = self.fleet.http().send(Method::POST, path, "application/json", body.into()).await?;
        Ok((answer.0.as_u16(), serde_json::from_slice(&answer.1).unwrap_or_default()))
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.fleet.http().get(path).await?.1).unwrap_or_default())
    }

    /// Asks what should not be told, in words that should not be repeated.
    async fn ask(&self, id: ExecutionId) -> anyhow::Result<Vec<Value>> {
        let mut answers = Vec::new();
        for question in [
            "What was the outcome?",
            "What happened to Mrs Wilhelmina Quastenberg of 4417 Larkmoor Crescent, Zibbleton?",
            "And who is Balthazar Quastenberg, and is (802) 555-0142 his phone?",
            "Is 536-22-8714 the social security number of the patient with MRN 00-7719-4482?",
            "What dose should Wilhelmina Quastenberg receive?",
        ] {
            let body = json!({"question": question, "session": "canary"}).to_string();
            answers.push(self.post(&format!("/v1/executions/{id}/questions"), body).await?.1);
        }
        Ok(answers)
    }

    /// Settles what waits for a person, with a value that identifies.
    async fn resolve(&self, id: ExecutionId) -> anyhow::Result<usize> {
        let list = self.get(&format!("/v1/reviews?execution={id}")).await?;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        for item in &items {
            let item =
                item["id"].as_str().or_else(|| item["review_id"].as_str()).context("an item has an id")?;
            self.get(&format!("/v1/reviews/{item}")).await?;
            let body = json!({
                "decision": "corrected", "reviewer": "reviewer-7",
                "value": "Wilhelmina Quastenberg, born 17-MAR-1961, SSN 536-22-8714",
            });
            let (status, said) =
                self.post(&format!("/v1/reviews/{item}/resolution"), body.to_string()).await?;
            ensure!(status == 200, "{status}: {said}");
        }
        Ok(items.len())
    }

    /// Requests that nobody should send.
    async fn misuse(&self, id: ExecutionId) -> anyhow::Result<()> {
        let http = self.fleet.http();
        for path in [
            "/v1/executions/Wilhelmina%20Quastenberg",
            "/v1/patients/Quastenberg?phone=802-555-0142",
            "/v1/executions?status=Wilhelmina%20Quastenberg",
            "/v1/reviews/Wilhelmina%20Quastenberg",
        ] {
            let (status, said) = http.get(path).await?;
            ensure!(status.is_client_error() && !said.contains("Quastenberg"), "{path}: {status} {said}");
        }
        for (path, body) in [
            ("/v1/documents?session=Wilhelmina%20Quastenberg".to_owned(), "text".to_owned()),
            ("/v1/documents?patient=Wilhelmina%20Quastenberg".to_owned(), "text".to_owned()),
            (
                format!("/v1/executions/{id}/questions"),
                "{\"patient\": \"Wilhelmina Quastenberg\"}".to_owned(),
            ),
            (format!("/v1/executions/{id}/questions"), "Wilhelmina Quastenberg".to_owned()),
            (
                format!("/v1/executions/{id}/abort"),
                json!({"reason": "Mrs Wilhelmina Quastenberg rang (802) 555-0142"}).to_string(),
            ),
        ] {
            let (status, said) = self.post(&path, body).await?;
            ensure!((400..500).contains(&status), "{path}: {status} {said}");
            ensure!(!said.to_string().contains("Quastenberg"), "{path}: {said}");
        }
        Ok(())
    }

    /// Publishes to every queue of every role what is no message: a document.
    async fn undecodable(&mut self) -> anyhow::Result<()> {
        let amqp = self.fleet.amqp().await?;
        for (role, events) in CONSUMES {
            for event in events {
                let body = [b"\xff\xfe ", documents::form().as_bytes(), event.key().as_bytes()].concat();
                self.foreign.push(body.clone());
                let envelope = Envelope {
                    type_name: Some(event.type_name().to_owned()),
                    body: body.into(),
                    ..Envelope::default()
                };
                let _ = amqp.publish(Route::returned(&queue_name(role, Lane::Batch)), envelope).await?;
            }
        }
        Ok(())
    }

    /// An object that is what its reference says, and not what it should be: its parser has a name to quote.
    async fn poison(&self, id: ExecutionId, words: &str) -> anyhow::Result<ObjectRef> {
        let bytes = Bytes::from(words.to_owned());
        let name = format!("executions/{id}/poison-{}", clinflow_core::DocumentHash::of(&bytes).prefix());
        Ok(self.fleet.objects.put(&name, bytes).await?)
    }

    /// A message of this kind about this execution that went by.
    fn copied<M: prost::Message + Default>(
        &self,
        event: Event,
        id: ExecutionId,
    ) -> anyhow::Result<(Copied, M)> {
        let id = id.to_string();
        let is_about = |copied: &Copied| {
            copied.route.starts_with(&format!("clinflow.events/{}.", event.key()))
                && copied.properties.correlation_id().as_ref().is_some_and(|about| about.as_str() == id)
        };
        let copies = self.tap.copies();
        let copied =
            copies.into_iter().find(is_about).with_context(|| format!("no {} went by", event.key()))?;
        let message = M::decode(copied.body.as_slice())?;
        Ok((copied, message))
    }

    /// Hands each role that reads objects its message once more, about objects that it cannot read.
    async fn unreadable(&self, id: ExecutionId) -> anyhow::Result<()> {
        let amqp = self.fleet.amqp().await?;
        let missing = clinflow_ports::objects::reference(&format!("executions/{id}/gone"), b"gone");
        let mut bad = vec![missing];
        for words in [
            "\"Wilhelmina Quastenberg, (802) 555-0142\"".to_owned(),
            "{\"Wilhelmina Quastenberg\": \"536-22-8714\"}".to_owned(),
            "{\"schema\": \"clinflow.field-set/1\", \"role\": \"Wilhelmina Quastenberg\"}".to_owned(),
            "Wilhelmina Quastenberg".to_owned(),
        ] {
            bad.push(self.poison(id, &words).await?);
        }
        let (classified, to_read) = self.copied::<v1::DocumentClassified>(Event::DocumentClassified, id)?;
        let (merged, to_validate) = self.copied::<v1::FieldsMerged>(Event::FieldsMerged, id)?;
        let (recorded, to_report) = self.copied::<v1::ExtractionRecorded>(Event::ExtractionRecorded, id)?;
        let (asked, to_answer) = self.copied::<v1::QuestionAsked>(Event::QuestionAsked, id)?;
        for object in &bad {
            let object = Some(wire::to_wire(object));
            let mut again = to_read.clone();
            again.text.clone_from(&object);
            for role in [Role::Extractor, Role::Nlp] {
                let envelope = classified.with_body(again.encode_to_vec());
                let _ = amqp.publish(Route::returned(&queue_name(role, Lane::Batch)), envelope).await?;
            }
            let mut again = to_validate.clone();
            for branch in &mut again.branches {
                branch.fields.clone_from(&object);
            }
            let envelope = merged.with_body(again.encode_to_vec());
            let _ = amqp.publish(Route::returned("clinflow.validator.batch"), envelope).await?;
            let mut again = to_report.clone();
            if let Some(validated) = &mut again.validated {
                validated.fields.clone_from(&object);
            }
            let envelope = recorded.with_body(again.encode_to_vec());
            let _ = amqp.publish(Route::returned("clinflow.reporter.batch"), envelope).await?;
            for part in 0..3 {
                let mut again = to_answer.clone();
                let place = [&mut again.question, &mut again.text, &mut again.fields];
                for (number, place) in place.into_iter().enumerate() {
                    if number == part {
                        place.clone_from(&object);
                    }
                }
                let envelope = asked.with_body(again.encode_to_vec());
                let _ = amqp.publish(Route::returned("clinflow.nlp.interactive"), envelope).await?;
            }
        }
        // What was said about the document, unreadable too.
        self.fleet.objects.put(&key::submission(id), "{\"name\": [\"Quastenberg\"]}".into()).await?;
        let _ = amqp
            .publish(Route::returned("clinflow.reporter.batch"), recorded.with_body(recorded.body.clone()))
            .await?;
        Ok(())
    }

    /// Takes each store away while documents are under way.
    async fn outages(&mut self, documents: &[Document]) -> anyhow::Result<()> {
        let mut ids = BTreeSet::new();
        for (number, documents) in documents.chunks(documents.len().div_ceil(3)).enumerate() {
            for document in documents {
                let id = by_http(&self.fleet, document).await?;
                ids.insert(id);
                if is_hostile(document) {
                    self.answers.insert(id);
                }
            }
            let (there, away) =
                (self.fleet.objects_folder(), self.fleet.objects_folder().with_extension("away"));
            match number {
                0 => fs::rename(&there, &away)?,
                1 => self.fleet.dynamodb.stop(),
                _ => self.fleet.redis.kill(),
            }
            tokio::time::sleep(OUTAGE).await;
            match number {
                0 => {
                    // What was written meanwhile went with the outage.
                    let _ = fs::remove_dir_all(&there);
                    fs::rename(&away, &there)?;
                }
                1 => self.fleet.dynamodb.restart()?,
                _ => {
                    self.fleet.redis.restart()?;
                    self.monitors.push(Monitor::open(&self.fleet.redis)?);
                }
            }
        }
        self.settle(&ids).await
    }

    /// Replays what is parked, once each.
    async fn replay(&self) -> anyhow::Result<usize> {
        let parked = self.get("/v1/parked?limit=1000").await?;
        let messages = parked["messages"].as_array().cloned().unwrap_or_default();
        for message in &messages {
            let id = message["message_id"].as_str().context("a parked message has an id")?;
            self.post(&format!("/v1/parked/{id}/replay"), "{}").await?;
        }
        Ok(messages.len())
    }

    /// Everything outside the object store, and the reports.
    async fn sinks(&self) -> anyhow::Result<Vec<Sink>> {
        let fleet = &self.fleet;
        let mut found = self.tap.sinks(&self.foreign);
        found.extend(sinks::queues(&fleet.rabbitmq, &self.foreign).await?);
        found.extend(self.monitors.iter().map(Monitor::sink));
        found.extend(sinks::redis(&fleet.redis)?);
        found.extend(sinks::dynamodb(&fleet.dynamodb).await?);
        found.extend(sinks::logs(fleet));
        found.extend(sinks::metrics(fleet).await?);
        found.extend(sinks::objects(fleet, "reports/")?);
        for path in ["/v1/executions?limit=1000", "/v1/parked?limit=1000", "/v1/reviews?limit=1000"] {
            found.push(Sink::new(format!("answer of {path}"), self.get(path).await?.to_string()));
        }
        Ok(found)
    }
}

/// Whether it is the form with identifiers in its answers.
fn is_hostile(document: &Document) -> bool {
    document.bytes.starts_with(documents::hostile().as_bytes())
}

fn texts(name: &str, count: usize) -> Vec<Document> {
    let texts = [
        ("ae-report", documents::form(), "text/plain"),
        ("ae-report", documents::hostile(), "text/plain"),
        ("patient-narrative", documents::narrative(), "text/plain"),
        ("ae-report", documents::form(), "application/pdf"),
        ("patient-narrative", documents::narrative(), "application/pdf"),
    ];
    let document = |number: usize| {
        let (workflow, text, media_type) = &texts[number % texts.len()];
        let text = format!("{text}\ncopy {number} for {name}\n");
        let bytes = if *media_type == "text/plain" { text.into() } else { documents::pdf(&text).into() };
        Document { name: format!("canary {number}"), bytes, media_type, workflow: (*workflow).to_owned() }
    };
    (0..count).map(document).collect()
}

/// How much of each kind of place was searched; a place of which there is nothing was not searched.
fn assert_everything_was_searched(sinks: &[Sink]) {
    for kind in [
        "message clinflow.events/",
        "message clinflow.delay/",
        "message clinflow.dead/",
        "message clinflow.parked/",
        "queue clinflow.dead:",
        "queue clinflow.parked:",
        "commands to redis",
        "redis ",
        "dynamodb clinflow-audit",
        "dynamodb clinflow-executions",
        "dynamodb clinflow-reviews",
        "dynamodb clinflow-sessions",
        "log of ",
        "metrics of ",
        "reports/",
    ] {
        let of_kind = || sinks.iter().filter(|sink| sink.name.starts_with(kind));
        let bytes: usize = of_kind().map(|sink| sink.content.len()).sum();
        println!("{kind}: {} places, {bytes} bytes", of_kind().count());
        assert!(bytes > 0, "nothing of `{kind}` was searched");
    }
    for role in Role::ALL {
        let log = sinks.iter().find(|sink| sink.name == format!("log of {role}")).unwrap();
        assert!(String::from_utf8_lossy(&log.content).contains("\"DEBUG\""), "{role} does not log at debug");
    }
}

/// What is nobody's secret is found in every kind of place, so a secret would be.
fn assert_executions_are_found(sinks: &[Sink], executions: &BTreeSet<ExecutionId>) {
    let names: Vec<String> = executions.iter().map(ToString::to_string).collect();
    let search = Search::new(names.iter().map(String::as_str)).unwrap();
    for kind in [
        "message clinflow.events/",
        "message clinflow.delay/",
        "queue clinflow.parked:",
        "commands to redis",
        "dynamodb clinflow-audit",
        "dynamodb clinflow-executions",
        "dynamodb clinflow-reviews",
        "log of gateway",
        "log of nlp",
        "reports/",
    ] {
        let mut of_kind = sinks.iter().filter(|sink| sink.name.starts_with(kind));
        assert!(of_kind.any(|sink| !search.leaks(sink).is_empty()), "no execution is found in `{kind}`");
    }
}

/// The identifiers are where they may be: what finds nothing elsewhere finds all of them there.
fn assert_found_in_the_store(house: &House) {
    let search = search();
    for (folder, part) in [("documents/", ""), ("executions/", "text.json")] {
        let stored = sinks::objects(&house.fleet, folder).unwrap();
        let stored: Vec<_> = stored.into_iter().filter(|sink| sink.name.contains(part)).collect();
        let found: BTreeSet<_> = search.all(&stored).into_iter().map(|leak| leak.identifier).collect();
        for (what, identifier) in documents::IDENTIFIERS {
            assert!(found.contains(identifier), "the {what} is not found in {folder}");
        }
    }
}

/// No identifier is anywhere outside the store. In reports about the form with identifiers in its answers (`answers`)
/// none is that the guardrail's policy names; of the others it is said how many there are.
fn assert_no_leak(sinks: &[Sink], answers: &BTreeSet<ExecutionId>) {
    let is_named = |leak: &Leak| documents::OF_THE_POLICY.contains(&leak.identifier.as_str());
    let is_answer = |leak: &Leak| answers.iter().any(|id| leak.sink.starts_with(&format!("reports/{id}/")));
    let (beyond, leaks): (Vec<_>, Vec<_>) =
        search().all(sinks).into_iter().partition(|leak| is_answer(leak) && !is_named(leak));
    let beyond: BTreeSet<_> = beyond.iter().map(|leak| leak.identifier.as_str()).collect();
    println!("{} identifiers in answers are beyond the policy: {beyond:?}", beyond.len());
    let by_place: BTreeSet<_> = leaks.iter().map(|leak| (&leak.sink, &leak.identifier)).collect();
    assert!(leaks.is_empty(), "{} identifiers have left, {by_place:#?}: {leaks:#?}", by_place.len());
}

/// Everything that happens to documents, whoever reads them.
async fn live_through(house: &mut House, name: &str, count: usize) -> anyhow::Result<BTreeSet<ExecutionId>> {
    let ids = house.process(&texts(name, count)).await?;
    println!("{} documents have settled", ids.len());
    let (mut answered, mut resolved) = (0, 0);
    for id in &ids {
        let execution = house.fleet.executions.get(*id).await?.context("it was accepted")?;
        println!("{id} {} {:?}", execution.status, execution.disposition);
        if !execution.status.is_terminal() {
            continue;
        }
        if answered == 0 {
            for answer in house.ask(*id).await? {
                println!("{answer}");
                answered += usize::from(answer["answer"].is_string());
            }
            house.misuse(*id).await?;
            house.unreadable(*id).await?;
        }
        resolved += house.resolve(*id).await?;
    }
    println!("{answered} questions answered, {resolved} review items resolved");
    ensure!(answered > 0 && resolved > 0);
    // Documents that cannot be read at all.
    let mut broken = documents::pdf(&documents::form());
    broken.truncate(broken.len() / 2);
    let invalid = [documents::form().as_bytes(), b"\xff\xfe\xfd"].concat();
    let wrong = [(broken, "application/pdf"), (invalid, "text/plain")].map(|(bytes, media_type)| Document {
        name: "wrong".to_owned(),
        bytes: bytes.into(),
        media_type,
        workflow: "ae-report".to_owned(),
    });
    house.process(&wrong).await?;
    house.undecodable().await?;
    house.outages(&texts(&format!("{name} in an outage"), 6)).await?;
    println!("{} messages were parked and replayed", house.replay().await?);
    // What was replayed has had its attempt, and what is to be tried again waits in the delay queues.
    tokio::time::sleep(Duration::from_secs(5)).await;
    Ok(ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_local_model_no_identifier_of_a_patient_leaves_the_object_store() -> anyhow::Result<()> {
    let mut house = House::open(None).await?;
    let ids = live_through(&mut house, "local", 5).await?;
    let sinks = house.sinks().await?;
    assert_everything_was_searched(&sinks);
    assert_executions_are_found(&sinks, &ids);
    assert_found_in_the_store(&house);
    assert_no_leak(&sinks, &house.answers);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_bedrock_whose_errors_quote_the_document_no_identifier_of_a_patient_leaves_the_object_store()
-> anyhow::Result<()> {
    // Every fault there is, one for each of the first calls.
    let plan = Plan { hang: Duration::from_secs(2), ..Plan::scripted(Fault::ALL.iter().copied()) };
    let bedrock = Server::start(plan).await?;
    let mut house = House::open(Some(&bedrock)).await?;
    let ids = live_through(&mut house, "bedrock", 15).await?;
    let calls = bedrock.calls();
    let faults: BTreeSet<_> = calls.iter().filter_map(|call| call.fault).collect();
    println!("{} calls, {} kinds of fault", calls.len(), faults.len());
    assert_eq!(faults.len(), Fault::ALL.len(), "every fault has happened");
    let sinks = house.sinks().await?;
    assert_everything_was_searched(&sinks);
    assert_executions_are_found(&sinks, &ids);
    assert_found_in_the_store(&house);
    assert_no_leak(&sinks, &house.answers);
    Ok(())
}
