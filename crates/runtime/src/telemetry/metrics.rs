//! The metric catalogue of the runtime. Labels are closed enums: never a document, a session or free text.

use std::{fmt, sync::Arc, time::Duration};

use clinflow_core::{Lane, Role};
use clinflow_ports::Health;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

/// Buckets of stage durations, in seconds: a pattern takes milliseconds, a model tens of seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0];

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Handled, outputs confirmed, acked.
    Handled,
    /// It was done before; acked.
    Duplicate,
    /// Somebody else holds it; it comes back later.
    HeldElsewhere,
    /// It is tried again later.
    Retried,
    /// It waits for a person or a budget.
    Parked,
    /// It was wrong.
    Dead,
    /// Handed back because the process ends.
    Released,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handled => "handled",
            Self::Duplicate => "duplicate",
            Self::HeldElsewhere => "held_elsewhere",
            Self::Retried => "retried",
            Self::Parked => "parked",
            Self::Dead => "dead",
            Self::Released => "released",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    role: Word<Role>,
    lane: Word<Lane>,
    outcome: Word<Outcome>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    role: Word<Role>,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoleLabels {
    role: Word<Role>,
}

/// A closed enum as a label value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Word<T>(T);

impl<T: fmt::Display> EncodeLabelValue for Word<T> {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.0.to_string().as_str().encode(encoder)
    }
}

/// The metrics of one process. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    deliveries: Family<DeliveryLabels, Counter>,
    failures: Family<FailureLabels, Counter>,
    durations: Family<RoleLabels, Histogram, fn() -> Histogram>,
    in_flight: Family<RoleLabels, Gauge>,
    broker_up: Gauge,
    broker_blocked: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let deliveries = Family::default();
        let failures = Family::default();
        let durations: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        let in_flight = Family::default();
        let (broker_up, broker_blocked) = (Gauge::default(), Gauge::default());
        let mut registry = Registry::with_prefix("clinflow");
        registry.register(
            "build",
            "Version of this program",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register("deliveries", "Deliveries by how they ended", deliveries.clone());
        registry.register("failures", "Failed attempts by code (docs/failures)", failures.clone());
        registry.register("stage_duration_seconds", "Time from delivery to outputs ready", durations.clone());
        registry.register("in_flight", "Deliveries being handled", in_flight.clone());
        registry.register("broker_up", "1 while connected to the broker", broker_up.clone());
        registry.register(
            "broker_blocked",
            "1 while the broker asks publishers to wait",
            broker_blocked.clone(),
        );
        Self {
            registry: Arc::new(registry),
            deliveries,
            failures,
            durations,
            in_flight,
            broker_up,
            broker_blocked,
        }
    }
}

impl Metrics {
    /// A delivery ended.
    pub fn delivery(&self, role: Role, lane: Lane, outcome: Outcome) {
        let labels = DeliveryLabels { role: Word(role), lane: Word(lane), outcome: Word(outcome) };
        self.deliveries.get_or_create(&labels).inc();
    }

    /// An attempt failed.
    pub fn failure(&self, role: Role, code: &'static str) {
        self.failures.get_or_create(&FailureLabels { role: Word(role), code }).inc();
    }

    /// A handler took this long.
    pub fn duration(&self, role: Role, took: Duration) {
        self.durations.get_or_create(&RoleLabels { role: Word(role) }).observe(took.as_secs_f64());
    }

    /// Counts a delivery as being handled until the answer is dropped.
    pub fn in_flight(&self, role: Role) -> InFlight {
        let gauge = self.in_flight.get_or_create_owned(&RoleLabels { role: Word(role) });
        gauge.inc();
        InFlight(gauge)
    }

    /// The broker's health changed.
    pub fn broker(&self, health: Health) {
        self.broker_up.set(i64::from(health != Health::Down));
        self.broker_blocked.set(i64::from(health == Health::Blocked));
    }

    /// The Prometheus text exposition.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A delivery being handled.
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_counted_under_its_role_lane_and_outcome() {
        let metrics = Metrics::default();
        metrics.delivery(Role::Nlp, Lane::Batch, Outcome::Handled);
        let text = metrics.render().unwrap();
        let line = r#"clinflow_deliveries_total{role="nlp",lane="batch",outcome="handled"} 1"#;
        assert!(text.contains(line), "{text}");
    }
}
