//! Who reads a document for its fields: the local model, or a language model that is prompted and paid for.

use std::time::Duration;

use async_trait::async_trait;
use clinflow_core::{AgentId, DocumentHash, Failure, SessionId, TeamId, WorkflowId};
use uuid::Uuid;

use crate::question::{Claim, Wanted};

/// On whose behalf something is read.
#[derive(Debug, Clone)]
pub struct Client<'a> {
    /// The workflow.
    pub workflow: &'a WorkflowId,
    /// The agent.
    pub agent: &'a AgentId,
    /// The team that pays.
    pub team: &'a TeamId,
    /// The submitter's session.
    pub session: Option<&'a SessionId>,
    /// The document.
    pub document: &'a DocumentHash,
    /// The message that is being handled.
    pub invocation: Uuid,
    /// How long the answer is of use.
    pub within: Duration,
}

/// What came of reading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// What the model says, in document order.
    pub claims: Vec<Claim>,
    /// What it cost, in nano-dollars.
    pub cost_nano_usd: u64,
}

/// A reader of documents.
#[async_trait]
pub trait Reader: Send + Sync + 'static {
    /// Model id and version, as every record names it: `local/1`.
    fn id(&self) -> &str;

    /// Looks in `text` for what is `wanted`.
    async fn read(&self, text: &str, wanted: &[Wanted], client: &Client<'_>) -> Result<Reading, Failure>;
}
