//! Answers as JSON, each with its schema: what the HTTP side serves and the command line prints.

use clinflow_proto::v1;
use clinflow_runtime::wire;
use serde_json::{Value, json};

/// `clinflow.trace/1`
pub fn trace(trace: &v1::TraceResponse) -> Value {
    let execution = trace.execution.clone().unwrap_or_default();
    json!({
        "schema": "clinflow.trace/1",
        "execution_id": execution.execution_id,
        "workflow_id": execution.workflow_id,
        "document_sha256": execution.document_sha256,
        "bundle": execution.bundle,
        "session_id": some(&execution.session_id),
        "team_id": some(&execution.team_id),
        "status": execution.status,
        "record": {"sequence": trace.chain_sequence, "hash": hex(&trace.chain_hash)},
        "chain": {"verified": trace.chain_verified, "broken": some(&trace.chain_broken)},
        "fields_object": trace.fields_object.as_ref().map(object),
        "guardrail": decisions(&trace.guardrail),
        "fields": trace.fields.iter().map(field).collect::<Vec<_>>(),
    })
}

/// One traced field.
fn field(field: &v1::FieldTrace) -> Value {
    json!({
        "name": field.name,
        "group": some(&field.group),
        "index": positive(field.index),
        "value": field.value,
        "normalized": some(&field.normalized),
        "unit": some(&field.unit),
        "evidence": field.evidence.iter().map(span).collect::<Vec<_>>(),
        "confidence": f64::from(field.confidence) / 1000.0,
        "source": field.source,
        "agent_id": field.agent_id,
        "invocation_id": field.invocation_id,
        "step": field.step.as_ref().and_then(|step| wire::step(step).ok()),
        "model": some(&field.model),
        "prompt_sha256": (!field.prompt_sha256.is_empty()).then(|| hex(&field.prompt_sha256)),
        "findings": field.findings,
        "guardrail": decisions(&field.guardrail),
    })
}

fn span(traced: &v1::TracedSpan) -> Value {
    let span = traced.span.unwrap_or_default();
    json!({
        "start": span.start,
        "end": span.end,
        "byte_start": span.byte_start,
        "byte_end": span.byte_end,
        "page": positive(traced.page),
        "status": traced.status,
        "text": traced.text,
    })
}

fn decisions(decisions: &[v1::GuardrailDecision]) -> Vec<Value> {
    let decision = |one: &v1::GuardrailDecision| {
        json!({
            "guardrail": one.guardrail,
            "policy": one.policy,
            "action": one.action,
            "record": one.chain_sequence,
        })
    };
    decisions.iter().map(decision).collect()
}

/// `clinflow.audit-verification/1`
pub fn verified(chain: &v1::VerifiedChain) -> Value {
    json!({
        "schema": "clinflow.audit-verification/1",
        "execution_id": chain.execution_id,
        "records": chain.records,
        "verified": chain.verified,
        "broken_at": positive(chain.broken_at),
        "broken": some(&chain.broken),
    })
}

/// `clinflow.parked/1`
pub fn parked(message: &v1::ParkedMessage) -> Value {
    json!({
        "schema": "clinflow.parked/1",
        "message_id": message.message_id,
        "execution_id": some(&message.execution_id),
        "workflow_id": message.workflow_id,
        "queue": some(&message.queue),
        "type": some(&message.r#type),
        "code": some(&message.code),
        "message": some(&message.message),
        "attempt": message.attempt,
        "redrive": message.redrive,
        "since": time(message.since.as_ref()),
        "team_id": some(&message.team_id),
        "size": message.size,
    })
}

/// `clinflow.operation/1`
pub fn operation(done: &v1::OperationResponse) -> Value {
    json!({
        "schema": "clinflow.operation/1",
        "execution_id": done.execution.as_ref().map(|execution| &execution.execution_id),
        "status": done.execution.as_ref().map(|execution| &execution.status),
        "redrives": done.execution.as_ref().map(|execution| execution.redrives),
        "messages": done.messages,
        "record": positive(done.chain_sequence),
    })
}

/// `clinflow.review/1`
pub fn review(item: &v1::ReviewView) -> Value {
    json!({
        "schema": "clinflow.review/1",
        "review_id": item.review_id,
        "workflow_id": item.workflow_id,
        "rule": item.rule,
        "severity": item.severity,
        "field": some(&item.field),
        "index": positive(item.index),
        "created_at": time(item.created_at.as_ref()),
        "state": item.state,
        "decision": some(&item.decision),
        "reviewer": some(&item.reviewer),
        "resolved_at": time(item.resolved_at.as_ref()),
        "fields": item.fields.iter().map(field).collect::<Vec<_>>(),
        "message": some(&item.message),
        "corrected": some(&item.corrected),
    })
}

/// `clinflow.review-resolution/1`
pub fn resolution(done: &v1::ResolveReviewResponse) -> Value {
    json!({
        "schema": "clinflow.review-resolution/1",
        "item": done.item.as_ref().map(review),
        "execution_status": done.execution.as_ref().map(|execution| &execution.status),
        "open": done.open,
    })
}

/// `clinflow.cost-report/1`
pub fn cost_report(report: &v1::CostReport) -> Value {
    json!({
        "schema": "clinflow.cost-report/1",
        "from": report.from,
        "to": report.to,
        "time_zone": report.time_zone,
        "by": report.by,
        "rows": report.rows.iter().map(cost_row).collect::<Vec<_>>(),
        "total": report.total.as_ref().map(cost_row),
        "left_out": report.left_out,
    })
}

fn cost_row(row: &v1::CostRow) -> Value {
    let tokens = row.tokens.unwrap_or_default();
    json!({
        "name": some(&row.name),
        "calls": row.calls,
        "attempts": row.attempts,
        "tokens": {
            "input": tokens.input,
            "cache_read": tokens.cache_read,
            "cache_write_5m": tokens.cache_write_5m,
            "cache_write_1h": tokens.cache_write_1h,
            "output": tokens.output,
        },
        "settled_nano_usd": row.settled_nano_usd,
        "suspense_nano_usd": row.suspense_nano_usd,
        "repeated_nano_usd": row.repeated_nano_usd,
    })
}

/// `clinflow.budgets/1`
pub fn budgets(budgets: &v1::BudgetsResponse) -> Value {
    let account = |one: &v1::BudgetAccount| {
        json!({
            "scope": one.scope,
            "id": one.id,
            "period": one.period,
            "ends_at": time(one.ends_at.as_ref()),
            "limit_nano_usd": one.limit_nano_usd,
            "settled_nano_usd": one.settled_nano_usd,
            "suspense_nano_usd": one.suspense_nano_usd,
            "used_percent": one.used_percent,
        })
    };
    json!({
        "schema": "clinflow.budgets/1",
        "at": time(budgets.at.as_ref()),
        "time_zone": budgets.time_zone,
        "version": budgets.version,
        "accounts": budgets.accounts.iter().map(account).collect::<Vec<_>>(),
    })
}

fn object(object: &v1::ObjectRef) -> Value {
    json!({"key": object.key, "sha256": hex(&object.sha256), "size": object.size})
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// An empty text on the wire says "none".
fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// 0 on the wire says "none".
fn positive(number: u32) -> Option<u32> {
    Some(number).filter(|number| *number > 0)
}

/// RFC 3339.
fn time(time: Option<&prost_types::Timestamp>) -> Option<String> {
    time.and_then(wire::timestamp).map(|time| time.to_string())
}
