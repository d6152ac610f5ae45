//! The gateway as its callers meet it: over TCP, with ports in memory.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where a panic is a failed test")]

mod access;
mod costs;
mod documents;
mod executions;
mod guide;
mod house;
mod issuer;
mod operations;
mod provenance;
mod questions;
mod reviews;
mod streams;
