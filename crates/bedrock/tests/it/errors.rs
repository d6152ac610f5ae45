//! Every way a call can fail, what it means, and that it was one call.

use std::time::{Duration, Instant};

use clinflow_bedrock::Bedrock;
use clinflow_ports::{Model as _, model::ModelError};
use clinflow_stand_in_bedrock::{Fault, Operation, Plan};
use tokio::net::TcpListener;

use crate::support::{PATIENCE, SONNET, ask, asker, config, request, serve};

/// The meaning of an error in a word, with the name that is kept.
fn word(error: &ModelError) -> String {
    match error {
        ModelError::Throttled { after } => format!("throttled {after:?}"),
        ModelError::Unavailable { code } => format!("unavailable {code}"),
        ModelError::TimedOut => "timed out".to_owned(),
        ModelError::Failed { code } => format!("failed {code}"),
        ModelError::Refused { code } => format!("refused {code}"),
    }
}

#[tokio::test]
async fn every_error_means_what_the_table_says_and_is_one_request() {
    let table = [
        (Fault::Throttle, "throttled None", false),
        (Fault::Quota, "throttled None", false),
        (Fault::NotReady, "unavailable ModelNotReadyException", false),
        (Fault::Internal, "unavailable InternalServerException", false),
        (Fault::Unavailable, "unavailable ServiceUnavailableException", false),
        (Fault::Timeout, "timed out", true),
        (Fault::ModelError, "failed ModelErrorException", true),
        (Fault::Invalid, "refused ValidationException", false),
        (Fault::Denied, "refused AccessDeniedException", false),
        (Fault::Missing, "refused ResourceNotFoundException", false),
        (Fault::Proxy, "failed HTTP 502", true),
        (Fault::Unreadable, "failed unreadable response", true),
        (Fault::Reset, "failed unreadable response", true),
    ];
    let plan = Plan::scripted(table.map(|(fault, _, _)| fault));
    let (server, bedrock) = serve(plan, SONNET).await;
    for (at, (fault, expected, may_be_billed)) in table.into_iter().enumerate() {
        let error = ask(&bedrock, &request()).await.unwrap_err();
        assert_eq!((word(&error).as_str(), error.may_be_billed()), (expected, may_be_billed), "{fault}");
        assert_eq!(server.calls().len(), at + 1, "{fault}: one attempt is one request");
        let call = &server.calls()[at];
        assert!(may_be_billed || !call.billed, "{fault} is on the bill, and the adapter rules it out");
    }
    assert!(ask(&bedrock, &request()).await.is_ok(), "after all that, the same client works");
}

#[tokio::test]
async fn a_throttled_call_says_how_long_to_wait_when_it_was_told() {
    let plan = Plan { retry_after: Some(Duration::from_secs(9)), ..Plan::scripted([Fault::Throttle]) };
    let (_server, bedrock) = serve(plan, SONNET).await;
    let error = ask(&bedrock, &request()).await.unwrap_err();
    assert_eq!(word(&error), "throttled Some(9s)");
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_in_time() {
    let (server, bedrock) = serve(Plan::scripted([Fault::Hang]), SONNET).await;
    let began = Instant::now();
    let error = bedrock.converse(&request(), &asker(), Duration::from_millis(800)).await.unwrap_err();
    assert_eq!(word(&error), "timed out");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let call = &server.calls()[0];
    assert!(call.billed && error.may_be_billed(), "whether it is billed, only the bill tells");
}

#[tokio::test]
async fn a_connection_that_is_accepted_and_left_alone_is_left_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let bedrock = Bedrock::connect(&config(&url, SONNET)).await.unwrap();
    let error = bedrock.converse(&request(), &asker(), Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(word(&error), "timed out");
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_may_be_billed_and_one_that_never_was_is_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bedrock = Bedrock::connect(&config(&url, SONNET)).await.unwrap();
    let hang_up = async {
        let (stream, _) = listener.accept().await.unwrap();
        // Something of the request has come.
        stream.readable().await.unwrap();
        drop(stream);
    };
    let question = request();
    let (error, ()) = tokio::join!(ask(&bedrock, &question), hang_up);
    assert_eq!(word(&error.unwrap_err()), "failed connection lost");

    drop(listener);
    let error = ask(&bedrock, &request()).await.unwrap_err();
    assert_eq!((word(&error).as_str(), error.may_be_billed()), ("unavailable no connection", false));
}

#[tokio::test]
async fn a_call_without_time_is_not_made() {
    let (server, bedrock) = serve(Plan::default(), SONNET).await;
    let error = bedrock.converse(&request(), &asker(), Duration::ZERO).await.unwrap_err();
    assert_eq!((word(&error).as_str(), server.calls().len()), ("unavailable no time left", 0));
}

#[tokio::test]
async fn a_host_that_does_not_exist_bills_nothing() {
    let bedrock = Bedrock::connect(&config("http://bedrock.invalid:1", SONNET)).await.unwrap();
    let error = bedrock.converse(&request(), &asker(), PATIENCE).await.unwrap_err();
    assert!(!error.may_be_billed(), "{}", word(&error));
}

#[tokio::test]
async fn a_mistake_in_configuration_is_said_before_anything_is_sent() {
    let refused = |model: &'static str| async move {
        Bedrock::connect(&config("http://127.0.0.1:1", model)).await.unwrap_err().to_string()
    };
    assert!(refused("us.anthropic.claude-9").await.contains("not in the table of models"));
    assert!(refused("anthropic.claude-sonnet-5-5").await.contains("`us.anthropic.claude-sonnet-5-5`"));
}

#[tokio::test]
async fn a_count_that_fails_is_replaced_by_the_limit_and_not_by_less() {
    let model = "us.anthropic.claude-sonnet-4-6";
    let (server, bedrock) =
        serve(Plan::default().with(Operation::CountTokens, [Fault::Internal]), model).await;
    let without = bedrock.count_input_tokens(&request()).await;
    let with = bedrock.count_input_tokens(&request()).await;
    let billed = ask(&bedrock, &request()).await.unwrap().usage.input;
    assert!(without > with && with >= billed, "{without} > {with} >= {billed}");
    assert_eq!(server.calls().len(), 3);
}
