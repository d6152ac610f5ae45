//! The Broker port on RabbitMQ; the only crate that knows lapin.
//!
//! [`Amqp`] holds two connections, because RabbitMQ stops reading from a connection that publishes during a memory
//! or disk alarm, and acks would wait with the publishes. Each is kept alive by its `link`; lapin's own recovery
//! is off, so that there is one place that decides what happens after a failure.
//!
//! | to change | look in |
//! |---|---|
//! | how a connection is made, watched and made again | `link`, `backoff` |
//! | how a publish is confirmed, refused or found unroutable | `publisher`, `confirm`, `returns` |
//! | how a consumer comes back, and how silence is noticed | `consumer` |
//! | what a message looks like on the wire | `wire` |
//! | how the topology is asserted, and how a difference is named | `declare` |
//! | which servers are accepted | `server` |

mod backoff;
mod broker;
mod config;
mod confirm;
mod consumer;
mod control;
mod declare;
mod delivery;
mod health;
mod link;
mod publisher;
mod returns;
mod server;
mod stats;
mod wire;

pub use broker::Amqp;
pub use config::Config;
pub use server::Server;
pub use stats::Stats;
