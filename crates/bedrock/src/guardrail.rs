//! ApplyGuardrail as a guardrail. What Bedrock quotes of a text is dropped here: a finding is a name and an action.

use anyhow::Context as _;
use async_trait::async_trait;
use aws_sdk_bedrockruntime::{
    Client,
    operation::apply_guardrail::ApplyGuardrailOutput,
    types::{
        GuardrailAction, GuardrailAssessment, GuardrailContentBlock, GuardrailContentQualifier as Qualifier,
        GuardrailContentSource, GuardrailContextualGroundingPolicyAssessment as GroundingAssessment,
        GuardrailOutputScope, GuardrailTextBlock,
    },
};
use clinflow_core::{Failure, Phi};
use clinflow_guardrail::{Action, Assessment, Content, Finding, PolicyKind, Source};
use clinflow_ports::{guardrail::Guardrail, model::ModelError};

use crate::{Config, GuardrailRef, client, error};

/// A guardrail of Bedrock, asked text by text. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ApplyGuardrail {
    client: Client,
    guardrail: GuardrailRef,
    name: String,
}

impl ApplyGuardrail {
    /// Reads the configuration and finds credentials; sends nothing to Bedrock.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        config.check()?;
        let guardrail = config
            .guardrail
            .clone()
            .context("no guardrail is configured: set `guardrail.id` and `guardrail.version`")?;
        let name = format!("bedrock:{}/{}", guardrail.id, guardrail.version);
        Ok(Self { client: Box::pin(client::connect(config)).await?, guardrail, name })
    }
}

#[async_trait]
impl Guardrail for ApplyGuardrail {
    fn name(&self) -> &str {
        &self.name
    }

    async fn assess(&self, source: Source, content: Content<'_>) -> Result<Assessment, Failure> {
        // Bedrock refuses a text of nothing but space.
        if content.text.trim().is_empty() {
            return Ok(Assessment { findings: Vec::new(), text: Phi::new(content.text), blocked: false });
        }
        let call = self
            .client
            .apply_guardrail()
            .guardrail_identifier(&self.guardrail.id)
            .guardrail_version(&self.guardrail.version)
            .source(match source {
                Source::Input => GuardrailContentSource::Input,
                Source::Output => GuardrailContentSource::Output,
            })
            .output_scope(GuardrailOutputScope::Interventions)
            .set_content(Some(blocks(source, content)));
        match Box::pin(call.send()).await {
            Ok(output) => Ok(read(output, content.text)),
            Err(failure) => Err(failed(error::read(&failure))),
        }
    }
}

/// The text, and for an answer what it is held against.
fn blocks(source: Source, content: Content<'_>) -> Vec<GuardrailContentBlock> {
    let mut blocks = Vec::new();
    if source == Source::Output {
        let against =
            [(content.grounding_source, Qualifier::GroundingSource), (content.query, Qualifier::Query)];
        for (text, qualifier) in against {
            if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
                blocks.push(block(text, Some(qualifier)));
            }
        }
    }
    blocks.push(block(content.text, Some(Qualifier::GuardContent)));
    blocks
}

fn block(text: &str, qualifier: Option<Qualifier>) -> GuardrailContentBlock {
    let block = GuardrailTextBlock::builder()
        .text(text)
        .set_qualifiers(qualifier.map(|qualifier| vec![qualifier]))
        .build()
        .expect("the text is given, and nothing else is required");
    GuardrailContentBlock::Text(block)
}

/// Reads what Bedrock says about `text`. An intervention that no finding explains as masking blocks.
fn read(output: ApplyGuardrailOutput, text: &str) -> Assessment {
    let findings: Vec<_> = output.assessments.iter().flat_map(findings).collect();
    let intervened = output.action != GuardrailAction::None;
    let is = |action| findings.iter().any(|finding| finding.action == action);
    let said: String = output.outputs.into_iter().filter_map(|output| output.text).collect();
    let blocked = intervened && (is(Action::Blocked) || !is(Action::Anonymized) || said.is_empty());
    let text = if intervened { Phi::new(said) } else { Phi::new(text) };
    Assessment { findings, text, blocked }
}

/// What an assessment found, without what it quotes.
pub(crate) fn findings(assessment: &GuardrailAssessment) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut note = |policy, name: &str, action: &str, detected| {
        found.extend(finding(policy, name, action, detected));
    };
    for one in assessment.topic_policy.iter().flat_map(|policy| &policy.topics) {
        note(PolicyKind::Topic, &one.name, one.action.as_str(), one.detected);
    }
    for one in assessment.content_policy.iter().flat_map(|policy| &policy.filters) {
        note(PolicyKind::Content, one.r#type.as_str(), one.action.as_str(), one.detected);
    }
    if let Some(words) = &assessment.word_policy {
        for one in &words.custom_words {
            note(PolicyKind::Word, "custom", one.action.as_str(), one.detected);
        }
        for one in &words.managed_word_lists {
            note(PolicyKind::Word, one.r#type.as_str(), one.action.as_str(), one.detected);
        }
    }
    if let Some(pii) = &assessment.sensitive_information_policy {
        for one in &pii.pii_entities {
            note(PolicyKind::SensitiveInformation, one.r#type.as_str(), one.action.as_str(), one.detected);
        }
        for one in &pii.regexes {
            let name = one.name.as_deref().unwrap_or("regex");
            note(PolicyKind::SensitiveInformation, name, one.action.as_str(), one.detected);
        }
    }
    for one in assessment.contextual_grounding_policy.iter().flat_map(GroundingAssessment::filters) {
        note(PolicyKind::ContextualGrounding, one.r#type.as_str(), one.action.as_str(), one.detected);
    }
    found
}

/// A finding, unless nothing was found: how well an answer follows is listed even when it follows well. An action that
/// this version does not know blocks.
fn finding(policy: PolicyKind, name: &str, action: &str, detected: Option<bool>) -> Option<Finding> {
    let action = match action {
        "NONE" if detected.unwrap_or(policy != PolicyKind::ContextualGrounding) => Action::Detected,
        "NONE" => return None,
        "ANONYMIZED" => Action::Anonymized,
        _ => Action::Blocked,
    };
    Some(Finding { policy, name: name.to_owned(), action, span: None })
}

/// Nothing is known about the text, so it may not go on; whether to ask again depends on why.
fn failed(error: ModelError) -> Failure {
    match error {
        ModelError::Refused { .. } => Failure::park("guardrail.refused", error),
        ModelError::Throttled { after: Some(after) } => {
            Failure::retry_after("guardrail.unavailable", after, error)
        }
        error => Failure::retry("guardrail.unavailable", error),
    }
}

#[cfg(test)]
mod tests;
