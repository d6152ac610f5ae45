//! Given what happened to a message, what to do with it. Pure; the table test is its specification.

use std::time::Duration;

use clinflow_core::Verdict;

use crate::retry::RetryPolicy;

/// What to do with a delivery that was not handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Try again after a delay, as this attempt.
    Retry {
        /// How long to wait.
        delay: Duration,
        /// The number of the next attempt.
        next_attempt: u32,
    },
    /// It is wrong: dead letter.
    Dead,
    /// It is right and must wait for a person.
    Park,
}

/// Why a message was not handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The handler said so.
    Verdict(Verdict),
    /// The handler panicked. Tried once more, because a panic can be the machine's fault; then parked.
    Panicked,
    /// The handler did not answer in time.
    TimedOut,
}

/// Decides. `attempt` counts from 1; `roll` lies in `0.0..1.0` and is only used for jitter.
pub fn decide(cause: Cause, attempt: u32, policy: &RetryPolicy, roll: f64) -> Disposition {
    let retry = |delay| Disposition::Retry { delay, next_attempt: attempt.saturating_add(1) };
    match cause {
        Cause::Verdict(Verdict::Reject) => Disposition::Dead,
        Cause::Verdict(Verdict::Park) => Disposition::Park,
        Cause::Panicked if attempt >= 2 => Disposition::Park,
        // The message is still right, so it is parked, not dead.
        _ if attempt >= policy.max_attempts => Disposition::Park,
        Cause::Verdict(Verdict::Retry { after: Some(after) }) => retry(after),
        Cause::Verdict(Verdict::Retry { after: None }) | Cause::Panicked | Cause::TimedOut => {
            retry(policy.delay(attempt, roll))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retry::JitterStrategy;

    #[test]
    fn every_cause_at_every_attempt_has_its_disposition() {
        let policy =
            RetryPolicy { max_attempts: 3, jitter_strategy: JitterStrategy::None, ..RetryPolicy::default() };
        let retry =
            |seconds, next_attempt| Disposition::Retry { delay: Duration::from_secs(seconds), next_attempt };
        let again = Cause::Verdict(Verdict::Retry { after: None });
        let told = Cause::Verdict(Verdict::Retry { after: Some(Duration::from_secs(42)) });
        for (cause, attempt, expected) in [
            (again, 1, retry(1, 2)),
            (again, 2, retry(2, 3)),
            (again, 3, Disposition::Park),
            (again, 9, Disposition::Park),
            (told, 1, retry(42, 2)),
            (told, 3, Disposition::Park),
            (Cause::TimedOut, 2, retry(2, 3)),
            (Cause::TimedOut, 3, Disposition::Park),
            (Cause::Panicked, 1, retry(1, 2)),
            (Cause::Panicked, 2, Disposition::Park),
            (Cause::Verdict(Verdict::Reject), 1, Disposition::Dead),
            (Cause::Verdict(Verdict::Park), 1, Disposition::Park),
        ] {
            assert_eq!(decide(cause, attempt, &policy, 0.5), expected, "{cause:?} at attempt {attempt}");
        }
    }
}
