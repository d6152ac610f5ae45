//! Executions, audit log and bundles on DynamoDB; the only crate that knows the DynamoDB SDK.
//!
//! What is stored holds ids, hashes, references and codes, never text of a document (INV-08). Every write is
//! conditional; writes that wait together go out in one call (see [`Config::group`]). The SDK's own retries are
//! off: retrying is decided in one place, by whoever handles the message.
//!
//! With the feature `embedded`, [`embedded::Embedded`] is a DynamoDB in this process, on a SQLite file.

mod audit_log;
mod bundles;
mod commit;
mod config;
mod database;
#[cfg(feature = "embedded")]
pub mod embedded;
mod error;
mod executions;
mod item;
mod ledger;
mod query;
mod reviews;
mod sessions;
mod tables;
mod write;

pub use audit_log::DynamoAuditLog;
pub use bundles::DynamoBundles;
pub use config::Config;
pub use database::Database;
pub use executions::DynamoExecutions;
pub use ledger::DynamoLedger;
pub use reviews::DynamoReviews;
pub use sessions::DynamoSessions;
