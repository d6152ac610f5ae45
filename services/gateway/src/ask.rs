//! A question about an execution, whichever protocol it comes by: stored, published, waited for.
//!
//! The words go to the object store and nowhere else. The answer is an object under a name that follows from the
//! question, so that whoever was cut off asks again and finds it. It is given out once the audit log has it: recorded
//! before reported.

use std::{sync::Arc, time::Duration};

use clinflow_core::{
    Answer, Execution, ExecutionId, Lane, Phi, Question, Role, SessionId,
    audit::{Event as Recorded, Record},
    step::{ObjectRef, Outcome},
};
use clinflow_ports::{
    BrokerError, Event, Meta, Route, StoreError,
    objects::{get_checked, key},
};
use clinflow_proto::v1;
use clinflow_runtime::{submission, wire};
use jiff::{SignedDuration, Timestamp};
use prost::Message as _;
use tokio::{
    sync::Semaphore,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    auth::Caller,
    config::{AskSettings, Config},
    ports::Ports,
    refusal::Refusal,
    show::Show,
};

/// The longest question, in characters.
const LONGEST: usize = 4_000;

/// How often the audit log is looked at while there is no answer yet: a question that failed is told there.
const LOOK_FOR_FAILURE: Duration = Duration::from_secs(1);

/// A question as a caller puts it.
#[derive(Debug)]
pub(crate) struct Wish {
    question: Question,
    session: Option<SessionId>,
}

impl Wish {
    /// Reads the words of a request; an empty session is none.
    pub(crate) fn read(question: &str, session: &str) -> Result<Self, Refusal> {
        let length = question.trim().chars().count();
        if length == 0 || length > LONGEST {
            return Err(Refusal::Unreadable { field: "question", expected: "1 to 4000 characters" });
        }
        let session = match session {
            "" => None,
            name => Some(SessionId::new(name).map_err(|_| Refusal::Unreadable {
                field: "session",
                expected: "1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-`",
            })?),
        };
        Ok(Self { question: Question::new(Phi::new(question.trim())), session })
    }
}

/// What a recorded execution offers to answer from, by reference.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sources {
    text: ObjectRef,
    fields: ObjectRef,
}

/// Asks for callers.
pub(crate) struct Asker {
    ports: Ports,
    show: Arc<Show>,
    settings: AskSettings,
    retry_after: Duration,
    room: Semaphore,
    soft: CancellationToken,
}

impl Asker {
    /// Asks as `config` says, until `soft` is cancelled.
    pub(crate) fn new(config: &Config, ports: Ports, show: Arc<Show>, soft: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            ports,
            show,
            settings: config.ask,
            retry_after: config.retry_after,
            room: Semaphore::new(config.ask.most),
            soft,
        })
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(
        &self,
        caller: &Caller,
        execution: ExecutionId,
        wish: Wish,
        traceparent: Option<String>,
    ) -> Result<Answer, Refusal> {
        let _room =
            self.room.try_acquire().map_err(|_| Refusal::TooManyQuestions { after: self.retry_after })?;
        let execution = self.show.execution(caller, execution).await?;
        let records = self.records(execution.id).await?;
        let sources =
            sources(&records).filter(|_| execution.status.is_terminal() && !execution.workflow().is_auto());
        let sources = sources.ok_or(Refusal::NoRecord)?;
        let (turn, id) = self.place(&execution, &wish).await?;
        if let Some(answer) = answer(&records, id) {
            return self.fetch(answer).await;
        }
        let now = self.ports.clock.now();
        self.publish(&execution, &wish, sources, (turn, id), traceparent, now).await?;
        tracing::info!(question = %id, "asked");
        self.wait(execution.id, id, records.len()).await
    }

    /// The question's place in its conversation, and its id: those of the last question, when it is that once more.
    async fn place(&self, execution: &Execution, wish: &Wish) -> Result<(u32, Uuid), Refusal> {
        let Some(session) = &wish.session else {
            return Ok((0, wish.question.id(execution.id, None, 0)));
        };
        let last = self.ports.sessions.recent(session, execution.id, 1).await;
        let last = last.map_err(|error| self.refuse(error))?.pop();
        let id = |turn| wish.question.id(execution.id, Some(session), turn);
        Ok(match last {
            Some(last) if id(last.turn) == last.question_id => (last.turn, last.question_id),
            Some(last) => (last.turn + 1, id(last.turn + 1)),
            None => (0, id(0)),
        })
    }

    /// Stores the words, and says on the interactive lane that they are asked.
    async fn publish(
        &self,
        execution: &Execution,
        wish: &Wish,
        sources: Sources,
        (turn, id): (u32, Uuid),
        traceparent: Option<String>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let words = serde_json::to_vec(&wish.question).expect("a question is strings, which are JSON");
        let words = self.ports.objects.put(&key::question(execution.id, id), words.into()).await;
        let words = words.map_err(|error| self.refuse(error))?;
        let session = wish.session.as_ref().or(execution.session.as_ref());
        let mut context = submission::context(execution);
        context.session_id = session.map(ToString::to_string).unwrap_or_default();
        let message = v1::QuestionAsked {
            execution: Some(context),
            workflow_id: execution.workflow().to_string(),
            question_id: id.to_string(),
            question: Some(wire::to_wire(&words)),
            asked_at: Some(wire::timestamp_to_wire(now)),
            text: Some(wire::to_wire(&sources.text)),
            fields: Some(wire::to_wire(&sources.fields)),
            session_id: wish.session.as_ref().map(ToString::to_string).unwrap_or_default(),
            turn,
        };
        let useful = SignedDuration::try_from(self.settings.useful).ok();
        let meta = Meta {
            message_id: id,
            execution: Some(execution.id),
            type_name: Event::QuestionAsked.type_name().to_owned(),
            timestamp: now,
            workflow: execution.workflow().clone(),
            lane: Lane::Interactive,
            team: execution.team.clone(),
            session: session.cloned(),
            attempt: 1,
            redrive: 0,
            hops: 0,
            deadline: useful.and_then(|useful| now.checked_add(useful).ok()),
            traceparent,
        };
        let route = Route::event(Event::QuestionAsked, &meta.workflow, meta.lane);
        let published = self.ports.broker.publish(route, meta.write(message.encode_to_vec().into())).await;
        published.map(|_| ()).map_err(|error| {
            tracing::warn!(%error, "a question could not be published");
            match error {
                BrokerError::Refused { .. } => Refusal::BrokerRefuses { after: self.retry_after },
                _ => Refusal::BrokerDown { after: self.retry_after },
            }
        })
    }

    /// Waits until the answer is there and recorded, or the question failed. `seen` records were there before it was
    /// asked: what failed then is being tried again.
    async fn wait(&self, execution: ExecutionId, id: Uuid, seen: usize) -> Result<Answer, Refusal> {
        let place = key::answer(execution, id);
        let until = Instant::now() + self.settings.timeout;
        let mut ticks = interval(self.settings.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looked = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = self.soft.cancelled() => return Err(Refusal::Draining),
                () = tokio::time::sleep_until(until) => {
                    return Err(Refusal::AnswerLate { limit: self.settings.timeout, after: self.retry_after });
                }
                _ = ticks.tick() => {}
            }
            let is_there = match self.ports.objects.get(&place).await {
                Ok(_) => true,
                Err(StoreError::Missing { .. }) => false,
                Err(error) => return Err(self.refuse(error)),
            };
            if !is_there && looked.elapsed() < LOOK_FOR_FAILURE {
                continue;
            }
            looked = Instant::now();
            let records = self.records(execution).await?;
            if let Some(answer) = answer(&records, id) {
                return self.fetch(answer).await;
            }
            if let Some(code) = failure(records.get(seen..).unwrap_or_default(), id) {
                return Err(Refusal::QuestionFailed { code });
            }
        }
    }

    /// The answer that the audit log refers to: another object under its name would be another answer.
    async fn fetch(&self, answer: &ObjectRef) -> Result<Answer, Refusal> {
        let bytes =
            get_checked(self.ports.objects.as_ref(), answer).await.map_err(|error| self.refuse(error))?;
        tracing::info!("an answer was read");
        serde_json::from_slice(&bytes).map_err(|_| Refusal::Internal { code: "store.corrupt" })
    }

    async fn records(&self, execution: ExecutionId) -> Result<Vec<Record>, Refusal> {
        self.ports.log.read(execution).await.map_err(|error| self.refuse(error))
    }

    fn refuse(&self, error: StoreError) -> Refusal {
        Refusal::of_store(error, self.retry_after)
    }
}

/// The text and the validated fields of the last record: what the classifier read and the validator let pass.
fn sources(records: &[Record]) -> Option<Sources> {
    records.iter().rev().find_map(|record| match &record.entry.event {
        Recorded::Recorded { steps, fields, .. } => {
            let read = |step: &&clinflow_core::Step| {
                step.role == Role::Classifier && step.outcome == Outcome::Succeeded && step.output.is_some()
            };
            let text = steps.iter().rev().find(read)?.output.clone()?;
            Some(Sources { text, fields: fields.clone() })
        }
        _ => None,
    })
}

/// The recorded answer to a question.
fn answer(records: &[Record], id: Uuid) -> Option<&ObjectRef> {
    records.iter().find_map(|record| match &record.entry.event {
        Recorded::Answered { question, answer, .. } if *question == id => Some(answer),
        _ => None,
    })
}

/// The code with which a question failed for good.
fn failure(records: &[Record], id: Uuid) -> Option<String> {
    records.iter().find_map(|record| match &record.entry.event {
        Recorded::Failed { steps, code, .. } if steps.last().is_some_and(|step| step.invocation_id == id) => {
            Some(code.clone())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_words_and_a_session_has_a_name() {
        assert!(
            Wish::read(" What dose? ", "s-1").is_ok_and(|wish| {
                wish.question.question.expose() == "What dose?" && wish.session.is_some()
            })
        );
        for (question, session) in
            [(" \n".to_owned(), ""), ("x".repeat(4_001), ""), ("Why?".to_owned(), "Jane Roe")]
        {
            let refusal = Wish::read(&question, session).unwrap_err();
            assert_eq!(refusal.code(), "request.unreadable");
            assert!(!refusal.to_string().contains("Jane"), "what was said is not repeated");
        }
    }
}
