//! A real Prometheus over the eight services and RabbitMQ: every panel is asked, every rule is evaluated.

use std::collections::BTreeSet;

use clinflow_core::{Lane, Role};
use clinflow_integration::{
    documents,
    fleet::{Fleet, Settings},
    outcome::wait_for_end,
};
use clinflow_ports::{Broker as _, Envelope, Event, Route};
use clinflow_stand_in_bedrock::{Plan, Server};

use super::{
    asked, boards, catalogue,
    prometheus::{Prometheus, check_metrics, enable_plugin},
    rules,
};
use crate::pipeline::submit_all;

/// Panels that have something to show in every running system: a query that is right but asks for labels that do not
/// exist answers nothing, and no error.
const SHOWN: [&str; 15] = [
    "pipeline: Services up",
    "pipeline: Waiting",
    "pipeline: Between attempts",
    "pipeline: Dead letters",
    "pipeline: Parked",
    "pipeline: Depth",
    "pipeline: In hand",
    "pipeline: Age",
    "pipeline: Consumers",
    "pipeline: Stage latency, 19 of 20",
    "pipeline: Handled",
    "pipeline: Versions",
    "pipeline: Documents ended",
    "pipeline: Joins",
    "cost: By agent",
];

/// A panel's expression with everything chosen, as Grafana sends it for a short time range.
fn filled_in(expression: &str) -> String {
    let mut filled = expression.replace("$__rate_interval", "1m").replace("$__range", "5m");
    for variable in ["$team", "$workflow", "$agent", "$model", "$role", "$lane"] {
        filled = filled.replace(variable, ".*");
    }
    assert!(!filled.contains('$'), "`{filled}` has a variable that no dashboard defines");
    filled
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_and_rule_is_evaluated_on_a_prometheus_that_scrapes_the_running_services()
-> anyhow::Result<()> {
    let bedrock = Server::start(Plan::default()).await?;
    let model = Some(("us.anthropic.claude-sonnet-5-5".to_owned(), bedrock.url()));
    let fleet =
        Fleet::start(Settings { redrive_after: "600s", bedrock: model, ..Settings::default() }).await?;
    let prometheus = Prometheus::start(&fleet, enable_plugin(&fleet.rabbitmq)?)?;
    prometheus.wait_for(r#"count(up{job="clinflow"} == 1)"#, "8").await?;
    // Scraped once before anything happens, so that what happens is an increase.
    let amqp = fleet.amqp().await?;
    let documents = documents::distinct("dashboards", 12)?;
    let accepted = submit_all(&fleet, &documents).await?;
    let unreadable = Envelope {
        type_name: Some(Event::DocumentSubmitted.type_name().to_owned()),
        body: vec![0xff; 8].into(),
        ..Envelope::default()
    };
    let workflow = clinflow_core::WorkflowId::auto();
    let to = Route::event(Event::DocumentSubmitted, &workflow, Lane::Batch);
    let _ = amqp.publish(to, unreadable).await?;
    wait_for_end(&fleet, &accepted).await?;
    // The broker's figures are some seconds old.
    let dead = r#"rabbitmq_detailed_queue_messages_ready{queue="clinflow.dead"}"#;
    prometheus.wait_for(dead, "1").await?;
    let handled = r#"sum(clinflow_deliveries_total{role="reporter",outcome="handled"})"#;
    prometheus.wait_for(handled, "12").await?;
    for (counted, wanted) in [
        (r#"sum(clinflow_joins_total{result="completed",workflow_id!="other"})"#, "12"),
        (r#"sum(clinflow_documents_total{team_id!="other",workflow_id!="other"})"#, "12"),
        (r#"sum(clinflow_cost_usd_total{team_id!="other",model!="other"}) > bool 0"#, "1"),
        (r#"count(clinflow_price_table_verified_timestamp_seconds > 1.7e9)"#, "1"),
    ] {
        prometheus.wait_for(counted, wanted).await?;
    }
    let waits = r#"sum(clinflow_delivery_wait_seconds_count{role="reporter"})"#;
    prometheus.wait_for(waits, "12").await?;

    let mut empty = BTreeSet::new();
    for board in boards() {
        for panel in &board.panels {
            for expression in &panel.expressions {
                let series = prometheus.query(&filled_in(expression)).await?;
                println!("{:3} series: {}", series.len(), panel.name);
                if series.is_empty() {
                    empty.insert(panel.name.clone());
                }
            }
        }
        for choice in board.choices().iter().filter_map(|query| query.strip_prefix("label_values(")) {
            let (series, label) = choice.trim_end_matches(')').rsplit_once(", ").unwrap();
            prometheus.query(&format!("count by ({label}) ({})", filled_in(series))).await?;
        }
    }
    for shown in SHOWN {
        assert!(boards().iter().any(|board| board.panels.iter().any(|panel| panel.name == shown)), "{shown}");
        assert!(!empty.contains(shown), "`{shown}` shows nothing");
    }

    let mut known: BTreeSet<String> = prometheus.names().await?.into_iter().collect();
    let ours = known.iter().filter(|name| name.starts_with("clinflow_"));
    let undocumented: Vec<_> = ours.filter(|name| !catalogue().contains(*name)).collect();
    assert!(undocumented.is_empty(), "not in docs/guide/observability.md: {undocumented:?}");
    known.extend(catalogue());
    known.extend(rules().iter().filter_map(|rule| Some(rule.get("record")?.as_str()?.to_owned())));
    for (name, who) in asked() {
        assert!(known.contains(&name), "{who} names `{name}`, which is in no catalogue and no scrape");
    }

    let mut evaluated = 0;
    for group in prometheus.ask("/api/v1/rules").await?["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            assert_eq!(rule["health"], "ok", "{rule}");
            evaluated += 1;
        }
    }
    assert_eq!(evaluated, rules().len(), "every rule was evaluated");
    for role in Role::ALL {
        let (_, text) = fleet.operators(role).get("/metrics").await?;
        assert!(text.contains("# TYPE clinflow_build_info gauge"), "{role}: Prometheus text unless asked");
        check_metrics(&text)?;
    }
    Ok(())
}
