//! A submission, whichever protocol it comes by: admitted, made durable, published.
//!
//! An execution exists once its item in the executions table does; from then on the sweeper drives it, whatever
//! the broker does. So the order is: ask whether the broker takes messages, then write the document, what was
//! said about it and the execution, then publish. Before the execution is written a caller can be sent away and
//! nothing has happened (429, 503). After it, the caller is told that the document is taken even when the publish
//! fails, because it is: the sweeper publishes it again when its first check is due. A publish that the broker
//! refused (a full queue says so only then) turns later submissions away for a while.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use clinflow_core::{
    BundleHash, DocumentHash, Execution, ExecutionId, Lane, Phi, SessionId, Status, TeamId, WorkflowId,
    execution::DocumentRef, id::derive,
};
use clinflow_ports::{BrokerError, Created, Health, StoreError, objects::key};
use clinflow_runtime::submission;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::time::Instant;

use crate::{auth::Caller, config::Config, media::Declared, ports::Ports, refusal::Refusal, trace};

/// The longest name, in bytes: what file systems allow is 255.
const LONGEST_NAME: usize = 1024;

/// What a submitter says about a document, unread.
#[derive(Debug, Default)]
pub(crate) struct Said<'a> {
    pub(crate) media_type: &'a str,
    pub(crate) workflow: &'a str,
    pub(crate) session: &'a str,
    pub(crate) team: &'a str,
    pub(crate) lane: &'a str,
    pub(crate) name: Phi,
}

/// What a submitter says about a document, read.
#[derive(Debug)]
pub(crate) struct Wish {
    media_type: Declared,
    workflow: WorkflowId,
    session: Option<SessionId>,
    team: Option<TeamId>,
    lane: Lane,
    name: Phi,
}

impl TryFrom<Said<'_>> for Wish {
    type Error = Refusal;

    fn try_from(said: Said<'_>) -> Result<Self, Refusal> {
        let unreadable = |field, expected| Refusal::Unreadable { field, expected };
        let name_like = "1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-`";
        if said.name.expose().len() > LONGEST_NAME {
            return Err(unreadable("name", "at most 1024 bytes"));
        }
        let given = |text| Some(text).filter(|text: &&str| !text.is_empty());
        Ok(Self {
            media_type: Declared::read(said.media_type)?,
            workflow: match given(said.workflow) {
                None => WorkflowId::auto(),
                Some(id) => WorkflowId::new(id).map_err(|_| unreadable("workflow", name_like))?,
            },
            session: given(said.session)
                .map(SessionId::new)
                .transpose()
                .map_err(|_| unreadable("session", name_like))?,
            team: given(said.team).map(TeamId::new).transpose().map_err(|_| unreadable("team", name_like))?,
            lane: match given(said.lane) {
                None => Lane::Batch,
                Some(lane) => lane.parse().map_err(|_| unreadable("lane", "`interactive` or `batch`"))?,
            },
            name: said.name,
        })
    }
}

/// A submission that may be made: its caller may, its workflow exists, the broker takes messages. Only
/// [`Submitter::admit`] makes one, so that no document is read in vain.
#[derive(Debug)]
pub(crate) struct Admission {
    wish: Wish,
    bundle: BundleHash,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Submitted {
    /// The execution, as it stands now.
    pub(crate) execution: Execution,
    /// True when the same document was submitted before.
    pub(crate) existing: bool,
}

/// What `submission.json` holds: the only thing about a submission that may identify a patient.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(skip_serializing_if = "Phi::is_empty")]
    name: &'a Phi,
}

/// Takes submissions.
pub(crate) struct Submitter {
    ports: Ports,
    max_document: usize,
    redrive_after: Duration,
    retry_after: Duration,
    /// Until when nothing is taken, because the broker refused a publish.
    closed_until: Mutex<Option<Instant>>,
}

impl Submitter {
    /// A submitter as `config` wants it.
    pub(crate) fn new(config: &Config, ports: Ports) -> Arc<Self> {
        Arc::new(Self {
            ports,
            max_document: config.max_document,
            redrive_after: config.redrive_after,
            retry_after: config.retry_after,
            closed_until: Mutex::default(),
        })
    }

    /// Decides whether the document is wanted, before it is read.
    pub(crate) async fn admit(&self, caller: &Caller, wish: Wish) -> Result<Admission, Refusal> {
        if !caller.may(&wish.workflow) {
            return Err(Refusal::Forbidden { workflow: wish.workflow });
        }
        self.check_broker()?;
        let current = self.ports.catalog.current().await;
        let (bundle, known) = current.map_err(|failure| Refusal::of_failure(&failure, self.retry_after))?;
        if !wish.workflow.is_auto() && known.workflow(&wish.workflow).is_none() {
            return Err(Refusal::UnknownWorkflow { workflow: wish.workflow });
        }
        Ok(Admission { wish, bundle })
    }

    /// Refuses a document of this size.
    pub(crate) const fn check_size(&self, bytes: usize) -> Result<(), Refusal> {
        if bytes > self.max_document {
            return Err(Refusal::TooLarge { limit: self.max_document });
        }
        Ok(())
    }

    /// Makes an admitted document durable and publishes it. `traceparent` goes on with the message.
    pub(crate) async fn submit(
        &self,
        admission: Admission,
        document: Bytes,
        traceparent: Option<String>,
    ) -> Result<Submitted, Refusal> {
        if document.is_empty() {
            return Err(Refusal::Empty);
        }
        self.check_size(document.len())?;
        admission.wish.media_type.check(&document)?;
        let (hash, size) = (hash(document.clone()).await?, document.len());
        let execution = execution(&admission, hash, size, self.ports.clock.now(), self.redrive_after);
        trace::execution(execution.id);
        let created = self.store(&execution, &admission.wish.name, document).await;
        match created.map_err(|error| Refusal::of_store(error, self.retry_after))? {
            Created::Existing(execution) => {
                tracing::info!(status = %execution.status, "submitted before");
                Ok(Submitted { execution: *execution, existing: true })
            }
            Created::New => {
                self.publish(&execution, traceparent).await;
                Ok(Submitted { execution, existing: false })
            }
        }
    }

    /// Whether the broker takes messages, as far as can be known without sending one.
    fn check_broker(&self) -> Result<(), Refusal> {
        let after = self.retry_after;
        match *self.ports.broker.health().borrow() {
            Health::Down => return Err(Refusal::BrokerDown { after }),
            Health::Blocked => return Err(Refusal::BrokerRefuses { after }),
            Health::Up => {}
        }
        if self.closed_until().is_some_and(|until| Instant::now() < until) {
            return Err(Refusal::BrokerRefuses { after });
        }
        Ok(())
    }

    /// Writes the document, what was said about it, and last the execution, which makes it exist. Everything
    /// before has a name that follows from the submission, so that a second try writes the same again.
    async fn store(&self, execution: &Execution, name: &Phi, document: Bytes) -> Result<Created, StoreError> {
        let told = serde_json::to_vec(&Told { name }).expect("a string is JSON");
        self.ports.objects.put(&execution.document.key, document).await?;
        // The first submitter's name stays, as the first submission does.
        self.ports.objects.create(&key::submission(execution.id), told.into()).await?;
        self.ports.executions.create(execution).await
    }

    /// Publishes a new execution. It is durable already, so that a failure here is the sweeper's business.
    async fn publish(&self, execution: &Execution, traceparent: Option<String>) {
        let (route, mut envelope) = submission::message(execution, self.ports.clock.now());
        if let Some(traceparent) = traceparent {
            envelope.headers.insert(trace::TRACEPARENT.to_owned(), traceparent);
        }
        match self.ports.broker.publish(route, envelope).await {
            Ok(_) => tracing::info!("submitted"),
            Err(error) => {
                if matches!(error, BrokerError::Refused { .. }) {
                    *self.closed_until() = Some(Instant::now() + self.retry_after);
                }
                tracing::warn!(%error, "the submission is durable and was not published; the sweeper will do it");
            }
        }
    }

    fn closed_until(&self) -> MutexGuard<'_, Option<Instant>> {
        // A moment in time is never half written.
        self.closed_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The execution that a submission is about. Every id in it follows from the submission itself.
fn execution(
    admission: &Admission,
    sha256: DocumentHash,
    size: usize,
    now: Timestamp,
    redrive_after: Duration,
) -> Execution {
    let Admission { wish, bundle } = admission;
    let id = ExecutionId::derive(&wish.workflow, &sha256, bundle, 0);
    let check_at = SignedDuration::try_from(redrive_after).ok().and_then(|wait| now.checked_add(wait).ok());
    Execution {
        id,
        requested_workflow: wish.workflow.clone(),
        document: DocumentRef {
            sha256,
            key: key::document(&sha256),
            media_type: wish.media_type.name().to_owned(),
            size: size as u64,
        },
        bundle: *bundle,
        session: wish.session.clone(),
        team: wish.team.clone(),
        lane: wish.lane,
        submission: derive(&[b"submission", id.as_uuid().as_bytes()]),
        created_at: now,
        redrives: 0,
        check_at: Some(check_at.unwrap_or(Timestamp::MAX)),
        status: Status::Running,
        disposition: None,
        head: None,
    }
}

/// Hashes a document off the threads that serve others: the largest takes tens of milliseconds.
async fn hash(document: Bytes) -> Result<DocumentHash, Refusal> {
    tokio::task::spawn_blocking(move || DocumentHash::of(&document)).await.map_err(|error| {
        tracing::error!(%error, "hashing ended early");
        Refusal::Internal { code: "gateway.internal" }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_a_default_and_what_is_said_must_be_readable() {
        let wish = Wish::try_from(Said::default()).unwrap();
        assert!(wish.workflow.is_auto());
        assert_eq!((wish.lane, wish.session, wish.team), (Lane::Batch, None, None));
        for (said, field) in [
            (Said { workflow: "ae report", ..Said::default() }, "workflow"),
            (Said { session: "Jane Roe", ..Said::default() }, "session"),
            (Said { team: "#", ..Said::default() }, "team"),
            (Said { lane: "fast", ..Said::default() }, "lane"),
            (Said { name: "x".repeat(1025).into(), ..Said::default() }, "name"),
        ] {
            let refusal = Wish::try_from(said).unwrap_err();
            assert!(
                matches!(&refusal, Refusal::Unreadable { field: found, .. } if *found == field),
                "{refusal}"
            );
            assert!(!refusal.to_string().contains("Jane"), "what was said is not repeated");
        }
    }
}
