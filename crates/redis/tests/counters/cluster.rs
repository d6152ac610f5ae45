//! On a node in cluster mode, which refuses a script whose keys lie in several slots, the counters pass their suite.

use std::{
    process::Stdio,
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use clinflow_redis::RedisCounters;
use clinflow_testkit::{
    ports,
    process::{Owned, bound},
};
use redis::Commands as _;

/// A node that has all slots.
struct Node {
    _server: Owned,
    _folder: tempfile::TempDir,
    url: String,
}

static NODE: LazyLock<Node> = LazyLock::new(Node::start);

impl Node {
    fn start() -> Self {
        let [port, bus] = ports::free().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut server = bound("redis-server");
        server
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .args(["--cluster-enabled", "yes", "--cluster-port", &bus.to_string(), "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null());
        let server = Owned::start_bound(server).unwrap();
        let url = format!("redis://127.0.0.1:{port}");
        let (client, began) = (redis::Client::open(url.as_str()).unwrap(), Instant::now());
        let mut connection = loop {
            match client.get_connection() {
                Ok(connection) => break connection,
                Err(error) => assert!(began.elapsed() < Duration::from_secs(20), "{error}"),
            }
            thread::sleep(Duration::from_millis(5));
        };
        let assigned: redis::RedisResult<String> =
            redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16383).query(&mut connection);
        assigned.unwrap();
        while let Err(error) = connection.set::<_, _, ()>("ready", 1) {
            assert!(began.elapsed() < Duration::from_secs(20), "{error}");
            thread::sleep(Duration::from_millis(5));
        }
        Self { _server: server, _folder: folder, url }
    }
}

fn counters() -> RedisCounters {
    crate::on(&NODE.url, "cluster")
}

clinflow_ports::counters_suite!(async { counters() });

#[test]
fn the_node_does_refuse_a_script_over_two_slots() {
    let mut connection = redis::Client::open(NODE.url.as_str()).unwrap().get_connection().unwrap();
    let script = redis::Script::new("#!lua\nreturn redis.call('GET', KEYS[1])");
    let refused: redis::RedisResult<Option<String>> =
        script.key("{one}").key("{another}").invoke(&mut connection);
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Some("CROSSSLOT"), "{refused}");
}
