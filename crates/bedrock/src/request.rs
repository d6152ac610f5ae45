//! A request in the words of Converse, made by what the model can do.

use std::collections::HashMap;

use aws_sdk_bedrockruntime::types::{
    CachePointBlock, CachePointType, CacheTtl, ContentBlock, ConversationRole, GuardrailConfiguration,
    GuardrailConverseContentBlock, GuardrailConverseContentQualifier as Qualifier,
    GuardrailConverseTextBlock, GuardrailTrace, InferenceConfiguration, JsonSchemaDefinition, Message,
    OutputConfig, OutputFormat, OutputFormatStructure, OutputFormatType, SystemContentBlock,
};
use clinflow_ports::model::{Asker, Request, Schema};

use crate::{Cache, Capabilities, GuardrailRef, StructuredOutput};

/// The longest value that `requestMetadata` takes, in characters.
const METADATA_LONGEST: usize = 256;

/// What the bytes of a request do not show: roles, block boundaries, and what a provider adds to make an answer follow
/// a schema. Generous: it is a limit for a budget, not an estimate.
const FRAME_TOKENS: u64 = 1024;

/// How requests to one model are written.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) capabilities: &'static Capabilities,
    pub(crate) cache: Cache,
    pub(crate) guardrail: Option<GuardrailRef>,
}

impl Writer {
    /// The instructions, with the schema where the model must read it, and the mark that what stands before it can be
    /// kept.
    pub(crate) fn system(&self, request: &Request) -> Vec<SystemContentBlock> {
        let mut text = request.instructions.clone();
        if let Some(schema) = self.instructed_schema(request) {
            text.push_str(
                "\n\nAnswer with one JSON object that follows this JSON Schema, and with nothing else:\n",
            );
            text.push_str(&schema.json);
        }
        if text.trim().is_empty() {
            return Vec::new();
        }
        let mark = self.cache_mark(&text).map(SystemContentBlock::CachePoint);
        std::iter::once(SystemContentBlock::Text(text)).chain(mark).collect()
    }

    /// The document and then what is wanted of it. For a guardrail of Bedrock both say what they are, which contextual
    /// grounding needs; without one they are plain text.
    pub(crate) fn messages(&self, request: &Request) -> Vec<Message> {
        let parts = [
            (request.document.expose(), [Qualifier::GroundingSource, Qualifier::GuardContent].as_slice()),
            (request.query.expose(), [Qualifier::Query].as_slice()),
        ];
        let blocks = parts
            .into_iter()
            // Bedrock refuses a block of nothing but space.
            .filter(|(text, _)| !text.trim().is_empty())
            .map(|(text, qualifiers)| match &self.guardrail {
                Some(_) => guarded(text, qualifiers),
                None => ContentBlock::Text(text.to_owned()),
            });
        vec![from_user(blocks.collect())]
    }

    /// The same as plain text, for counting.
    pub(crate) fn plain_messages(request: &Request) -> Vec<Message> {
        let parts = [request.document.expose(), request.query.expose()];
        let blocks = parts.into_iter().filter(|text| !text.trim().is_empty());
        vec![from_user(blocks.map(|text| ContentBlock::Text(text.to_owned())).collect())]
    }

    /// The limit on the answer, never above the model's own; a temperature only where the model takes one.
    pub(crate) fn inference(&self, request: &Request) -> InferenceConfiguration {
        let limit = request.max_output_tokens.min(self.capabilities.max_output_tokens);
        InferenceConfiguration::builder()
            .max_tokens(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_temperature(self.capabilities.sampling.then_some(0.0))
            .build()
    }

    /// The schema, for models that take it as such.
    pub(crate) fn output(&self, request: &Request) -> Option<OutputConfig> {
        let schema = request.schema.as_ref()?;
        if self.capabilities.structured_output != StructuredOutput::Native {
            return None;
        }
        let definition = JsonSchemaDefinition::builder()
            .name(&schema.name)
            .schema(&schema.json)
            .build()
            .expect("the schema is given, and nothing else is required");
        let format = OutputFormat::builder()
            .r#type(OutputFormatType::JsonSchema)
            .structure(OutputFormatStructure::JsonSchema(definition))
            .build()
            .expect("the type is given, and nothing else is required");
        Some(OutputConfig::builder().text_format(format).build())
    }

    /// The guardrail. Its trace is asked for because without it an answer with something masked cannot be told from a
    /// blocked one; what the trace quotes is dropped where it is read.
    pub(crate) fn guardrail(&self) -> Option<GuardrailConfiguration> {
        let GuardrailRef { id, version } = self.guardrail.as_ref()?;
        let guardrail = GuardrailConfiguration::builder()
            .guardrail_identifier(id)
            .guardrail_version(version)
            .trace(GuardrailTrace::Enabled);
        Some(guardrail.build())
    }

    /// An upper limit on the tokens of a request: every token covers at least one byte.
    pub(crate) fn most_input_tokens(request: &Request) -> u64 {
        let texts = [request.instructions.as_str(), request.document.expose(), request.query.expose()];
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        bytes_as_tokens(bytes) + Self::schema_tokens(request)
    }

    /// An upper limit on what a schema and the frame of a request add to its texts.
    pub(crate) fn schema_tokens(request: &Request) -> u64 {
        let schema = request.schema.as_ref().map_or(0, |schema| schema.name.len() + schema.json.len());
        bytes_as_tokens(schema) + FRAME_TOKENS
    }

    fn instructed_schema<'r>(&self, request: &'r Request) -> Option<&'r Schema> {
        let is_instructed = self.capabilities.structured_output == StructuredOutput::Instructed;
        request.schema.as_ref().filter(|_| is_instructed)
    }

    /// The mark after `text`, where keeping is wanted, can be done, and the text can be long enough.
    fn cache_mark(&self, text: &str) -> Option<CachePointBlock> {
        let ttl = match self.cache {
            Cache::Off => return None,
            Cache::FiveMinutes => CacheTtl::FiveMinutes,
            Cache::OneHour => CacheTtl::OneHour,
        };
        let minimum = self.capabilities.cache_minimum_tokens?;
        let mark = CachePointBlock::builder()
            .r#type(CachePointType::Default)
            .ttl(ttl)
            .build()
            .expect("the type is given, and nothing else is required");
        (bytes_as_tokens(text.len()) >= minimum).then_some(mark)
    }
}

/// Who asks, in the alphabet that `requestMetadata` takes.
pub(crate) fn metadata(asker: &Asker) -> HashMap<String, String> {
    let pairs = [
        ("attempt", &asker.attempt),
        ("agent", &asker.agent),
        ("workflow", &asker.workflow),
        ("team", &asker.team),
        ("document", &asker.document),
    ];
    pairs
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), allowed(value)))
        .collect()
}

/// `value` with everything else than ``a-z A-Z 0-9 : _ @ $ # = / + , - .`` and space as `_`, cut to the longest that is
/// taken.
fn allowed(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " :_@$#=/+,-.".contains(c);
    value.chars().take(METADATA_LONGEST).map(|c| if plain(c) { c } else { '_' }).collect()
}

fn bytes_as_tokens(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn guarded(text: &str, qualifiers: &[Qualifier]) -> ContentBlock {
    let block = GuardrailConverseTextBlock::builder()
        .text(text)
        .set_qualifiers(Some(qualifiers.to_vec()))
        .build()
        .expect("the text is given, and nothing else is required");
    ContentBlock::GuardContent(GuardrailConverseContentBlock::Text(block))
}

fn from_user(blocks: Vec<ContentBlock>) -> Message {
    Message::builder()
        .role(ConversationRole::User)
        .set_content(Some(blocks))
        .build()
        .expect("role and content are given, and nothing else is required")
}

#[cfg(test)]
mod tests;
