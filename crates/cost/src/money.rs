//! Amounts of money, as integers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in nano-dollars: 1,000,000,000 are one US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoUsd(u64);

impl NanoUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount that a limit or a counter may hold: Redis scripts count in doubles, which are exact up to
    /// 2^53 nano-dollars, about nine million dollars.
    pub const MAX: Self = Self(9_007_199_254_740_991);

    /// `nano` nano-dollars.
    pub const fn new(nano: u64) -> Self {
        Self(nano)
    }

    /// The number of nano-dollars.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, stopping at the largest number there is.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for NanoUsd {
    /// Dollars with all nine decimals, so that nothing is rounded away: `$0.000123400`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}
