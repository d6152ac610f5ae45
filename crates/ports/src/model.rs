//! The model: a language model that is asked for text and answers text. It is never believed as such: the validator
//! keeps only what the document supports.
//!
//! One [`Model::converse`] is one attempt and at most one bill. Who asks decides before it whether the money is there,
//! and after it what to do about an error: an implementation does not retry.

use std::time::Duration;

use async_trait::async_trait;
use clinflow_core::Phi;
use clinflow_cost::Usage;
use serde::{Deserialize, Serialize};

/// What a model is asked. The same request is the same bytes, so that its hash names its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What to do, the same for every document of a workflow: worth caching.
    pub instructions: String,
    /// The text it is about: the grounding source.
    pub document: Phi,
    /// What is wanted of this text.
    pub query: Phi,
    /// The JSON Schema that the answer must follow; `None` for an answer in words.
    pub schema: Option<Schema>,
    /// The answer may be no longer than this.
    pub max_output_tokens: u32,
}

/// A JSON Schema with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// 1 to 64 of `a-z A-Z 0-9 _ -`.
    pub name: String,
    /// The schema, as JSON.
    pub json: String,
}

/// Who asks: sent along for the provider's own log, so that its bill can be compared with ours. Never part of what the
/// model reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The attempt in the ledger.
    pub attempt: String,
    /// The agent: `ae-report.nlp`.
    pub agent: String,
    /// The workflow.
    pub workflow: String,
    /// The team that pays.
    pub team: String,
    /// SHA-256 of the document, in hex.
    pub document: String,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// All text blocks, in order.
    pub text: Phi,
    /// Why it ended.
    pub stop: Stop,
    /// What is billed.
    pub usage: Usage,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The answer is whole.
    Whole,
    /// The answer is cut off: the limit on output or the model's context was reached.
    CutOff,
    /// The provider's guardrail or content filter stopped it.
    Blocked,
    /// The model produced something its provider could not read.
    Malformed,
    /// A reason this version does not know.
    Unknown(String),
}

/// A call without an answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Too many calls; not billed. Never fails a document.
    #[error("the model is throttled")]
    Throttled {
        /// When the provider said how long to wait.
        after: Option<Duration>,
    },
    /// The provider is not well (500, 503, not ready); not billed.
    #[error("the model is unavailable: {code}")]
    Unavailable {
        /// The provider's name for it.
        code: String,
    },
    /// No answer in time; whether it is billed is not known.
    #[error("the model did not answer in time")]
    TimedOut,
    /// The model failed at this request (424); whether it is billed is not known.
    #[error("the model failed: {code}")]
    Failed {
        /// The provider's name for it.
        code: String,
    },
    /// The request is wrong, or may not be made: a mistake in configuration or rights. Not billed.
    #[error("the model refuses the request: {code}")]
    Refused {
        /// The provider's name for it.
        code: String,
    },
}

impl ModelError {
    /// False when the provider certainly does not bill the call.
    pub const fn may_be_billed(&self) -> bool {
        match self {
            Self::TimedOut | Self::Failed { .. } => true,
            Self::Throttled { .. } | Self::Unavailable { .. } | Self::Refused { .. } => false,
        }
    }
}

/// A language model.
#[async_trait]
pub trait Model: Send + Sync + 'static {
    /// Its id, which is its row in the price table: `us.anthropic.claude-sonnet-5-5`.
    fn id(&self) -> &str;

    /// How many tokens it reads at most.
    fn context_tokens(&self) -> u64;

    /// Not less than the tokens that `request` will be billed as input; asks the provider where it can be asked, at no
    /// cost.
    async fn count_input_tokens(&self, request: &Request) -> u64;

    /// Asks once; answers within `within` or says that it did not.
    async fn converse(&self, request: &Request, asker: &Asker, within: Duration)
    -> Result<Reply, ModelError>;
}
