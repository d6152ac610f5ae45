//! How every AWS client here is configured: one TLS stack, a timeout for every attempt, and no retries, because retrying
//! is decided in one place, by whoever handles the message.

use std::time::Duration;

use anyhow::Context as _;
use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_credential_types::{Credentials, provider::ProvideCredentials as _};
use aws_smithy_http_client::tls;

/// Where a service of AWS is and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// Its name in errors: `DynamoDB`.
    pub name: &'a str,
    /// Another endpoint than AWS': `http://127.0.0.1:8000`. On a loopback address credentials and region may be left
    /// out.
    pub endpoint: Option<&'a str>,
    /// The region; otherwise the one the AWS SDK finds.
    pub region: Option<&'a str>,
    /// How long one attempt may take; `None` where the caller says it for each call.
    pub timeout: Option<Duration>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
}

/// Finds region and credentials; sends nothing to the service. Must be called inside a tokio runtime.
///
/// # Errors
///
/// When no region is configured anywhere.
pub async fn config(service: Service<'_>) -> anyhow::Result<SdkConfig> {
    let timeouts = TimeoutConfig::builder().connect_timeout(service.connect_timeout);
    let timeouts = match service.timeout {
        Some(timeout) => timeouts.operation_attempt_timeout(timeout),
        None => timeouts,
    };
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts.build())
        // It watches for bodies that trickle; every call here has a timeout.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let region = service.region.map(|region| Region::new(region.to_owned()));
    let loader = match service.endpoint {
        // Looking for credentials and region ends at the metadata service of a cloud machine, which a laptop
        // waits seconds for. A local server believes anything, so nothing is looked for beyond the environment.
        Some(endpoint) if is_loopback(endpoint) => {
            let environment = EnvironmentVariableCredentialsProvider::new().provide_credentials().await;
            let credentials =
                environment.unwrap_or_else(|_| Credentials::new("local", "local", None, None, "loopback"));
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
    let config = loader.load().await;
    config.region().with_context(|| {
        format!(
            "no AWS region is configured: set `region` in the {} configuration or `AWS_REGION`",
            service.name
        )
    })?;
    Ok(config)
}

/// Whether an endpoint is plain HTTP on this machine.
fn is_loopback(endpoint: &str) -> bool {
    let Some(authority) = endpoint.strip_prefix("http://").and_then(|rest| rest.split('/').next()) else {
        return false;
    };
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_plain_http_on_this_machine_is_loopback() {
        for yes in
            ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000", "http://127.0.0.1"]
        {
            assert!(is_loopback(yes), "{yes}");
        }
        for no in [
            "https://127.0.0.1:8000",
            "http://dynamodb.example.org",
            "http://192.0.2.1:8000",
            "http://localhost.example.org:80",
        ] {
            assert!(!is_loopback(no), "{no}");
        }
    }
}
