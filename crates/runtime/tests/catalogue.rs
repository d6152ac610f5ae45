//! The metric catalogue: what the program exports is what docs/guide/observability.md says, row by row.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use clinflow_core::{Lane, Role, Status, TeamId, WorkflowId};
use clinflow_cost::{Account, NanoUsd, Scope, Usage};
use clinflow_ports::Health;
use clinflow_runtime::telemetry::metrics::{
    Agent, Answered, Budget, CostClass, Decision, Ended, Ignored, Invocation, JoinResult, LeaseResolution,
    LoopReason, Metrics, Outcome, Rebuild, Redrive,
};
use jiff::{Timestamp, tz::TimeZone};

const SECOND: Duration = Duration::from_secs(1);

/// Metrics on which every method was called once, so that every family has a series to show its labels.
fn used() -> Metrics {
    let metrics = Metrics::default();
    let (team, workflow) = (TeamId::new("safety").unwrap(), WorkflowId::new("ae-report").unwrap());
    for role in Role::ALL {
        metrics.begin(role);
        metrics.admit(role, &team, &workflow, &["local"]);
    }
    let agent = Agent { team: &team, workflow: &workflow, role: Role::Nlp };
    let cent = NanoUsd::new(10_000_000);
    metrics.delivery(Role::Nlp, Lane::Batch, Outcome::Handled);
    metrics.redelivered(Role::Nlp, Lane::Batch);
    metrics.waited(Role::Nlp, Lane::Batch, SECOND);
    metrics.failure(Role::Nlp, "handler.timeout");
    metrics.duration(Role::Nlp, SECOND);
    drop(metrics.in_flight(Role::Nlp));
    metrics.broker(Health::Up);
    metrics.invocation(&Invocation {
        agent,
        model: "local",
        answered: Answered::Ok,
        class: CostClass::First,
        cost: cent,
        usage: Usage { input: 7, output: 3, ..Usage::default() },
        took: SECOND,
    });

    metrics.budget_decision(agent, Decision::Allowed);
    metrics.loop_detected(agent, LoopReason::Identical);
    let at = Timestamp::from_second(1_764_000_000).unwrap();
    let account = Account::at(Scope::team(&team), at, &TimeZone::UTC);
    metrics.budgets(&[Budget { account: &account, limit: cent, spent: cent, held: cent, suspense: cent }]);
    metrics.ledger_drift(&account.scope, -1);
    metrics.budget_rebuilt(Rebuild::Installed, SECOND);
    metrics.lease_expired(LeaseResolution::Released);
    metrics.alert_outbox(&team, 1);
    metrics.price_table("v1", at);
    metrics.document(&Ended {
        team: Some(&team),
        workflow: &workflow,
        status: Status::Completed,
        cost: cent,
        took: Some(SECOND),
    });
    metrics.join(&workflow, JoinResult::Completed);
    metrics.part_ignored(&workflow, Ignored::Late);
    metrics.redrive(Redrive::DrivenAgain);
    metrics.guardrail_intervened(agent, "topic", "blocked");
    metrics
}

/// Name, type and labels of every family of a Prometheus text.
fn catalogue(text: &str) -> BTreeMap<String, (String, String)> {
    let mut families: BTreeMap<String, (String, Option<String>)> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            families.insert(name.to_owned(), (kind.to_owned(), None));
        } else if !line.starts_with('#') {
            let (series, _) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let part_of_histogram = ["_bucket", "_sum", "_count"]
                .iter()
                .filter_map(|part| name.strip_suffix(part))
                .find(|name| families.get(*name).is_some_and(|(kind, _)| kind == "histogram"));
            let family = families.get_mut(part_of_histogram.unwrap_or(name));
            let (_, keys) = family.unwrap_or_else(|| panic!("`{name}` has no type"));
            let mut seen: Vec<&str> = labels
                .trim_end_matches('}')
                .split(',')
                .filter_map(|label| Some(label.split_once('=')?.0))
                .collect();
            seen.retain(|key| *key != "le");
            let seen = seen.join(", ");
            assert_eq!(*keys.get_or_insert(seen.clone()), seen, "`{name}` has one set of labels");
        }
    }
    families
        .into_iter()
        .map(|(name, (kind, labels))| {
            let labels = labels.unwrap_or_else(|| panic!("nothing in this test writes `{name}`"));
            (name, (kind, labels))
        })
        .collect()
}

/// The rows of the guide's table: `name`, type, `label`, `label`.
fn documented() -> BTreeMap<String, (String, String)> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/observability.md");
    let text = fs::read_to_string(guide).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `clinflow_"));
    rows.map(|row| {
        let cells: Vec<String> =
            row.trim_matches('|').split('|').map(|cell| cell.replace('`', "").trim().to_owned()).collect();
        (cells[0].clone(), (cells[1].clone(), cells[2].clone()))
    })
    .collect()
}

#[test]
fn the_guide_lists_every_metric_with_its_type_and_labels() {
    let exported = catalogue(&used().render_plain().unwrap());
    for (name, (kind, labels)) in &exported {
        println!("{name} {kind} {labels}");
    }
    assert!(exported.len() > 25, "too few were found: {exported:?}");
    assert_eq!(exported, documented(), "left: what is exported; right: docs/guide/observability.md");
}

#[test]
fn a_model_call_is_counted_by_agent_model_and_token_class_with_its_dollars() {
    let text = used().render_plain().unwrap();
    let agent = r#"team_id="safety",workflow_id="ae-report",agent_id="ae-report.nlp""#;
    for line in [
        format!(r#"clinflow_invocations_total{{{agent},model="local",outcome="ok",cost_class="first"}} 1"#),
        format!(r#"clinflow_cost_usd_total{{{agent},model="local",cost_class="first"}} 0.01"#),
        format!(r#"clinflow_tokens_total{{{agent},model="local",token_type="input"}} 7"#),
        format!(r#"clinflow_tokens_total{{{agent},model="local",token_type="output"}} 3"#),
        r#"clinflow_budget_ledger_drift_usd{scope="team",scope_id="safety"} -1e-9"#.to_owned(),
        r#"clinflow_document_duration_seconds_count{workflow_id="ae-report",result="completed"} 1"#
            .to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` is not in\n{text}");
    }
}

#[test]
fn an_execution_that_has_not_ended_is_not_counted_as_a_document() {
    let metrics = Metrics::default();
    let workflow = WorkflowId::auto();
    for status in [Status::Running, Status::Parked] {
        metrics.document(&Ended {
            team: None,
            workflow: &workflow,
            status,
            cost: NanoUsd::ZERO,
            took: Some(SECOND),
        });
    }
    let text = metrics.render_plain().unwrap();
    assert!(!text.contains("clinflow_documents_total{"), "{text}");
}
