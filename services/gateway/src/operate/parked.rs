//! A message that waits, read; and where it goes on from. Pure.

use clinflow_core::{Execution, ExecutionId, Lane, Role};
use clinflow_ports::{Envelope, Event, Meta, Route, topology::queue_name};
use clinflow_proto::v1;
use clinflow_runtime::{
    submission,
    wire::timestamp_to_wire,
    worker::{FAILURE_CODE, FAILURE_MESSAGE, QUEUE, SINCE},
};
use jiff::Timestamp;
use uuid::Uuid;

/// A parked or dead message whose headers can be read.
#[derive(Debug, Clone)]
pub(crate) struct Aside {
    pub(crate) meta: Meta,
    event: Option<Event>,
    /// The queue it was taken from, where it says so.
    queue: Option<(Role, Lane)>,
    code: String,
    message: String,
    since: Timestamp,
    body: bytes::Bytes,
}

impl Aside {
    /// Reads a message that was set aside; `None` when its headers cannot be read.
    pub(crate) fn read(envelope: &Envelope, now: Timestamp) -> Option<Self> {
        let meta = Meta::read(envelope, Lane::Batch, now).ok()?;
        let header = |name: &str| envelope.headers.get(name).map(String::as_str);
        Some(Self {
            event: Event::of_type(&meta.type_name),
            queue: header(QUEUE).and_then(queue),
            code: header(FAILURE_CODE).unwrap_or_default().to_owned(),
            message: header(FAILURE_MESSAGE).unwrap_or_default().to_owned(),
            since: header(SINCE).and_then(|since| since.parse().ok()).unwrap_or(meta.timestamp),
            body: envelope.body.clone(),
            meta,
        })
    }

    /// Since when it waits.
    pub(crate) const fn since(&self) -> Timestamp {
        self.since
    }

    /// The code of the failure that set it aside.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// True for a message that moves its document on; false for one that tells something beside the flow. A message
    /// without a type is a submission that somebody published by hand.
    pub(crate) fn is_flow(&self) -> bool {
        match self.event {
            None => self.meta.type_name.is_empty(),
            Some(event) => matches!(
                event,
                Event::DocumentSubmitted
                    | Event::DocumentClassified
                    | Event::FieldsExtracted
                    | Event::FieldsMerged
                    | Event::FieldsValidated
                    | Event::ExtractionRecorded
                    | Event::ReportCompleted
            ),
        }
    }

    /// True when it is a message of the flow of `execution`.
    pub(crate) fn moves(&self, execution: ExecutionId) -> bool {
        self.meta.execution == Some(execution) && self.is_flow()
    }

    /// What it has in common with another message that says the same: two branches wait for one document as one
    /// message in two queues.
    pub(crate) fn same_work(&self) -> (Uuid, Option<Role>) {
        let role = self.queue.map(|(role, _)| role).filter(|role| !is_branch(*role));
        (self.meta.message_id, role)
    }

    /// The message that puts it back to work and where it goes, with all attempts before it and at `redrive`;
    /// `None` when its execution must begin anew, because the parts of a join that were there are gone with the
    /// redrive they belonged to.
    pub(crate) fn onward(&self, redrive: u32, now: Timestamp) -> Option<(Route, Envelope)> {
        let (role, lane) = self.queue?;
        let route = match (role, self.event) {
            // Both branches: what the other one found belongs to the redrive before.
            (Role::Extractor | Role::Nlp, Some(Event::DocumentClassified)) => {
                Route::event(Event::DocumentClassified, &self.meta.workflow, self.meta.lane)
            }
            (Role::Aggregator, Some(Event::FieldsExtracted)) => return None,
            _ => Route::returned(&queue_name(role, lane)),
        };
        let meta = Meta { attempt: 1, hops: 0, deadline: None, timestamp: now, redrive, ..self.meta.clone() };
        Some((route, meta.write(self.body.clone())))
    }

    /// As people see it.
    pub(crate) fn to_wire(&self) -> v1::ParkedMessage {
        v1::ParkedMessage {
            message_id: self.meta.message_id.to_string(),
            execution_id: self.meta.execution.map(|id| id.to_string()).unwrap_or_default(),
            workflow_id: self.meta.workflow.to_string(),
            queue: self.queue.map(|(role, lane)| queue_name(role, lane)).unwrap_or_default(),
            r#type: self.meta.type_name.clone(),
            code: self.code.clone(),
            message: self.message.clone(),
            attempt: self.meta.attempt,
            redrive: self.meta.redrive,
            since: Some(timestamp_to_wire(self.since)),
            team_id: self.meta.team.as_ref().map(ToString::to_string).unwrap_or_default(),
            size: self.body.len() as u64,
        }
    }
}

/// The messages that put `asides` of `execution` back to work at its present redrive: each piece of work once, or
/// the submission where one of them must begin anew, or where there is none.
pub(crate) fn all_onward(asides: &[Aside], execution: &Execution, now: Timestamp) -> Vec<(Route, Envelope)> {
    let mut seen = Vec::new();
    let mut messages = Vec::new();
    for aside in asides {
        if seen.contains(&aside.same_work()) {
            continue;
        }
        seen.push(aside.same_work());
        match aside.onward(execution.redrives, now) {
            Some(message) => messages.push(message),
            None => return vec![submission::message(execution, now)],
        }
    }
    if messages.is_empty() { vec![submission::message(execution, now)] } else { messages }
}

const fn is_branch(role: Role) -> bool {
    matches!(role, Role::Extractor | Role::Nlp)
}

/// The role and lane of a queue's name.
fn queue(name: &str) -> Option<(Role, Lane)> {
    Role::CONSUMERS
        .into_iter()
        .flat_map(|role| Lane::ALL.map(|lane| (role, lane)))
        .find(|(role, lane)| queue_name(*role, *lane) == name)
}

#[cfg(test)]
mod tests {
    use clinflow_core::{BundleHash, DocumentHash, Status, WorkflowId, execution::DocumentRef};

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    fn execution() -> Execution {
        Execution {
            id: ExecutionId::from_uuid(Uuid::from_u128(7)),
            requested_workflow: WorkflowId::new("ae-report").unwrap(),
            document: DocumentRef {
                sha256: DocumentHash::of(b"d"),
                key: "documents/d".to_owned(),
                media_type: "text/plain".to_owned(),
                size: 1,
            },
            bundle: BundleHash::of(b"b"),
            session: None,
            team: None,
            lane: Lane::Batch,
            submission: Uuid::from_u128(1),
            created_at: now(),
            redrives: 3,
            check_at: None,
            status: Status::Running,
            disposition: None,
            head: None,
        }
    }

    /// A message of this event that was set aside from the queue of `role`.
    fn aside(event: Event, role: Role, id: u128) -> Aside {
        let (_, mut envelope) = submission::address(
            &execution(),
            event,
            Uuid::from_u128(id),
            now(),
            bytes::Bytes::from_static(b"x"),
        );
        for (name, value) in [
            ("attempt", "12"),
            ("hops", "33"),
            ("redrive", "2"),
            (FAILURE_CODE, "store.unavailable"),
            (QUEUE, &queue_name(role, Lane::Batch)),
            (SINCE, "2023-11-14T22:13:21Z"),
        ] {
            envelope.headers.insert(name.to_owned(), value.to_owned());
        }
        Aside::read(&envelope, now()).unwrap()
    }

    fn routes(asides: &[Aside]) -> Vec<String> {
        all_onward(asides, &execution(), now()).into_iter().map(|(route, _)| route.to_string()).collect()
    }

    #[test]
    fn a_message_goes_back_to_its_queue_with_its_attempts_before_it() {
        let parked = aside(Event::FieldsMerged, Role::Validator, 5);
        assert_eq!((parked.code(), parked.since.as_second()), ("store.unavailable", 1_700_000_001));
        let (route, envelope) = parked.onward(3, now()).unwrap();
        assert_eq!(route.to_string(), "clinflow.return/now.clinflow.validator.batch");
        let meta = Meta::read(&envelope, Lane::Batch, now()).unwrap();
        assert_eq!((meta.attempt, meta.hops, meta.redrive), (1, 0, 3));
        assert_eq!(
            meta.message_id,
            Uuid::from_u128(5),
            "the same id, and with it the same ids all the way down"
        );
        assert!(!envelope.headers.contains_key(FAILURE_CODE));
    }

    #[test]
    fn one_failed_branch_lets_both_go_on_and_two_do_so_once() {
        let classified = |role| aside(Event::DocumentClassified, role, 5);
        let both = ["clinflow.events/document.classified.ae-report.batch"];
        assert_eq!(routes(&[classified(Role::Nlp)]), both);
        assert_eq!(routes(&[classified(Role::Nlp), classified(Role::Extractor)]), both);
    }

    #[test]
    fn a_failed_join_and_nothing_at_all_begin_anew() {
        let anew = ["clinflow.events/document.submitted.ae-report.batch"];
        assert_eq!(routes(&[]), anew);
        let join = aside(Event::FieldsExtracted, Role::Aggregator, 6);
        assert_eq!(routes(&[aside(Event::FieldsMerged, Role::Validator, 5), join]), anew);
    }

    #[test]
    fn a_side_event_is_not_part_of_the_flow() {
        assert!(aside(Event::FieldsMerged, Role::Validator, 5).moves(execution().id));
        assert!(!aside(Event::QuestionAsked, Role::Nlp, 5).moves(execution().id));
        assert!(!aside(Event::DocumentFailed, Role::Auditor, 5).is_flow());
        let (route, _) = aside(Event::QuestionAsked, Role::Nlp, 5).onward(0, now()).unwrap();
        assert_eq!(route.to_string(), "clinflow.return/now.clinflow.nlp.batch");
    }
}
