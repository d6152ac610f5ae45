//! Who reads a document for its fields and answers questions about it: the local model, or a language model that is
//! prompted and paid for.

use std::time::Duration;

use async_trait::async_trait;
use clinflow_core::{
    AgentId, DocumentHash, ExecutionId, Failure, Phi, SessionId, TeamId, WorkflowId, id::ObjectHash,
};
use clinflow_workflow::Bundle;
use uuid::Uuid;

use crate::{
    answering::{Answered, Material, local},
    question::{Claim, Wanted},
};

/// On whose behalf something is read.
#[derive(Debug, Clone)]
pub struct Client<'a> {
    /// The configuration it runs under, with its prices and budgets.
    pub bundle: &'a Bundle,
    /// The execution.
    pub execution: ExecutionId,
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
    /// SHA-256 of what the model was told before it saw the document, when it was told anything.
    pub prompt: Option<ObjectHash>,
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

    /// Answers `question` from `material` and nothing else. A reader that does not answer questions itself lets the
    /// local model answer them, and the answer says so.
    async fn answer(
        &self,
        question: &Phi,
        material: &Material<'_>,
        _client: &Client<'_>,
    ) -> Result<Answered, Failure> {
        local::answered(question, material).await
    }
}
