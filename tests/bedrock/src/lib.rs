//! A Bedrock that runs here: the wire protocol of Converse, CountTokens and ApplyGuardrail, with faults by plan.
//!
//! It refuses what Bedrock refuses, evaluates guardrails, counts tokens by a fixed rule (four bytes are one) and answers
//! truthfully: what it says about a document, the local clinical model found there. Its errors quote the document on
//! purpose, as real ones may, so that whoever passes them on is found out.
//!
//! Nothing that is tested with it knows that it is not Bedrock.

mod apply;
mod brain;
mod calls;
mod converse;
mod count;
mod error;
mod models;
mod plan;
mod server;
mod wire;

pub use calls::{Call, Operation};
pub use plan::{Chances, Fault, Plan};
pub use server::Server;
