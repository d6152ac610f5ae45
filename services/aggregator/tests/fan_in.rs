//! The fan-in over in-memory ports, with the shipped workflows: every order, every repetition, a branch that
//! never comes, and what the sweeper does about it.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::{sync::Arc, time::Duration};

use clinflow_aggregator::{Aggregate, Config, SweepSettings, Sweeper, build};
use clinflow_core::{
    BundleHash, DocumentHash, Execution, ExecutionId, Lane, Role, Status, TeamId, WorkflowId,
    execution::DocumentRef,
};
use clinflow_ports::{
    Broker as _, Bundles as _, Clock as _, Delivery, Event, Executions as _, Meta,
    memory::{ManualClock, MemoryBroker, MemoryBundles, MemoryExecutions, MemoryJoins},
    topology::{Topology, queue_name},
};
use clinflow_proto::v1;
use clinflow_runtime::{
    Catalog, Context, Done, Handler as _, submission,
    telemetry::Metrics,
    wire::{Publish as _, Receive as _},
};
use clinflow_workflow::{Bundle, shipped};
use jiff::{SignedDuration, Timestamp};
use prost::Message as _;
use uuid::Uuid;

struct House {
    metrics: Metrics,
    aggregate: Aggregate,
    sweeper: Sweeper,
    broker: MemoryBroker,
    executions: Arc<MemoryExecutions>,
    clock: Arc<ManualClock>,
    execution: Execution,
}

fn start() -> Timestamp {
    "2026-01-09T08:00:00Z".parse().unwrap()
}

async fn house() -> House {
    let bundles = Arc::new(MemoryBundles::default());
    let bundle = bundles.publish(&shipped()).await.unwrap();
    let catalog = Arc::new(Catalog::new(bundles, Bundle::read));
    let (broker, executions) = (MemoryBroker::new(), Arc::new(MemoryExecutions::default()));
    broker.declare(&Topology::standard()).await.unwrap();
    let clock = Arc::new(ManualClock::at(start()));
    let execution = execution(bundle);
    executions.create(&execution).await.unwrap();
    let config =
        Config { sweep: SweepSettings { max_redrives: 2, ..SweepSettings::default() }, ..Config::default() };
    let metrics = Metrics::default();
    let (team, workflow) = (TeamId::new("team-pv").unwrap(), WorkflowId::new("ae-report").unwrap());
    metrics.begin(Role::Aggregator);
    metrics.admit(Role::Aggregator, &team, &workflow, &[]);
    let (aggregate, sweeper) = build(
        config,
        Arc::new(broker.clone()),
        Arc::new(MemoryJoins::default()),
        executions.clone(),
        catalog,
        clock.clone(),
        metrics.clone(),
    );
    House { metrics, aggregate, sweeper, broker, executions, clock, execution }
}

fn execution(bundle: BundleHash) -> Execution {
    let workflow = WorkflowId::new("ae-report").unwrap();
    let document = DocumentRef {
        sha256: DocumentHash::of(b"d"),
        key: "documents/d".to_owned(),
        media_type: "text/plain".to_owned(),
        size: 1,
    };
    Execution {
        id: ExecutionId::derive(&workflow, &document.sha256, &bundle, 0),
        requested_workflow: workflow,
        document,
        bundle,
        session: None,
        team: None,
        lane: Lane::Batch,
        submission: Uuid::from_u128(5),
        created_at: start(),
        redrives: 0,
        check_at: Some(start() + SignedDuration::from_secs(60)),
        status: Status::Running,
        disposition: None,
        head: None,
    }
}

impl House {
    /// A part of `branch` in message `message`, whose content is `content`.
    fn part(&self, branch: &str, message: u128, content: &str) -> (v1::FieldsExtracted, Context) {
        let document = v1::DocumentClassified {
            execution: Some(submission::context(&self.execution)),
            workflow_id: "ae-report".to_owned(),
            branches: vec!["extractor".to_owned(), "nlp".to_owned()],
            ..v1::DocumentClassified::default()
        };
        let fields = v1::ObjectRef { key: content.to_owned(), sha256: vec![0; 32].into(), size: 1 };
        let part = v1::FieldsExtracted {
            document: Some(document),
            branch: branch.to_owned(),
            fields: Some(fields),
            field_count: 1,
        };
        let meta = Meta {
            message_id: Uuid::from_u128(message),
            execution: Some(self.execution.id),
            type_name: Event::FieldsExtracted.type_name().to_owned(),
            timestamp: self.clock.now(),
            workflow: self.execution.requested_workflow.clone(),
            lane: Lane::Batch,
            team: None,
            session: None,
            attempt: 1,
            redrive: 0,
            hops: 2,
            deadline: None,
            traceparent: None,
        };
        (part, Context { meta, now: self.clock.now(), remaining: Duration::from_secs(60) })
    }

    async fn arrive(&self, branch: &str, message: u128, content: &str) -> Done {
        let (part, context) = self.part(branch, message, content);
        self.aggregate.handle(part, &context).await.unwrap()
    }

    /// Whether this series shows this number.
    fn counted(&self, series: &str, number: u32) -> bool {
        self.metrics.render().unwrap().contains(&format!("clinflow_{series} {number}\n"))
    }

    /// The next message of `event` that the sweeper published.
    async fn published(&self, role: Role) -> Option<Box<dyn Delivery>> {
        self.broker.take(&queue_name(role, Lane::Batch)).await.unwrap()
    }
}

/// What was merged, by branch, if the part completed the join; with the message's id.
fn merged(done: &Done) -> Option<(Uuid, Vec<(String, String)>)> {
    let output = done.outputs.iter().find(|output| output.event() == Event::FieldsMerged)?;
    let message = v1::FieldsMerged::decode(output.body()).unwrap();
    let branches = message
        .branches
        .into_iter()
        .map(|branch| (branch.name, branch.fields.unwrap_or_default().key))
        .collect();
    Some((output.id(Role::Aggregator, Uuid::nil(), 0), branches))
}

fn ignored(done: &Done) -> Option<String> {
    let output = done.outputs.iter().find(|output| output.event() == Event::FieldsIgnored)?;
    Some(v1::FieldsIgnored::decode(output.body()).unwrap().reason)
}

#[tokio::test]
async fn each_part_twice_with_differing_content_in_every_order_gives_one_merged_result() {
    // Messages 1 and 2 bring the extractor's branch, 3 and 4 the nlp's; 2 and 4 differ from 1 and 3.
    let parts = [("extractor", 1, "e1"), ("extractor", 2, "e2"), ("nlp", 3, "n3"), ("nlp", 4, "n4")];
    let mut ids = Vec::new();
    for order in permutations(&[0, 1, 2, 3]) {
        let house = house().await;
        let (mut results, mut refused) = (Vec::new(), 0);
        for at in &order {
            let (branch, message, content) = parts[*at];
            let done = house.arrive(branch, message, content).await;
            results.extend(merged(&done));
            refused += usize::from(ignored(&done).as_deref() == Some("differs"));
        }
        let first =
            |branch| order.iter().map(|at| parts[*at]).find(|part| part.0 == branch).unwrap().2.to_owned();
        let expected = vec![("extractor".to_owned(), first("extractor")), ("nlp".to_owned(), first("nlp"))];
        assert_eq!(results.len(), 1, "order {order:?}");
        assert_eq!(results[0].1, expected, "order {order:?}");
        assert_eq!(refused, 2, "order {order:?}");
        assert!(house.counted(r#"joins_total{workflow_id="ae-report",result="completed"}"#, 1));
        let late_or_differing = ["late", "differs"].map(|reason| {
            let series = |number| {
                let of = format!(r#"join_parts_ignored_total{{workflow_id="ae-report",reason="{reason}"}}"#);
                house.counted(&of, number)
            };
            (0..=2).find(|number| series(*number)).unwrap()
        });
        assert_eq!(late_or_differing, [0, 2], "order {order:?}");
        ids.push(results[0].0);
    }
    assert_eq!(ids.len(), 24);
    assert!(ids.iter().all(|id| *id == ids[0]), "the merged message has one id whatever the order");
}

fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let without = |at: usize| items.iter().copied().filter(|item| *item != at).collect::<Vec<_>>();
    items
        .iter()
        .flat_map(|first| {
            permutations(&without(*first))
                .into_iter()
                .map(|rest| [vec![*first], rest].concat())
                .collect::<Vec<_>>()
        })
        .collect()
}

#[tokio::test]
async fn a_missing_branch_gives_a_partial_result_at_the_deadline_and_a_late_part_changes_nothing() {
    let house = house().await;
    assert!(merged(&house.arrive("extractor", 1, "e1").await).is_none());
    house.sweeper.close_joins(house.clock.now()).await.unwrap();
    assert!(house.published(Role::Validator).await.is_none(), "not before the deadline");
    house.clock.advance(SignedDuration::from_hours(1));
    house.sweeper.close_joins(house.clock.now()).await.unwrap();
    let partial = house.published(Role::Validator).await.unwrap();
    let message = v1::FieldsMerged::decode(partial.envelope().body.clone()).unwrap();
    assert_eq!((message.missing, message.branches.len()), (vec!["nlp".to_owned()], 1));
    let late = house.arrive("nlp", 3, "n3").await;
    assert!(merged(&late).is_none());
    assert_eq!(ignored(&late).as_deref(), Some("late"));
    house.sweeper.close_joins(house.clock.now()).await.unwrap();
    assert!(house.published(Role::Validator).await.is_none(), "emitted once");
    assert!(house.counted(r#"joins_total{workflow_id="ae-report",result="timed_out"}"#, 1));
    assert!(house.counted(r#"joins_total{workflow_id="ae-report",result="completed"}"#, 0));
    assert!(house.counted(r#"join_parts_ignored_total{workflow_id="ae-report",reason="late"}"#, 1));
}

#[tokio::test]
async fn an_execution_without_progress_is_driven_again_with_the_same_message_id_and_then_given_up() {
    let house = house().await;
    let minute = |minutes| start() + SignedDuration::from_mins(minutes);
    house.sweeper.drive_again(minute(0)).await.unwrap();
    assert!(house.published(Role::Classifier).await.is_none(), "not before it is due");
    let mut redrives = Vec::new();
    for minutes in [1, 2, 4] {
        house.sweeper.drive_again(minute(minutes)).await.unwrap();
        if let Some(again) = house.published(Role::Classifier).await {
            let meta = Meta::read(again.envelope(), Lane::Batch, minute(minutes)).unwrap();
            redrives.push((meta.message_id, meta.redrive));
            let body = v1::DocumentSubmitted::decode(again.envelope().body.clone()).unwrap();
            assert_eq!(body.execution().unwrap().execution_id, house.execution.id.to_string());
            again
                .ack(clinflow_ports::Settled::publishing(&house.broker, Vec::new()).await.unwrap())
                .await
                .unwrap();
        }
    }
    assert_eq!(redrives, [(Uuid::from_u128(5), 1), (Uuid::from_u128(5), 2)]);
    house.sweeper.drive_again(minute(10)).await.unwrap();
    let given_up = house.published(Role::Auditor).await.unwrap();
    let failed = v1::DocumentFailed::receive(Event::DocumentFailed, &given_up.envelope().body).unwrap();
    assert_eq!((failed.code.as_str(), failed.status.as_str()), ("redrive.exhausted", "failed"));
    assert_eq!(house.executions.get(house.execution.id).await.unwrap().unwrap().redrives, 2);
    for (result, number) in [("driven_again", 2), ("given_up", 1), ("postponed", 0)] {
        assert!(house.counted(&format!(r#"redrives_total{{result="{result}"}}"#), number), "{result}");
    }
}
