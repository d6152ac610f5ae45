//! The bundle: workflows, patterns, code lists and rules, read from YAML and checked as a whole.
//!
//! A workflow is a folder with `workflow.yaml` (what is wanted and how it is judged) and `patterns.yaml` (how the
//! extractor finds it); `code_lists.yaml` and `rules.yaml` are shared by all. To add a workflow, add a folder; to
//! add a kind of rule, add a [`Check`], teach `read/rules.rs` its parameters and the validator its meaning.
//!
//! [`Bundle::read`] finds every mistake of every file at once, each with file, line and field. What it returns
//! holds no name that does not resolve: a field of type code holds its [`CodeList`], a workflow holds its rules.

mod bundle;
mod code_list;
mod files;
pub mod pattern;
mod read;
mod rule;
mod workflow;

pub use bundle::Bundle;
pub use clinflow_yaml::{Problem, Problems};
pub use code_list::{CodeList, Term, fold};
pub use files::{from_dir, shipped};
pub use pattern::Patterns;
pub use rule::{Check, FieldRef, Latest, Message, Part, Rule, Value};
pub use workflow::{Classify, FieldSpec, FieldType, Format, Join, Marker, OnMissing, Vocabulary, Workflow};
