#![allow(clippy::allow_attributes, clippy::unwrap_used, clippy::print_stdout, missing_docs, dead_code)]
mod dashboards;
mod pipeline;
