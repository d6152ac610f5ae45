//! The connection to DynamoDB that the three ports share.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use clinflow_aws::Service;
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
        let service = Service {
            name: "DynamoDB",
            endpoint: config.endpoint.as_deref(),
            region: config.region.as_deref(),
            timeout: Some(config.timeout),
            connect_timeout: config.connect_timeout,
        };
        let client = Client::new(&clinflow_aws::config(service).await?);
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
