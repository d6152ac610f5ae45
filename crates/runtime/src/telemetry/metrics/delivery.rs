//! Deliveries: how they ended, how long they took and waited, and what is in hand.

use std::time::Duration;

use clinflow_core::{Lane, Role};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::{
    Histograms, at_zero, histograms,
    labels::{Word, words},
};

/// Buckets of stage durations, in seconds: a pattern takes milliseconds, a model tens of seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0];

/// Buckets of waits in a queue, in seconds. The broker's timestamps have whole seconds.
const WAITS: [f64; 9] = [1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0];

words!(
    /// How a delivery ended.
    Outcome {
        /// Handled, outputs confirmed, acked.
        Handled => "handled",
        /// It was done before; acked.
        Duplicate => "duplicate",
        /// Somebody else holds it; it comes back later.
        HeldElsewhere => "held_elsewhere",
        /// It is tried again later.
        Retried => "retried",
        /// It waits for a person or a budget.
        Parked => "parked",
        /// It was wrong.
        Dead => "dead",
        /// Handed back because the process ends.
        Released => "released",
    }
);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    role: Word<Role>,
    lane: Word<Lane>,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabels {
    role: Word<Role>,
    lane: Word<Lane>,
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

/// The families of every worker.
#[derive(Clone)]
pub(super) struct Deliveries {
    outcomes: Family<OutcomeLabels, Counter>,
    redeliveries: Family<LaneLabels, Counter>,
    waits: Histograms<LaneLabels>,
    failures: Family<FailureLabels, Counter>,
    durations: Histograms<RoleLabels>,
    in_flight: Family<RoleLabels, Gauge>,
}

impl Deliveries {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            outcomes: Family::default(),
            redeliveries: Family::default(),
            waits: histograms(|| Histogram::new(WAITS)),
            failures: Family::default(),
            durations: histograms(|| Histogram::new(SECONDS)),
            in_flight: Family::default(),
        };
        registry.register("deliveries", "Deliveries by how they ended", this.outcomes.clone());
        registry.register(
            "redeliveries",
            "Deliveries that the broker had handed out before",
            this.redeliveries.clone(),
        );
        registry.register(
            "delivery_wait_seconds",
            "Time from publishing to the first attempt, in whole seconds",
            this.waits.clone(),
        );
        registry.register("failures", "Failed attempts by code (docs/failures)", this.failures.clone());
        registry.register(
            "stage_duration_seconds",
            "Time from delivery to outputs ready",
            this.durations.clone(),
        );
        registry.register("in_flight", "Deliveries being handled", this.in_flight.clone());
        this
    }

    /// Series of a role that begin at 0.
    pub(super) fn begin(&self, role: Role) {
        let role = Word(role);
        for lane in Lane::ALL.map(Word) {
            for &outcome in Outcome::ALL {
                at_zero(&self.outcomes, &OutcomeLabels { role, lane, outcome });
            }
            at_zero(&self.redeliveries, &LaneLabels { role, lane });
            at_zero(&self.waits, &LaneLabels { role, lane });
        }
        at_zero(&self.durations, &RoleLabels { role });
        at_zero(&self.in_flight, &RoleLabels { role });
    }
}

impl super::Metrics {
    /// A delivery ended.
    pub fn delivery(&self, role: Role, lane: Lane, outcome: Outcome) {
        let labels = OutcomeLabels { role: Word(role), lane: Word(lane), outcome };
        self.deliveries.outcomes.get_or_create(&labels).inc();
    }

    /// The broker handed out what it had handed out before: somebody crashed, or was stopped, before the ack.
    pub fn redelivered(&self, role: Role, lane: Lane) {
        self.deliveries.redeliveries.get_or_create(&LaneLabels { role: Word(role), lane: Word(lane) }).inc();
    }

    /// A message waited this long for its first attempt.
    pub fn waited(&self, role: Role, lane: Lane, wait: Duration) {
        let labels = LaneLabels { role: Word(role), lane: Word(lane) };
        self.deliveries.waits.get_or_create(&labels).observe(wait.as_secs_f64());
    }

    /// An attempt failed.
    pub fn failure(&self, role: Role, code: &'static str) {
        self.deliveries.failures.get_or_create(&FailureLabels { role: Word(role), code }).inc();
    }

    /// A handler took this long.
    pub fn duration(&self, role: Role, took: Duration) {
        self.deliveries.durations.get_or_create(&RoleLabels { role: Word(role) }).observe(took.as_secs_f64());
    }

    /// Counts a delivery as being handled until the answer is dropped.
    pub fn in_flight(&self, role: Role) -> InFlight {
        let gauge = self.deliveries.in_flight.get_or_create_owned(&RoleLabels { role: Word(role) });
        gauge.inc();
        InFlight(gauge)
    }
}

/// A delivery being handled.
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
