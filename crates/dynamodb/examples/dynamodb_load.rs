//! Measures the writes of a document against dynoxide on a file, over HTTP, with writes grouped in several ways:
//! `cargo run --release -p clinflow-dynamodb --example dynamodb_load`.
#![expect(clippy::print_stdout, reason = "a measurement for people")]

use std::{sync::Arc, time::Duration};

use clinflow_core::{
    BundleHash, Disposition, DocumentHash, Execution, ExecutionId, Lane, Role, Status, WorkflowId,
    audit::{ChainHead, Entry, Event, Record},
    execution::DocumentRef,
    id::{ObjectHash, derive},
    step::{ObjectRef, Outcome, Step},
};
use clinflow_dynamodb::{Config, Database, DynamoAuditLog, DynamoExecutions};
use clinflow_ports::{AuditLog, Executions};
use clinflow_testkit::{dynamodb::DynamoDb, load};
use jiff::Timestamp;
use uuid::Uuid;

const TIME: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    for (group, commits) in [(1, 1), (100, 1), (100, 2), (100, 3), (100, 4)] {
        for callers in [1, 64] {
            println!("group {group}, {commits} at once, {callers} callers");
            measure(group, commits, callers).await?;
        }
    }
    Ok(())
}

/// Measures every write on tables of their own.
async fn measure(group: u16, commits: u16, callers: usize) -> anyhow::Result<()> {
    let server = DynamoDb::start()?;
    let config = Config { group: Some(group), commits, ..server.config("load") };
    let database = Database::connect(&config).await?;
    database.create_tables().await?;
    let executions = Arc::new(DynamoExecutions::new(database.clone()));
    let log = Arc::new(DynamoAuditLog::new(database));

    let table = Arc::clone(&executions);
    let create = move |n| {
        let table = Arc::clone(&table);
        async move {
            table.create(&execution(n)?).await?;
            Ok(())
        }
    };
    let created = load::run(callers, TIME, &[], create).await?;
    println!("  create          {created}");

    let settle = move |n| {
        let table = Arc::clone(&executions);
        async move {
            // The ids of the executions that exist, again and again: a settled one is kept.
            let id = id(n % created.calls);
            table.settle(id, &completed(id)).await?;
            Ok(())
        }
    };
    println!("  settle          {}", load::run(callers, TIME, &[], settle).await?);

    let chains = Arc::clone(&log);
    let first = move |n| {
        let chains = Arc::clone(&chains);
        async move {
            chains.append(ChainHead::genesis(id(n)), recorded(n)?).await?;
            Ok(())
        }
    };
    let appended = load::run(callers, TIME, &[], first).await?;
    println!("  append, first   {appended}");

    let second = move |n| {
        let log = Arc::clone(&log);
        async move {
            let n = n % appended.calls;
            let head = Record::after(ChainHead::genesis(id(n)), recorded(n)?).head();
            let entry = Entry { message_id: derive(&[b"second", &n.to_be_bytes()]), ..recorded(n)? };
            log.append(head, entry).await?;
            Ok(())
        }
    };
    println!("  append, second  {}", load::run(callers, TIME, &[], second).await?);
    Ok(())
}

fn id(n: u64) -> ExecutionId {
    ExecutionId::from_uuid(derive(&[&n.to_be_bytes()]))
}

fn execution(n: u64) -> anyhow::Result<Execution> {
    Ok(Execution {
        id: id(n),
        requested_workflow: WorkflowId::new("ae-report")?,
        document: DocumentRef {
            sha256: DocumentHash::of(&n.to_be_bytes()),
            key: format!("documents/{}", DocumentHash::of(&n.to_be_bytes())),
            media_type: "text/plain".to_owned(),
            size: 4096,
        },
        bundle: BundleHash::of(b"bundle"),
        session: None,
        team: None,
        lane: Lane::Batch,
        submission: Uuid::from_u128(u128::from(n)),
        created_at: Timestamp::from_second(1_000)?,
        redrives: 0,
        check_at: Some(Timestamp::from_second(2_000)?),
        status: Status::Running,
        disposition: None,
        head: None,
    })
}

fn completed(id: ExecutionId) -> Disposition {
    Disposition {
        status: Status::Completed,
        workflow: None,
        code: None,
        message: None,
        outputs: Some(format!("reports/{id}")),
        head: ChainHead::genesis(id),
        at: Timestamp::UNIX_EPOCH,
    }
}

/// What the auditor records of a document: the steps of six roles.
fn recorded(n: u64) -> anyhow::Result<Entry> {
    let workflow = WorkflowId::new("ae-report")?;
    let fields = ObjectRef {
        key: format!("executions/{}/fields.json", id(n)),
        sha256: ObjectHash::of(b"f"),
        size: 4096,
    };
    let step = |role: Role| Step {
        role,
        agent_id: workflow.agent(role),
        invocation_id: derive(&[role.as_str().as_bytes(), &n.to_be_bytes()]),
        attempt: 1,
        started_at: Timestamp::UNIX_EPOCH,
        ended_at: Timestamp::UNIX_EPOCH,
        outcome: Outcome::Succeeded,
        code: None,
        model: None,
        prompt: None,
        output: Some(fields.clone()),
        cost_nano_usd: 0,
    };
    let roles =
        [Role::Classifier, Role::Extractor, Role::Nlp, Role::Aggregator, Role::Validator, Role::Auditor];
    Ok(Entry {
        execution: id(n),
        message_id: derive(&[b"first", &n.to_be_bytes()]),
        document: DocumentHash::of(&n.to_be_bytes()),
        bundle: BundleHash::of(b"bundle"),
        session: None,
        at: Timestamp::UNIX_EPOCH,
        event: Event::Recorded {
            steps: roles.map(step).to_vec(),
            fields,
            field_count: 12,
            findings: Vec::new(),
            missing: Vec::new(),
        },
    })
}
