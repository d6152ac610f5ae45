//! A clock that moves when told to.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

use super::lock;
use crate::clock::Clock;

/// A clock for tests; clones of the `Arc` around it share one time.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that stands at `now`.
    pub const fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves it forward.
    pub fn advance(&self, by: SignedDuration) {
        *lock(&self.0) += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *lock(&self.0)
    }
}
