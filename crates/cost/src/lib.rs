//! Money: what a call costs, whether it may be made, and what is booked for it. Pure: no clock, no store.

mod money;
mod usage;

pub use money::NanoUsd;
pub use usage::Usage;
