//! Documents going in, over both protocols.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use clinflow_core::{DocumentHash, Status};
use clinflow_ports::{Broker as _, Health, Objects as _};
use clinflow_proto::v1::{self, SubmitRequest, submit_stream_response::Result as Became};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use prost::Message as _;
use reqwest::{Body, Client};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;

use crate::house::{Answer, House, NOW, config};

const DOCUMENT: &[u8] = b"Adverse event report. Subject 014 had a headache.";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_document_is_stored_made_an_execution_and_published() {
    let house = House::open().await;
    let answer = house
        .http
        .post(house.url("/v1/documents?workflow=ae-report&session=s-1&team=team-pv&lane=interactive"))
        .header("content-type", "text/plain; charset=utf-8")
        .header("clinflow-name", "Zo%C3%AB%20Example.txt")
        .header("traceparent", TRACEPARENT)
        .body(DOCUMENT)
        .send()
        .await
        .unwrap();
    let answer = Answer::of(answer).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let (json, hash) = (answer.json(), DocumentHash::of(DOCUMENT));
    let id = json["execution_id"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("/v1/executions/{id}"));
    assert_eq!(json["document_sha256"], hash.to_string());
    assert_eq!((&json["status"], &json["workflow_id"]), (&"running".into(), &"ae-report".into()));
    assert!(!answer.body.contains("Zo"), "the name stays in the object store");

    let stored = house.stored(id).await;
    assert_eq!(stored.status, Status::Running);
    assert_eq!(stored.check_at, Some(Timestamp::from_second(NOW + 60).unwrap()));
    assert_eq!(stored.document.media_type, "text/plain");
    assert_eq!(house.objects.get(&format!("documents/{hash}")).await.unwrap(), DOCUMENT);
    let told = house.objects.get(&format!("executions/{id}/submission.json")).await.unwrap();
    assert_eq!(told, "{\"name\":\"Zoë Example.txt\"}".as_bytes());

    let delivery = house.broker.take("clinflow.classifier.interactive").await.unwrap().unwrap();
    let envelope = delivery.envelope();
    assert_eq!(envelope.correlation_id.as_deref(), Some(id));
    assert_eq!(envelope.headers["traceparent"], TRACEPARENT);
    assert_eq!(envelope.headers["team"], "team-pv");
    let message = v1::DocumentSubmitted::decode(envelope.body.clone()).unwrap();
    assert_eq!(message.workflow_id, "ae-report");
    assert_eq!(message.execution.unwrap().document.unwrap().size, DOCUMENT.len() as u64);
}

#[tokio::test]
async fn the_same_document_submitted_twice_is_one_execution_and_one_message() {
    let house = House::open().await;
    let first = house.post("?workflow=lab-report", DOCUMENT).await;
    let second = house.post("?workflow=lab-report", DOCUMENT).await;
    assert_eq!((first.status, second.status), (202, 200));
    assert_eq!(first.json()["execution_id"], second.json()["execution_id"]);
    let mut ingest = house.ingest().await;
    let request = SubmitRequest {
        workflow_id: "lab-report".to_owned(),
        content: DOCUMENT.into(),
        ..SubmitRequest::default()
    };
    let third = ingest.submit(request).await.unwrap().into_inner();
    assert!(third.existing);
    assert_eq!(first.json()["execution_id"], third.execution.unwrap().execution_id);
    assert_eq!(house.count().await, 1);
    assert_eq!(house.broker.depth("clinflow.classifier.batch").await.unwrap(), 1);
    // Another workflow is other work.
    assert_eq!(house.post("", DOCUMENT).await.status, 202);
    assert_eq!(house.count().await, 2);
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_with_its_code_and_leaves_nothing_behind() {
    let house = House::open().await;
    for (query, media_type, document, status, code) in [
        ("", "", &b""[..], 400, "submit.empty"),
        ("?workflow=no-such-workflow", "", DOCUMENT, 400, "submit.unknown-workflow"),
        ("?workflow=ae%20report", "", DOCUMENT, 400, "request.unreadable"),
        ("?wrokflow=ae-report", "", DOCUMENT, 400, "request.unreadable"),
        ("?lane=fast", "", DOCUMENT, 400, "request.unreadable"),
        ("?session=Jane%20Roe", "", DOCUMENT, 400, "request.unreadable"),
        ("", "application/pdf", DOCUMENT, 415, "submit.media-type-mismatch"),
        ("", "audio/ogg", DOCUMENT, 415, "submit.unsupported-media-type"),
    ] {
        let request =
            house.http.post(house.url(&format!("/v1/documents{query}"))).header("content-type", media_type);
        let answer = Answer::of(request.body(document).send().await.unwrap()).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{query} {media_type}");
        assert!(!answer.body.contains("Jane"), "{}", answer.body);
    }
    assert_eq!(house.get("/v1/nothing").await.problem(), (404, "request.unknown-route".to_owned()));
    assert_eq!(house.get("/v1/documents").await.problem(), (405, "request.wrong-method".to_owned()));
    let mut ingest = house.ingest().await;
    for (request, code, word) in [
        (SubmitRequest::default(), Code::InvalidArgument, "submit.empty"),
        (
            SubmitRequest {
                content: DOCUMENT.into(),
                workflow_id: "no-such".to_owned(),
                ..SubmitRequest::default()
            },
            Code::InvalidArgument,
            "submit.unknown-workflow",
        ),
    ] {
        let status = ingest.submit(request).await.unwrap_err();
        assert_eq!((status.code(), status.metadata().get("code").unwrap().to_str().unwrap()), (code, word));
    }
    assert_eq!(house.count().await, 0);
}

#[tokio::test]
async fn a_declared_200_mb_is_refused_before_any_of_it_is_sent() {
    let house = House::open().await;
    let mut connection = TcpStream::connect(house.address).await.unwrap();
    let head = "POST /v1/documents HTTP/1.1\r\nhost: gateway\r\ncontent-length: 209715200\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

/// A body of 200 MB that is made as it is read, after `before`; counts what was made.
fn lazily(before: &'static [u8]) -> (Body, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let chunks = stream::iter(0..200).map(move |n| {
        counter.fetch_add(MIB, Ordering::SeqCst);
        Ok::<_, std::io::Error>(if n == 0 && !before.is_empty() { before.to_vec() } else { vec![b'x'; MIB] })
    });
    (Body::wrap_stream(chunks), made)
}

#[tokio::test]
async fn an_undeclared_200_mb_is_refused_once_it_is_known_to_be_too_large() {
    let house = House::with(clinflow_gateway::Config { max_document: 2 * MIB, ..config() }).await;
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    let (body, made) = lazily(b"");
    let answer = client.post(house.url("/v1/documents")).body(body).send().await.unwrap();
    assert_eq!(Answer::of(answer).await.problem(), (413, "submit.too-large".to_owned()));
    assert!(made.load(Ordering::SeqCst) < 16 * MIB, "{} bytes were asked for", made.load(Ordering::SeqCst));
    assert_eq!(house.count().await, 0);
}

#[tokio::test]
async fn a_grpc_message_of_200_mb_is_refused_by_its_length_with_the_same_code() {
    let house = House::open().await;
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    // Not compressed, 209,715,200 bytes.
    let (body, made) = lazily(&[0, 0x0c, 0x80, 0x00, 0x00]);
    let request =
        client.post(house.url("/clinflow.v1.Ingest/Submit")).header("content-type", "application/grpc");
    let answer = Answer::of(request.header("te", "trailers").body(body).send().await.unwrap()).await;
    assert_eq!((answer.header("grpc-status"), answer.header("code")), ("11", "submit.too-large"));
    assert!(made.load(Ordering::SeqCst) < 16 * MIB, "{} bytes were asked for", made.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_document_of_exactly_the_limit_is_taken_and_one_byte_more_is_not() {
    let house = House::with(clinflow_gateway::Config { max_document: DOCUMENT.len(), ..config() }).await;
    assert_eq!(house.post("", DOCUMENT).await.status, 202);
    let mut ingest = house.ingest().await;
    let content = [DOCUMENT, b"."].concat();
    let status = ingest
        .submit(SubmitRequest { content: content.into(), ..SubmitRequest::default() })
        .await
        .unwrap_err();
    assert_eq!(
        (status.code(), status.metadata().get("code").unwrap().to_str().unwrap()),
        (Code::OutOfRange, "submit.too-large")
    );
}

#[tokio::test]
async fn a_broker_that_takes_nothing_sends_callers_away_before_anything_exists() {
    let house = House::open().await;
    for (health, status, code) in
        [(Health::Blocked, 429, "broker.refused"), (Health::Down, 503, "broker.unavailable")]
    {
        house.broker.health.send_replace(health);
        let answer = house.post("", DOCUMENT).await;
        assert_eq!(answer.problem(), (status, code.to_owned()));
        assert_eq!(answer.header("retry-after"), "5");
    }
    assert_eq!(house.count().await, 0);
    house.broker.health.send_replace(Health::Up);
    assert_eq!(house.post("", DOCUMENT).await.status, 202);
}

#[tokio::test]
async fn a_refused_publish_is_a_taken_document_and_sends_the_next_callers_away() {
    let house =
        House::with(clinflow_gateway::Config { retry_after: Duration::from_secs(3600), ..config() }).await;
    house.broker.refuses.store(true, Ordering::SeqCst);
    let first = house.post("", DOCUMENT).await;
    assert_eq!(first.status, 202, "the sweeper publishes it");
    assert!(house.stored(first.json()["execution_id"].as_str().unwrap()).await.check_at.is_some());
    house.broker.refuses.store(false, Ordering::SeqCst);
    let next = house.post("", b"another document").await;
    assert_eq!(next.problem(), (429, "broker.refused".to_owned()));
    assert_eq!(next.header("retry-after"), "3600");
    assert_eq!(house.count().await, 1);
}

#[tokio::test]
async fn documents_are_taken_again_after_the_wait_that_a_refused_publish_asks_for() {
    let house =
        House::with(clinflow_gateway::Config { retry_after: Duration::from_nanos(1), ..config() }).await;
    house.broker.refuses.store(true, Ordering::SeqCst);
    assert_eq!(house.post("", DOCUMENT).await.status, 202);
    house.broker.refuses.store(false, Ordering::SeqCst);
    assert_eq!(house.post("", b"another document").await.status, 202);
    assert_eq!(house.broker.depth("clinflow.classifier.batch").await.unwrap(), 1);
}

/// An upload that was accepted and never goes on.
async fn stuck(house: &House) -> TcpStream {
    let mut upload = TcpStream::connect(house.address).await.unwrap();
    let head =
        "POST /v1/documents HTTP/1.1\r\nhost: gateway\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
    upload.write_all(head.as_bytes()).await.unwrap();
    // It is being read once the gateway asks for the body.
    let mut asked = [0; 25];
    upload.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    upload
}

#[tokio::test]
async fn only_so_many_uploads_are_in_hand() {
    let house = House::with(clinflow_gateway::Config { max_uploads: 1, ..config() }).await;
    let upload = stuck(&house).await;
    assert_eq!(house.post("", DOCUMENT).await.problem(), (429, "submit.busy".to_owned()));
    let status = house.ingest().await.submit(SubmitRequest::default()).await.unwrap_err();
    assert_eq!(status.metadata().get("code").unwrap(), "submit.busy");
    drop(upload);
    let room = async { while house.post("", DOCUMENT).await.status != 202 {} };
    tokio::time::timeout(Duration::from_secs(30), room).await.expect("who hangs up leaves room");
}

#[tokio::test]
async fn an_upload_that_never_ends_is_given_up() {
    let house =
        House::with(clinflow_gateway::Config { submit_timeout: Duration::from_millis(200), ..config() })
            .await;
    let mut upload = stuck(&house).await;
    let mut answer = [0; 12];
    upload.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn one_bad_document_does_not_end_a_stream_and_answers_come_in_order() {
    let house = House::open().await;
    let document =
        |content: &'static [u8]| SubmitRequest { content: content.into(), ..SubmitRequest::default() };
    let requests = [
        document(b"one"),
        document(b""),
        SubmitRequest { workflow_id: "no-such".to_owned(), ..document(b"two") },
        document(b"three"),
        document(b"one"),
    ];
    let mut ingest = house.ingest().await;
    let mut answers = ingest.submit_stream(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let mut became = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        assert_eq!(answer.position, became.len() as u64);
        became.push(match answer.result.unwrap() {
            Became::Submitted(submitted) if submitted.existing => "existing".to_owned(),
            Became::Submitted(_) => "new".to_owned(),
            Became::Error(error) => error.code,
        });
    }
    // The fifth is in hand together with the first: either is the new one.
    let (fifth, first) = (became.pop().unwrap(), became.remove(0));
    assert_eq!([first.as_str(), fifth.as_str()].iter().filter(|became| **became == "new").count(), 1);
    assert_eq!(became, ["submit.empty", "submit.unknown-workflow", "new"]);
    assert_eq!(house.count().await, 2);
}

#[tokio::test]
async fn a_message_too_large_for_a_stream_is_answered_and_ends_it() {
    let house = House::with(clinflow_gateway::Config { max_document: MIB, ..config() }).await;
    let document = |content: Vec<u8>| SubmitRequest { content: content.into(), ..SubmitRequest::default() };
    let requests = [document(b"one".to_vec()), document(vec![b'x'; 2 * MIB]), document(b"two".to_vec())];
    let mut ingest = house.ingest().await;
    let mut answers = ingest.submit_stream(tokio_stream::iter(requests)).await.unwrap().into_inner();
    assert!(matches!(answers.message().await.unwrap().unwrap().result, Some(Became::Submitted(_))));
    let Some(Became::Error(error)) = answers.message().await.unwrap().unwrap().result else {
        panic!("taken")
    };
    assert_eq!(error.code, "submit.too-large");
    assert_eq!(answers.message().await.unwrap_err().code(), Code::OutOfRange);
}
