//! Calls in plain HTTP.

use clinflow_stand_in_bedrock::Server;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};

pub(crate) const SONNET: &str = "us.anthropic.claude-sonnet-5-5";

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The header that names an error; empty when there is none.
    pub(crate) error: String,
    pub(crate) body: Value,
}

impl Answer {
    /// All text blocks.
    pub(crate) fn text(&self) -> String {
        let blocks = self.body["output"]["message"]["content"].as_array().unwrap();
        blocks.iter().filter_map(|block| block["text"].as_str()).collect()
    }
}

/// A request about a document.
pub(crate) fn converse(document: &str) -> Value {
    let schema = json!({"properties": {"claims": {"items": {"properties": {"field": {"enum": [
        "age", "treatment.drug_name", "event.event_term"
    ]}}}}}});
    json!({
        "messages": [{"role": "user", "content": [{"text": document}, {"text": "Report the fields."}]}],
        "inferenceConfig": {"maxTokens": 4096},
        "outputConfig": {"textFormat": {
            "type": "json_schema",
            "structure": {"jsonSchema": {"name": "claims", "schema": schema.to_string()}},
        }},
    })
}

pub(crate) async fn ask(server: &Server, model: &str, body: &Value) -> Answer {
    post(server, &format!("/model/{model}/converse"), body).await
}

pub(crate) async fn post(server: &Server, path: &str, body: &Value) -> Answer {
    send("POST", server, path, body, "AWS4-HMAC-SHA256 Credential=x").await
}

pub(crate) async fn post_unsigned(server: &Server, path: &str, body: &Value) -> Answer {
    send("POST", server, path, body, "").await
}

pub(crate) async fn get(server: &Server, path: &str) -> Value {
    send("GET", server, path, &Value::Null, "").await.body
}

async fn send(method: &str, server: &Server, path: &str, body: &Value, authorization: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", server.url()))
        .header("authorization", authorization)
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.unwrap();
    let status = response.status().as_u16();
    let error =
        response.headers().get("x-amzn-errortype").map_or("", |name| name.to_str().unwrap()).to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Answer { status, error, body: serde_json::from_slice(&body).unwrap_or_default() }
}
