//! The aggregator: where the branches of an execution meet, where what makes no progress is driven
//! again, and where the books of money are kept.

mod bookkeeper;
mod join;
mod sweep;

use std::{sync::Arc, time::Duration};

use clinflow_ports::{Broker, Clock, Executions, Joins};
use clinflow_runtime::{Catalog, telemetry::Metrics};
use clinflow_workflow::Bundle;
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};

pub use crate::{
    bookkeeper::{BookSettings, Bookkeeper, Money},
    join::{Aggregate, merge},
    sweep::{Sweep, SweepSettings, Sweeper, decide},
};

/// What the aggregator is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How often closed joins and overdue executions are looked for.
    #[serde(with = "friendly")]
    pub tick: Duration,
    /// When to drive an execution again.
    pub sweep: SweepSettings,
    /// How the books of money are kept.
    pub books: BookSettings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tick: Duration::from_millis(500),
            sweep: SweepSettings::default(),
            books: BookSettings::default(),
        }
    }
}

/// The two halves of the aggregator: a handler of parts, and a sweeper of what is late.
pub fn build(
    config: Config,
    broker: Arc<dyn Broker>,
    joins: Arc<dyn Joins>,
    executions: Arc<dyn Executions>,
    catalog: Arc<Catalog<Bundle>>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
) -> (Aggregate, Sweeper) {
    let counted = metrics.clone();
    let sweeper = Sweeper::new(config, broker, joins.clone(), executions, catalog.clone(), clock, counted);
    (Aggregate::new(joins, catalog, metrics), sweeper)
}
