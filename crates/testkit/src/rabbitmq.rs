//! A private RabbitMQ from the system's package: own ports, own epmd, own folder, gone with the test.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, OnceLock},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::{
    ports,
    process::{Owned, bound},
};

/// Where Debian and Ubuntu put the scripts. The wrapper in `/usr/sbin` refuses users other than root and
/// rabbitmq; these run as anybody.
const SCRIPTS: &str = "/usr/lib/rabbitmq/bin";

/// A start takes 6 s on two quiet cores and was seen to take 24 s on busy ones.
const PATIENCE: Duration = Duration::from_secs(120);

/// A RabbitMQ node on the loopback interface. Dropping it kills it, and its epmd.
#[derive(Debug)]
pub struct RabbitMq {
    dir: PathBuf,
    port: u16,
    distribution_port: u16,
    epmd_port: u16,
    server: Mutex<Option<Owned>>,
    _epmd: Owned,
}

impl RabbitMq {
    /// Starts a node that keeps everything below `dir`, and waits until it answers.
    pub fn start(dir: &Path) -> anyhow::Result<Self> {
        ensure!(
            script("rabbitmq-server").exists(),
            "no RabbitMQ in `{SCRIPTS}`: run `apt-get install rabbitmq-server`"
        );
        for part in ["home", "mnesia", "log", "cfg"] {
            fs::create_dir_all(dir.join(part))?;
        }
        let cookie = dir.join("home/.erlang.cookie");
        if !cookie.exists() {
            fs::write(&cookie, "clinflow")?;
            // Erlang refuses a cookie that others can read.
            fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))?;
        }
        let [port, distribution_port, epmd_port] = ports::free()?;
        fs::write(dir.join("cfg/enabled_plugins"), "[].\n")?;
        fs::write(
            dir.join("cfg/rabbitmq.conf"),
            format!(
                "listeners.tcp.1 = 127.0.0.1:{port}\nlog.console = false\nlog.file.level = warning\n\
                 vm_memory_high_watermark.absolute = 512MiB\ndisk_free_limit.absolute = 50MB\n"
            ),
        )?;
        let mut epmd = bound("epmd");
        epmd.args(["-port", &epmd_port.to_string(), "-address", "127.0.0.1"]);
        let epmd = Owned::start_bound(silent(epmd)).context("start epmd")?;
        let node = Self {
            dir: dir.to_owned(),
            port,
            distribution_port,
            epmd_port,
            server: Mutex::default(),
            _epmd: epmd,
        };
        node.restart()?;
        Ok(node)
    }

    /// The node that all tests of a test binary share. It dies with the process; its folder is removed by the
    /// next process that asks for a shared node.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RabbitMq> = OnceLock::new();
        SHARED.get_or_init(|| {
            let prefix = "clinflow-rabbitmq-";
            let temp = std::env::temp_dir();
            remove_folders_of_the_dead(&temp, prefix);
            let dir = temp.join(format!("{prefix}{}", std::process::id()));
            Self::start(&dir).unwrap_or_else(|error| panic!("no shared RabbitMQ: {error:#}"))
        })
    }

    /// The URL of the default vhost.
    pub fn url(&self) -> String {
        self.url_of("%2f")
    }

    /// Makes a vhost, if it is not there, and answers its URL. A vhost per test keeps tests apart for 0.4 s.
    pub fn vhost(&self, name: &str) -> anyhow::Result<String> {
        self.ctl(&["add_vhost", name])?;
        self.ctl(&["set_permissions", "-p", name, "guest", ".*", ".*", ".*"])?;
        Ok(self.url_of(name))
    }

    /// The AMQP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs `rabbitmqctl` and answers what it printed.
    pub fn ctl(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = self
            .environment(Command::new(script("rabbitmqctl")))
            .args(args)
            .output()
            .context("run rabbitmqctl")?;
        if !output.status.success() {
            bail!("`rabbitmqctl {}`: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Writes the names of new quorum queues to disk. RabbitMQ 3.10 does so up to 3 s after a queue was declared; a
    /// node that is killed before comes back with the queue empty, also of confirmed messages, and without a leader
    /// for ever. Tests that kill a node soon after declaring call this in between.
    pub fn sync(&self) -> anyhow::Result<()> {
        self.ctl(&["eval", "dets:sync(ra_directory_reverse)."])?;
        Ok(())
    }

    /// `kill -9`. See [`RabbitMq::sync`] for queues that were just declared.
    pub fn kill(&self) {
        *self.server() = None;
    }

    /// Kills the node if it runs, and deletes its data: total loss. Its vhosts are gone too.
    pub fn wipe(&self) -> anyhow::Result<()> {
        self.kill();
        fs::remove_dir_all(self.dir.join("mnesia"))?;
        fs::create_dir_all(self.dir.join("mnesia"))?;
        Ok(())
    }

    /// Kills the node if it runs, starts it on the same folder and ports, and waits until it answers.
    pub fn restart(&self) -> anyhow::Result<()> {
        self.kill();
        let started = Owned::start_bound(silent(self.environment(bound(script("rabbitmq-server")))))?;
        *self.server() = Some(started);
        let begin = Instant::now();
        while !self.answers() {
            let ended = self.server().as_mut().map_or(Ok(None), Owned::ended)?;
            if let Some(status) = ended {
                bail!("RabbitMQ ended with {status}; its log is in `{}`", self.dir.join("log").display());
            }
            ensure!(begin.elapsed() < PATIENCE, "RabbitMQ did not answer within {PATIENCE:?}");
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Option<Owned>> {
        self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn url_of(&self, vhost: &str) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/{vhost}", self.port)
    }

    /// Whether it greets an AMQP client; a port that merely accepts is not ready yet.
    fn answers(&self) -> bool {
        let greet = || -> std::io::Result<u8> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"AMQP\x00\x00\x09\x01")?;
            let mut frame_type = [0];
            stream.read_exact(&mut frame_type)?;
            Ok(frame_type[0])
        };
        // 1 is a method frame: Connection.Start.
        greet().is_ok_and(|frame_type| frame_type == 1)
    }

    /// Gives a command this node's environment and no other.
    fn environment(&self, mut command: Command) -> Command {
        let below = |part: &str| self.dir.join(part);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env("LANG", "C.UTF-8")
            // Makes the script exec Erlang, so that the process id is the broker's.
            .env("RUNNING_UNDER_SYSTEMD", "1")
            .env("HOME", below("home"))
            .env("RABBITMQ_NODENAME", format!("clinflow-{}@localhost", self.port))
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("ERL_EPMD_PORT", self.epmd_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_MNESIA_BASE", below("mnesia"))
            .env("RABBITMQ_LOG_BASE", below("log"))
            .env("RABBITMQ_CONFIG_FILE", below("cfg/rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", below("cfg/enabled_plugins"))
            .env("RABBITMQ_CONF_ENV_FILE", below("cfg/none"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", below("cfg/none.config"))
            .env("RABBITMQ_PID_FILE", below("pid"))
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}");
        command
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(SCRIPTS).join(name)
}

fn silent(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Removes the folders `<prefix><process id>` in `temp` whose process is gone.
fn remove_folders_of_the_dead(temp: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(temp) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(prefix)) else { continue };
        if pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists() {
            // Somebody else's folder cannot be removed and need not be.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_keeps_its_vhosts_over_a_kill_and_loses_them_with_its_data() {
        let dir = tempfile::tempdir().unwrap();
        let node = RabbitMq::start(dir.path()).unwrap();
        node.vhost("kept").unwrap();
        node.restart().unwrap();
        assert!(node.ctl(&["list_vhosts"]).unwrap().contains("kept"));
        node.wipe().unwrap();
        node.restart().unwrap();
        assert!(!node.ctl(&["list_vhosts"]).unwrap().contains("kept"));
    }
}
