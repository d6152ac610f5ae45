//! The SDK's client, as every AWS client here is configured, and the limits of its calls.

use std::time::Duration;

use aws_sdk_bedrockruntime::{Client, config::timeout::TimeoutConfig};
use clinflow_aws::Service;

use crate::Config;

/// A client for `config`; sends nothing to Bedrock yet.
pub(crate) async fn connect(config: &Config) -> anyhow::Result<Client> {
    if let Some(endpoint) = config.endpoint.as_deref().filter(|endpoint| clinflow_aws::is_plain(endpoint)) {
        tracing::warn!(%endpoint, "documents are sent to this endpoint without TLS");
    }
    let service = Service {
        name: "Bedrock",
        endpoint: config.endpoint.as_deref(),
        region: config.region.as_deref(),
        timeout: Some(config.timeout),
        connect_timeout: config.connect_timeout,
    };
    Ok(Client::new(&clinflow_aws::config(service).await?))
}

/// The limits of one call.
pub(crate) fn time_limits(whole: Duration, connecting: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(connecting)
        .operation_attempt_timeout(whole)
        .operation_timeout(whole)
        .build()
}
