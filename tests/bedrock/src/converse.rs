//! Converse: what is refused, what is answered, and what it costs.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use clinflow_cost::Usage;
use clinflow_guardrail::{Content, Engine, Source};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    Fault, Plan, apply, brain, count,
    error::Refusal,
    models::Served,
    wire::{Converse, Structure, System},
};

/// An answer with its bill.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Value,
    pub(crate) usage: Usage,
}

/// What is kept of earlier requests: until when, by what it is.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<HashMap<String, Instant>>);

impl Kept {
    /// Whether this is kept; from now on it is, for as long as `ttl`.
    fn recall(&self, what: String, ttl: Duration) -> bool {
        let now = Instant::now();
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.insert(what, now + ttl).is_some_and(|until| until > now)
    }
}

/// Refuses what Bedrock refuses.
pub(crate) fn check(served: &Served, body: &Converse) -> Result<(), Refusal> {
    let inference = &body.inference_config;
    let limit = inference.max_tokens.unwrap_or(served.most_output);
    if limit < 1 || limit > served.most_output {
        let most = served.most_output;
        return Err(Refusal::invalid(format!(
            "The maximum tokens you requested exceeds the model limit of {most}."
        )));
    }
    if !served.sampling && (inference.temperature.is_some() || inference.top_p.is_some()) {
        return Err(Refusal::invalid("temperature and topP are not supported for this model."));
    }
    if let Some(format) = body.output_config.as_ref().and_then(|output| output.text_format.as_ref()) {
        let Structure::JsonSchema(schema) = &format.structure;
        let is_name = (1..=64).contains(&schema.name.len())
            && schema.name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if !served.schema {
            return Err(Refusal::invalid("outputConfig.textFormat is not supported for this model."));
        }
        if format.kind != "json_schema" || !is_name || serde_json::from_str::<Value>(&schema.schema).is_err()
        {
            return Err(Refusal::invalid("the JSON schema of outputConfig is not valid"));
        }
    }
    check_messages(body)?;
    check_metadata(body)?;
    let most_output = u64::try_from(limit).unwrap_or_default();
    if count::of(&body.system, &body.messages) + most_output > served.context {
        return Err(Refusal::invalid("Input is too long for requested model."));
    }
    Ok(())
}

fn check_messages(body: &Converse) -> Result<(), Refusal> {
    if body.messages.is_empty() || body.messages[0].role != "user" {
        return Err(Refusal::invalid("A conversation must start with a user message."));
    }
    let blocks = || body.messages.iter().flat_map(|message| &message.content);
    if blocks().next().is_none() || blocks().any(|block| block.text().trim().is_empty()) {
        return Err(Refusal::invalid("The text field in the ContentBlock object is blank."));
    }
    for (at, block) in body.system.iter().enumerate() {
        match block {
            System::Text(text) if text.trim().is_empty() => {
                return Err(Refusal::invalid("The text field in the SystemContentBlock object is blank."));
            }
            System::CachePoint(mark) => {
                let is_ttl = matches!(mark.ttl.as_deref(), None | Some("5m" | "1h"));
                if at == 0 || mark.kind != "default" || !is_ttl {
                    return Err(Refusal::invalid("a cachePoint is not valid"));
                }
            }
            System::Text(_) => {}
        }
    }
    Ok(())
}

fn check_metadata(body: &Converse) -> Result<(), Refusal> {
    let is_plain = |text: &str| {
        (1..=256).contains(&text.chars().count())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":_@$#=/+,-.".contains(c))
    };
    let is_valid = body.request_metadata.iter().all(|(key, value)| is_plain(key) && is_plain(value));
    if body.request_metadata.len() > 16 || !is_valid {
        return Err(Refusal::invalid("requestMetadata is not valid"));
    }
    Ok(())
}

/// The text that the conversation is about, and what is wanted of it.
pub(crate) fn document_and_query(body: &Converse) -> (&str, &str) {
    let blocks = || body.messages.iter().flat_map(|message| &message.content);
    let document = blocks().find(|block| block.is("grounding_source")).or_else(|| blocks().next());
    let query = blocks().find(|block| block.is("query")).or_else(|| blocks().last());
    (document.map_or("", |block| block.text()), query.map_or("", |block| block.text()))
}

/// Answers; `fault` says what goes wrong inside the model.
pub(crate) fn answer(
    served: &'static Served,
    body: &Converse,
    fault: Option<Fault>,
    engine: Option<&Engine>,
    plan: &Plan,
    kept: &Kept,
) -> Result<Answer, Refusal> {
    let (document, query) = document_and_query(body);
    let shows_trace =
        body.guardrail_config.as_ref().is_some_and(|config| config.trace.as_deref() == Some("enabled"));
    let id = body.guardrail_config.as_ref().map_or("", |config| config.guardrail_identifier.as_str());
    let mut trace = json!({});
    let mut document = document.to_owned();
    let mut intervened = false;
    if let Some(engine) = engine {
        let assessment = engine.assess(Source::Input, &Content::of(&document));
        trace["inputAssessment"] = json!({id: apply::described(&assessment, &document)});
        let asked = engine.assess(Source::Input, &Content::of(query));
        if assessment.blocked || asked.blocked {
            let text = &engine.policy().blocked_input;
            let usage = Usage::default();
            let trace = shows_trace.then_some(trace);
            return Ok(Answer {
                body: written(&[json!({"text": text})], "guardrail_intervened", usage, trace, plan),
                usage,
            });
        }
        intervened |= assessment.intervened();
        assessment.text.into_exposed().clone_into(&mut document);
    }
    let said = said(body, &document, query, fault, plan)?;
    let (mut text, mut stop) = worded(said, fault);
    let most =
        usize::try_from(body.inference_config.max_tokens.unwrap_or(served.most_output)).unwrap_or(usize::MAX);
    if text.len() > most.saturating_mul(4) {
        text.truncate(text.floor_char_boundary(most.saturating_mul(4)));
        stop = "max_tokens";
    }
    if let Some(engine) = engine {
        let content = Content { text: &text, grounding_source: Some(&document), query: Some(query) };
        let assessment = engine.assess(Source::Output, &content);
        trace["outputAssessments"] = json!({id: [apply::described(&assessment, &text)]});
        intervened |= assessment.intervened();
        text = assessment.text.into_exposed();
    }
    if intervened {
        stop = "guardrail_intervened";
    }
    let begins = || document.chars().take(120).collect::<String>();
    // What a model thinks quotes what it reads.
    let thought = served.thinks.then(|| format!("The document begins: {}", begins()));
    let usage = usage(served, body, thought.as_deref(), &text, kept);
    let thought = thought
        .map(|text| json!({"reasoningContent": {"reasoningText": {"text": text, "signature": "c2lnbmVk"}}}));
    let newer = (fault == Some(Fault::Newer)).then(|| json!({"foresight": {"text": begins()}}));
    let text = Some(text).filter(|text| !text.is_empty()).map(|text| json!({"text": text}));
    let content: Vec<_> = thought.into_iter().chain(newer).chain(text).collect();
    let trace = (shows_trace && engine.is_some()).then_some(trace);
    Ok(Answer { body: written(&content, stop, usage, trace, plan), usage })
}

/// What the model has to say.
fn said(
    body: &Converse,
    document: &str,
    query: &str,
    fault: Option<Fault>,
    plan: &Plan,
) -> Result<String, Refusal> {
    if document.contains(&plan.ask_again) {
        return Ok("I could not finish reading this document. Please send the same request again.".to_owned());
    }
    let Some(schema) = schema(body) else {
        let answer = brain::question(document, query);
        return Ok(match fault {
            Some(Fault::Invented) => format!("{answer} Zorvexatinib 250 mg was given on 30-FEB-2026."),
            _ => answer,
        });
    };
    if schema.pointer("/properties/quotes").is_some() {
        return Ok(brain::quoted(document, query).to_string());
    }
    let answer = brain::fields(document, &schema)?;
    let answer = match fault {
        Some(Fault::Invented) => brain::invent(answer, &schema)?,
        _ => answer,
    };
    Ok(answer.to_string())
}

/// The schema of an answer: where it belongs, or at the end of the instructions.
fn schema(body: &Converse) -> Option<Value> {
    if let Some(format) = body.output_config.as_ref().and_then(|output| output.text_format.as_ref()) {
        let Structure::JsonSchema(schema) = &format.structure;
        return serde_json::from_str(&schema.schema).ok();
    }
    let texts = body.system.iter().filter_map(|block| match block {
        System::Text(text) => Some(text),
        System::CachePoint(_) => None,
    });
    texts
        .flat_map(|text| text.match_indices('{').map(move |(at, _)| &text[at..]))
        .filter_map(|rest| serde_json::Deserializer::from_str(rest).into_iter::<Value>().next()?.ok())
        .find(|value| value.get("properties").is_some())
}

/// The words of an answer and why it ends, after what went wrong with it.
fn worded(said: String, fault: Option<Fault>) -> (String, &'static str) {
    let half = |text: &str| text[..text.floor_char_boundary(text.len() / 2)].to_owned();
    match fault {
        Some(Fault::Garbage) => {
            (format!("Certainly! Here is what I found:\n{}\n...and more.", half(&said)), "end_turn")
        }
        Some(Fault::Truncated) => (half(&said), "max_tokens"),
        Some(Fault::ContextWindow) => (half(&said), "model_context_window_exceeded"),
        Some(Fault::Malformed) => (half(&said), "malformed_model_output"),
        Some(Fault::MalformedToolUse) => (half(&said), "malformed_tool_use"),
        Some(Fault::ToolUse) => (String::new(), "tool_use"),
        Some(Fault::Filtered) => (String::new(), "content_filtered"),
        Some(Fault::Unheard) => (said, "paused_for_thought"),
        Some(Fault::Speechless) => (String::new(), "end_turn"),
        _ => (said, "end_turn"),
    }
}

/// The bill.
fn usage(served: &Served, body: &Converse, thought: Option<&str>, text: &str, kept: &Kept) -> Usage {
    let schema =
        body.output_config.as_ref().and_then(|output| output.text_format.as_ref()).map_or(0, |format| {
            let Structure::JsonSchema(schema) = &format.structure;
            count::tokens(&schema.schema)
        });
    let mut usage = Usage {
        input: count::of(&body.system, &body.messages) + schema,
        output: thought.map_or(0, count::tokens) + count::tokens(text),
        ..Usage::default()
    };
    let mark = body.system.iter().position(|block| matches!(block, System::CachePoint(_)));
    let Some((mark, System::CachePoint(point))) = mark.map(|mark| (mark, &body.system[mark])) else {
        return usage;
    };
    let before = count::of(&body.system[..mark], &[]);
    if before < served.keeps {
        return usage;
    }
    usage.input -= before;
    let is_hour = point.ttl.as_deref() == Some("1h");
    let ttl = Duration::from_secs(if is_hour { 3600 } else { 300 });
    match () {
        () if kept.recall(format!("{served:?}/{:?}", &body.system[..mark]), ttl) => usage.cache_read = before,
        () if is_hour => usage.cache_write_1h = before,
        () => usage.cache_write_5m = before,
    }
    usage
}

/// The body of a response.
fn written(content: &[Value], stop: &str, usage: Usage, trace: Option<Value>, plan: &Plan) -> Value {
    let written = [("5m", usage.cache_write_5m), ("1h", usage.cache_write_1h)];
    let details: Vec<_> = written
        .iter()
        .filter(|(_, tokens)| *tokens > 0)
        .map(|(ttl, tokens)| json!({"ttl": ttl, "inputTokens": tokens}))
        .collect();
    let mut body = json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop,
        "usage": {
            "inputTokens": usage.input, "outputTokens": usage.output, "totalTokens": usage.total(),
            "cacheReadInputTokens": usage.cache_read,
            "cacheWriteInputTokens": usage.cache_write_5m + usage.cache_write_1h, "cacheDetails": details,
        },
        "metrics": {"latencyMs": u64::try_from(plan.latency.as_millis()).unwrap_or(u64::MAX)},
    });
    if let Some(trace) = trace {
        body["trace"] = json!({"guardrail": trace});
    }
    body
}
