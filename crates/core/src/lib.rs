//! The words of clinflow as types. No I/O, no clock, no randomness: time and ids are arguments.

pub mod audit;
pub mod bundle;
pub mod execution;
pub mod failure;
pub mod field;
pub mod guarded;
pub mod id;
pub mod join;
pub mod phi;
pub mod question;
pub mod review;
pub mod role;
pub mod step;

pub use bundle::BundleFiles;
pub use execution::{Disposition, Execution, Status};
pub use failure::{Failure, Verdict};
pub use field::{Evidence, Field, FieldSet, Finding, Severity, Span};
pub use guarded::{Guarded, Intervention};
pub use id::{AgentId, BundleHash, DocumentHash, ExecutionId, SessionId, TeamId, WorkflowId};
pub use phi::Phi;
pub use question::{Answer, Citation, Question};
pub use review::{ReviewId, ReviewItem};
pub use role::{Lane, Role};
pub use step::Step;
