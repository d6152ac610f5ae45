//! Claims, joins and counters on Redis; the only crate that knows redis-rs.
//!
//! Everything here may be lost at any time (INV-11): a lost claim costs repeated work, a lost join costs a
//! redrive. What is decided, is decided by `clinflow_core::join`; the scripts only make "write once" atomic.
//! All keys of one script share a hash tag, so that they lie in one slot of a cluster, and every key expires but for the
//! few of a team's counters as a whole. Counters are decided by scripts alone: they must be right while many ask at once.
//! Needs Redis 7.0 or later (`SET` with `NX` and `GET` together).

mod claims;
mod config;
mod connection;
mod counters;
mod joins;

pub use claims::RedisClaims;
pub use config::Config;
pub use connection::Connection;
pub use counters::RedisCounters;
pub use joins::RedisJoins;
