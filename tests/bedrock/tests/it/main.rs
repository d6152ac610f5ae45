//! The server as whoever calls it sees it: what it refuses, what it answers, and that it goes wrong the same way twice.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

mod support;

use clinflow_stand_in_bedrock::{Fault, Operation, Plan, Server};
use serde_json::{Value, json};

use crate::support::{SONNET, ask, converse, post, post_unsigned};

#[tokio::test]
async fn what_bedrock_refuses_is_refused_with_its_name() {
    let server = Server::start(Plan::default()).await.unwrap();
    let whole = converse("Rash on day 2.");
    let with = |change: fn(&mut Value)| {
        let mut body = whole.clone();
        change(&mut body);
        body
    };
    let wrong = [
        ("anthropic.claude-sonnet-5-5", whole.clone(), "on-demand throughput"),
        ("us.anthropic.claude-9", whole.clone(), "model identifier is invalid"),
        (SONNET, with(|body| body["inferenceConfig"]["temperature"] = json!(0)), "temperature"),
        (SONNET, with(|body| body["inferenceConfig"]["maxTokens"] = json!(200_000)), "maximum tokens"),
        (SONNET, with(|body| body["toolChoice"] = json!({})), "unknown field `toolChoice`"),
        (SONNET, with(|body| body["messages"][0]["content"][0]["text"] = json!(" ")), "blank"),
        (SONNET, with(|body| body["messages"] = json!([])), "must start with a user message"),
        (SONNET, with(|body| body["requestMetadata"] = json!({"team": "a(b)"})), "requestMetadata"),
        (SONNET, with(|body| body["system"] = json!([{"cachePoint": {"type": "default"}}])), "cachePoint"),
        ("us.anthropic.claude-opus-5-5", whole.clone(), "textFormat is not supported"),
    ];
    for (model, body, words) in wrong {
        let answer = ask(&server, model, &body).await;
        assert_eq!(answer.status, 400, "{words}");
        assert!(
            ["ValidationException", "SerializationException"].contains(&answer.error.as_str()),
            "{words}"
        );
        assert!(answer.body["message"].as_str().unwrap().contains(words), "{words}: {}", answer.body);
    }
    let path = format!("/model/{SONNET}/converse");
    assert_eq!(post_unsigned(&server, &path, &whole).await.error, "MissingAuthenticationTokenException");
    assert!(server.calls().iter().all(|call| !call.billed));
}

#[tokio::test]
async fn the_same_question_is_the_same_call_whoever_asks() {
    let server = Server::start(Plan::default()).await.unwrap();
    let mut body = converse("Rash on day 2.");
    let first = ask(&server, SONNET, &body).await;
    body["requestMetadata"] = json!({"attempt": "2"});
    let second = ask(&server, SONNET, &body).await;
    assert_eq!(first.body, second.body);
    ask(&server, SONNET, &converse("Fever on day 3.")).await;
    let bodies: Vec<_> = server.calls().into_iter().map(|call| call.body).collect();
    assert!(bodies[0] == bodies[1] && bodies[1] != bodies[2], "{bodies:?}");
}

#[tokio::test]
async fn chance_befalls_the_same_calls_in_every_run_and_in_any_order() {
    let fates = |order: Vec<u32>| async move {
        let chances = "throttle=20%,garbage=10%".parse().unwrap();
        let server = Server::start(Plan { seed: 7, chances, ..Plan::default() }).await.unwrap();
        for day in order {
            ask(&server, SONNET, &converse(&format!("Rash on day {day}."))).await;
        }
        let mut fates: Vec<_> = server.calls().into_iter().map(|call| (call.body, call.fault)).collect();
        fates.sort_unstable();
        fates
    };
    let forwards = fates((0..40).collect()).await;
    assert_eq!(forwards, fates((0..40).rev().collect()).await);
    let hit = forwards.iter().filter(|(_, fault)| *fault == Some(Fault::Throttle)).count();
    assert!((3..15).contains(&hit), "{hit} of 40 throttled");
}

#[tokio::test]
async fn a_document_with_the_mark_is_never_answered() {
    let server = Server::start(Plan::default()).await.unwrap();
    let body = converse("ASK ME AGAIN. Rash on day 2.");
    for _ in 0..3 {
        let answer = ask(&server, SONNET, &body).await;
        assert_eq!(answer.body["stopReason"], "end_turn");
        let text = answer.text();
        assert!(
            serde_json::from_str::<Value>(&text).is_err() && text.contains("same request again"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_invented_claim_is_added_to_the_true_ones() {
    let server = Server::start(Plan::scripted([Fault::Invented])).await.unwrap();
    let document = "He was treated with meropenem 1 g IV every 8 hours.";
    let invented: Value =
        serde_json::from_str(&ask(&server, SONNET, &converse(document)).await.text()).unwrap();
    let honest: Value =
        serde_json::from_str(&ask(&server, SONNET, &converse(document)).await.text()).unwrap();
    let (invented, honest) = (invented["claims"].as_array().unwrap(), honest["claims"].as_array().unwrap());
    assert_eq!(invented.len(), honest.len() + 1);
    assert_eq!(invented[..honest.len()], honest[..]);
}

#[tokio::test]
async fn counting_knows_only_the_older_models() {
    let server = Server::start(Plan::default()).await.unwrap();
    let body =
        json!({"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "12345678"}]}]}}});
    let counted = post(&server, "/model/us.anthropic.claude-sonnet-4-6/count-tokens", &body).await;
    assert_eq!((counted.status, &counted.body), (200, &json!({"inputTokens": 2})));
    assert_eq!(
        post(&server, &format!("/model/{SONNET}/count-tokens"), &body).await.error,
        "ValidationException"
    );
}

#[tokio::test]
async fn a_guardrail_that_nobody_made_is_not_found() {
    let server = Server::start(Plan::default()).await.unwrap();
    let body = json!({"source": "INPUT", "content": [{"text": {"text": "hello"}}]});
    let answer = post(&server, "/guardrail/abcd1234/version/1/apply", &body).await;
    assert_eq!((answer.status, answer.error.as_str()), (404, "ResourceNotFoundException"));
    assert_eq!(server.calls()[0].operation, Operation::ApplyGuardrail);
}

#[tokio::test]
async fn the_book_of_calls_holds_no_text() {
    let server = Server::start(Plan::scripted([Fault::Throttle])).await.unwrap();
    for _ in 0..2 {
        ask(&server, SONNET, &converse("Zoë Canary had a rash.")).await;
    }
    let book = support::get(&server, "/calls").await;
    let shown = book.to_string();
    assert!(!shown.contains("Canary") && !shown.contains("rash"), "{shown}");
    assert_eq!((&book[0]["fault"], &book[0]["billed"]), (&json!("throttle"), &json!(false)));
    assert_eq!((&book[1]["status"], &book[1]["billed"]), (&json!(200), &json!(true)));
    assert!(book[1]["usage"]["input"].as_u64().unwrap() > 0);
}
