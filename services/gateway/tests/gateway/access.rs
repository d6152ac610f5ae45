//! Who is let in, and to what.

use std::time::Duration;

use clinflow_core::{Disposition, ExecutionId, Status, audit::ChainHead};
use clinflow_gateway::{AuthSettings, Config};
use clinflow_ports::Executions as _;
use clinflow_proto::v1::{GetExecutionRequest, ListExecutionsRequest, SubmitRequest, WatchRequest};
use jiff::Timestamp;
use serde_json::json;
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    house::{Answer, House, NOW, config},
    issuer::{FIRST, Issuer, SECOND, base64},
};

const DOCUMENT: &[u8] = b"a document";

impl House {
    /// Submits over HTTP with this `Authorization`.
    async fn post_as(&self, authorization: &str, query: &str) -> Answer {
        let request =
            self.http.post(self.url(&format!("/v1/documents{query}"))).header("authorization", authorization);
        Answer::of(request.body(DOCUMENT).send().await.unwrap()).await
    }
}

/// A gRPC request with a token.
fn with_token<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn code(status: &tonic::Status) -> (Code, &str) {
    (status.code(), status.metadata().get("code").unwrap().to_str().unwrap())
}

#[tokio::test]
async fn a_good_token_lets_its_bearer_submit_over_both_protocols() {
    let issuer = Issuer::with(vec![FIRST]).await;
    let house = House::with(issuer.trusted()).await;
    let token = FIRST.token(json!({}));
    assert_eq!(house.post_as(&format!("bearer {token}"), "?workflow=ae-report").await.status, 202);
    let request = SubmitRequest {
        content: DOCUMENT.into(),
        workflow_id: "ae-report".to_owned(),
        ..SubmitRequest::default()
    };
    let answer = house.ingest().await.submit(with_token(&token, request)).await.unwrap().into_inner();
    assert!(answer.existing);
    assert_eq!(issuer.asked(), 1, "keys are kept");
}

#[tokio::test]
async fn a_bad_token_is_refused_and_says_why_without_being_repeated() {
    let issuer = Issuer::with(vec![FIRST]).await;
    let house = House::with(issuer.trusted()).await;
    let good = FIRST.token(json!({}));
    let claims = json!({"iss": "https://issuer.example.org", "client_id": "upstream", "token_use": "access",
        "exp": NOW + 300, "cognito:groups": ["operators"]});
    let unsigned = format!("{}.{}.", base64(b"{\"alg\":\"none\"}"), base64(claims.to_string().as_bytes()));
    let forged = {
        let mut parts: Vec<&str> = good.split('.').collect();
        let claims = base64(claims.to_string().as_bytes());
        parts[1] = &claims;
        parts.join(".")
    };
    for (token, why) in [
        (FIRST.token(json!({"exp": NOW - 3600})), "it has expired"),
        (FIRST.token(json!({"client_id": "other"})), "it is meant for another audience"),
        (FIRST.token(json!({"iss": "https://other.example.org"})), "another issuer made it"),
        (FIRST.token(json!({"token_use": "refresh"})), "it is for another use"),
        (FIRST.token(json!({"nbf": NOW + 3600})), "it is not valid yet"),
        (SECOND.token(json!({})), "the issuer has no such key"),
        (
            SECOND.sign(&json!({"alg": "RS256", "kid": "first"}), &claims),
            "its signature or its form is wrong",
        ),
        (FIRST.sign(&json!({"alg": "RS512", "kid": "first"}), &claims), "it is not signed with RS256"),
        (FIRST.sign(&json!({"alg": "HS256", "kid": "first"}), &claims), "it is not signed with RS256"),
        (FIRST.sign(&json!({"alg": "RS256"}), &claims), "it names no key"),
        (unsigned, "it is not a signed JWT"),
        (forged, "its signature or its form is wrong"),
        ("abc".to_owned(), "it is not a signed JWT"),
        ("x".repeat(17 * 1024), "it is too long"),
    ] {
        let answer = house.post_as(&format!("Bearer {token}"), "?workflow=ae-report").await;
        assert_eq!(answer.problem(), (401, "auth.invalid".to_owned()), "{why}");
        assert_eq!(answer.json()["detail"], format!("the token is not accepted: {why}"));
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        assert!(!answer.body.contains(&token));
    }
    let request = with_token(&FIRST.token(json!({"exp": NOW - 3600})), ListExecutionsRequest::default());
    let status = house.executions().await.list(request).await.unwrap_err();
    assert_eq!(code(&status), (Code::Unauthenticated, "auth.invalid"));
    assert_eq!(house.count().await, 0);
}

#[tokio::test]
async fn without_a_token_only_health_and_reflection_answer() {
    let issuer = Issuer::with(vec![FIRST]).await;
    let house = House::with(issuer.trusted()).await;
    for answer in [
        house.post("", DOCUMENT).await,
        house.post_as("Basic dXNlcjpwYXNz", "").await,
        house.get("/v1/executions").await,
        house.get("/v1/executions/00000000-0000-0000-0000-000000000000/record").await,
        house.get("/v1/executions/00000000-0000-0000-0000-000000000000/events").await,
    ] {
        assert_eq!(answer.problem(), (401, "auth.missing".to_owned()));
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let missing = (Code::Unauthenticated, "auth.missing");
    let (mut ingest, mut executions) = (house.ingest().await, house.executions().await);
    assert_eq!(code(&ingest.submit(SubmitRequest::default()).await.unwrap_err()), missing);
    assert_eq!(code(&ingest.submit_stream(tokio_stream::empty()).await.unwrap_err()), missing);
    assert_eq!(code(&ingest.watch(WatchRequest::default()).await.unwrap_err()), missing);
    assert_eq!(code(&executions.get(GetExecutionRequest::default()).await.unwrap_err()), missing);
    assert_eq!(code(&executions.list(ListExecutionsRequest::default()).await.unwrap_err()), missing);
    assert_eq!(code(&executions.watch(GetExecutionRequest::default()).await.unwrap_err()), missing);
    let mut health = HealthClient::new(house.channel().await);
    assert!(health.check(HealthCheckRequest::default()).await.is_ok());
    assert_eq!(issuer.asked(), 0);
}

#[tokio::test]
async fn groups_decide_which_workflows_a_caller_may_use_and_see() {
    let issuer = Issuer::with(vec![FIRST]).await;
    let house = House::with(issuer.trusted()).await;
    let (pv, operator) = (FIRST.token(json!({})), FIRST.token(json!({"cognito:groups": ["operators"]})));
    let nobody = FIRST.token(json!({"cognito:groups": null}));
    for (token, query) in [(&pv, "?workflow=lab-report"), (&pv, ""), (&nobody, "?workflow=ae-report")] {
        let answer = house.post_as(&format!("Bearer {token}"), query).await;
        assert_eq!(answer.problem(), (403, "auth.forbidden".to_owned()), "{query}");
    }
    let submit = async |token: &str, query: &str| {
        let answer = house.post_as(&format!("Bearer {token}"), query).await;
        answer.json()["execution_id"].as_str().unwrap().to_owned()
    };
    let ours = submit(&pv, "?workflow=ae-report").await;
    let others = submit(&operator, "?workflow=lab-report").await;
    let any = submit(&operator, "").await;
    for id in [&others, &any] {
        for path in ["", "/record", "/events"] {
            let answer = house.get_as(&pv, &format!("/v1/executions/{id}{path}")).await;
            assert_eq!(answer.problem(), (404, "execution.unknown".to_owned()));
        }
        let unknown = (Code::NotFound, "execution.unknown");
        let (mut ingest, mut executions) = (house.ingest().await, house.executions().await);
        let request = || GetExecutionRequest { execution_id: id.clone() };
        assert_eq!(code(&executions.get(with_token(&pv, request())).await.unwrap_err()), unknown);
        assert_eq!(code(&executions.watch(with_token(&pv, request())).await.unwrap_err()), unknown);
        let request = WatchRequest { execution_id: id.clone() };
        assert_eq!(code(&ingest.watch(with_token(&pv, request)).await.unwrap_err()), unknown);
    }
    assert_eq!(house.get_as(&pv, &format!("/v1/executions/{ours}")).await.status, 200);
    let listed = house.get_as(&pv, "/v1/executions?limit=1").await.json();
    assert_eq!(listed["executions"].as_array().unwrap().len(), 1);
    assert_eq!(listed["executions"][0]["execution_id"], ours);
    assert_eq!(
        house.get_as(&operator, "/v1/executions").await.json()["executions"].as_array().unwrap().len(),
        3
    );
}

#[tokio::test]
async fn a_rotated_key_is_fetched_when_a_token_names_it_and_a_withdrawn_one_stops_counting() {
    let issuer = Issuer::with(vec![FIRST]).await;
    let mut config = issuer.trusted();
    let AuthSettings::Jwt(settings) = &mut config.auth else { panic!("no issuer") };
    settings.fetch_at_most_every = Duration::from_nanos(1);
    let house = House::with(config).await;
    let (old, new) = (FIRST.token(json!({})), SECOND.token(json!({})));
    let status =
        async |token: &str| house.post_as(&format!("Bearer {token}"), "?workflow=ae-report").await.status;
    assert_eq!(status(&old).await, 202);
    assert_eq!(status(&new).await, 401);
    issuer.rotate(vec![SECOND]);
    assert_eq!(status(&old).await, 200, "kept keys are used");
    assert_eq!(status(&new).await, 200);
    assert_eq!(status(&old).await, 401);
}

#[tokio::test]
async fn tokens_with_unknown_keys_cannot_make_the_gateway_ask_the_issuer_again_and_again() {
    let issuer = Issuer::with(vec![FIRST]).await;
    let house = House::with(issuer.trusted()).await;
    for _ in 0..5 {
        assert_eq!(house.post_as(&format!("Bearer {}", SECOND.token(json!({}))), "").await.status, 401);
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_is_not_a_bad_token() {
    let mut config = Issuer::with(vec![FIRST]).await.trusted();
    let AuthSettings::Jwt(settings) = &mut config.auth else { panic!("no issuer") };
    // The discard port: nobody listens there.
    settings.keys = "http://127.0.0.1:9/keys".to_owned();
    let house = House::with(config).await;
    let answer = house.post_as(&format!("Bearer {}", FIRST.token(json!({}))), "").await;
    assert_eq!(answer.problem(), (503, "auth.unavailable".to_owned()));
    assert_eq!(answer.header("retry-after"), "5");
}

#[tokio::test]
async fn development_mode_does_not_start_where_others_could_call() {
    let house = House::open().await;
    assert_eq!(house.post("", DOCUMENT).await.status, 202, "everybody on this machine may");
    let open = Config { listen: "0.0.0.0:0".parse().unwrap(), ..config() };
    let error = open.check().unwrap_err().to_string();
    assert!(error.contains("configure `auth.jwt`, or listen on a loopback address"), "{error}");
}

#[tokio::test]
async fn who_may_use_the_workflow_that_the_classifier_chose_sees_the_execution_once_it_is_settled() {
    let issuer = Issuer::with(vec![FIRST]).await;
    let house = House::with(issuer.trusted()).await;
    let (pv, operator) = (FIRST.token(json!({})), FIRST.token(json!({"cognito:groups": ["operators"]})));
    let submitted = house.post_as(&format!("Bearer {operator}"), "").await.json();
    let id: ExecutionId = submitted["execution_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(house.get_as(&pv, &format!("/v1/executions/{id}")).await.status, 404);
    let disposition = Disposition {
        status: Status::Completed,
        workflow: Some("ae-report".parse().unwrap()),
        code: None,
        message: None,
        outputs: None,
        head: ChainHead::genesis(id),
        at: Timestamp::from_second(NOW).unwrap(),
    };
    house.executions.settle(id, &disposition).await.unwrap();
    let shown = house.get_as(&pv, &format!("/v1/executions/{id}")).await;
    assert_eq!((shown.status, &shown.json()["execution"]["workflow_id"]), (200, &"ae-report".into()));
}
