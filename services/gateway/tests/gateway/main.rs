//! The gateway as its callers meet it: over TCP, with ports in memory.

mod access;
mod documents;
mod executions;
mod house;
mod issuer;
mod streams;
