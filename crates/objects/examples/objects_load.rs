//! Measures the reads and writes of a document in a local folder:
//! `cargo run --release -p clinflow-objects --example objects_load`.
#![expect(clippy::print_stdout, reason = "a measurement for people")]

use std::time::Duration;

use bytes::Bytes;
use clinflow_core::id::derive;
use clinflow_objects::{Config, Store};
use clinflow_ports::Objects as _;
use clinflow_testkit::load;

const TIME: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    for callers in [1, 16] {
        let folder = tempfile::tempdir()?;
        let url = folder.path().display().to_string();
        let store = Store::open(&Config { url, ..Config::default() })?;
        let key = |n: u64| format!("executions/{}/text.json", derive(&[&n.to_be_bytes()]));

        let (writes, reads) = (store.clone(), store);
        let write = move |n| {
            let store = writes.clone();
            async move {
                store.create(&key(n), Bytes::from(vec![b'x'; 8 * 1024])).await?;
                Ok(())
            }
        };
        let written = load::run(callers, TIME, &[], write).await?;
        println!("create 8 KB, c={callers:<3} {written}");

        let read = move |n| {
            let store = reads.clone();
            async move {
                store.get(&key(n % written.calls)).await?;
                Ok(())
            }
        };
        println!("get 8 KB,    c={callers:<3} {}", load::run(callers, TIME, &[], read).await?);
    }
    Ok(())
}
