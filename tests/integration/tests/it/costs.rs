//! `clinflow cost rebuild` over a real Redis and the DynamoDB protocol.

use std::{process::Command, time::Duration};

use clinflow_core::{DocumentHash, ExecutionId, Role, TeamId, id::ObjectHash};
use clinflow_cost::{Attempt, Intent, NanoUsd, Payer, ScopeKind, Usage};
use clinflow_dynamodb::{Database, DynamoBundles, DynamoLedger};
use clinflow_integration::fleet::program;
use clinflow_ports::{Bundles as _, Clock as _, Counters as _, Ledger as _};
use clinflow_redis::{Connection, RedisCounters};
use clinflow_runtime::SystemClock;
use clinflow_testkit::{dynamodb::DynamoDb, redis::Redis};
use clinflow_workflow::{Bundle, shipped};
use uuid::Uuid;

/// Runs the command over these servers; answers its exit code and what it printed.
fn rebuild(redis: &Redis, dynamodb: &DynamoDb, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program("clinflow").unwrap());
    command.args(["cost", "rebuild"]).args(arguments).env_remove("CLINFLOW_CONFIG");
    command.env("CLINFLOW__REDIS__URL", redis.url()).env("CLINFLOW__DYNAMODB__ENDPOINT", dynamodb.endpoint());
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// Attempt `number` of one call, just now, held at a cent.
fn intent(bundle: &Bundle, number: u32) -> Intent {
    let (workflow, at) = (bundle.workflows().next().unwrap(), SystemClock.now());
    let payer = Payer {
        team: workflow.team.clone(),
        workflow: workflow.id.clone(),
        agent: workflow.id.agent(Role::Nlp),
        session: None,
        document: DocumentHash::of(b"document"),
    };
    let charges = bundle.budgets().charges(&payer, at);
    Intent {
        attempt: Attempt { invocation: Uuid::nil(), ordinal: 0, number },
        at,
        team: payer.team,
        workflow: payer.workflow,
        agent: payer.agent,
        session: None,
        execution: ExecutionId::from_uuid(Uuid::nil()),
        document: payer.document,
        fingerprint: ObjectHash::of(b"question"),
        model: "model".to_owned(),
        prices: bundle.prices().version(),
        hold: NanoUsd::new(10_000_000),
        accounts: charges.into_iter().map(|charge| charge.account).collect(),
    }
}

/// What the team has settled and in suspense, by the counters.
async fn counted(counters: &RedisCounters, team: &TeamId) -> (u64, u64) {
    let positions = counters.positions(team).await.unwrap();
    let position = positions.iter().find(|one| one.scope.kind() == ScopeKind::Team).unwrap();
    (position.settled.get(), position.suspense.get())
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_are_made_from_the_ledger_as_often_as_somebody_asks_and_by_one_at_a_time() {
    let (redis, dynamodb) = (Redis::start().unwrap(), DynamoDb::start().unwrap());
    let database = Database::connect(&dynamodb.config("clinflow")).await.unwrap();
    database.create_tables().await.unwrap();
    DynamoBundles::new(database.clone()).publish(&shipped()).await.unwrap();
    let bundle = Bundle::read(&shipped()).unwrap();
    let ledger = DynamoLedger::new(database);
    let (lost, answered) = (intent(&bundle, 1), intent(&bundle, 2));
    let team = lost.team.clone();
    for intent in [&lost, &answered] {
        ledger.put_intent(intent).await.unwrap();
    }
    let billed = answered.billed(answered.at, Usage::default(), NanoUsd::new(1_234_567), None);
    ledger.put_outcome(&billed).await.unwrap();
    let config = clinflow_redis::Config { url: redis.url(), ..clinflow_redis::Config::default() };
    let counters = RedisCounters::new(Connection::new(&config).unwrap());
    assert_eq!(counters.epoch(&team).await.unwrap(), None);

    let (code, said) = rebuild(&redis, &dynamodb, &[]);
    assert_eq!(code, Some(0), "{said}");
    let line =
        format!("{team}: rebuilt from 2 attempts, 1 of them without an end; $0.001234567 are settled\n");
    assert!(said.contains(&line), "{said}");
    assert_eq!(counted(&counters, &team).await, (1_234_567, 10_000_000));
    let first = counters.epoch(&team).await.unwrap();
    assert!(first.is_some());

    let (code, said) = rebuild(&redis, &dynamodb, &["--team", team.as_str()]);
    assert_eq!((code, said), (Some(0), line), "of one team, once more");
    assert_eq!(counted(&counters, &team).await, (1_234_567, 10_000_000));
    assert_ne!(counters.epoch(&team).await.unwrap(), first, "every rebuild is a generation of its own");

    assert!(counters.begin(&team, Uuid::from_u128(1), Duration::from_secs(60)).await.unwrap());
    let (code, said) = rebuild(&redis, &dynamodb, &["--team", team.as_str()]);
    assert_eq!(
        (code, said),
        (Some(1), format!("{team}: somebody else is rebuilding; nothing was changed\n"))
    );
}

#[test]
fn without_a_redis_there_is_nothing_to_rebuild_and_that_is_said_before_anything_is_touched() {
    let mut command = Command::new(program("clinflow").unwrap());
    command.args(["cost", "rebuild"]).env_remove("CLINFLOW_CONFIG").env_remove("CLINFLOW__REDIS__URL");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("clinflow: configuration: `redis` is missing: name the file"), "{said}");
}
