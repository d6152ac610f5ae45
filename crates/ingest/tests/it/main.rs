//! Whole documents in, text with geometry out.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a panic is a failed test")]

mod hostile;
mod pdf;
mod support;
