//! A message as the broker carries it, and the typed reading of its properties and headers.
//!
//! Names travel as headers, so that a router, an operator and a dead-letter browser can read them without
//! decoding the body.

use std::collections::BTreeMap;

use bytes::Bytes;
use clinflow_core::{ExecutionId, Lane, SessionId, TeamId, WorkflowId, id::derive};
use jiff::Timestamp;
use uuid::Uuid;

/// The content type of every message body.
pub const CONTENT_TYPE: &str = "application/x-protobuf";

/// A message as the broker carries it: nothing in it has been believed yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// AMQP `message-id`.
    pub message_id: Option<String>,
    /// AMQP `correlation-id`.
    pub correlation_id: Option<String>,
    /// AMQP `type`: the full protobuf name.
    pub type_name: Option<String>,
    /// AMQP `content-type`.
    pub content_type: Option<String>,
    /// AMQP `timestamp`, in seconds.
    pub timestamp: Option<u64>,
    /// Headers with a text or number value, as text.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
}

/// A header or property that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("header `{header}` cannot be read: {expected}")]
pub struct BadHeader {
    /// Its name.
    pub header: &'static str,
    /// What belongs there.
    pub expected: &'static str,
}

/// The believed properties and headers of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Derived from the input that caused it, so that the same work makes the same id.
    pub message_id: Uuid,
    /// The execution; absent only in submissions that upstream systems publish themselves.
    pub execution: Option<ExecutionId>,
    /// Full protobuf name of the body.
    pub type_name: String,
    /// When it was published.
    pub timestamp: Timestamp,
    /// The workflow, or `auto`.
    pub workflow: WorkflowId,
    /// Urgency.
    pub lane: Lane,
    /// The submitting team.
    pub team: Option<TeamId>,
    /// The submitter's session.
    pub session: Option<SessionId>,
    /// Which attempt at this message this is, from 1. Ours, because brokers count differently across versions.
    pub attempt: u32,
    /// How often the execution was submitted again because it made no progress. Part of every claim, so that
    /// a redriven message with the same id is handled again.
    pub redrive: u32,
    /// How many messages lie between the submission and this one.
    pub hops: u32,
    /// When the answer stops being of use.
    pub deadline: Option<Timestamp>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// Header names.
mod name {
    pub(super) const WORKFLOW: &str = "workflow";
    pub(super) const LANE: &str = "lane";
    pub(super) const TEAM: &str = "team";
    pub(super) const SESSION: &str = "session";
    pub(super) const ATTEMPT: &str = "attempt";
    pub(super) const REDRIVE: &str = "redrive";
    pub(super) const HOPS: &str = "hops";
    pub(super) const DEADLINE: &str = "deadline";
    pub(super) const TRACEPARENT: &str = "traceparent";
}

impl Meta {
    /// Reads what the broker carried. `lane` is the lane of the queue it came from. Every header is optional,
    /// because upstream systems publish submissions by hand; a header that is there must be readable.
    pub fn read(envelope: &Envelope, lane: Lane, now: Timestamp) -> Result<Self, BadHeader> {
        let bad = |header, expected| BadHeader { header, expected };
        let text = |key: &str| envelope.headers.get(key).map(String::as_str);
        let number = |key: &'static str, default: u32| {
            text(key).map_or(Ok(default), |value| value.parse().map_err(|_| bad(key, "a number")))
        };
        let message_id = match &envelope.message_id {
            Some(id) => id.parse().unwrap_or_else(|_| derive(&[b"message", id.as_bytes()])),
            None => derive(&[b"message", &envelope.body]),
        };
        let execution = match envelope.correlation_id.as_deref() {
            None | Some("") => None,
            Some(id) => Some(id.parse().map_err(|_| bad("correlation-id", "the UUID of an execution"))?),
        };
        let optional = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(str::to_owned);
        Ok(Self {
            message_id,
            execution,
            type_name: envelope.type_name.clone().unwrap_or_default(),
            timestamp: envelope
                .timestamp
                .and_then(|seconds| Timestamp::from_second(i64::try_from(seconds).ok()?).ok())
                .unwrap_or(now),
            workflow: match optional(text(name::WORKFLOW)) {
                None => WorkflowId::auto(),
                Some(value) => WorkflowId::new(value).map_err(|_| bad(name::WORKFLOW, "a workflow id"))?,
            },
            lane: match text(name::LANE) {
                None => lane,
                Some(value) => value.parse().map_err(|_| bad(name::LANE, "`interactive` or `batch`"))?,
            },
            team: optional(text(name::TEAM))
                .map(TeamId::new)
                .transpose()
                .map_err(|_| bad(name::TEAM, "a team id"))?,
            session: optional(text(name::SESSION))
                .map(SessionId::new)
                .transpose()
                .map_err(|_| bad(name::SESSION, "a session id"))?,
            attempt: number(name::ATTEMPT, 1)?,
            redrive: number(name::REDRIVE, 0)?,
            hops: number(name::HOPS, 0)?,
            deadline: text(name::DEADLINE)
                .map(|value| value.parse().map_err(|_| bad(name::DEADLINE, "an RFC 3339 timestamp")))
                .transpose()?,
            traceparent: optional(text(name::TRACEPARENT)),
        })
    }

    /// The envelope that carries `body` under these properties.
    pub fn write(&self, body: Bytes) -> Envelope {
        let mut headers = BTreeMap::from([
            (name::WORKFLOW.to_owned(), self.workflow.to_string()),
            (name::LANE.to_owned(), self.lane.to_string()),
            (name::ATTEMPT.to_owned(), self.attempt.to_string()),
            (name::REDRIVE.to_owned(), self.redrive.to_string()),
            (name::HOPS.to_owned(), self.hops.to_string()),
        ]);
        let optional = [
            (name::TEAM, self.team.as_ref().map(ToString::to_string)),
            (name::SESSION, self.session.as_ref().map(ToString::to_string)),
            (name::DEADLINE, self.deadline.map(|deadline| deadline.to_string())),
            (name::TRACEPARENT, self.traceparent.clone()),
        ];
        headers.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        Envelope {
            message_id: Some(self.message_id.to_string()),
            correlation_id: self.execution.map(|execution| execution.to_string()),
            type_name: Some(self.type_name.clone()),
            content_type: Some(CONTENT_TYPE.to_owned()),
            timestamp: u64::try_from(self.timestamp.as_second()).ok(),
            headers,
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    #[test]
    fn a_submission_without_any_header_is_readable() {
        let envelope = Envelope { body: Bytes::from_static(b"body"), ..Envelope::default() };
        let meta = Meta::read(&envelope, Lane::Batch, now()).unwrap();
        assert_eq!((meta.attempt, meta.redrive, meta.hops, meta.lane), (1, 0, 0, Lane::Batch));
        assert!(meta.workflow.is_auto());
        let again = Meta::read(&envelope, Lane::Batch, now()).unwrap();
        assert_eq!(meta.message_id, again.message_id, "the id follows from the body");
    }

    #[test]
    fn what_is_written_reads_back() {
        let meta = Meta {
            message_id: Uuid::from_u128(1),
            execution: Some(ExecutionId::from_uuid(Uuid::from_u128(2))),
            type_name: "clinflow.v1.DocumentSubmitted".to_owned(),
            timestamp: now(),
            workflow: WorkflowId::new("ae-report").unwrap(),
            lane: Lane::Interactive,
            team: Some(TeamId::new("team-pv").unwrap()),
            session: Some(SessionId::new("s-1").unwrap()),
            attempt: 3,
            redrive: 2,
            hops: 4,
            deadline: Some(now()),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        };
        assert_eq!(Meta::read(&meta.write(Bytes::new()), Lane::Batch, now()).unwrap(), meta);
    }

    #[test]
    fn a_header_that_is_there_must_be_readable() {
        let mut envelope = Envelope::default();
        envelope.headers.insert("attempt".to_owned(), "many".to_owned());
        let error = Meta::read(&envelope, Lane::Batch, now()).unwrap_err();
        assert_eq!(error.to_string(), "header `attempt` cannot be read: a number");
    }
}
