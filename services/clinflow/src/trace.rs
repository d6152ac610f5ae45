//! `clinflow trace`: where the values of a result come from.

use std::fmt::Write as _;

use clinflow_gateway::json;
use clinflow_proto::v1;

use crate::{
    Ended, arguments,
    client::{Client, refused},
    print,
    show::{dollars, time},
};

/// `clinflow trace EXECUTION [FIELD]`
pub(crate) async fn command(command: arguments::Trace) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(&command.place).await?;
    let request = v1::TraceRequest {
        execution_id: command.execution,
        field: command.field.clone().unwrap_or_default(),
    };
    let trace = client.executions.trace(request).await.map_err(|status| refused(&status))?.into_inner();
    let found = !trace.fields.is_empty();
    let text = if command.json { format!("{}\n", json::trace(&trace)) } else { view(&trace) };
    print::answer(&text)?;
    match &command.field {
        Some(field) if !found => {
            eprintln!("clinflow: the result has no field `{field}`");
            Ok(Ended::WithFailures)
        }
        _ if !trace.chain_verified => Ok(Ended::WithFailures),
        _ => Ok(Ended::Well),
    }
}

/// The whole trace, as text.
fn view(trace: &v1::TraceResponse) -> String {
    let execution = trace.execution.clone().unwrap_or_default();
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<10} {value}");
        }
    };
    line("execution", &execution.execution_id);
    line("workflow", &execution.workflow_id);
    line("document", &execution.document_sha256);
    line("session", &execution.session_id);
    line("bundle", &execution.bundle);
    line("record", &format!("{} in the audit log, {}", trace.chain_sequence, json::hex(&trace.chain_hash)));
    line("audit", &chain(trace));
    for decision in &trace.guardrail {
        line("guardrail", &decided(decision));
    }
    for field in &trace.fields {
        text.push('\n');
        push_field(&mut text, field);
    }
    text
}

fn chain(trace: &v1::TraceResponse) -> String {
    if trace.chain_verified {
        "the chain verifies".to_owned()
    } else {
        format!("THE CHAIN DOES NOT VERIFY: {}", trace.chain_broken)
    }
}

/// One field: its value, then what it rests on, then who found it and how.
fn push_field(text: &mut String, field: &v1::FieldTrace) {
    let _ = writeln!(text, "{} = {}", name(field), value(field));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "    {name:<11} {value}");
        }
    };
    for evidence in &field.evidence {
        line("evidence", &span(evidence));
    }
    if field.evidence.is_empty() {
        line("evidence", "none: it is derived from other fields");
    }
    let confidence = format!("{}.{:03}", field.confidence / 1000, field.confidence % 1000);
    line("found by", &format!("{} ({}), confidence {confidence}", field.agent_id, field.source));
    line("invocation", &field.invocation_id);
    if let Some(step) = &field.step {
        let cost = dollars(step.cost_nano_usd);
        line("step", &format!("attempt {}, {}, ${cost}", step.attempt, time(step.started_at.as_ref())));
    }
    line("model", &field.model);
    line("prompt", &json::hex(&field.prompt_sha256));
    line("findings", &field.findings.join(", "));
    for decision in &field.guardrail {
        line("guardrail", &decided(decision));
    }
}

/// A field's name as `trace` takes it.
fn name(field: &v1::FieldTrace) -> String {
    match (field.group.as_str(), field.index) {
        ("", _) => field.name.clone(),
        (group, 0) => format!("{group}.{}", field.name),
        (group, index) => format!("{group}[{index}].{}", field.name),
    }
}

/// A field's value, with its normal form where that says something else.
fn value(field: &v1::FieldTrace) -> String {
    let written = one_line(&field.value);
    let unit = if field.unit.is_empty() { String::new() } else { format!(" {}", field.unit) };
    match field.normalized.as_str() {
        "" => format!("{written}{unit}"),
        normalized if normalized == field.value => format!("{written}{unit}"),
        normalized => format!("{written} -> {normalized}{unit}"),
    }
}

fn span(evidence: &v1::TracedSpan) -> String {
    let span = evidence.span.unwrap_or_default();
    let page = if evidence.page > 0 { format!("page {}, ", evidence.page) } else { String::new() };
    let quote = print::cut(&one_line(&evidence.text), 80);
    format!("{page}{}..{} ({}): \"{quote}\"", span.start, span.end, evidence.status)
}

fn decided(decision: &v1::GuardrailDecision) -> String {
    format!(
        "{} {} by {} (record {})",
        decision.policy, decision.action, decision.guardrail, decision.chain_sequence
    )
}

/// A text that may run over lines, on one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The fields of a review item, as `review show` prints them.
pub(crate) fn fields(fields: &[v1::FieldTrace]) -> String {
    let mut text = String::new();
    for field in fields {
        push_field(&mut text, field);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_traced_to_its_span_and_its_invocation() {
        let field = v1::FieldTrace {
            name: "onset_date".to_owned(),
            group: "event".to_owned(),
            index: 2,
            value: "11-JAN-2026".to_owned(),
            normalized: "2026-01-11".to_owned(),
            evidence: vec![v1::TracedSpan {
                span: Some(v1::Span { start: 40, end: 51, byte_start: 42, byte_end: 53 }),
                page: 1,
                status: "verbatim".to_owned(),
                text: "11-JAN-2026".to_owned(),
            }],
            confidence: 950,
            source: "both".to_owned(),
            agent_id: "ae-report.extractor".to_owned(),
            invocation_id: "00000000-0000-0000-0000-000000000005".to_owned(),
            guardrail: vec![v1::GuardrailDecision {
                guardrail: "pharma".to_owned(),
                policy: "sensitive-information".to_owned(),
                action: "anonymized".to_owned(),
                chain_sequence: 2,
            }],
            ..v1::FieldTrace::default()
        };
        insta::assert_snapshot!(fields(&[field]));
    }
}
