//! The sweeper: closes joins whose deadline has passed and drives again what has made no progress.
//!
//! The broker is not where the truth lives. Whatever it loses, an execution that still runs is found here and
//! submitted again, with the same ids, until it ends.

use std::{sync::Arc, time::Duration};

use clinflow_core::{Execution, Failure, Lane, Role, Status, WorkflowId, id::output_id};
use clinflow_ports::{
    Broker, Clock, Envelope, Executions, Joins, Route, Settled,
    joins::Expired,
    topology::{CONSUMES, queue_name},
};
use clinflow_proto::v1;
use clinflow_runtime::{
    Catalog, Lifecycle, submission,
    telemetry::{
        Metrics,
        metrics::{JoinResult, Redrive},
    },
    wire::{Publish, malformed},
};
use clinflow_workflow::{Bundle, OnMissing};
use jiff::{
    SignedDuration, Timestamp, fmt::serde::unsigned_duration::friendly::compact::required as friendly,
};
use serde::{Deserialize, Serialize};

use crate::{
    Config,
    join::{merge, workflow_id},
};

/// How many late things one tick takes on.
const BATCH: usize = 200;

/// When to drive an execution again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepSettings {
    /// How long an execution may make no progress; doubles with every redrive.
    #[serde(with = "friendly")]
    pub redrive_after: Duration,
    /// How often an execution is driven again before it is given up.
    pub max_redrives: u32,
    /// As long as this many messages wait in the queues, an overdue execution is taken to be one of them.
    pub busy_backlog: u64,
    /// How long it is taken to be one of them.
    #[serde(with = "friendly")]
    pub patience: Duration,
}

impl Default for SweepSettings {
    fn default() -> Self {
        Self {
            redrive_after: Duration::from_secs(60),
            max_redrives: 8,
            busy_backlog: 1,
            patience: Duration::from_secs(1800),
        }
    }
}

/// What to do about an overdue execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Submit it again and look at it at this time.
    Redrive {
        /// The next look.
        check_at: Timestamp,
    },
    /// Look at it again at this time.
    Postpone {
        /// The next look.
        check_at: Timestamp,
    },
    /// It was driven often enough.
    GiveUp,
}

/// Decides. `backlog` is how many messages wait in the queues: while there are some, an overdue execution is
/// most likely among them, and driving it again would only make the queues longer.
pub fn decide(execution: &Execution, now: Timestamp, backlog: u64, settings: &SweepSettings) -> Sweep {
    let wait = settings.redrive_after.saturating_mul(1 << execution.redrives.min(16));
    let check_at = after(now, wait);
    let age = Duration::try_from(now.duration_since(execution.created_at)).unwrap_or_default();
    let driven = settings.redrive_after.saturating_mul(execution.redrives);
    if backlog >= settings.busy_backlog && age < settings.patience.saturating_add(driven) {
        return Sweep::Postpone { check_at: after(now, settings.redrive_after) };
    }
    if execution.redrives >= settings.max_redrives { Sweep::GiveUp } else { Sweep::Redrive { check_at } }
}

/// `now` plus `wait`, or as late as a timestamp can be.
fn after(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

/// Looks after what is late, every tick. Several replicas may do so: a redrive is won by one of them, and a
/// partial result has the same id whoever emits it.
pub struct Sweeper {
    config: Config,
    broker: Arc<dyn Broker>,
    joins: Arc<dyn Joins>,
    executions: Arc<dyn Executions>,
    catalog: Arc<Catalog<Bundle>>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Sweeper {
    /// A sweeper with these powers.
    pub fn new(
        config: Config,
        broker: Arc<dyn Broker>,
        joins: Arc<dyn Joins>,
        executions: Arc<dyn Executions>,
        catalog: Arc<Catalog<Bundle>>,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        Self { config, broker, joins, executions, catalog, clock, metrics }
    }

    /// Ticks until soft is cancelled. What a tick cannot do is left for the next.
    pub async fn run(self, life: Lifecycle) {
        let mut tick = tokio::time::interval(self.config.tick);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = life.soft.cancelled() => return,
                _ = tick.tick() => {}
            }
            let now = self.clock.now();
            if let Err(failure) = self.close_joins(now).await {
                tracing::warn!(code = failure.code, error = %failure.source, "joins are not closed in this tick");
            }
            if let Err(failure) = self.drive_again(now).await {
                tracing::warn!(code = failure.code, error = %failure.source, "nothing is driven again in this tick");
            }
        }
    }

    /// Emits what there is of every join whose deadline has passed, as its workflow's policy says.
    pub async fn close_joins(&self, now: Timestamp) -> Result<(), Failure> {
        for expired in self.joins.expire(now, BATCH).await? {
            let key = expired.key;
            let closed = match self.partial(expired, now).await? {
                Some((workflow, message)) => {
                    let _: Settled = Settled::publishing(self.broker.as_ref(), vec![message]).await?;
                    Some(workflow)
                }
                None => None,
            };
            self.joins.settle(key).await?;
            if let Some(workflow) = closed {
                self.metrics.join(&workflow, JoinResult::TimedOut);
            }
        }
        Ok(())
    }

    /// The workflow and the message of an expired join: the partial result, or the failure where the policy asks for all
    /// branches. None for an execution that waits for a person or has ended: what is missing then is not late.
    async fn partial(
        &self,
        expired: Expired,
        now: Timestamp,
    ) -> Result<Option<(WorkflowId, (Route, Envelope))>, Failure> {
        let id = expired.key.execution;
        let execution = self.executions.get(id).await?;
        let execution =
            execution.ok_or_else(|| Failure::park("execution.unknown", anyhow::anyhow!("`{id}`")))?;
        if execution.status != Status::Running {
            tracing::info!(execution = %id, status = %execution.status, "a join is closed without a result");
            return Ok(None);
        }
        let merged = merge(&expired.parts, expired.missing)?;
        let workflow =
            workflow_id(merged.document.as_ref().ok_or_else(|| malformed("an expired join has no part"))?)?;
        let bundle = self.catalog.get(execution.bundle).await?;
        let policy = bundle.workflow(&workflow).map(|workflow| workflow.join.on_missing);
        tracing::warn!(execution = %id, missing = ?merged.missing, ?policy, "join closed by its deadline");
        let about =
            Execution { redrives: expired.key.redrive, requested_workflow: workflow.clone(), ..execution };
        if policy != Some(OnMissing::Fail) {
            return Ok(Some((workflow, emit(&about, now, &merged))));
        }
        let message = format!("no result from {} before the deadline", merged.missing.join(", "));
        let failure = failed(&about, merged.execution().cloned(), "join.incomplete", message);
        Ok(Some((workflow, emit(&about, now, &failure))))
    }

    /// Submits again what is overdue and not merely waiting in a queue.
    pub async fn drive_again(&self, now: Timestamp) -> Result<(), Failure> {
        let overdue = self.executions.overdue(now, BATCH).await?;
        if overdue.is_empty() {
            return Ok(());
        }
        let backlog = self.backlog().await?;
        for execution in overdue {
            match decide(&execution, now, backlog, &self.config.sweep) {
                Sweep::Postpone { check_at } => {
                    if self.executions.postpone(execution.id, execution.redrives, check_at).await? {
                        self.metrics.redrive(Redrive::Postponed);
                    }
                }
                Sweep::Redrive { check_at } => {
                    if self.executions.redrive(execution.id, execution.redrives, check_at).await? {
                        tracing::warn!(execution = %execution.id, redrive = execution.redrives + 1, "driven again");
                        let again = Execution { redrives: execution.redrives + 1, ..execution };
                        let message = submission::message(&again, now);
                        let _: Settled = Settled::publishing(self.broker.as_ref(), vec![message]).await?;
                        self.metrics.redrive(Redrive::DrivenAgain);
                    }
                }
                Sweep::GiveUp => {
                    let words = format!("no progress after {} redrives", execution.redrives);
                    let message =
                        emit(&execution, now, &failed(&execution, None, "redrive.exhausted", words));
                    let _: Settled = Settled::publishing(self.broker.as_ref(), vec![message]).await?;
                    let later = after(now, self.config.sweep.patience);
                    if self.executions.postpone(execution.id, execution.redrives, later).await? {
                        self.metrics.redrive(Redrive::GivenUp);
                    }
                }
            }
        }
        Ok(())
    }

    /// Messages that wait in the queues of all roles.
    async fn backlog(&self) -> Result<u64, Failure> {
        let mut waiting = 0;
        for (role, _) in CONSUMES {
            for lane in Lane::ALL {
                waiting += self.broker.depth(&queue_name(role, lane)).await?;
            }
        }
        Ok(waiting)
    }
}

/// `message` of `execution`, with an id that does not depend on who emits it or how often.
fn emit(execution: &Execution, now: Timestamp, message: &impl Publish) -> (Route, Envelope) {
    let id = output_id(Role::Aggregator, message.event().key(), execution.id.as_uuid(), 0);
    submission::address(execution, message.event(), id, now, message.encode_body())
}

/// The failure of `execution`, with the history of `context` if there is one.
fn failed(
    execution: &Execution,
    context: Option<v1::ExecutionContext>,
    code: &str,
    message: String,
) -> v1::DocumentFailed {
    v1::DocumentFailed {
        execution: Some(context.unwrap_or_else(|| submission::context(execution))),
        workflow_id: execution.requested_workflow.to_string(),
        role: Role::Aggregator.to_string(),
        code: code.to_owned(),
        message,
        status: Status::Failed.to_string(),
        message_id: execution.submission.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clinflow_core::{BundleHash, DocumentHash, ExecutionId, Lane, execution::DocumentRef};
    use uuid::Uuid;

    use super::*;

    fn execution(redrives: u32) -> Execution {
        Execution {
            id: ExecutionId::from_uuid(Uuid::from_u128(1)),
            requested_workflow: WorkflowId::auto(),
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
            submission: Uuid::from_u128(2),
            created_at: at(0),
            redrives,
            check_at: Some(at(60)),
            status: Status::Running,
            disposition: None,
            head: None,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_overdue_execution_is_driven_again_later_each_time_and_then_given_up() {
        let settings = SweepSettings { max_redrives: 2, ..SweepSettings::default() };
        assert_eq!(decide(&execution(0), at(60), 0, &settings), Sweep::Redrive { check_at: at(120) });
        assert_eq!(decide(&execution(1), at(120), 0, &settings), Sweep::Redrive { check_at: at(240) });
        assert_eq!(decide(&execution(2), at(240), 0, &settings), Sweep::GiveUp);
    }

    #[test]
    fn while_messages_wait_in_the_queues_nothing_is_driven_again_until_patience_ends() {
        let settings = SweepSettings::default();
        assert_eq!(decide(&execution(0), at(60), 5_000, &settings), Sweep::Postpone { check_at: at(120) });
        assert_eq!(
            decide(&execution(0), at(1_800), 5_000, &settings),
            Sweep::Redrive { check_at: at(1_860) }
        );
    }
}
