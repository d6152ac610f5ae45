//! Sessions: what was asked before, so that "and when did it start?" is understood. References only; the words are
//! in the object store.

use async_trait::async_trait;
use clinflow_core::{ExecutionId, SessionId, step::ObjectRef};
use jiff::Timestamp;
use uuid::Uuid;

use crate::error::StoreError;

/// One question of a session and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The execution the question is about.
    pub execution: ExecutionId,
    /// How many turns about this execution the asker knew of: its place in the conversation, from 0. Questions asked at
    /// the same time have the same place.
    pub turn: u32,
    /// The question.
    pub question_id: Uuid,
    /// Its words.
    pub question: ObjectRef,
    /// Its answer.
    pub answer: ObjectRef,
    /// When it was asked.
    pub at: Timestamp,
}

/// The memory of sessions. A session's turns about one execution are a conversation of their own: what was asked about
/// a document is not told to whoever asks about another.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Remembers a turn, once: the same question in the same place changes nothing (INV-03).
    async fn append(&self, session: &SessionId, turn: &Turn) -> Result<(), StoreError>;

    /// Up to `limit` of the last turns about `execution`, oldest first; those in the same place in the order of their
    /// question ids.
    async fn recent(
        &self,
        session: &SessionId,
        execution: ExecutionId,
        limit: usize,
    ) -> Result<Vec<Turn>, StoreError>;
}
