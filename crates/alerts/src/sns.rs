//! Alerts to a topic of Amazon SNS.

use anyhow::Context as _;
use async_trait::async_trait;
use aws_sdk_sns::{Client, types::MessageAttributeValue};
use clinflow_aws::Service;
use clinflow_ports::{Alert, Alerts, StoreError};

use crate::Config;

/// Its name in errors and metrics.
const STORE: &str = "sns";

/// The longest subject SNS takes.
const SUBJECT: usize = 100;

/// A topic.
pub(crate) struct Sns {
    client: Client,
    topic: String,
}

impl Sns {
    /// Finds region and credentials for `topic`; sends nothing.
    pub(crate) async fn connect(topic: &str, config: &Config) -> anyhow::Result<Self> {
        // arn:partition:sns:region:account:name
        let region = topic.split(':').nth(3).filter(|region| !region.is_empty());
        let service = Service {
            name: "alerts",
            endpoint: config.sns_endpoint.as_deref(),
            region: config.region.as_deref().or(region),
            timeout: Some(config.timeout),
            connect_timeout: config.timeout,
        };
        let client = Client::new(&clinflow_aws::config(service).await.context("connect to SNS")?);
        Ok(Self { client, topic: topic.to_owned() })
    }
}

#[async_trait]
impl Alerts for Sns {
    async fn raise(&self, alert: &Alert) -> Result<(), StoreError> {
        let text =
            |value: &str| MessageAttributeValue::builder().data_type("String").string_value(value).build();
        let unavailable = |error: anyhow::Error| StoreError::unavailable(STORE, error);
        let name = text(&alert.name).map_err(|error| unavailable(error.into()))?;
        let severity = text(alert.severity.as_str()).map_err(|error| unavailable(error.into()))?;
        let id = text(&alert.id).map_err(|error| unavailable(error.into()))?;
        // A subject is ASCII.
        let subject: String = alert.summary.chars().filter(char::is_ascii).take(SUBJECT).collect();
        let message = self
            .client
            .publish()
            .topic_arn(&self.topic)
            .subject(subject)
            .message(&alert.description)
            .message_attributes("id", id)
            .message_attributes("name", name)
            .message_attributes("severity", severity);
        let message = if self.topic.ends_with(".fifo") {
            message.message_group_id(&alert.name).message_deduplication_id(&alert.id)
        } else {
            message
        };
        message.send().await.map(drop).map_err(|error| unavailable(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use axum::{Router, http::header::CONTENT_TYPE, routing::post};
    use clinflow_ports::{Alert, Alerts as _, alerts::Severity};
    use tokio::{net::TcpListener, sync::Mutex, task::JoinSet};

    use super::Sns;
    use crate::Config;

    #[tokio::test]
    async fn an_alert_is_published_to_its_topic_with_its_id() {
        let heard = Arc::new(Mutex::new(String::new()));
        let inbox = heard.clone();
        let publish = move |body: String| async move {
            *inbox.lock().await = body;
            let answer =
                "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
            ([(CONTENT_TYPE, "text/xml")], answer)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, Router::new().route("/", post(publish))).await });
        let config = Config {
            sns_endpoint: Some(format!("http://{address}")),
            timeout: Duration::from_secs(5),
            ..Config::default()
        };
        let sns = Sns::connect("arn:aws:sns:eu-west-1:123456789012:alerts.fifo", &config).await.unwrap();
        let alert = Alert {
            id: "team:pv|2026-11|1|80".to_owned(),
            name: "budget-near-limit".to_owned(),
            severity: Severity::Warning,
            summary: "80 % of the budget of team pv is spent".to_owned(),
            description: "$8.00 of $10.00".to_owned(),
        };
        sns.raise(&alert).await.unwrap();
        let body = heard.lock().await.clone();
        for part in ["Action=Publish", "alerts.fifo", "MessageDeduplicationId=team%3Apv%7C2026-11%7C1%7C80"] {
            assert!(body.contains(part), "{part} in {body}");
        }
    }
}
