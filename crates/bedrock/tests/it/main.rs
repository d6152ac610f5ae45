//! The adapter over TCP, against a server that speaks Bedrock's protocol.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

mod errors;
mod guardrail;
mod phi;
mod replies;
mod support;
mod wire;
