//! The Objects port on object_store: a local folder, S3, or memory.
//!
//! The only place where PHI lives. Errors name keys, which are made of ids and hashes, and never content.

mod config;
mod place;
mod store;

pub use config::Config;
pub use store::Store;
