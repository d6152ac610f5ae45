//! A submission is made from its execution: when a gateway submits, when the sweeper submits again.

use bytes::Bytes;
use clinflow_core::Execution;
use clinflow_ports::{Envelope, Event, Meta, Route};
use clinflow_proto::v1;
use jiff::Timestamp;
use prost::Message as _;
use uuid::Uuid;

use crate::wire;

/// The `DocumentSubmitted` of `execution`, published at `now`. Its message id is the execution's submission, so
/// that the same execution submitted again has the same id and, with it, the same ids all the way down.
pub fn message(execution: &Execution, now: Timestamp) -> (Route, Envelope) {
    let body = v1::DocumentSubmitted {
        execution: Some(context(execution)),
        workflow_id: execution.requested_workflow.to_string(),
    };
    address(execution, Event::DocumentSubmitted, execution.submission, now, body.encode_to_vec().into())
}

/// A message about `execution` that no delivery caused, and where it goes.
pub fn address(
    execution: &Execution,
    event: Event,
    message_id: Uuid,
    now: Timestamp,
    body: Bytes,
) -> (Route, Envelope) {
    let meta = Meta {
        message_id,
        execution: Some(execution.id),
        type_name: event.type_name().to_owned(),
        timestamp: now,
        workflow: execution.requested_workflow.clone(),
        lane: execution.lane,
        team: execution.team.clone(),
        session: execution.session.clone(),
        attempt: 1,
        redrive: execution.redrives,
        hops: 0,
        deadline: None,
        traceparent: None,
    };
    (Route::event(event, &meta.workflow, meta.lane), meta.write(body))
}

/// What every message of `execution` carries, before any step.
pub fn context(execution: &Execution) -> v1::ExecutionContext {
    v1::ExecutionContext {
        execution_id: execution.id.to_string(),
        document: Some(wire::document_to_wire(&execution.document)),
        bundle: Bytes::copy_from_slice(execution.bundle.as_bytes()),
        session_id: execution.session.as_ref().map(ToString::to_string).unwrap_or_default(),
        team_id: execution.team.as_ref().map(ToString::to_string).unwrap_or_default(),
        submitted_at: Some(wire::timestamp_to_wire(execution.created_at)),
        steps: Vec::new(),
    }
}
