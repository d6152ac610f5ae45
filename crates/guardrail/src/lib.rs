//! The guardrail: a policy in the shape of `AWS::Bedrock::Guardrail`, and the engine that enforces it here.
//!
//! [`Policy::read`] reads and checks the policy, [`Engine`] enforces it, [`render::template`] makes the CloudFormation
//! template of the same policy for Bedrock. [`grounding`] says whether a value follows from a text, and [`redact`] takes
//! out of a text what HIPAA's Safe Harbor removes. Nothing here does I/O, knows the time or draws a random number.

mod assessment;
pub mod cases;
mod content;
pub mod detect;
pub mod engine;
pub mod grounding;
mod mask;
mod phrases;
pub mod policy;
mod redact;
pub mod render;
mod statement;
pub mod topic;
mod visible;
pub mod words;

pub use assessment::{Action, Assessment, Content, Finding, PolicyKind, Source};
pub use engine::Engine;
pub use policy::{PiiType, Policy};
pub use redact::{Redacted, Replaced, redact};
