//! What is counted of an execution that has ended.

use std::time::Duration;

use clinflow_core::Disposition;
use clinflow_cost::NanoUsd;
use clinflow_runtime::wire::{self, Publish};
use jiff::Timestamp;

/// What a message knows of the way that its execution took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way {
    /// What its steps cost together.
    pub(crate) cost: NanoUsd,
    submitted: Option<Timestamp>,
}

impl Way {
    /// The way so far, as `message` tells it.
    pub(crate) fn of(message: &impl Publish) -> Self {
        let context = message.execution();
        let steps = context.iter().flat_map(|context| &context.steps);
        let cost = steps.fold(NanoUsd::ZERO, |sum, step| sum.plus(NanoUsd::new(step.cost_nano_usd)));
        let submitted = context.and_then(|context| context.submitted_at.as_ref());
        Self { cost, submitted: submitted.and_then(wire::timestamp) }
    }

    /// From the submission to `end`, when the message says when it was submitted.
    pub(crate) fn took(&self, end: &Disposition) -> Option<Duration> {
        // Clocks of two machines may differ: an end before its beginning took no time.
        self.submitted
            .map(|submitted| Duration::try_from(end.at.duration_since(submitted)).unwrap_or_default())
    }
}
