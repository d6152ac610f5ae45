//! A DynamoDB-compatible server of the test's own.

use anyhow::Context as _;
use clinflow_dynamodb::{Config, embedded::Embedded};
use tempfile::TempDir;

use crate::ports;

/// A private dynoxide on the loopback interface, on a file in a temporary folder. It runs in this process, for
/// this and for other processes, and ends when it is dropped.
#[derive(Debug)]
pub struct DynamoDb {
    port: u16,
    // Before the folder, so that the file is closed when the folder goes.
    server: Option<Embedded>,
    folder: TempDir,
}

impl DynamoDb {
    /// Starts a server with no tables on a free port.
    pub fn start() -> anyhow::Result<Self> {
        let [port] = ports::free().context("find a free port")?;
        let folder = TempDir::new().context("make a folder for DynamoDB")?;
        let mut database = Self { port, server: None, folder };
        database.restart()?;
        Ok(database)
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The configuration that leads to it, with tables of this name.
    pub fn config(&self, table_prefix: &str) -> Config {
        Config { endpoint: Some(self.endpoint()), table_prefix: table_prefix.to_owned(), ..Config::default() }
    }

    /// Stops listening; what was written stays.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// Listens again on the same port, with what was written.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.stop();
        self.server = Some(Embedded::open_at(Some(&self.folder.path().join("dynamodb.sqlite")), self.port)?);
        Ok(())
    }
}
