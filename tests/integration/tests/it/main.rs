//! One test binary: the repository's own rules, the pipeline from the outside, and what faults do to it.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests: a failure is the answer")]

mod bad_input;
mod canary;
mod command_line;
mod costs;
mod dashboards;
mod failures_are_documented;
mod faults;
mod layers;
mod money;
mod operations;
mod outputs;
mod pipeline;
mod simulation;
