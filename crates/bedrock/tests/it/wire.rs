//! What goes over the wire, byte for byte: read the diff before accepting another shape.

use clinflow_bedrock::{Bedrock, Cache, Config};
use clinflow_ports::model::Request;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::support::{SONNET, ask, config, guardrail, request};

/// One request as it came: its first line, its headers that matter, its body.
async fn overhear(change: impl FnOnce(Config) -> Config, request: &Request) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bedrock = Bedrock::connect(&change(config(&url, SONNET))).await.unwrap();
    let listening = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        loop {
            stream.read_buf(&mut bytes).await.unwrap();
            let text = String::from_utf8_lossy(&bytes);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = header(head, "content-length").unwrap().parse::<usize>().unwrap();
            if body.len() < length {
                continue;
            }
            let seen = json!({
                "line": head.lines().next().unwrap(),
                "content-type": header(head, "content-type"),
                "amz-sdk-request": header(head, "amz-sdk-request"),
                "is signed": header(head, "authorization").unwrap().starts_with("AWS4-HMAC-SHA256 "),
                "body": serde_json::from_str::<Value>(body).unwrap(),
            });
            stream.write_all(b"HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            return seen;
        }
    };
    let (_, seen) = tokio::join!(ask(&bedrock, request), listening);
    seen
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut pairs = head.lines().filter_map(|line| line.split_once(": "));
    pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn short() -> Request {
    Request {
        instructions: "Report. ".repeat(64),
        document: "Rash on day 2.".into(),
        query: "Report the fields.".into(),
        ..request()
    }
}

#[tokio::test]
async fn a_request_has_the_documented_shape() {
    insta::assert_json_snapshot!("plain", overhear(|config| config, &short()).await);
}

#[tokio::test]
async fn a_request_with_a_guardrail_has_the_documented_shape() {
    let guarded = |config| Config { guardrail: Some(guardrail("abcd1234")), cache: Cache::OneHour, ..config };
    insta::assert_json_snapshot!("guarded", overhear(guarded, &short()).await);
}
