//! What now, when a call may not be made or has no answer: pure, so that the whole table can be read and tested.

use std::time::Duration;

use anyhow::anyhow;
use clinflow_core::Failure;
use clinflow_cost::{Answer, Dispatch, State, Unpriced};
use clinflow_ports::model::ModelError;

/// A provider that asks for a longer pause than this is obeyed; below it, the pauses of the retry policy grow by themselves,
/// so that a throttle of hours is outlived and not counted down in seconds.
const LONG: Duration = Duration::from_secs(60);

/// What follows from a reservation's answer.
#[derive(Debug)]
pub(super) enum Reserved {
    /// The model may be asked.
    Go,
    /// This attempt is over and cost nothing: the next one.
    Next,
    /// This attempt may be on the bill and left no answer.
    Lost,
    /// Not now, or not at all.
    Stop(Failure),
}

/// What follows from a reservation's answer.
pub(super) fn reserved(answer: Answer) -> Reserved {
    Reserved::Stop(match answer {
        Answer::Ok { .. } => return Reserved::Go,
        Answer::Duplicate(State::Settled | State::Released) => return Reserved::Next,
        Answer::Duplicate(State::Suspense) => return Reserved::Lost,
        // Whoever held it has crashed, or is this message in other hands: its lease decides.
        Answer::Duplicate(State::Held | State::Dispatched) | Answer::InFlight(_) => {
            let words = anyhow!("an identical call is under way");
            Failure::retry("budget.in-flight", words)
        }
        Answer::Contended { scope, held, limit } => {
            let words = anyhow!("calls under way hold {held} of the {limit} of `{}`", scope.kind().as_str());
            Failure::retry("budget.contended", words)
        }
        Answer::Uninitialised => {
            let words = anyhow!("the counters are being rebuilt from the ledger");
            Failure::retry("budget.rebuilding", words)
        }
        Answer::Exhausted { scope, used, limit } => {
            let words = anyhow!("{used} of the {limit} of this {} are spent", scope.kind().as_str());
            Failure::park("budget.exhausted", words)
        }
        Answer::Frozen { scope } => {
            Failure::park("budget.frozen", anyhow!("somebody has stopped this {}", scope.kind().as_str()))
        }
        Answer::Loop(trip) => {
            let words = anyhow!("the same is asked about this document too often ({} calls)", trip.as_str());
            Failure::park("budget.loop", words)
        }
    })
}

/// What follows when the model may not be asked after all. `None` when it may.
pub(super) fn dispatched(answer: Dispatch) -> Option<Failure> {
    match answer {
        Dispatch::Go => None,
        Dispatch::No(state) => {
            let words = anyhow!("the attempt is already {}", state.as_str());
            Some(Failure::retry("budget.in-flight", words))
        }
        Dispatch::Unknown | Dispatch::Uninitialised => {
            let words = anyhow!("the counters were rebuilt meanwhile");
            Some(Failure::retry("budget.rebuilding", words))
        }
    }
}

/// A model without a price is not asked: a call that nobody can price is not free.
pub(super) fn unpriced(error: Unpriced) -> Failure {
    Failure::park("budget.unpriced", error)
}

/// What follows from a call without an answer. Throttling never fails a document: it waits.
pub(super) fn unanswered(error: ModelError) -> Failure {
    match &error {
        ModelError::Throttled { after: Some(after) } if *after > LONG => {
            Failure::retry_after("model.throttled", *after, error)
        }
        ModelError::Throttled { .. } => Failure::retry("model.throttled", error),
        ModelError::Unavailable { .. } => Failure::retry("model.unavailable", error),
        ModelError::TimedOut => Failure::retry("model.timed-out", error),
        ModelError::Failed { .. } => Failure::retry("model.failed", error),
        ModelError::Refused { .. } => Failure::park("model.refused", error),
    }
}
