//! The guardrail over its shipped policy: decisions, promises, and mistakes of policies.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod cases;
mod engine;
mod policy;
