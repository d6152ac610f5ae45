//! The SDK's client: credentials, region, TLS, and no retries of its own.

use std::time::Duration;

use anyhow::Context as _;
use aws_config::{
    BehaviorVersion, environment::EnvironmentVariableCredentialsProvider, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_sdk_bedrockruntime::{
    Client,
    config::{Credentials, ProvideCredentials as _, Region},
};
use aws_smithy_http_client::tls;

use crate::Config;

/// A client for `config`; sends nothing to Bedrock yet.
pub(crate) async fn connect(config: &Config) -> anyhow::Result<Client> {
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(time_limits(config.timeout, config.connect_timeout))
        // It watches for bodies that trickle; every call here has a time limit as a whole.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let region = config.region.clone().map(Region::new);
    let loader = match &config.endpoint {
        // What speaks without TLS is no Bedrock of AWS, and has no use for AWS' credentials. Looking for them would
        // end at the metadata service of a cloud machine, which a laptop waits seconds for.
        Some(endpoint) if endpoint.starts_with("http://") => {
            let environment = EnvironmentVariableCredentialsProvider::new().provide_credentials().await;
            let credentials =
                environment.unwrap_or_else(|_| Credentials::new("local", "local", None, None, "local"));
            tracing::warn!(%endpoint, "documents are sent to this endpoint without TLS");
            loader
                .http_client(aws_smithy_http_client::Builder::new().build_http())
                .credentials_provider(credentials)
                .region(region.unwrap_or(Region::from_static("us-east-1")))
                .endpoint_url(endpoint)
        }
        endpoint => {
            let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
            let loader =
                loader.http_client(aws_smithy_http_client::Builder::new().tls_provider(ring).build_https());
            let loader = match region {
                Some(region) => loader.region(region),
                None => loader,
            };
            match endpoint {
                Some(endpoint) => loader.endpoint_url(endpoint),
                None => loader,
            }
        }
    };
    let client = Client::new(&loader.load().await);
    client
        .config()
        .region()
        .context("no AWS region is configured: set `region` in the Bedrock configuration or `AWS_REGION`")?;
    Ok(client)
}

/// The limits of one call.
pub(crate) fn time_limits(whole: Duration, connecting: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(connecting)
        .operation_attempt_timeout(whole)
        .operation_timeout(whole)
        .build()
}
