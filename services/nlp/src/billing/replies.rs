//! Answers that were paid for once: an identical call is answered from here (INV-05).

use std::sync::Arc;

use bytes::Bytes;
use clinflow_core::{Failure, id::ObjectHash, step::ObjectRef};
use clinflow_cost::Attempt;
use clinflow_ports::{Objects, StoreError, model::Reply, objects::key};

use serde::{Deserialize, Serialize};

/// What is kept of a call that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The attempt that made it.
    pub(super) attempt: Attempt,
    /// The answer; `None` for a call that may be on the bill and whose answer never came.
    pub(super) reply: Option<Reply>,
}

/// The stored answers.
pub(super) struct Replies(Arc<dyn Objects>);

impl Replies {
    pub(super) const fn new(objects: Arc<dyn Objects>) -> Self {
        Self(objects)
    }

    /// What is kept of a call that was made before.
    pub(super) async fn find(&self, fingerprint: &ObjectHash) -> Result<Option<Kept>, Failure> {
        let key = key::reply(fingerprint);
        match self.0.get(&key).await {
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| {
                // The parser's words may quote the answer.
                StoreError::Corrupt { store: "objects", what: format!("reply `{key}`") }.into()
            }),
        }
    }

    /// Keeps what became of a call; of two the first stays.
    pub(super) async fn keep(&self, fingerprint: &ObjectHash, kept: &Kept) -> Result<ObjectRef, Failure> {
        let bytes = serde_json::to_vec(kept).map_err(|error| Failure::park("handler.unwritable", error))?;
        Ok(self.0.create(&key::reply(fingerprint), Bytes::from(bytes)).await?)
    }
}
