//! reporter.
