//! What is counted of a call: how it ended and why it was made. And what is shown before there is any.

use std::sync::Arc;

use clinflow_core::Role;
use clinflow_cost::{Attempt, Usage};
use clinflow_ports::model::{ModelError, Reply, Stop};
use clinflow_runtime::{
    Catalog, Lifecycle,
    telemetry::{
        Metrics,
        metrics::{Answered, CostClass},
    },
};
use clinflow_workflow::Bundle;

/// How an attempt ended, and what is billed for it as far as its end says.
pub(super) fn attempted(said: &Result<Reply, ModelError>) -> (Answered, Usage) {
    match said {
        Ok(reply) => (stopped(&reply.stop), reply.usage),
        Err(error) => (unanswered(error), Usage::default()),
    }
}

const fn stopped(stop: &Stop) -> Answered {
    match stop {
        Stop::Whole => Answered::Ok,
        Stop::Blocked => Answered::Blocked,
        Stop::CutOff | Stop::Malformed | Stop::Unknown(_) => Answered::Error,
    }
}

const fn unanswered(error: &ModelError) -> Answered {
    match error {
        ModelError::Throttled { .. } => Answered::Throttled,
        ModelError::TimedOut => Answered::TimedOut,
        ModelError::Unavailable { .. } | ModelError::Failed { .. } | ModelError::Refused { .. } => {
            Answered::Error
        }
    }
}

/// Why an attempt at a new call is made.
pub(super) const fn first_or_retry(attempt: Attempt) -> CostClass {
    if attempt.number > 1 { CostClass::Retry } else { CostClass::First }
}

/// Why an answer is given again that was `bought` before, to whoever `asks`: the same message once more, the same
/// question once more while its message is handled, or another message.
pub(super) fn free(bought: Attempt, asks: Attempt) -> CostClass {
    if bought.invocation != asks.invocation {
        CostClass::Reprocess
    } else if bought.ordinal == asks.ordinal {
        CostClass::Redelivery
    } else {
        CostClass::Retry
    }
}

/// Until the end of `life`, lets `metrics` know the workflows of the current bundle. With a `model` that is paid for,
/// its series begin at 0, and the price table in use is shown.
pub fn show(metrics: &Metrics, model: Option<&str>, catalog: Arc<Catalog<Bundle>>, life: &Lifecycle) {
    let (shown, is_paid) = (metrics.clone(), model.is_some());
    let names = move |bundle: &Bundle| {
        if is_paid {
            let prices = bundle.prices();
            shown.price_table(&prices.version().to_string(), prices.verified());
        }
        bundle.owners()
    };
    let models = model.map(str::to_owned).into_iter().collect();
    metrics.follow(Role::Nlp, models, catalog, names, life);
}

#[cfg(test)]
mod tests {
    use clinflow_ports::model::{ModelError, Reply, Stop};
    use uuid::Uuid;

    use super::*;

    fn attempt(invocation: u128, ordinal: u32, number: u32) -> Attempt {
        Attempt { invocation: Uuid::from_u128(invocation), ordinal, number }
    }

    #[test]
    fn every_end_of_a_call_is_counted_as_what_it_is() {
        let error = |error| attempted(&Err(error)).0;
        assert_eq!(error(ModelError::Throttled { after: None }), Answered::Throttled);
        assert_eq!(error(ModelError::TimedOut), Answered::TimedOut);
        assert_eq!(error(ModelError::Refused { code: "AccessDenied".to_owned() }), Answered::Error);
        let usage = Usage { input: 3, ..Usage::default() };
        let reply = |stop| attempted(&Ok(Reply { text: "".into(), stop, usage }));
        assert_eq!(reply(Stop::Whole), (Answered::Ok, usage));
        assert_eq!(reply(Stop::Blocked), (Answered::Blocked, usage));
        assert_eq!(reply(Stop::CutOff), (Answered::Error, usage));
    }

    #[test]
    fn what_is_paid_again_or_given_again_is_told_from_what_is_asked_for_the_first_time() {
        assert_eq!(first_or_retry(attempt(1, 0, 1)), CostClass::First);
        assert_eq!(first_or_retry(attempt(1, 0, 2)), CostClass::Retry);
        assert_eq!(free(attempt(1, 0, 2), attempt(1, 0, 1)), CostClass::Redelivery);
        assert_eq!(free(attempt(1, 0, 1), attempt(1, 1, 1)), CostClass::Retry);
        assert_eq!(free(attempt(1, 0, 1), attempt(2, 0, 1)), CostClass::Reprocess);
    }
}
