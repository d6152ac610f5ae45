//! Amazon Bedrock behind the ports: Converse and CountTokens as a [`clinflow_ports::Model`], ApplyGuardrail as a
//! [`clinflow_ports::guardrail::Guardrail`]. The only crate that knows its SDK.
//!
//! One call is one HTTP request: the SDK's own retries are off, and every call has a time limit, because an attempt
//! that nobody counts is one that nobody budgets. What an error says about a request may quote it, so nothing but
//! names and numbers of an error leaves this crate (INV-08).

mod bedrock;
mod capabilities;
mod client;
mod config;
mod error;
mod guardrail;
mod model_id;
mod reply;
mod request;

pub use bedrock::Bedrock;
pub use capabilities::{Capabilities, StructuredOutput};
pub use config::{Cache, Config, GuardrailRef};
pub use guardrail::ApplyGuardrail;
