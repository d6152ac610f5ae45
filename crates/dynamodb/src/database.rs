//! The connection to DynamoDB that the three ports share.

use std::sync::Arc;

use anyhow::Context as _;
use aws_config::{
    BehaviorVersion, environment::EnvironmentVariableCredentialsProvider, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::{
    Client,
    config::{Credentials, ProvideCredentials as _, Region},
};
use aws_smithy_http_client::tls;
use clinflow_ports::StoreError;

use crate::{
    Config,
    commit::{Committer, Limits},
    tables::{self, Tables},
    write::{Outcome, Write},
};

/// DynamoDB, as one process uses it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    tables: Tables,
    committer: Committer,
}

impl Database {
    /// Reads the configuration and finds credentials; sends nothing to DynamoDB. Must be called inside a tokio
    /// runtime, which must outlive it.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        let client = client(config).await;
        client.config().region().context(
            "no AWS region is configured: set `region` in the DynamoDB configuration or `AWS_REGION`",
        )?;
        let limits = Limits {
            group: config.effective_group(),
            commits: config.commits,
            // Its own call, and the ones before it in the queue.
            patience: config.timeout * 2,
        };
        let committer = Committer::new(client.clone(), limits);
        Ok(Self(Arc::new(Inner { client, tables: Tables::new(&config.table_prefix), committer })))
    }

    /// Creates the tables that are not there and waits until all can be used: for the embedded mode and for
    /// tests.
    pub async fn create_tables(&self) -> anyhow::Result<()> {
        Box::pin(tables::create(self.client(), self.tables())).await
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.0.tables
    }

    pub(crate) async fn write(&self, write: Write) -> Result<Outcome, StoreError> {
        self.0.committer.write(write).await
    }
}

async fn client(config: &Config) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(config.connect_timeout)
        .operation_attempt_timeout(config.timeout)
        .build();
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        // It watches for bodies that trickle; every call here is short and has a timeout.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let region = config.region.clone().map(Region::new);
    let loader = match &config.endpoint {
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
    Client::new(&loader.load().await)
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
