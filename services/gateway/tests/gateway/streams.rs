//! Executions watched, and how a drain ends what is open.

use std::time::Duration;

use clinflow_core::{ExecutionId, Status, audit::ChainHead};
use clinflow_proto::v1::{GetExecutionRequest, SubmitRequest, WatchRequest};
use reqwest::Response;
use serde_json::Value;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::house::{House, config};

/// Server-sent events, read one at a time.
struct Events {
    response: Response,
    text: String,
}

impl Events {
    async fn of(house: &House, id: ExecutionId) -> Self {
        let response =
            house.http.get(house.url(&format!("/v1/executions/{id}/events"))).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The id and data of the next event, without comments; `None` at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let read = field("id: ").zip(field("data: "));
                self.text = rest.to_owned();
                if let Some((id, data)) = read {
                    return Some((id, serde_json::from_str(&data).unwrap()));
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

async fn submitted(house: &House) -> ExecutionId {
    house.post("", b"a document").await.json()["execution_id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn events_tell_each_change_once_and_end_with_the_terminal_one() {
    let house = House::open().await;
    let id = submitted(&house).await;
    let mut events = Events::of(&house, id).await;
    let (event, data) = events.next().await.unwrap();
    assert_eq!((event.as_str(), &data["execution"]["status"]), ("running.0", &"running".into()));

    let head = house.record_failure(id).await;
    let (event, data) = events.next().await.unwrap();
    assert_eq!((event.as_str(), &data["steps"][0]["role"]), ("running.1", &"classifier".into()));

    house.settle(id, Status::Parked, head).await;
    let (event, data) = events.next().await.unwrap();
    assert_eq!(
        (event.as_str(), data["steps"].as_array().unwrap().len()),
        ("parked.1", 0),
        "a step is told once"
    );

    house.settle(id, Status::Failed, head).await;
    assert_eq!(events.next().await.unwrap().0, "failed.1");
    assert!(events.next().await.is_none());

    let again =
        house.http.get(house.url(&format!("/v1/executions/{id}/events"))).header("last-event-id", "failed.1");
    assert_eq!(again.send().await.unwrap().status(), 204, "a browser that connects again is told to stop");
}

#[tokio::test]
async fn an_event_stream_without_news_says_that_it_is_alive() {
    let mut config = config();
    // A look each millisecond that told the same again would leave no time for it.
    (config.watch.interval, config.watch.keep_alive) = (Duration::from_millis(1), Duration::from_millis(100));
    let house = House::with(config).await;
    let mut events = Events::of(&house, submitted(&house).await).await;
    events.next().await.unwrap();
    let chunk = events.response.chunk().await.unwrap().unwrap();
    assert!(chunk.starts_with(b":"), "{chunk:?}");
}

#[tokio::test]
async fn both_services_report_a_status_each_time_it_changes_until_it_is_terminal() {
    let house = House::open().await;
    let id = submitted(&house).await;
    let (mut ingest, mut executions) = (house.ingest().await, house.executions().await);
    let mut one = ingest.watch(WatchRequest { execution_id: id.to_string() }).await.unwrap().into_inner();
    let mut other =
        executions.watch(GetExecutionRequest { execution_id: id.to_string() }).await.unwrap().into_inner();
    assert_eq!(one.message().await.unwrap().unwrap().status, "running");
    assert_eq!(other.message().await.unwrap().unwrap().status, "running");
    house.settle(id, Status::NeedsReview, ChainHead::genesis(id)).await;
    for watched in [&mut one, &mut other] {
        assert_eq!(watched.message().await.unwrap().unwrap().status, "needs-review");
        assert_eq!(watched.message().await.unwrap(), None);
    }
}

#[tokio::test]
async fn only_so_many_executions_are_watched() {
    let mut config = config();
    config.watch.most = 1;
    let house = House::with(config).await;
    let id = submitted(&house).await;
    let mut ingest = house.ingest().await;
    let mut watched = ingest.watch(WatchRequest { execution_id: id.to_string() }).await.unwrap().into_inner();
    let refused = house.get(&format!("/v1/executions/{id}/events")).await;
    assert_eq!(refused.problem(), (429, "watch.too-many".to_owned()));
    house.settle(id, Status::Completed, ChainHead::genesis(id)).await;
    while watched.message().await.unwrap().is_some() {}
    let room = async { while ingest.watch(WatchRequest { execution_id: id.to_string() }).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(30), room).await.expect("a watch that ended leaves room");
}

#[tokio::test]
async fn no_execution_is_watched_for_ever() {
    let mut config = config();
    config.watch.longest = Duration::from_millis(20);
    let house = House::with(config).await;
    let id = submitted(&house).await;
    let mut ingest = house.ingest().await;
    let mut watched = ingest.watch(WatchRequest { execution_id: id.to_string() }).await.unwrap().into_inner();
    let ended = loop {
        match watched.message().await {
            Ok(news) => assert_eq!(news.unwrap().status, "running"),
            Err(ended) => break ended,
        }
    };
    assert_eq!(
        (ended.code(), ended.metadata().get("code").unwrap().to_str().unwrap()),
        (Code::Unavailable, "watch.ended")
    );
}

#[tokio::test]
async fn a_drain_ends_streams_and_waits_for_what_is_in_hand() {
    let house = House::open().await;
    let id = submitted(&house).await;
    let mut ingest = house.ingest().await;
    let mut watched = ingest.watch(WatchRequest { execution_id: id.to_string() }).await.unwrap().into_inner();
    watched.message().await.unwrap();
    let mut events = Events::of(&house, id).await;
    events.next().await.unwrap();
    // A stream of submissions that stays open after one document.
    let (send, requests) = tokio::sync::mpsc::channel(1);
    let request = SubmitRequest { content: b"another".as_slice().into(), ..SubmitRequest::default() };
    send.send(request).await.unwrap();
    let mut stream = ingest.submit_stream(ReceiverStream::new(requests)).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().unwrap().result.is_some());

    assert!(house.life.drain(Duration::from_secs(30)).await, "everything ends by itself");
    for ended in [watched.message().await.map(drop), stream.message().await.map(drop)] {
        let status = ended.unwrap_err();
        assert_eq!(status.metadata().get("code").unwrap().to_str().unwrap(), "gateway.draining");
    }
    assert!(events.next().await.is_none());
}
