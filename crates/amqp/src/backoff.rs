//! How long to wait before trying again.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// The longest wait before the second attempt.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait of all: a broker that was away for an hour is found again within seconds.
const LONGEST: Duration = Duration::from_secs(5);

/// The wait after `failures` failed attempts in a row: full jitter over an exponential, so that eight services
/// that lost the same broker do not come back in the same millisecond.
pub(crate) fn pause(failures: u32, random: u64) -> Duration {
    let ceiling = FIRST.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1))).min(LONGEST);
    let millis = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random % (millis + 1))
}

/// Sleeps that long.
pub(crate) async fn sleep_after(failures: u32) {
    // The standard library seeds every hasher differently, which is randomness enough for a jitter.
    tokio::time::sleep(pause(failures, RandomState::new().hash_one(failures))).await;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_longest() {
        assert_eq!(pause(1, 100), Duration::from_millis(100));
        assert_eq!(pause(3, 400), Duration::from_millis(400));
        assert_eq!(pause(40, 5000), LONGEST);
    }

    proptest! {
        #[test]
        fn a_pause_never_exceeds_the_longest(failures: u32, random: u64) {
            prop_assert!(pause(failures, random) <= LONGEST);
        }
    }
}
