//! DynamoDB away, slow, throttled, or disturbed by one bad write among good ones.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::time::{Duration, Instant};

use clinflow_core::{
    BundleHash, DocumentHash, Execution, ExecutionId, Lane, Status, WorkflowId, execution::DocumentRef,
};
use clinflow_dynamodb::{Config, Database, DynamoExecutions, embedded::Embedded};
use clinflow_ports::{
    Executions, StoreError,
    executions::{Created, Page},
};
use clinflow_testkit::dynamodb::DynamoDb;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use uuid::Uuid;

fn execution(n: u128) -> Execution {
    Execution {
        id: ExecutionId::from_uuid(Uuid::from_u128(n)),
        requested_workflow: WorkflowId::new("ae-report").unwrap(),
        document: DocumentRef {
            sha256: DocumentHash::of(b"document"),
            key: "documents/x".to_owned(),
            media_type: "text/plain".to_owned(),
            size: 8,
        },
        bundle: BundleHash::of(b"bundle"),
        session: None,
        team: None,
        lane: Lane::Batch,
        submission: Uuid::from_u128(n),
        created_at: Timestamp::from_second(1_000).unwrap(),
        redrives: 0,
        check_at: Some(Timestamp::from_second(2_000).unwrap()),
        status: Status::Running,
        disposition: None,
        head: None,
    }
}

async fn executions(config: Config) -> DynamoExecutions {
    DynamoExecutions::new(Database::connect(&config).await.unwrap())
}

fn assert_unavailable<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    let error = answer.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { store: "dynamodb", .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_goes_away_is_unavailable_at_once_and_works_again_with_what_it_held() {
    let mut server = DynamoDb::start().unwrap();
    let database = Database::connect(&server.config("faults")).await.unwrap();
    database.create_tables().await.unwrap();
    let executions = DynamoExecutions::new(database);
    executions.create(&execution(1)).await.unwrap();

    server.stop();
    let began = Instant::now();
    let (one, two) = (execution(2), execution(3));
    for answer in join_all([&one, &two].map(|execution| executions.create(execution))).await {
        assert_unavailable(answer);
    }
    assert_unavailable(executions.get(one.id).await);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());

    server.restart().unwrap();
    assert_eq!(executions.create(&one).await.unwrap(), Created::New);
    assert!(matches!(executions.create(&execution(1)).await.unwrap(), Created::Existing(_)));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_unavailable_within_the_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let config =
        Config { endpoint: Some(endpoint), timeout: Duration::from_millis(200), ..Config::default() };
    let executions = executions(config).await;
    let began = Instant::now();
    assert_unavailable(executions.create(&execution(1)).await);
    assert_unavailable(executions.list(None, 10, None).await);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

/// An HTTP server that refuses every call with this error.
async fn refusing(error: &'static str) -> (String, tokio::task::JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 64 * 1024];
            let _ = socket.read(&mut request).await;
            let body =
                format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{error}","message":"later"}}"#);
            let head =
                "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    (endpoint, tasks)
}

#[tokio::test]
async fn throttling_is_unavailable_and_says_so() {
    for error in ["ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"] {
        let (endpoint, _server) = refusing(error).await;
        let executions = executions(Config { endpoint: Some(endpoint), ..Config::default() }).await;
        let refused = executions.create(&execution(1)).await.unwrap_err();
        let StoreError::Unavailable { source, .. } = &refused else { panic!("{refused:?}") };
        assert!(source.to_string().contains("later"), "{source}");
    }
}

#[tokio::test]
async fn one_write_that_dynamodb_refuses_does_not_take_the_others_of_its_group_with_it() {
    let server = DynamoDb::start().unwrap();
    let config = Config { commits: 1, ..server.config("faults") };
    let database = Database::connect(&config).await.unwrap();
    database.create_tables().await.unwrap();
    let executions = DynamoExecutions::new(database);
    let mut all: Vec<Execution> = (0..20).map(execution).collect();
    // Beyond the 400 KB of an item.
    all[7].document.key = "x".repeat(500_000);
    let created = join_all(all.iter().map(|execution| executions.create(execution))).await;
    for (n, created) in created.into_iter().enumerate() {
        match n {
            7 => assert_unavailable(created),
            _ => assert_eq!(created.unwrap(), Created::New, "{n}"),
        }
    }
}

#[tokio::test]
async fn every_caller_of_a_group_gets_its_own_answer() {
    let server = DynamoDb::start().unwrap();
    let config = Config { commits: 1, ..server.config("faults") };
    let database = Database::connect(&config).await.unwrap();
    database.create_tables().await.unwrap();
    let executions = DynamoExecutions::new(database);
    for n in (0..60).step_by(3) {
        executions.create(&execution(n)).await.unwrap();
    }
    let all: Vec<Execution> = (0..60).map(execution).collect();
    let created = join_all(all.iter().map(|execution| executions.create(execution))).await;
    for (execution, created) in all.iter().zip(created) {
        let existing = execution.id.as_uuid().as_u128() % 3 == 0;
        let expected = if existing { Created::Existing(Box::new(execution.clone())) } else { Created::New };
        assert_eq!(created.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_connection_to_a_local_server_is_made_without_looking_for_credentials_elsewhere() {
    let embedded = Embedded::open(None).unwrap();
    let began = Instant::now();
    let database = Database::connect(&embedded.config()).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    database.create_tables().await.unwrap();
    database.create_tables().await.unwrap();
    let executions = DynamoExecutions::new(database);
    assert_eq!(executions.list(None, 10, None).await.unwrap(), Page::default());
}

#[tokio::test]
async fn what_is_written_to_a_file_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clinflow.sqlite");
    for expected in [None, Some(execution(1))] {
        let embedded = Embedded::open(Some(&path)).unwrap();
        let database = Database::connect(&embedded.config()).await.unwrap();
        database.create_tables().await.unwrap();
        let executions = DynamoExecutions::new(database);
        assert_eq!(executions.get(execution(1).id).await.unwrap(), expected);
        executions.create(&execution(1)).await.unwrap();
    }
}
