//! Alerts as JSON to a URL.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use clinflow_ports::{Alert, Alerts, StoreError};
use reqwest::{Client, Url};

/// Its name in errors and metrics.
const STORE: &str = "webhook";

/// A URL that takes alerts.
pub(crate) struct Webhook {
    client: Client,
    url: Url,
}

impl Webhook {
    /// A webhook at `url`.
    pub(crate) fn new(url: &str, timeout: Duration) -> anyhow::Result<Self> {
        let url: Url = url.parse().context("`alerts.webhook` is not a URL")?;
        // reqwest is built without a TLS provider and asks the process for one. The first one in wins, and it is the
        // same one everywhere in clinflow.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(timeout).connect_timeout(timeout).build()?;
        Ok(Self { client, url })
    }
}

#[async_trait]
impl Alerts for Webhook {
    async fn raise(&self, alert: &Alert) -> Result<(), StoreError> {
        let request = self.client.post(self.url.clone()).header("Idempotency-Key", &alert.id).json(alert);
        // A URL can hold a secret.
        let sent = request.send().await.and_then(reqwest::Response::error_for_status);
        sent.map(drop).map_err(|error| StoreError::unavailable(STORE, error.without_url()))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use axum::{Json, Router, http::HeaderMap, routing::post};
    use clinflow_ports::{Alert, Alerts as _, alerts::Severity};
    use tokio::{net::TcpListener, sync::Mutex, task::JoinSet};

    use super::Webhook;

    fn alert() -> Alert {
        Alert {
            id: "team:pv|2026-11|1|100".to_owned(),
            name: "budget-exhausted".to_owned(),
            severity: Severity::Critical,
            summary: "The budget of team pv is spent".to_owned(),
            description: "Its documents wait.".to_owned(),
        }
    }

    #[tokio::test]
    async fn an_alert_arrives_as_json_under_its_id() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let inbox = heard.clone();
        let take = move |headers: HeaderMap, Json(body): Json<Alert>| async move {
            inbox.lock().await.push((headers["idempotency-key"].to_str().unwrap().to_owned(), body));
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, Router::new().route("/", post(take))).await });
        let webhook = Webhook::new(&format!("http://{address}/"), Duration::from_secs(5)).unwrap();
        webhook.raise(&alert()).await.unwrap();
        assert_eq!(*heard.lock().await, [(alert().id, alert())]);
    }

    #[tokio::test]
    async fn a_webhook_that_refuses_is_unavailable_and_its_url_is_not_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, Router::new()).await });
        let webhook =
            Webhook::new(&format!("http://{address}/hook?token=secret"), Duration::from_secs(5)).unwrap();
        let error = format!("{:?}", webhook.raise(&alert()).await.unwrap_err());
        assert!(error.contains("404") && !error.contains("secret"), "{error}");
    }
}
