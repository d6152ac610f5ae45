//! Executions shown, over both protocols.

use clinflow_core::{Status, audit::ChainHead};
use clinflow_ports::Objects as _;
use clinflow_proto::v1::{GetExecutionRequest, ListExecutionsRequest};
use tonic::{Code, Request};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::house::House;

#[tokio::test]
async fn an_execution_is_shown_with_its_steps_and_whether_its_chain_verifies() {
    let house = House::open().await;
    let id = house.post("", b"a document").await.json()["execution_id"].as_str().unwrap().to_owned();
    let head = house.record_failure(id.parse().unwrap()).await;
    house.settle(id.parse().unwrap(), Status::Failed, head).await;

    let shown = house.get(&format!("/v1/executions/{id}")).await.json();
    assert_eq!(
        (&shown["execution"]["status"], &shown["execution"]["code"]),
        (&"failed".into(), &"ingest.empty".into())
    );
    assert_eq!(shown["execution"]["ended_at"], "2023-11-14T22:13:21Z");
    assert_eq!(shown["steps"][0]["agent_id"], "auto.classifier");
    assert_eq!(shown["chain"], serde_json::json!({"length": 1, "verified": true}));

    let request = GetExecutionRequest { execution_id: id.clone() };
    let shown = house.executions().await.get(request).await.unwrap().into_inner();
    assert_eq!(shown.execution.unwrap().code, "ingest.empty");
    assert_eq!((shown.steps.len(), shown.chain_length, shown.chain_verified), (1, 1, true));
}

#[tokio::test]
async fn an_execution_that_is_not_there_is_unknown_whatever_is_asked_of_it() {
    let house = House::open().await;
    for path in [
        "00000000-0000-0000-0000-000000000000",
        "Jane-Roe",
        "00000000-0000-0000-0000-000000000000/record",
        "00000000-0000-0000-0000-000000000000/events",
    ] {
        let answer = house.get(&format!("/v1/executions/{path}")).await;
        assert_eq!(answer.problem(), (404, "execution.unknown".to_owned()));
        assert!(!answer.body.contains("Jane"));
    }
    let request = GetExecutionRequest { execution_id: "Jane Roe".to_owned() };
    let status = house.executions().await.get(request).await.unwrap_err();
    assert_eq!(
        (status.code(), status.metadata().get("code").unwrap().to_str().unwrap()),
        (Code::NotFound, "execution.unknown")
    );
}

#[tokio::test]
async fn executions_are_listed_by_status_and_page() {
    let house = House::open().await;
    for document in [b"one".as_slice(), b"two", b"three"] {
        assert_eq!(house.post("", document).await.status, 202);
    }
    let all = house.get("/v1/executions").await.json();
    assert_eq!(all["executions"].as_array().unwrap().len(), 3);
    assert!(all.get("next").is_none());
    let first = house.get("/v1/executions?limit=2").await.json();
    let next = first["next"].as_str().unwrap();
    let second = house.get(&format!("/v1/executions?limit=2&page={next}")).await.json();
    assert_eq!(
        (first["executions"].as_array().unwrap().len(), second["executions"].as_array().unwrap().len()),
        (2, 1)
    );
    let id = second["executions"][0]["execution_id"].as_str().unwrap().parse().unwrap();
    house.settle(id, Status::Completed, ChainHead::genesis(id)).await;
    let completed = house.get("/v1/executions?status=completed").await.json();
    assert_eq!(completed["executions"][0]["execution_id"], id.to_string());
    let mut executions = house.executions().await;
    let request = ListExecutionsRequest { status: "running".to_owned(), ..ListExecutionsRequest::default() };
    assert_eq!(executions.list(request).await.unwrap().into_inner().executions.len(), 2);
    for query in ["?status=done", "?limit=1001", "?limit=many", "?sort=asc"] {
        let answer = house.get(&format!("/v1/executions{query}")).await;
        assert_eq!(answer.problem(), (400, "request.unreadable".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_record_is_served_as_it_was_written_and_kept_by_nobody_between() {
    let house = House::open().await;
    let id = house.post("", b"a document").await.json()["execution_id"].as_str().unwrap().to_owned();
    let path = format!("/v1/executions/{id}/record");
    assert_eq!(house.get(&path).await.problem(), (404, "execution.no-record".to_owned()));
    house.objects.put(&format!("reports/{id}/record.json"), "{\"schema\": 1}\n".into()).await.unwrap();
    let answer = house.get(&path).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "{\"schema\": 1}\n"));
    assert_eq!(
        (answer.header("content-type"), answer.header("cache-control")),
        ("application/json", "no-store")
    );
}

#[tokio::test]
async fn health_follows_the_broker_and_the_interface_describes_itself() {
    let house = House::open().await;
    let mut health = HealthClient::new(house.channel().await);
    let ingest = || HealthCheckRequest { service: "clinflow.v1.Ingest".to_owned() };
    let mut changes = health.watch(ingest()).await.unwrap().into_inner();
    assert_eq!(changes.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    house.broker.health.send_replace(clinflow_ports::Health::Blocked);
    assert_eq!(changes.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    let whole = health.check(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(whole.status(), ServingStatus::Serving, "executions are still shown");

    let mut reflection = ServerReflectionClient::new(house.channel().await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = reflection
        .server_reflection_info(Request::new(tokio_stream::once(request)))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    for name in ["clinflow.v1.Executions", "clinflow.v1.Ingest", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{names:?}");
    }
}
