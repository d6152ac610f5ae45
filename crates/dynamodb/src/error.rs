//! What DynamoDB's errors mean to a caller.

use std::fmt;

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use clinflow_ports::StoreError;

/// The store's name in errors and metrics.
pub(crate) const STORE: &str = "dynamodb";

/// A call that failed: unreachable, timed out, throttled, refused. All of these may work later, once somebody
/// has helped.
pub(crate) fn unavailable<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: std::error::Error + 'static,
    R: fmt::Debug,
{
    failed(&words(error))
}

/// The service's and the SDK's words about a failed call; they name tables, attributes and ids.
pub(crate) fn words<E, R>(error: SdkError<E, R>) -> String
where
    E: std::error::Error + 'static,
    R: fmt::Debug,
{
    DisplayErrorContext(error).to_string()
}

/// [`StoreError::Unavailable`] for a reason given in words.
pub(crate) fn failed(why: &str) -> StoreError {
    StoreError::unavailable(STORE, anyhow::anyhow!("{why}"))
}

/// Something stored that cannot be read.
pub(crate) fn corrupt(what: impl Into<String>) -> StoreError {
    StoreError::Corrupt { store: STORE, what: what.into() }
}
