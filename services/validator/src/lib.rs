//! validator.
