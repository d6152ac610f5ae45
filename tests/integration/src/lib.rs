//! The eight services as processes, over private servers, seen from the outside.

pub mod bare;
pub mod documents;
pub mod fleet;
pub mod http;
pub mod outcome;
pub mod sinks;
pub mod usage;
