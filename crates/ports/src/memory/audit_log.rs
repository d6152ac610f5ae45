//! The audit log in a map.

use std::{collections::HashMap, sync::Mutex};

use async_trait::async_trait;
use clinflow_core::{
    ExecutionId,
    audit::{ChainHead, Entry, Record},
};

use super::lock;
use crate::{audit_log::AuditLog, error::StoreError};

/// [`AuditLog`] in memory.
#[derive(Debug, Default)]
pub struct MemoryAuditLog(Mutex<HashMap<ExecutionId, Vec<Record>>>);

#[async_trait]
impl AuditLog for MemoryAuditLog {
    async fn append(&self, _after: ChainHead, entry: Entry) -> Result<Record, StoreError> {
        let mut chains = lock(&self.0);
        let chain = chains.entry(entry.execution).or_default();
        if let Some(known) = chain.iter().find(|record| record.entry.message_id == entry.message_id) {
            return Ok(known.clone());
        }
        let head = chain.last().map_or_else(|| ChainHead::genesis(entry.execution), Record::head);
        let record = Record::after(head, entry);
        chain.push(record.clone());
        Ok(record)
    }

    async fn read(&self, execution: ExecutionId) -> Result<Vec<Record>, StoreError> {
        Ok(lock(&self.0).get(&execution).cloned().unwrap_or_default())
    }
}
