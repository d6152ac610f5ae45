//! A Redis server of the test's own.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use crate::{
    ports,
    process::{Owned, bound},
};

/// How long a start may take. It takes some twenty milliseconds on a quiet machine.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A private `redis-server` on the loopback interface, without persistence. It ends when this is dropped, and
/// also when the test process is killed.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    folder: TempDir,
    server: Option<Owned>,
}

impl Redis {
    /// Starts a server on a free port and waits until it answers.
    pub fn start() -> anyhow::Result<Self> {
        let [port] = ports::free().context("find a free port")?;
        let folder = TempDir::new().context("make a folder for redis-server")?;
        let mut redis = Self { port, folder, server: None };
        redis.restart()?;
        Ok(redis)
    }

    /// Where it listens: `redis://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The server's process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.server.as_ref().map(Owned::id)
    }

    /// Removes every key, as losing all of Redis would.
    pub fn flushall(&self) -> anyhow::Result<()> {
        self.say("FLUSHALL", "+OK")
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Starts it again on the same port, empty.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        self.server = Some(server(self.port, self.folder.path())?);
        let started = Instant::now();
        while let Err(error) = self.say("PING", "+PONG") {
            ensure!(started.elapsed() < START_TIMEOUT, error.context("redis-server does not answer"));
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Sends one inline command and checks its one-line answer.
    fn say(&self, command: &str, answer: &str) -> anyhow::Result<()> {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).context("connect")?;
        socket.set_read_timeout(Some(START_TIMEOUT)).context("set a timeout")?;
        socket.write_all(format!("{command}\r\n").as_bytes()).context("send a command")?;
        let mut said = vec![0; answer.len()];
        socket.read_exact(&mut said).context("read the answer")?;
        ensure!(said == answer.as_bytes(), "redis-server answers `{command}` with something else");
        Ok(())
    }
}

/// Starts a server on `port` without waiting for it.
fn server(port: u16, folder: &Path) -> anyhow::Result<Owned> {
    if !installed("redis-server") {
        bail!("`redis-server` is not installed: run `apt-get install --no-install-recommends redis-server`");
    }
    let mut command = bound("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    Owned::start_bound(command).context("start redis-server")
}

/// Whether a program can be run.
fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}
