//! Between the wire and the words: which message is which event, where it carries its execution, and typed
//! readings of what it says. Parse at the edge, once.

use bytes::{Bytes, BytesMut};
use clinflow_core::{
    BundleHash, DocumentHash, ExecutionId, Failure, Field, FieldSet, Finding, ReviewId, ReviewItem,
    SessionId, Severity, Span, Step, TeamId, WorkflowId,
    execution::DocumentRef,
    id::ObjectHash,
    role::Role,
    step::{ObjectRef, Outcome},
};
use clinflow_ports::Event;
use clinflow_proto::v1;
use jiff::Timestamp;
use prost::Message as _;

/// A message that can be published: it knows its event and where it carries its execution.
pub trait Publish: Send {
    /// The event it is.
    fn event(&self) -> Event;
    /// The execution it carries.
    fn execution(&self) -> Option<&v1::ExecutionContext>;
    /// The execution it carries, to add a step.
    fn execution_mut(&mut self) -> Option<&mut v1::ExecutionContext>;
    /// The body.
    fn encode_body(&self) -> Bytes;
    /// For tests that look inside.
    fn as_any(&self) -> &dyn std::any::Any;
}

/// A message, or one of several, that a role consumes.
pub trait Receive: Sized + Send + 'static {
    /// Reads the body of `event`.
    fn receive(event: Event, body: &[u8]) -> Result<Self, Failure>;
    /// The execution it carries.
    fn received_execution(&self) -> Option<&v1::ExecutionContext>;
    /// Bytes that, appended to a body of `event`, add `step` to its history: concatenated protobuf messages
    /// merge, and repeated fields of embedded messages grow.
    fn patch(event: Event, step: v1::Step) -> Bytes;
}

/// Implements [`Publish`] and [`Receive`] for a message with the path to its execution context.
macro_rules! message {
    ($name:ident: $($path:ident).+) => {
        impl Publish for v1::$name {
            fn event(&self) -> Event {
                Event::$name
            }

            fn execution(&self) -> Option<&v1::ExecutionContext> {
                Some(self)$(.and_then(|one| one.$path.as_ref()))+
            }

            fn execution_mut(&mut self) -> Option<&mut v1::ExecutionContext> {
                Some(self)$(.and_then(|one| one.$path.as_mut()))+
            }

            fn encode_body(&self) -> Bytes {
                self.encode_to_vec().into()
            }

            fn as_any(&self) -> &dyn std::any::Any {
                self
            }
        }

        impl Receive for v1::$name {
            fn receive(event: Event, body: &[u8]) -> Result<Self, Failure> {
                if event != Event::$name {
                    return Err(wrong_type(event));
                }
                Self::decode(body).map_err(undecodable)
            }

            fn received_execution(&self) -> Option<&v1::ExecutionContext> {
                self.execution()
            }

            fn patch(_event: Event, step: v1::Step) -> Bytes {
                let mut patch = Self::default();
                let execution = Some(&mut patch)$(.map(|one| one.$path.get_or_insert_default()))+;
                if let Some(execution) = execution {
                    execution.steps.push(step);
                }
                patch.encode_to_vec().into()
            }
        }
    };
}

message!(DocumentSubmitted: execution);
message!(DocumentClassified: execution);
message!(FieldsExtracted: document.execution);
message!(FieldsMerged: document.execution);
message!(FieldsValidated: document.execution);
message!(ExtractionRecorded: validated.document.execution);
message!(ReportCompleted: execution);
message!(DocumentFailed: execution);
message!(FieldsIgnored: execution);
message!(ReviewRequested: execution);
message!(ReviewResolved: execution);
message!(GuardrailIntervened: execution);
message!(QuestionAsked: execution);
message!(QuestionAnswered: execution);

/// The failure of a body that protobuf cannot read.
pub fn undecodable(error: prost::DecodeError) -> Failure {
    Failure::reject("message.undecodable", error)
}

/// The failure of a message on a queue that has no use for it.
pub fn wrong_type(event: Event) -> Failure {
    Failure::reject("message.wrong-type", anyhow::anyhow!("`{}` is not consumed here", event.type_name()))
}

/// The failure of a message that decodes but lacks something it must have.
pub fn malformed(what: &'static str) -> Failure {
    Failure::reject("message.malformed", anyhow::anyhow!("{what}"))
}

/// What every message of an execution carries, read and believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The execution.
    pub execution: ExecutionId,
    /// The document.
    pub document: DocumentRef,
    /// The configuration it runs under.
    pub bundle: BundleHash,
    /// What the submitter groups executions by.
    pub session: Option<SessionId>,
    /// The submitting team.
    pub team: Option<TeamId>,
}

impl Run {
    /// Reads the context a message carries; a missing one is malformed.
    pub fn of(message: &impl Receive) -> Result<Self, Failure> {
        Self::try_from(message.received_execution().ok_or_else(|| malformed("`execution` is missing"))?)
    }
}

impl TryFrom<&v1::ExecutionContext> for Run {
    type Error = Failure;

    fn try_from(context: &v1::ExecutionContext) -> Result<Self, Failure> {
        let document =
            context.document.as_ref().ok_or_else(|| malformed("`execution.document` is missing"))?;
        Ok(Self {
            execution: context
                .execution_id
                .parse()
                .map_err(|_| malformed("`execution.execution_id` is not a UUID"))?,
            document: document_ref(document)?,
            bundle: BundleHash::from_bytes(hash(&context.bundle, "`execution.bundle` is not 32 bytes")?),
            session: optional(&context.session_id)
                .map(SessionId::new)
                .transpose()
                .map_err(|_| malformed("`execution.session_id` is not a session id"))?,
            team: optional(&context.team_id)
                .map(TeamId::new)
                .transpose()
                .map_err(|_| malformed("`execution.team_id` is not a team id"))?,
        })
    }
}

/// Reads a document reference.
pub fn document_ref(document: &v1::DocumentRef) -> Result<DocumentRef, Failure> {
    Ok(DocumentRef {
        sha256: DocumentHash::from_bytes(hash(&document.sha256, "`document.sha256` is not 32 bytes")?),
        key: document.key.clone(),
        media_type: document.media_type.clone(),
        size: document.size,
    })
}

/// A document reference on the wire.
pub fn document_to_wire(document: &DocumentRef) -> v1::DocumentRef {
    v1::DocumentRef {
        sha256: Bytes::copy_from_slice(document.sha256.as_bytes()),
        key: document.key.clone(),
        media_type: document.media_type.clone(),
        size: document.size,
    }
}

/// Reads an object reference.
pub fn object_ref(object: &v1::ObjectRef) -> Result<ObjectRef, Failure> {
    Ok(ObjectRef {
        key: object.key.clone(),
        sha256: ObjectHash::from_bytes(hash(&object.sha256, "an object's `sha256` is not 32 bytes")?),
        size: object.size,
    })
}

/// Reads an object reference that must be there; `what` says which one is missing.
pub fn required_object(object: Option<&v1::ObjectRef>, what: &'static str) -> Result<ObjectRef, Failure> {
    object_ref(object.ok_or_else(|| malformed(what))?)
}

/// An object reference on the wire.
pub fn to_wire(object: &ObjectRef) -> v1::ObjectRef {
    v1::ObjectRef {
        key: object.key.clone(),
        sha256: Bytes::copy_from_slice(object.sha256.as_bytes()),
        size: object.size,
    }
}

/// Reads a step of the history.
pub fn step(step: &v1::Step) -> Result<Step, Failure> {
    let at = |time: Option<&prost_types::Timestamp>| {
        time.and_then(timestamp).ok_or_else(|| malformed("a step has no time"))
    };
    Ok(Step {
        role: step.role.parse::<Role>().map_err(|_| malformed("a step has an unknown role"))?,
        agent_id: step.agent_id.parse().map_err(|_| malformed("a step has no agent id"))?,
        invocation_id: step
            .invocation_id
            .parse()
            .map_err(|_| malformed("a step's `invocation_id` is not a UUID"))?,
        attempt: step.attempt,
        started_at: at(step.started_at.as_ref())?,
        ended_at: at(step.ended_at.as_ref())?,
        outcome: match step.outcome() {
            v1::Outcome::Succeeded => Outcome::Succeeded,
            v1::Outcome::Failed | v1::Outcome::Unspecified => Outcome::Failed,
        },
        code: optional(&step.code).map(str::to_owned),
        model: optional(&step.model).map(str::to_owned),
        prompt: match step.prompt_sha256.as_ref() {
            [] => None,
            bytes => Some(ObjectHash::from_bytes(hash(bytes, "a step's `prompt_sha256` is not 32 bytes")?)),
        },
        output: step.output.as_ref().map(object_ref).transpose()?,
        cost_nano_usd: step.cost_nano_usd,
    })
}

/// Reads the whole history.
pub fn steps(context: &v1::ExecutionContext) -> Result<Vec<Step>, Failure> {
    context.steps.iter().map(step).collect()
}

/// A step on the wire.
pub fn step_to_wire(step: &Step) -> v1::Step {
    v1::Step {
        role: step.role.to_string(),
        agent_id: step.agent_id.to_string(),
        invocation_id: step.invocation_id.to_string(),
        attempt: step.attempt,
        started_at: Some(timestamp_to_wire(step.started_at)),
        ended_at: Some(timestamp_to_wire(step.ended_at)),
        outcome: match step.outcome {
            Outcome::Succeeded => v1::Outcome::Succeeded.into(),
            Outcome::Failed => v1::Outcome::Failed.into(),
        },
        code: step.code.clone().unwrap_or_default(),
        model: step.model.clone().unwrap_or_default(),
        output: step.output.as_ref().map(to_wire),
        cost_nano_usd: step.cost_nano_usd,
        prompt_sha256: step.prompt.map(|hash| Bytes::copy_from_slice(hash.as_bytes())).unwrap_or_default(),
    }
}

/// A span on the wire.
pub fn span_to_wire(span: &Span) -> v1::Span {
    v1::Span {
        start: span.start as u64,
        end: span.end as u64,
        byte_start: span.byte_start as u64,
        byte_end: span.byte_end as u64,
    }
}

/// Reads a span.
pub fn span(span: &v1::Span) -> Span {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Span {
        start: number(span.start),
        end: number(span.end),
        byte_start: number(span.byte_start),
        byte_end: number(span.byte_end),
    }
}

/// What a person must settle about a validated field set, without its words: a finding each of severity review or
/// block, in the order of the findings, with the spans of the fields it is about.
pub fn review_items(set: &FieldSet) -> Vec<v1::ReviewItem> {
    let item = |finding: &Finding| {
        let about =
            |field: &&Field| finding.field.as_ref() == Some(&field.name) && finding.index == field.index;
        let evidence = set.fields.iter().filter(about).flat_map(|field| &field.evidence);
        v1::ReviewItem {
            rule: finding.rule.clone(),
            field: finding.field.clone().unwrap_or_default(),
            index: finding.index.unwrap_or_default(),
            severity: if finding.severity == Severity::Block { BLOCK } else { REVIEW }.to_owned(),
            spans: evidence.map(|evidence| span_to_wire(&evidence.span)).collect(),
        }
    };
    set.findings.iter().filter(|finding| finding.severity >= Severity::Review).map(item).collect()
}

/// Reads a review item: the `number`th of a result of `run` that was recorded at `at`.
pub fn review_item(
    item: &v1::ReviewItem,
    run: &Run,
    workflow: &WorkflowId,
    number: u32,
    at: Timestamp,
) -> Result<ReviewItem, Failure> {
    Ok(ReviewItem {
        id: ReviewId { execution: run.execution, number },
        workflow: workflow.clone(),
        rule: item.rule.clone(),
        severity: match item.severity.as_str() {
            REVIEW => Severity::Review,
            BLOCK => Severity::Block,
            _ => return Err(malformed("a review item's `severity` is neither `review` nor `block`")),
        },
        field: optional(&item.field).map(str::to_owned),
        index: Some(item.index).filter(|index| *index > 0),
        spans: item.spans.iter().map(span).collect(),
        created_at: at,
        resolution: None,
    })
}

/// Severities of review items on the wire.
const REVIEW: &str = "review";
const BLOCK: &str = "block";

/// Reads a protobuf timestamp.
pub fn timestamp(time: &prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::new(time.seconds, time.nanos).ok()
}

/// A timestamp on the wire.
pub fn timestamp_to_wire(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

/// `body` with `patch` appended: the merged message.
pub(crate) fn patched(body: &Bytes, patch: &Bytes) -> Bytes {
    let mut whole = BytesMut::with_capacity(body.len() + patch.len());
    whole.extend_from_slice(body);
    whole.extend_from_slice(patch);
    whole.freeze()
}

/// An empty string on the wire says "none".
fn optional(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn hash(bytes: &[u8], what: &'static str) -> Result<[u8; 32], Failure> {
    bytes.try_into().map_err(|_| malformed(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appending_a_patch_adds_a_step_to_the_history_and_changes_nothing_else() {
        let document = v1::DocumentClassified {
            execution: Some(v1::ExecutionContext {
                execution_id: "e".to_owned(),
                steps: vec![v1::Step { role: "classifier".to_owned(), ..v1::Step::default() }],
                ..v1::ExecutionContext::default()
            }),
            workflow_id: "ae-report".to_owned(),
            ..v1::DocumentClassified::default()
        };
        let merged = v1::FieldsMerged { document: Some(document), ..v1::FieldsMerged::default() };
        let step = v1::Step { role: "validator".to_owned(), attempt: 2, ..v1::Step::default() };
        let body =
            patched(&merged.encode_body(), &v1::FieldsMerged::patch(Event::FieldsMerged, step.clone()));
        let mut expected = merged;
        expected.execution_mut().unwrap().steps.push(step);
        assert_eq!(v1::FieldsMerged::receive(Event::FieldsMerged, &body).unwrap(), expected);
    }

    #[test]
    fn a_message_on_the_wrong_queue_is_refused() {
        let failure = v1::FieldsMerged::receive(Event::CostAnomaly, b"").unwrap_err();
        assert_eq!(failure.code, "message.wrong-type");
    }
}
