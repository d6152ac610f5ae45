//! Sessions in a map.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
};

use async_trait::async_trait;
use clinflow_core::{ExecutionId, SessionId};
use uuid::Uuid;

use super::lock;
use crate::{
    error::StoreError,
    sessions::{Sessions, Turn},
};

/// The turns about one execution, by place and question.
type Conversation = BTreeMap<(u32, Uuid), Turn>;

/// [`Sessions`] in memory.
#[derive(Debug, Default)]
pub struct MemorySessions(Mutex<HashMap<(SessionId, ExecutionId), Conversation>>);

#[async_trait]
impl Sessions for MemorySessions {
    async fn append(&self, session: &SessionId, turn: &Turn) -> Result<(), StoreError> {
        let mut sessions = lock(&self.0);
        let conversation = sessions.entry((session.clone(), turn.execution)).or_default();
        conversation.entry((turn.turn, turn.question_id)).or_insert_with(|| turn.clone());
        Ok(())
    }

    async fn recent(
        &self,
        session: &SessionId,
        execution: ExecutionId,
        limit: usize,
    ) -> Result<Vec<Turn>, StoreError> {
        let sessions = lock(&self.0);
        let Some(conversation) = sessions.get(&(session.clone(), execution)) else { return Ok(Vec::new()) };
        let skipped = conversation.len().saturating_sub(limit);
        Ok(conversation.values().skip(skipped).cloned().collect())
    }
}
