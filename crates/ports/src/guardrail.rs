//! The guardrail: what may go to a model, and what of its answers may go on.
//!
//! The engine in this process is one; Bedrock's `ApplyGuardrail` over the same policy is another. Who asks goes on with
//! [`Assessment::text`] when it is not blocked: masking is an intervention and no refusal.

use async_trait::async_trait;
use clinflow_core::Failure;
use clinflow_guardrail::{Assessment, Content, Engine, Source};

/// Something that assesses texts by a policy.
#[async_trait]
pub trait Guardrail: Send + Sync + 'static {
    /// The policy's name and version, for records: `pharma-clinical-guardrail-prod/3f9c…`.
    fn name(&self) -> &str;

    /// Assesses one text.
    ///
    /// # Errors
    ///
    /// Only when the guardrail cannot be asked; then nothing is known about the text and it may not go on.
    async fn assess(&self, source: Source, content: Content<'_>) -> Result<Assessment, Failure>;
}

#[async_trait]
impl Guardrail for Engine {
    fn name(&self) -> &str {
        Self::name(self)
    }

    async fn assess(&self, source: Source, content: Content<'_>) -> Result<Assessment, Failure> {
        Ok(Self::assess(self, source, &content))
    }
}
