//! The metric catalogue: every metric, its type and its labels in one place. Labels are closed words and names of
//! configuration: never a document, a session or free text.
//!
//! To add a metric: a family in the file it belongs to, its line in the register function there, a method that the
//! services call, and a row in docs/guide/observability.md (a test compares them).

mod budget;
mod delivery;
mod document;
mod exposition;
mod follow;
mod invocation;
mod labels;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

use clinflow_core::{Role, TeamId, WorkflowId};
use clinflow_cost::NanoUsd;
use clinflow_ports::Health;
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
        info::Info,
    },
    registry::Registry,
};

pub use self::{
    budget::{Budget, Decision, LeaseResolution, LoopReason, Rebuild},
    delivery::{InFlight, Outcome},
    document::{Ended, Ignored, JoinResult, Redrive},
    invocation::{Answered, CostClass, Invocation, TokenType},
    labels::{Agent, OTHER},
};

/// A family of histograms.
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// A counter of dollars.
type Dollars = Counter<f64, AtomicU64>;

/// A gauge of dollars.
type UsdGauge = Gauge<f64, AtomicU64>;

/// A family whose histograms are made by `new`.
fn histograms<L: Clone + Eq + std::hash::Hash>(new: fn() -> Histogram) -> Histograms<L> {
    Family::new_with_constructor(new)
}

/// Makes a series that nothing was counted in yet.
fn at_zero<L, M, C>(family: &Family<L, M, C>, labels: &L)
where
    L: Clone + Eq + std::hash::Hash,
    C: MetricConstructor<M>,
{
    drop(family.get_or_create(labels));
}

/// An amount as Prometheus counts it. The exact amounts are in the ledger.
fn dollars(amount: NanoUsd) -> f64 {
    amount.get() as f64 / 1e9
}

/// The metrics of one process. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    names: Arc<labels::Names>,
    deliveries: delivery::Deliveries,
    invocations: Arc<invocation::Invocations>,
    budgets: Arc<budget::Budgets>,
    documents: Arc<document::Documents>,
    broker_up: Gauge,
    broker_blocked: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("clinflow");
        registry.register(
            "build",
            "Version of this program",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        let deliveries = delivery::Deliveries::register(&mut registry);
        let invocations = Arc::new(invocation::Invocations::register(&mut registry));
        let budgets = Arc::new(budget::Budgets::register(&mut registry));
        let documents = Arc::new(document::Documents::register(&mut registry));
        let (broker_up, broker_blocked) = (Gauge::default(), Gauge::default());
        registry.register("broker_up", "1 while connected to the broker", broker_up.clone());
        registry.register(
            "broker_blocked",
            "1 while the broker asks publishers to wait",
            broker_blocked.clone(),
        );
        let (registry, names) = (Arc::new(registry), Arc::default());
        Self { registry, names, deliveries, invocations, budgets, documents, broker_up, broker_blocked }
    }
}

impl Metrics {
    /// This process plays `role`: its series without names begin at 0, because the increase of a series that is born
    /// at 1 is nothing.
    pub fn begin(&self, role: Role) {
        if Role::CONSUMERS.contains(&role) {
            self.deliveries.begin(role);
        }
        if role == Role::Aggregator {
            self.documents.begin_redrives();
            self.budgets.begin_keeping();
        }
    }

    /// This process plays `role` for a configured workflow: team, workflow and models may be label values from now
    /// on, and their series begin at 0. `models` are those the role may call. Idempotent; called again whenever the
    /// current bundle changes.
    pub fn admit(&self, role: Role, team: &TeamId, workflow: &WorkflowId, models: &[&str]) {
        self.names.admit(team, workflow);
        let agent = Agent { team, workflow, role };
        for model in models {
            self.names.admit_model(model);
            self.invocations.begin(&self.names, agent, model);
        }
        if !models.is_empty() {
            self.budgets.begin(&self.names, agent);
        }
        match role {
            Role::Nlp | Role::Validator => {
                self.documents.begin_guardrail(&self.names, agent);
            }
            Role::Auditor => self.documents.begin_ends(&self.names, team, workflow),
            Role::Aggregator => {
                self.documents.begin_joins(&self.names, workflow);
                self.budgets.begin_loops(&self.names, Agent { role: Role::Nlp, ..agent });
            }
            Role::Classifier | Role::Extractor | Role::Reporter | Role::Gateway => {}
        }
    }

    /// The broker's health changed.
    pub fn broker(&self, health: Health) {
        self.broker_up.set(i64::from(health != Health::Down));
        self.broker_blocked.set(i64::from(health == Health::Blocked));
    }

    /// The figures as OpenMetrics text.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// The figures as Prometheus text 0.0.4.
    pub fn render_plain(&self) -> Result<String, fmt::Error> {
        Ok(exposition::plain(&self.render()?))
    }
}

#[cfg(test)]
mod tests {
    use clinflow_core::Lane;
    use clinflow_cost::{Account, Scope};
    use jiff::tz::TimeZone;

    use super::*;

    fn names() -> (TeamId, WorkflowId) {
        (TeamId::new("safety").unwrap(), WorkflowId::new("ae-report").unwrap())
    }

    #[test]
    fn a_delivery_is_counted_under_its_role_lane_and_outcome() {
        let metrics = Metrics::default();
        metrics.delivery(Role::Nlp, Lane::Batch, Outcome::Handled);
        let text = metrics.render().unwrap();
        let line = r#"clinflow_deliveries_total{role="nlp",lane="batch",outcome="handled"} 1"#;
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn closed_series_begin_at_0_so_that_the_first_event_is_an_increase() {
        let metrics = Metrics::default();
        let (team, workflow) = names();
        metrics.begin(Role::Aggregator);
        metrics.admit(Role::Nlp, &team, &workflow, &["local"]);
        metrics.admit(Role::Aggregator, &team, &workflow, &[]);
        let text = metrics.render().unwrap();
        for line in [
            r#"clinflow_deliveries_total{role="aggregator",lane="batch",outcome="dead"} 0"#,
            r#"clinflow_redrives_total{result="given_up"} 0"#,
            r#"clinflow_loop_detections_total{team_id="safety",workflow_id="ae-report",agent_id="ae-report.nlp",reason="identical_calls"} 0"#,
            r#"clinflow_cost_usd_total{team_id="safety",workflow_id="ae-report",agent_id="ae-report.nlp",model="local",cost_class="retry"} 0.0"#,
        ] {
            assert!(text.contains(line), "`{line}` is not in\n{text}");
        }
        assert!(!text.contains(r#"role="nlp",lane"#), "nlp takes no deliveries here");
    }

    #[test]
    fn a_budget_of_a_period_that_is_over_stops_being_shown() {
        let metrics = Metrics::default();
        let (team, workflow) = names();
        metrics.admit(Role::Aggregator, &team, &workflow, &[]);
        let cent = NanoUsd::new(10_000_000);
        let account = |at: &str| {
            let scope = Scope::agent(&workflow.agent(Role::Nlp));
            Account::at(scope, at.parse().unwrap(), &TimeZone::UTC)
        };
        let budget = |account| Budget {
            account,
            limit: NanoUsd::new(1_000_000_000),
            spent: cent,
            held: NanoUsd::ZERO,
            suspense: NanoUsd::ZERO,
        };
        let labels = |period| {
            format!(
                r#"clinflow_budget_spent_usd{{scope="agent",scope_id="ae-report.nlp",period="{period}"}} 0.01"#
            )
        };
        let (first, second) = (account("2026-11-21T10:00:00Z"), account("2026-11-22T10:00:00Z"));
        metrics.budgets(&[budget(&first)]);
        assert!(metrics.render().unwrap().contains(&labels("2026-11-21")));
        metrics.budgets(&[budget(&second)]);
        let text = metrics.render().unwrap();
        assert!(text.contains(&labels("2026-11-22")) && !text.contains("2026-11-21"), "{text}");
    }

    #[test]
    fn budgets_of_unknown_owners_are_added_up_not_lost() {
        let metrics = Metrics::default();
        let accounts = ["team:a", "team:b", "session:c"].map(|scope| {
            Account::at(scope.parse().unwrap(), "2026-11-21T10:00:00Z".parse().unwrap(), &TimeZone::UTC)
        });
        let cent = NanoUsd::new(10_000_000);
        let budgets = accounts.each_ref().map(|account| Budget {
            account,
            limit: cent,
            spent: cent,
            held: cent,
            suspense: cent,
        });
        metrics.budgets(&budgets);
        let line = r#"clinflow_budget_held_usd{scope="team",scope_id="other",period="2026-11"} 0.02"#;
        let text = metrics.render().unwrap();
        assert!(text.contains(line), "{text}");
        assert!(!text.contains(r#"scope="session""#), "sessions are without number: {text}");
    }

    #[test]
    fn only_the_price_table_in_use_is_shown() {
        let metrics = Metrics::default();
        for version in ["one", "two"] {
            metrics.price_table(version, jiff::Timestamp::from_second(1_764_000_000).unwrap());
        }
        let text = metrics.render().unwrap();
        assert!(text.contains(r#"price_table_info{version="two"} 1"#) && !text.contains("one"), "{text}");
    }
}
