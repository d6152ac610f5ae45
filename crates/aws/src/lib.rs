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
    /// Another endpoint than AWS': `http://127.0.0.1:8000`. At one without TLS, credentials and region may be left out.
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
        // waits seconds for. What speaks without TLS is no service of AWS and believes anything, so nothing is looked
        // for beyond the environment.
        Some(endpoint) if is_plain(endpoint) => {
            let environment = EnvironmentVariableCredentialsProvider::new().provide_credentials().await;
            let credentials =
                environment.unwrap_or_else(|_| Credentials::new("local", "local", None, None, "plain HTTP"));
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

/// Whether an endpoint is spoken to without TLS.
pub fn is_plain(endpoint: &str) -> bool {
    endpoint.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("http"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_credential_types::provider::ProvideCredentials as _;

    use super::{Service, config, is_plain};

    #[test]
    fn only_http_is_without_tls() {
        for yes in ["http://127.0.0.1:8000", "http://dynamodb:8000/", "HTTP://[::1]:8000"] {
            assert!(is_plain(yes), "{yes}");
        }
        for no in ["https://127.0.0.1:8000", "https://http.example.org", "localhost:8000", ""] {
            assert!(!is_plain(no), "{no}");
        }
    }

    #[tokio::test]
    async fn a_server_without_tls_on_any_host_needs_neither_credentials_nor_region() {
        let service = Service {
            name: "DynamoDB",
            endpoint: Some("http://dynamodb:8000"),
            region: None,
            timeout: Some(Duration::from_secs(1)),
            connect_timeout: Duration::from_secs(1),
        };
        let config = config(service).await.unwrap();
        assert_eq!(config.region().map(AsRef::as_ref), Some("us-east-1"));
        assert_eq!(config.endpoint_url(), Some("http://dynamodb:8000"));
        // Without looking any further, also where the environment of the test names credentials.
        config.credentials_provider().unwrap().provide_credentials().await.unwrap();
    }
}
