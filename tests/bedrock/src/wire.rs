//! The shapes of requests. A member that Bedrock does not know is refused, so that what is sent is what is documented.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::Refusal;

/// The body of Converse.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Converse {
    pub(crate) messages: Vec<Message>,
    pub(crate) system: Vec<System>,
    pub(crate) inference_config: Inference,
    pub(crate) output_config: Option<Output>,
    pub(crate) guardrail_config: Option<GuardrailConfig>,
    pub(crate) request_metadata: BTreeMap<String, String>,
}

/// The body of CountTokens.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CountTokens {
    pub(crate) input: CountInput,
}

/// What is counted.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CountInput {
    Converse(Counted),
}

/// The part of a conversation that is counted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Counted {
    pub(crate) messages: Vec<Message>,
    pub(crate) system: Vec<System>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    pub(crate) role: String,
    pub(crate) content: Vec<Block>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Block {
    Text(String),
    GuardContent(GuardContent),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum GuardContent {
    Text(Guarded),
}

/// A text with what it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guarded {
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) qualifiers: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum System {
    Text(String),
    CachePoint(CachePoint),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CachePoint {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) ttl: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Inference {
    pub(crate) max_tokens: Option<i64>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Output {
    pub(crate) text_format: Option<TextFormat>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextFormat {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) structure: Structure,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Structure {
    JsonSchema(JsonSchema),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JsonSchema {
    pub(crate) name: String,
    /// The schema, as JSON in a string.
    pub(crate) schema: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GuardrailConfig {
    pub(crate) guardrail_identifier: String,
    pub(crate) guardrail_version: String,
    pub(crate) trace: Option<String>,
}

/// The body of ApplyGuardrail.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Apply {
    pub(crate) source: String,
    pub(crate) output_scope: Option<String>,
    pub(crate) content: Vec<ApplyBlock>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ApplyBlock {
    Text(Guarded),
}

/// Reads a body.
pub(crate) fn read<T: serde::de::DeserializeOwned>(body: &Value) -> Result<T, Refusal> {
    T::deserialize(body).map_err(|error| Refusal {
        name: "SerializationException",
        ..Refusal::invalid(format!("the body is not as documented: {error}"))
    })
}

impl Block {
    /// Its text.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::GuardContent(GuardContent::Text(Guarded { text, .. })) => text,
        }
    }

    /// Whether it says that it is this.
    pub(crate) fn is(&self, qualifier: &str) -> bool {
        match self {
            Self::Text(_) => false,
            Self::GuardContent(GuardContent::Text(guarded)) => {
                guarded.qualifiers.iter().any(|one| one == qualifier)
            }
        }
    }
}
