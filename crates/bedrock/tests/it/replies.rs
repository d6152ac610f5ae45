//! Answers, reasons to stop, classes of tokens, and what is sent along.

use clinflow_bedrock::{Bedrock, Cache, Config};
use clinflow_cost::Usage;
use clinflow_ports::{
    Model as _,
    model::{Request, Stop},
};
use clinflow_stand_in_bedrock::{Fault, Operation, Plan, Server};
use serde_json::Value;

use crate::support::{SONNET, STORY, ask, config, request, serve};

#[tokio::test]
async fn an_answer_follows_its_schema_and_its_document() {
    // One takes the schema as such, one reads it in its instructions; one of them thinks first.
    for model in [SONNET, "us.anthropic.claude-opus-5-5", "global.anthropic.claude-haiku-5-5"] {
        let (_server, bedrock) = serve(Plan::default(), model).await;
        let reply = ask(&bedrock, &request()).await.unwrap();
        assert_eq!(reply.stop, Stop::Whole, "{model}");
        let answer: Value = serde_json::from_str(reply.text.expose()).unwrap();
        let claims = answer["claims"].as_array().unwrap();
        assert!(claims.iter().any(|claim| claim["value"] == "meropenem"), "{answer}");
        assert!(claims.iter().all(|claim| STORY.contains(claim["quote"].as_str().unwrap())), "{answer}");
    }
}

#[tokio::test]
async fn an_answer_in_words_quotes_the_document() {
    let (_server, bedrock) = serve(Plan::default(), SONNET).await;
    let question = Request { schema: None, query: "What was he treated with?".into(), ..request() };
    let reply = ask(&bedrock, &question).await.unwrap();
    assert!(reply.text.expose().contains("\"He was treated with meropenem 1 g IV every 8 hours.\""));
}

#[tokio::test]
async fn every_reason_to_stop_arrives_with_its_bill() {
    let table = [
        (Fault::Truncated, Stop::CutOff),
        (Fault::ContextWindow, Stop::CutOff),
        (Fault::Malformed, Stop::Malformed),
        (Fault::MalformedToolUse, Stop::Malformed),
        (Fault::Filtered, Stop::Blocked),
        (Fault::ToolUse, Stop::Unknown("tool_use".to_owned())),
        (Fault::Unheard, Stop::Unknown("paused_for_thought".to_owned())),
        (Fault::Speechless, Stop::Malformed),
        (Fault::Garbage, Stop::Whole),
        (Fault::Invented, Stop::Whole),
        (Fault::Newer, Stop::Whole),
    ];
    let plan = Plan::scripted(table.iter().map(|(fault, _)| *fault));
    let (server, bedrock) = serve(plan, SONNET).await;
    for (at, (fault, stop)) in table.into_iter().enumerate() {
        let reply = ask(&bedrock, &request()).await.unwrap();
        assert_eq!(reply.stop, stop, "{fault}");
        let call = &server.calls()[at];
        assert!(call.billed && call.usage.input > 0, "{fault}");
        assert_eq!(reply.usage, call.usage, "{fault}");
    }
}

#[tokio::test]
async fn what_is_newer_than_this_version_is_left_out_of_the_answer() {
    let (_server, bedrock) = serve(Plan::scripted([Fault::Newer]), SONNET).await;
    let newer = ask(&bedrock, &request()).await.unwrap();
    let usual = ask(&bedrock, &request()).await.unwrap();
    assert_eq!(newer.text, usual.text);
}

#[tokio::test]
async fn an_answer_that_reaches_its_limit_is_cut_off() {
    let (_server, bedrock) = serve(Plan::default(), SONNET).await;
    let short = Request { max_output_tokens: 5, ..request() };
    let reply = ask(&bedrock, &short).await.unwrap();
    assert_eq!((reply.stop, reply.text.expose().len()), (Stop::CutOff, 20));
}

#[tokio::test]
async fn instructions_are_written_to_the_cache_once_and_then_read() {
    let server = Server::start(Plan::default()).await.unwrap();
    // 4,000 bytes are 1,000 tokens here.
    let long = Request { instructions: "Report. ".repeat(500), ..request() };
    for (cache, written) in [
        (Cache::OneHour, Usage { cache_write_1h: 1000, ..Usage::default() }),
        (Cache::FiveMinutes, Usage { cache_write_5m: 1000, ..Usage::default() }),
    ] {
        let long = Request { instructions: format!("{}{cache:?}", long.instructions), ..long.clone() };
        let extra = format!("{cache:?}").len().div_ceil(4) as u64;
        let config = Config { cache, ..config(&server.url(), SONNET) };
        let bedrock = Bedrock::connect(&config).await.unwrap();
        let first = ask(&bedrock, &long).await.unwrap().usage;
        let second = ask(&bedrock, &long).await.unwrap().usage;
        let writes = (first.cache_write_5m, first.cache_write_1h);
        let expected = |tokens: u64| if tokens == 0 { 0 } else { tokens + extra };
        assert_eq!(writes, (expected(written.cache_write_5m), expected(written.cache_write_1h)));
        assert_eq!((first.cache_read, second.cache_read), (0, 1000 + extra));
        assert_eq!((second.cache_write_5m, second.cache_write_1h), (0, 0));
        assert_eq!((first.input, first.output), (second.input, second.output));
    }
    let off = Config { cache: Cache::Off, ..config(&server.url(), SONNET) };
    let bedrock = Bedrock::connect(&off).await.unwrap();
    let usage = ask(&bedrock, &long).await.unwrap().usage;
    assert_eq!((usage.cache_read, usage.cache_write_5m, usage.cache_write_1h), (0, 0, 0));
}

#[tokio::test]
async fn who_asks_is_sent_along_and_is_no_part_of_the_question() {
    let (server, bedrock) = serve(Plan::default(), SONNET).await;
    ask(&bedrock, &request()).await.unwrap();
    let mut other = crate::support::asker();
    other.attempt = "0f9d#2".to_owned();
    bedrock.converse(&request(), &other, crate::support::PATIENCE).await.unwrap();
    let calls = server.calls();
    let sent: Vec<_> = calls[0].metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        sent,
        ["agent=ae-report.nlp", "attempt=0f9d#1", "document=00ff", "team=pv _eu_", "workflow=ae-report"]
    );
    assert_eq!(calls[0].body, calls[1].body, "the same question");
    assert_eq!(calls[0].path, "/model/us.anthropic.claude-sonnet-5-5/converse");
}

#[tokio::test]
async fn the_limit_on_input_covers_the_bill_for_every_model() {
    for model in [
        SONNET,
        "eu.anthropic.claude-opus-5-5",
        "us.anthropic.claude-sonnet-4-6",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    ] {
        let (server, bedrock) = serve(Plan::default(), model).await;
        let most = bedrock.count_input_tokens(&request()).await;
        let billed = ask(&bedrock, &request()).await.unwrap().usage.input;
        assert!(most >= billed, "{model}: {most} < {billed}");
        let counts = server.calls().iter().filter(|call| call.operation == Operation::CountTokens).count();
        assert_eq!(counts, usize::from(bedrock.capabilities().count_tokens), "{model}");
        assert_eq!(server.calls()[0].status, Some(200), "{model}");
    }
}

#[tokio::test]
async fn a_model_says_its_price_and_its_size() {
    let (_server, bedrock) = serve(Plan::default(), SONNET).await;
    assert_eq!((bedrock.id(), bedrock.context_tokens()), (SONNET, 1_000_000));
}
