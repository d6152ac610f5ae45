//! What a model call used, by token class.

use serde::{Deserialize, Serialize};

/// Tokens of one call, each class at its own price. The classes are disjoint: `input` holds no cached tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Read at the full price.
    pub input: u64,
    /// Read from the prompt cache.
    pub cache_read: u64,
    /// Written to the prompt cache for five minutes.
    pub cache_write_5m: u64,
    /// Written to the prompt cache for an hour.
    pub cache_write_1h: u64,
    /// Produced.
    pub output: u64,
}

impl Usage {
    /// All tokens of all classes.
    pub const fn total(&self) -> u64 {
        self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h + self.output
    }
    /// Both together, class by class.
    #[must_use]
    pub const fn plus(&self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write_5m: self.cache_write_5m.saturating_add(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            output: self.output.saturating_add(other.output),
        }
    }
}
