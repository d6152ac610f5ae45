//! When to try again: the field names are those of Step Functions, so that operators know them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whether delays are spread out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JitterStrategy {
    /// Anything between nothing and the full delay, so that callers that failed together do not return together.
    Full,
    /// The full delay.
    None,
}

/// How often and how late a message is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub struct RetryPolicy {
    /// Delay before the second attempt, in seconds.
    pub interval_seconds: u32,
    /// Attempts in all; after the last one the message is parked, because it is still right.
    pub max_attempts: u32,
    /// By how much the delay grows with each attempt.
    pub backoff_rate: f64,
    /// The longest delay, in seconds.
    pub max_delay_seconds: u32,
    /// Whether delays are spread out.
    pub jitter_strategy: JitterStrategy,
}

impl Default for RetryPolicy {
    /// One second, doubling, to half an hour; twelve attempts are about an hour and a half of trouble.
    fn default() -> Self {
        Self {
            interval_seconds: 1,
            max_attempts: 12,
            backoff_rate: 2.0,
            max_delay_seconds: 1800,
            jitter_strategy: JitterStrategy::Full,
        }
    }
}

impl RetryPolicy {
    /// The delay after failed attempt `attempt` (from 1). `roll` lies in `0.0..1.0` and is only used for jitter.
    pub fn delay(&self, attempt: u32, roll: f64) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1).min(63)).unwrap_or(63);
        let seconds = f64::from(self.interval_seconds) * self.backoff_rate.max(1.0).powi(exponent);
        let capped = seconds.min(f64::from(self.max_delay_seconds));
        let spread = match self.jitter_strategy {
            JitterStrategy::Full => capped * roll.clamp(0.0, 1.0),
            JitterStrategy::None => capped,
        };
        Duration::try_from_secs_f64(spread).unwrap_or(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let policy = RetryPolicy { jitter_strategy: JitterStrategy::None, ..RetryPolicy::default() };
        let seconds: Vec<u64> = (1..=12).map(|attempt| policy.delay(attempt, 0.5).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1800]);
    }

    proptest! {
        #[test]
        fn a_delay_never_exceeds_the_longest(attempt in 0u32..10_000, roll in 0.0f64..1.0) {
            prop_assert!(RetryPolicy::default().delay(attempt, roll) <= Duration::from_secs(1800));
        }
    }
}
