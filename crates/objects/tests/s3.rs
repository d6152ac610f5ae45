//! The suite over S3's protocol, against s3s on a temporary folder.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::LazyLock,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clinflow_objects::{Config, Store};
use clinflow_ports::{Objects as _, StoreError};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tempfile::TempDir;

/// A server with the bucket `documents`, on a thread of its own for all tests.
static SERVER: LazyLock<(SocketAddr, TempDir)> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("documents")).unwrap();
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
    builder.set_auth(SimpleAuth::from_single("local", "local"));
    let service = builder.build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let service = service.clone();
                connections.spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
    });
    (address, folder)
});

fn open(url: &str) -> Store {
    let endpoint = Some(format!("http://{}", SERVER.0));
    Store::open(&Config { url: url.to_owned(), endpoint, ..Config::default() }).unwrap()
}

// The suite without its race: s3s-fs looks whether a key is taken before it writes, and not while. S3 itself
// promises that of racing conditional puts one succeeds.
clinflow_ports::suite_tests!(
    objects,
    async { open("s3://documents/trial") },
    [
        what_is_put_reads_back,
        a_second_create_keeps_the_first,
        a_missing_object_is_named,
        a_folder_lists_its_objects,
    ]
);

#[tokio::test]
async fn a_prefix_is_part_of_the_place_and_not_of_the_keys() {
    let object = open("s3://documents/prefixed").put("a/b", Bytes::from_static(b"text")).await.unwrap();
    assert_eq!(object.key, "a/b");
    assert_eq!(open("s3://documents/prefixed").list("a").await.unwrap(), ["a/b"]);
    assert_eq!(open("s3://documents").get("prefixed/a/b").await.unwrap(), "text");
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_without_retries() {
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let endpoint = Some(format!("http://{gone}"));
    let store =
        Store::open(&Config { url: "s3://documents".to_owned(), endpoint, ..Config::default() }).unwrap();
    let began = Instant::now();
    let error = store.get("a").await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { store: "objects", .. }), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
