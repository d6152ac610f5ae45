//! What operators do about documents that do not move: replay, drop, redrive, rerun, abort.
//!
//! The order is always the same: what is going to be done is recorded, then the execution's state is changed under a
//! condition, then messages are published and confirmed, and last the message that was set aside is acked. A crash
//! between any two of them loses nothing: the message is still set aside, or is there twice and changes nothing, and
//! an execution that runs is looked after by the sweeper.

mod parked;

use std::{sync::Arc, time::Duration};

use clinflow_core::{
    Disposition, Execution, ExecutionId, Status,
    audit::{ChainHead, Entry, Event, Operation, Record},
    id::derive,
};
use clinflow_ports::{
    BrokerError, Created, Delivery, Envelope, Route, Settled, StoreError, Transition,
    objects::key,
    topology::{DEAD, PARKED},
};
use clinflow_proto::v1;
use clinflow_runtime::submission;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    auth::Caller,
    config::Config,
    grpc::words,
    operate::parked::{Aside, all_onward},
    ports::Ports,
    refusal::Refusal,
    show::Show,
};

/// How many parked or dead messages are looked through at most. Looking holds all of them at once.
const LOOK_THROUGH: usize = 20_000;

/// How many parked messages a list has when its reader does not say, and at most.
const LISTED: usize = 100;
const MOST_LISTED: usize = 1000;

/// How many reruns of one document are tried for a free number.
const MOST_RERUNS: u32 = 10_000;

/// What an operator says beside what is to be done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    /// Why, in one word.
    pub(crate) reason: &'a str,
    /// Who, where calls are not authenticated.
    pub(crate) operator: &'a str,
}

/// What was said, read.
#[derive(Debug, Clone)]
struct Word {
    by: String,
    reason: Option<String>,
}

/// Messages that were set aside, in our hands. They go back when this is dropped.
#[derive(Default)]
struct Held {
    asides: Vec<Aside>,
    deliveries: Vec<Box<dyn Delivery>>,
}

impl Held {
    fn add(&mut self, other: Self) {
        self.asides.extend(other.asides);
        self.deliveries.extend(other.deliveries);
    }
}

/// Does what operators ask for.
pub(crate) struct Operator {
    ports: Ports,
    show: Arc<Show>,
    redrive_after: Duration,
    retry_after: Duration,
}

impl Operator {
    /// An operator as `config` wants it.
    pub(crate) fn new(config: &Config, ports: Ports, show: Arc<Show>) -> Arc<Self> {
        Arc::new(Self { ports, show, redrive_after: config.redrive_after, retry_after: config.retry_after })
    }

    /// Parked messages the caller may see, the longest waiting first.
    pub(crate) async fn list(
        &self,
        caller: &Caller,
        limit: u32,
        code: &str,
    ) -> Result<v1::ListParkedResponse, Refusal> {
        caller.check_operator()?;
        let limit = match usize::try_from(limit) {
            Ok(0) => LISTED,
            Ok(limit) if limit <= MOST_LISTED => limit,
            _ => return Err(Refusal::Unreadable { field: "limit", expected: "a number from 1 to 1000" }),
        };
        let asides = self.browse(PARKED).await?;
        let waiting = asides.len() as u64;
        let wanted =
            |aside: &&Aside| caller.may(&aside.meta.workflow) && (code.is_empty() || aside.code() == code);
        let messages = asides.iter().filter(wanted).take(limit).map(Aside::to_wire).collect();
        Ok(v1::ListParkedResponse { messages, waiting })
    }

    /// One parked message.
    pub(crate) async fn get(&self, caller: &Caller, message: &str) -> Result<v1::ParkedMessage, Refusal> {
        caller.check_operator()?;
        let id: Uuid = message.parse().map_err(|_| Refusal::UnknownParked)?;
        let asides = self.browse(PARKED).await?;
        let found =
            asides.iter().find(|aside| aside.meta.message_id == id && caller.may(&aside.meta.workflow));
        found.map(Aside::to_wire).ok_or(Refusal::UnknownParked)
    }

    /// Puts a parked message back to work.
    pub(crate) async fn replay(
        &self,
        caller: &Caller,
        message: &str,
        said: Said<'_>,
    ) -> Result<v1::OperationResponse, Refusal> {
        let word = word(caller, said, false)?;
        let held = self.pick_message(caller, message).await?;
        let onward = |aside: &Aside| aside.onward(aside.meta.redrive, self.now());
        let Some(execution) = self.execution_of(&held.asides).await? else {
            // A submission that upstream published itself: it has no chain yet to record anything in.
            tracing::info!(by = word.by, message, "replayed");
            let messages = held.asides.iter().filter_map(onward).collect();
            return self.send(held, messages, None, None).await;
        };
        let about = held.asides.first().map(|aside| aside.meta.message_id);
        if !held.asides.iter().any(Aside::is_flow) {
            let record = self.record(&execution, Operation::Replay, &word, about).await?;
            let messages = held.asides.iter().filter_map(onward).collect();
            return self.send(held, messages, Some(execution), Some(&record)).await;
        }
        check_state(
            &execution,
            &[Status::Running, Status::Parked],
            "redrive or rerun it, or drop the message",
        )?;
        let record = self.record(&execution, Operation::Replay, &word, about).await?;
        let again = self.let_run(&execution, record.head()).await?;
        let messages = all_onward(&held.asides, &again, self.now());
        self.send(held, messages, Some(again), Some(&record)).await
    }

    /// Gives a parked message up for good.
    pub(crate) async fn drop_parked(
        &self,
        caller: &Caller,
        message: &str,
        said: Said<'_>,
    ) -> Result<v1::OperationResponse, Refusal> {
        let word = word(caller, said, true)?;
        let held = self.pick_message(caller, message).await?;
        let execution = self.execution_of(&held.asides).await?;
        let about = held.asides.first().map(|aside| aside.meta.message_id);
        let record = match &execution {
            Some(execution) => Some(self.record(execution, Operation::Drop, &word, about).await?),
            None => None,
        };
        tracing::info!(by = word.by, message, "dropped");
        self.send(held, Vec::new(), execution, record.as_ref()).await
    }

    /// Lets a parked, failed or aborted execution go on from where it failed.
    pub(crate) async fn redrive(
        &self,
        caller: &Caller,
        id: ExecutionId,
        said: Said<'_>,
    ) -> Result<v1::OperationResponse, Refusal> {
        let word = word(caller, said, false)?;
        let execution = self.show.execution(caller, id).await?;
        let from = [Status::Parked, Status::Failed, Status::Aborted];
        check_state(
            &execution,
            &from,
            "only what is parked, failed or aborted goes on; rerun what has ended",
        )?;
        let mut held = self.pick(PARKED, |aside| aside.moves(id)).await?;
        held.add(self.pick(DEAD, |aside| aside.moves(id)).await?);
        let record = self.record(&execution, Operation::Redrive, &word, None).await?;
        let again = self.let_run(&execution, record.head()).await?;
        let messages = all_onward(&held.asides, &again, self.now());
        self.send(held, messages, Some(again), Some(&record)).await
    }

    /// Makes a new execution of the same work.
    pub(crate) async fn rerun(
        &self,
        caller: &Caller,
        id: ExecutionId,
        said: Said<'_>,
        current_bundle: bool,
    ) -> Result<v1::OperationResponse, Refusal> {
        let word = word(caller, said, false)?;
        let old = self.show.execution(caller, id).await?;
        if !old.status.is_terminal() {
            return Err(Refusal::WrongState {
                status: old.status,
                instead: "it has not ended; redrive or abort it",
            });
        }
        let bundle = if current_bundle {
            let current = self.ports.catalog.current().await;
            current.map_err(|failure| Refusal::of_failure(&failure, self.retry_after))?.0
        } else {
            old.bundle
        };
        let refuse = |error| Refusal::of_store(error, self.retry_after);
        // Under the same bundle, number 0 is the submission that everything began with.
        for number in u32::from(bundle == old.bundle)..MOST_RERUNS {
            let new = ExecutionId::derive(&old.requested_workflow, &old.document.sha256, &bundle, number);
            if self.ports.executions.get(new).await.map_err(refuse)?.is_some() {
                continue;
            }
            let record = self.record(&old, Operation::Rerun, &word, Some(new.as_uuid())).await?;
            self.copy_submission(id, new).await.map_err(refuse)?;
            let now = self.now();
            let execution = Execution {
                id: new,
                bundle,
                submission: derive(&[b"submission", new.as_uuid().as_bytes()]),
                created_at: now,
                redrives: 0,
                check_at: Some(after(now, self.redrive_after)),
                status: Status::Running,
                disposition: None,
                head: None,
                ..old.clone()
            };
            if self.ports.executions.create(&execution).await.map_err(refuse)? != Created::New {
                continue;
            }
            // Durable now: what is not published here is the sweeper's to publish.
            let message = submission::message(&execution, now);
            let sent = Settled::publishing(self.ports.broker.as_ref(), vec![message]).await;
            let _: Option<Settled> =
                sent.inspect_err(|error| tracing::warn!(%error, "the sweeper will publish it")).ok();
            tracing::info!(by = word.by, rerun = %new, number, "run once more");
            return Ok(answer(Some(&execution), 1, Some(&record)));
        }
        Err(Refusal::WrongState {
            status: old.status,
            instead: "it was run too often; submit it under a new bundle",
        })
    }

    /// Stops a running or parked execution for good. Messages of it that are under way are handled as ever, and end
    /// at the auditor, who finds the abort in the chain.
    pub(crate) async fn abort(
        &self,
        caller: &Caller,
        id: ExecutionId,
        said: Said<'_>,
    ) -> Result<v1::OperationResponse, Refusal> {
        let word = word(caller, said, true)?;
        let execution = self.show.execution(caller, id).await?;
        check_state(&execution, &[Status::Running, Status::Parked], "it has ended")?;
        let record = self.record(&execution, Operation::Abort, &word, None).await?;
        let disposition = Disposition {
            status: Status::Aborted,
            workflow: settled_workflow(&execution),
            code: Some("execution.aborted".to_owned()),
            message: word.reason,
            outputs: None,
            head: record.head(),
            at: self.now(),
        };
        let aborted = self.intervene(&execution, disposition, None).await?;
        Ok(answer(Some(&aborted), 0, Some(&record)))
    }

    fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Writes down what is going to be done. Two people who ask for the same at the same time make one record.
    async fn record(
        &self,
        execution: &Execution,
        operation: Operation,
        word: &Word,
        about: Option<Uuid>,
    ) -> Result<Record, Refusal> {
        let refuse = |error| Refusal::of_store(error, self.retry_after);
        let id = execution.id;
        let records = self.ports.log.read(id).await.map_err(refuse)?;
        let head = records.last().map_or_else(|| ChainHead::genesis(id), Record::head);
        let message_id = derive(&[
            b"operation",
            operation.as_str().as_bytes(),
            id.as_uuid().as_bytes(),
            about.unwrap_or_default().as_bytes(),
            &head.sequence.to_be_bytes(),
        ]);
        let entry = Entry {
            execution: id,
            message_id,
            document: execution.document.sha256,
            bundle: execution.bundle,
            session: execution.session.clone(),
            at: self.now(),
            event: Event::Operated { operation, by: word.by.clone(), about, reason: word.reason.clone() },
        };
        let record = self.ports.log.append(head, entry).await.map_err(refuse)?;
        self.ports.executions.witness(id, record.head()).await.map_err(refuse)?;
        tracing::info!(operation = operation.as_str(), by = word.by, "recorded");
        Ok(record)
    }

    /// Lets an execution run again at its next redrive, and answers it as it is then.
    async fn let_run(&self, execution: &Execution, head: ChainHead) -> Result<Execution, Refusal> {
        let now = self.now();
        let redrives = execution.redrives + 1;
        let check_at = after(now, self.redrive_after.saturating_mul(1 << redrives.min(16)));
        if execution.status == Status::Running {
            let redriven = self.ports.executions.redrive(execution.id, execution.redrives, check_at).await;
            return match redriven.map_err(|error| Refusal::of_store(error, self.retry_after))? {
                true => Ok(Execution { redrives, check_at: Some(check_at), ..execution.clone() }),
                false => Err(Refusal::Changed),
            };
        }
        let disposition = Disposition {
            status: Status::Running,
            workflow: settled_workflow(execution),
            code: None,
            message: None,
            outputs: None,
            head,
            at: now,
        };
        self.intervene(execution, disposition, Some(check_at)).await
    }

    /// Changes an execution's state, and answers it as it is then.
    async fn intervene(
        &self,
        execution: &Execution,
        disposition: Disposition,
        check_at: Option<Timestamp>,
    ) -> Result<Execution, Refusal> {
        let (id, seen) = (execution.id, execution.redrives);
        let made = self.ports.executions.intervene(id, seen, &disposition, check_at).await;
        match made.map_err(|error| Refusal::of_store(error, self.retry_after))? {
            Transition::Kept(_) => Err(Refusal::Changed),
            Transition::Applied => Ok(Execution {
                status: disposition.status,
                redrives: if disposition.status == Status::Running { seen + 1 } else { seen },
                check_at,
                disposition: Some(disposition),
                ..execution.clone()
            }),
        }
    }

    /// The messages of a queue of messages set aside; one that cannot be read is left out.
    async fn browse(&self, queue: &str) -> Result<Vec<Aside>, Refusal> {
        let seen = self.ports.broker.browse(queue, LOOK_THROUGH).await.map_err(|error| self.down(&error))?;
        let now = self.now();
        let mut asides: Vec<Aside> = seen.iter().filter_map(|envelope| Aside::read(envelope, now)).collect();
        asides.sort_by_key(Aside::since);
        Ok(asides)
    }

    /// Takes the messages of a queue that `wanted` names into our hands.
    async fn pick(
        &self,
        queue: &str,
        wanted: impl Fn(&Aside) -> bool + Send + Sync,
    ) -> Result<Held, Refusal> {
        let now = self.now();
        let names = |envelope: &Envelope| Aside::read(envelope, now).is_some_and(|aside| wanted(&aside));
        let picked = self.ports.broker.pick(queue, LOOK_THROUGH, &names).await;
        let deliveries = picked.map_err(|error| self.down(&error))?;
        let asides = deliveries.iter().filter_map(|delivery| Aside::read(delivery.envelope(), now)).collect();
        Ok(Held { asides, deliveries })
    }

    /// Takes a parked message into our hands; in two queues, it is in both.
    async fn pick_message(&self, caller: &Caller, message: &str) -> Result<Held, Refusal> {
        let id: Uuid = message.parse().map_err(|_| Refusal::UnknownParked)?;
        let wanted = |aside: &Aside| aside.meta.message_id == id && caller.may(&aside.meta.workflow);
        let held = self.pick(PARKED, wanted).await?;
        if held.asides.is_empty() { Err(Refusal::UnknownParked) } else { Ok(held) }
    }

    /// The execution of messages that were picked together, if there is one.
    async fn execution_of(&self, asides: &[Aside]) -> Result<Option<Execution>, Refusal> {
        let Some(id) = asides.first().and_then(|aside| aside.meta.execution) else { return Ok(None) };
        let found = self.ports.executions.get(id).await;
        found.map_err(|error| Refusal::of_store(error, self.retry_after))
    }

    /// Publishes, confirmed, and then lets go of what is in our hands.
    async fn send(
        &self,
        held: Held,
        messages: Vec<(Route, Envelope)>,
        execution: Option<Execution>,
        record: Option<&Record>,
    ) -> Result<v1::OperationResponse, Refusal> {
        let broker = self.ports.broker.as_ref();
        let count = messages.len();
        let _: Settled = Settled::publishing(broker, messages).await.map_err(|error| self.down(&error))?;
        for delivery in held.deliveries {
            // What it gave rise to is confirmed, together with what the others did.
            let settled = Settled::publishing(broker, Vec::new()).await.map_err(|error| self.down(&error))?;
            delivery.ack(settled).await.map_err(|error| self.down(&error))?;
        }
        Ok(answer(execution.as_ref(), count, record))
    }

    /// The name of the document goes with it: it is the only thing the submitter said that is not in the execution.
    async fn copy_submission(&self, old: ExecutionId, new: ExecutionId) -> Result<(), StoreError> {
        match self.ports.objects.get(&key::submission(old)).await {
            Ok(bytes) => self.ports.objects.create(&key::submission(new), bytes).await.map(|_| ()),
            Err(StoreError::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn down(&self, error: &BrokerError) -> Refusal {
        Refusal::of_broker(error, self.retry_after)
    }
}

/// Reads what an operator says; `reasoned` when there must be a reason.
fn word(caller: &Caller, said: Said<'_>, reasoned: bool) -> Result<Word, Refusal> {
    caller.check_operator()?;
    let by = caller.name(said.operator, "operator")?;
    // The alphabet of ids: a sentence could name a patient, and this goes into the audit log.
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let readable = said.reason.len() <= 64 && said.reason.chars().all(legal);
    if !readable || (reasoned && said.reason.is_empty()) {
        let expected =
            "one word such as `wrong-document`: 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-`";
        return Err(Refusal::Unreadable { field: "reason", expected });
    }
    Ok(Word { by, reason: Some(said.reason.to_owned()).filter(|reason| !reason.is_empty()) })
}

fn check_state(execution: &Execution, from: &[Status], instead: &'static str) -> Result<(), Refusal> {
    if from.contains(&execution.status) {
        return Ok(());
    }
    Err(Refusal::WrongState { status: execution.status, instead })
}

/// The workflow an execution is known to belong to: it stays known.
fn settled_workflow(execution: &Execution) -> Option<clinflow_core::WorkflowId> {
    execution.disposition.as_ref().and_then(|before| before.workflow.clone())
}

/// `now` plus `wait`, or as late as a timestamp can be.
fn after(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

fn answer(execution: Option<&Execution>, messages: usize, record: Option<&Record>) -> v1::OperationResponse {
    v1::OperationResponse {
        execution: execution.map(words::execution),
        messages: u32::try_from(messages).unwrap_or(u32::MAX),
        chain_sequence: record.map_or(0, |record| record.sequence),
    }
}
