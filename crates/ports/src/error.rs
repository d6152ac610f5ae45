//! What can go wrong with a store, and which verdict that is.

use clinflow_core::Failure;

/// A store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be reached, was throttled or timed out: the same call may work later.
    #[error("`{store}` is unavailable")]
    Unavailable {
        /// The store's name, a metric label: `redis`, `dynamodb`, `objects`.
        store: &'static str,
        /// What it said.
        #[source]
        source: anyhow::Error,
    },
    /// What it holds cannot be read, or is not what its reference says.
    #[error("`{store}` holds something unreadable: {what}")]
    Corrupt {
        /// The store's name.
        store: &'static str,
        /// What was being read, without PHI.
        what: String,
    },
    /// It does not hold what was asked for.
    #[error("`{store}` has no `{key}`")]
    Missing {
        /// The store's name.
        store: &'static str,
        /// The key.
        key: String,
    },
}

impl StoreError {
    /// An [`StoreError::Unavailable`].
    pub fn unavailable(store: &'static str, source: impl Into<anyhow::Error>) -> Self {
        Self::Unavailable { store, source: source.into() }
    }
}

impl From<StoreError> for Failure {
    /// Unavailable and missing are retried (a reference can arrive before its object where the store is only
    /// eventually consistent); unreadable waits for a person.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => Self::retry("store.unavailable", error),
            StoreError::Missing { .. } => Self::retry("store.missing", error),
            StoreError::Corrupt { .. } => Self::park("store.corrupt", error),
        }
    }
}
