//! DynamoDB in this process: dynoxide, on a SQLite file or in memory, behind its HTTP server on the loopback
//! interface, so that the embedded mode and the tests run the adapter that production runs.
//!
//! Streams stay off: with them every write counts the table.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    thread::{self, JoinHandle},
};

use anyhow::Context as _;
use dynoxide::{Database, server};
use tokio::sync::oneshot;

use crate::Config;

/// A DynamoDB of this process's own. It ends when this is dropped.
#[derive(Debug)]
pub struct Embedded {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl Embedded {
    /// Opens the database in the file `path`, or one in memory, and serves it on a free port.
    pub fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        Self::open_at(path, 0)
    }

    /// The same on a port that was chosen elsewhere.
    pub fn open_at(path: Option<&Path>, port: u16) -> anyhow::Result<Self> {
        let database = match path {
            None => Database::memory().context("open a database in memory")?,
            Some(path) => {
                let name = path.to_str().with_context(|| format!("`{}` is not Unicode", path.display()))?;
                Database::new(name).with_context(|| format!("open the database `{name}`"))?
            }
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("listen on port {port} of the loopback interface"))?;
        listener.set_nonblocking(true).context("listen without blocking")?;
        let address = listener.local_addr().context("find the port")?;
        // A thread and a runtime of its own: SQLite's disk waits would hold up the tasks beside them.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("start a runtime")?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::select! {
                    // Requests under way end with the runtime, and none of them halfway: SQLite runs each
                    // without a pause.
                    _ = stopped => {}
                    served = server::serve_with_shutdown(listener, database, std::future::pending()) => {
                        if let Err(error) = served {
                            tracing::error!(%error, "embedded DynamoDB has ended");
                        }
                    }
                }
            });
        };
        let server =
            thread::Builder::new().name("dynoxide".to_owned()).spawn(serve).context("start a thread")?;
        Ok(Self { address, stop: Some(stop), server: Some(server) })
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The configuration that leads to it. Credentials are made up, as for every endpoint without TLS.
    pub fn config(&self) -> Config {
        Config { endpoint: Some(self.endpoint()), ..Config::default() }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            // A server that panicked has ended, which is what is wanted.
            let _ = server.join();
        }
    }
}
