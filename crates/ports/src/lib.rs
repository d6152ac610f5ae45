//! What the outside world must be able to do for us: one trait a file, an in-memory implementation of each in
//! [`memory`], and in `suite` the tests that every implementation passes.
//!
//! To add a port: define the trait here, implement it in `memory/`, describe it in `suite/` as tests over
//! `Arc<dyn Trait>`, then write the adapter in a crate of its own and run the suite there.

pub mod alerts;
pub mod audit_log;
pub mod broker;
pub mod bundles;
pub mod claims;
pub mod clock;
pub mod counters;
pub mod envelope;
pub mod error;
pub mod executions;
pub mod guardrail;
pub mod joins;
pub mod ledger;
pub mod memory;
pub mod model;
pub mod objects;
pub mod reconcile;
pub mod reviews;
pub mod sessions;
#[cfg(feature = "suite")]
pub mod suite;
pub mod topology;

pub use alerts::{Alert, Alerts};
pub use audit_log::AuditLog;
pub use broker::{Broker, BrokerError, Consumer, Delivery, Health, Settled};
pub use bundles::Bundles;
pub use claims::{Claim, ClaimKey, Claims};
pub use clock::Clock;
pub use counters::Counters;
pub use envelope::{Envelope, Meta};
pub use error::StoreError;
pub use executions::{Created, Executions, Transition};
pub use guardrail::Guardrail;
pub use joins::{JoinKey, Joins};
pub use ledger::Ledger;
pub use model::Model;
pub use objects::Objects;
pub use reviews::Reviews;
pub use sessions::Sessions;
pub use topology::{Event, Route};
