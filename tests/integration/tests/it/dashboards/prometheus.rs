//! A private Prometheus on the committed configuration, scraping a fleet and its broker.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use clinflow_core::Role;
use clinflow_integration::{
    fleet::{Fleet, PATIENCE},
    http::Http,
};
use clinflow_testkit::{
    ports,
    process::{Owned, bound},
    rabbitmq::RabbitMq,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tempfile::TempDir;

use super::root;

/// A Prometheus server. Dropping it kills it.
pub(super) struct Prometheus {
    http: Http,
    _server: Owned,
    _folder: TempDir,
}

/// Enables the broker's plugin on a running node; answers the port on which it serves figures.
pub(super) fn enable_plugin(rabbitmq: &RabbitMq) -> anyhow::Result<u16> {
    let [port] = ports::free()?;
    rabbitmq.ctl(&[
        "eval",
        &format!(
            "application:load(rabbitmq_prometheus), \
             application:set_env(rabbitmq_prometheus, tcp_config, [{{port, {port}}}, {{ip, \"127.0.0.1\"}}]), \
             {{ok, File}} = application:get_env(rabbit, enabled_plugins_file), \
             ok = file:write_file(File, \"[rabbitmq_prometheus].\\n\"), \
             rabbit_plugins:ensure(File)."
        ),
    ])?;
    Ok(port)
}

impl Prometheus {
    /// Starts a server on `deploy/prometheus/prometheus.yml`, in which host names of the compose file become addresses
    /// of this fleet and the pauses are shorter.
    pub(super) fn start(fleet: &Fleet, rabbitmq: u16) -> anyhow::Result<Self> {
        let deploy = root().join("deploy/prometheus").canonicalize()?;
        let mut config = fs::read_to_string(deploy.join("prometheus.yml"))?;
        let mut replace = |from: &str, to: &str| {
            ensure!(config.contains(from), "`{from}` is not in prometheus.yml");
            config = config.replace(from, to);
            Ok(())
        };
        for role in Role::ALL {
            replace(&format!("{role}:9464"), fleet.operators(role).address())?;
        }
        replace("rabbitmq:15692", &format!("127.0.0.1:{rabbitmq}"))?;
        replace("interval: 15s", "interval: 1s")?;
        replace("scrape_timeout: 10s", "scrape_timeout: 1s")?;
        replace("- rules/", &format!("- {}/rules/", deploy.display()))?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config)?;
        let [port] = ports::free()?;
        let log = fs::File::create(folder.path().join("log"))?;
        let mut command = bound(installed("prometheus")?);
        command
            .env_clear()
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let server = Owned::start_bound(command)?;
        let http = Http::new(format!("http://127.0.0.1:{port}"));
        Ok(Self { http, _server: server, _folder: folder })
    }

    /// Asks the API; answers `data`. An error or a warning is an error.
    pub(super) async fn ask(&self, path: &str) -> anyhow::Result<Value> {
        let (_, body) = self.http.get(path).await?;
        let answer: Value = serde_json::from_str(&body).with_context(|| body.clone())?;
        ensure!(answer["status"] == "success" && answer.get("warnings").is_none(), "{path}: {body}");
        Ok(answer["data"].clone())
    }

    /// Evaluates an expression now; answers its series.
    pub(super) async fn query(&self, expression: &str) -> anyhow::Result<Vec<Value>> {
        let query = utf8_percent_encode(expression, NON_ALPHANUMERIC);
        let data = self.ask(&format!("/api/v1/query?query={query}")).await?;
        // A scalar is one value, not a list of series.
        Ok(if data["resultType"] == "vector" {
            data["result"].as_array().context("a vector is a list")?.clone()
        } else {
            vec![data["result"].clone()]
        })
    }

    /// The one number that an expression answers, once it answers what is wanted.
    pub(super) async fn wait_for(&self, expression: &str, wanted: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let found = self.query(expression).await;
            if let Ok(series) = &found
                && series.first().is_some_and(|one| one["value"][1] == wanted)
            {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "`{expression}` does not become {wanted}: {found:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The names of all series.
    pub(super) async fn names(&self) -> anyhow::Result<Vec<String>> {
        Ok(serde_json::from_value(self.ask("/api/v1/label/__name__/values").await?)?)
    }
}

/// A program of the system's package.
pub(super) fn installed(program: &str) -> anyhow::Result<&'static Path> {
    let path = Path::new(if program == "promtool" { "/usr/bin/promtool" } else { "/usr/bin/prometheus" });
    ensure!(path.exists(), "no {program}: run tests/servers.sh first");
    Ok(path)
}

/// What promtool says about a text of metrics; an error when it finds anything.
pub(super) fn check_metrics(text: &str) -> anyhow::Result<()> {
    let mut child = Command::new(installed("promtool")?)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("stdin is a pipe")?;
    std::io::Write::write_all(&mut stdin, text.as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(output.status.success() && said.is_empty(), "promtool: {}", String::from_utf8_lossy(&said));
    Ok(())
}
