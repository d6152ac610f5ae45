//! The adapter over TCP, against a server that speaks Bedrock's protocol.

mod errors;
mod guardrail;
mod phi;
mod replies;
mod support;
mod wire;
