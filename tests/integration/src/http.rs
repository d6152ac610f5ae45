//! Just enough HTTP to be an upstream system.

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, StatusCode};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// An HTTP client of a gateway or of an operators' port.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

impl Http {
    /// A client of `base`: `http://127.0.0.1:8080`.
    pub fn new(base: impl Into<String>) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), base: base.into() }
    }

    /// Host and port of its base.
    pub fn address(&self) -> &str {
        self.base.rsplit_once("//").map_or(&self.base, |(_, address)| address)
    }

    /// Sends `body` and answers status and body.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("content-type", content_type)
            .body(Full::new(body))?;
        let response = self.client.request(request).await.with_context(|| format!("{}{path}", self.base))?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// Gets `path`, as text.
    pub async fn get(&self, path: &str) -> anyhow::Result<(StatusCode, String)> {
        let (status, body) = self.send(Method::GET, path, "", Bytes::new()).await?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Submits a document; answers the execution as JSON.
    pub async fn submit(
        &self,
        query: &str,
        media_type: &str,
        bytes: Bytes,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let (status, body) =
            self.send(Method::POST, &format!("/v1/documents{query}"), media_type, bytes).await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }
}
