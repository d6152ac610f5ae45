//! What Converse answers, read: all blocks, all reasons to stop, all classes of tokens.

use aws_sdk_bedrockruntime::{
    operation::converse::ConverseOutput,
    types::{
        CacheTtl, CitationGeneratedContent, ContentBlock, ConverseTrace, GuardrailAssessment, StopReason,
        TokenUsage,
    },
};
use clinflow_core::Phi;
use clinflow_cost::Usage;
use clinflow_guardrail::Action;
use clinflow_ports::model::{ModelError, Reply, Stop};

use crate::{error::name, guardrail::findings};

/// Reads an answer. One that does not say what is billed is a failure whose bill is not known.
pub(crate) fn read(output: ConverseOutput) -> Result<Reply, ModelError> {
    let usage = output.usage.as_ref().map(usage);
    let usage = usage.ok_or_else(|| ModelError::Failed { code: "no usage".to_owned() })?;
    let guardrail = output.trace.as_ref().and_then(ConverseTrace::guardrail);
    let was_masked = guardrail.is_some_and(|trace| {
        let inputs = trace.input_assessment.iter().flat_map(|map| map.values());
        let outputs = trace.output_assessments.iter().flat_map(|map| map.values().flatten());
        is_only_masked(inputs.chain(outputs))
    });
    let blocks = match output.output {
        Some(aws_sdk_bedrockruntime::types::ConverseOutput::Message(message)) => message.content,
        _ => Vec::new(),
    };
    let text = text(blocks);
    let stop = match stop(&output.stop_reason, was_masked) {
        // It thought and said nothing.
        Stop::Whole if text.trim().is_empty() => Stop::Malformed,
        stop => stop,
    };
    Ok(Reply { text: Phi::new(text), stop, usage })
}

/// All text, in order. What the model thought on the way is no part of its answer, and of what this version does not
/// know nothing can be said.
fn text(blocks: Vec<ContentBlock>) -> String {
    let mut text = String::new();
    for block in blocks {
        match block {
            ContentBlock::Text(part) => text.push_str(&part),
            ContentBlock::CitationsContent(cited) => {
                for part in cited.content.unwrap_or_default() {
                    if let CitationGeneratedContent::Text(part) = part {
                        text.push_str(&part);
                    }
                }
            }
            _ => {}
        }
    }
    text
}

/// Why the answer ended. A guardrail intervenes by masking too: then the answer is whole.
fn stop(reason: &StopReason, was_masked: bool) -> Stop {
    match reason {
        StopReason::EndTurn | StopReason::StopSequence => Stop::Whole,
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => Stop::CutOff,
        StopReason::GuardrailIntervened if was_masked => Stop::Whole,
        StopReason::GuardrailIntervened | StopReason::ContentFiltered => Stop::Blocked,
        StopReason::MalformedModelOutput | StopReason::MalformedToolUse => Stop::Malformed,
        // No tools are offered, so a call of one is as strange as a reason that is new.
        other => Stop::Unknown(name(other.as_str())),
    }
}

/// True when the only thing a guardrail did was to mask.
fn is_only_masked<'a>(assessments: impl Iterator<Item = &'a GuardrailAssessment>) -> bool {
    let actions: Vec<_> = assessments.flat_map(findings).map(|finding| finding.action).collect();
    actions.contains(&Action::Anonymized) && !actions.contains(&Action::Blocked)
}

/// The tokens by class. Where the details of what was written to the cache do not add up, all of it counts as written
/// for an hour, which costs most.
fn usage(usage: &TokenUsage) -> Usage {
    let written = tokens(usage.cache_write_input_tokens.unwrap_or_default());
    let of = |ttl: &CacheTtl| -> u64 {
        let details = usage.cache_details().iter().filter(|detail| detail.ttl == *ttl);
        details.map(|detail| tokens(detail.input_tokens)).sum()
    };
    let (five_minutes, hour) = (of(&CacheTtl::FiveMinutes), of(&CacheTtl::OneHour));
    let (five_minutes, hour) =
        if five_minutes + hour == written { (five_minutes, hour) } else { (0, written) };
    Usage {
        input: tokens(usage.input_tokens),
        cache_read: tokens(usage.cache_read_input_tokens.unwrap_or_default()),
        cache_write_5m: five_minutes,
        cache_write_1h: hour,
        output: tokens(usage.output_tokens),
    }
}

/// A number of tokens is not negative.
fn tokens(number: i32) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests;
