//! One role at work: from the queue to the ack. The only place where these steps are ordered.
//!
//! read headers -> hop guard -> decode -> claim -> handle under a time limit -> derive ids of outputs -> publish
//! all, confirmed -> complete the claim -> ack; or, on a failure, disposition -> publish the message to a delay
//! tier, to the parked messages or to the dead letters, confirmed -> ack.
//!
//! A crash between any two steps is a redelivery that converges.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use clinflow_core::{Failure, Lane, Role, Step, step::Outcome as StepOutcome};
use clinflow_ports::{
    Broker, Claim, ClaimKey, Claims, Clock, Delivery, Envelope, Event, Health, Meta, Route, Settled,
    topology::queue_name,
};
use clinflow_proto::v1;
use futures_util::FutureExt as _;
use jiff::{Timestamp, fmt::serde::unsigned_duration::friendly::compact::required as friendly};
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, Span, field::Empty, info_span};
use uuid::Uuid;

use crate::{
    disposition::{self, Cause, Disposition},
    handler::{Context, Done, Handler, Output, Work},
    lifecycle::Lifecycle,
    retry::RetryPolicy,
    telemetry::{Metrics, Outcome, adopt, current_traceparent},
    wire::{self, Publish as _, Receive},
};

/// Header of a dead or parked message: the failure's code.
pub const FAILURE_CODE: &str = "failure-code";
/// Header of a dead or parked message: words about the failure, without PHI.
pub const FAILURE_MESSAGE: &str = "failure-message";
/// Header of a dead or parked message: the queue it was taken from.
pub const QUEUE: &str = "queue";
/// Header of a dead or parked message: since when it is that (RFC 3339).
pub const SINCE: &str = "since";

/// How long to wait before publishing again to a broker that refuses, when nothing says it is better.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);

/// How much a role takes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Messages handled at the same time on each lane; also the prefetch, because a larger prefetch pushes
    /// innocent messages over the delivery limit when a process crashes again and again.
    pub concurrency: u16,
    /// How long one attempt may take.
    #[serde(with = "friendly")]
    pub stage_timeout: Duration,
    /// How long a claim outlives its holder. Renewed while handling, so it bounds the recovery from a crash.
    #[serde(with = "friendly")]
    pub lease: Duration,
    /// How long it is remembered that a message was done.
    #[serde(with = "friendly")]
    pub remember: Duration,
    /// How many messages may lie between a submission and a message: more is a loop. The flow has seven.
    pub max_hops: u32,
    /// When to try again.
    pub retry: RetryPolicy,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 32,
            stage_timeout: Duration::from_secs(60),
            lease: Duration::from_secs(10),
            remember: Duration::from_secs(6 * 3600),
            max_hops: 32,
            retry: RetryPolicy::default(),
        }
    }
}

/// What every worker is given.
#[derive(Clone)]
pub struct Powers {
    /// Carries messages.
    pub broker: Arc<dyn Broker>,
    /// Says what was done before.
    pub claims: Arc<dyn Claims>,
    /// Says what time it is.
    pub clock: Arc<dyn Clock>,
    /// Counts.
    pub metrics: Metrics,
}

/// One role at work.
pub struct Worker<H> {
    handler: H,
    powers: Powers,
    limits: Limits,
    /// Who holds this worker's claims.
    owner: Uuid,
}

impl<H: Handler> Worker<H> {
    /// A worker that hands messages to `handler`.
    #[expect(
        clippy::disallowed_methods,
        reason = "an owner must differ between processes; no output depends on it"
    )]
    pub fn new(handler: H, powers: Powers, limits: Limits) -> Arc<Self> {
        Arc::new(Self { handler, powers, limits, owner: Uuid::new_v4() })
    }

    /// Registers a consumer on each lane and starts working in the tasks of `life`. Once soft is cancelled, no
    /// more messages are taken and those in hand are finished.
    pub async fn start(self: Arc<Self>, life: &Lifecycle) -> Result<(), clinflow_ports::BrokerError> {
        self.powers.metrics.begin(H::ROLE);
        for lane in Lane::ALL {
            let queue = queue_name(H::ROLE, lane);
            let consumer = self.powers.broker.consume(&queue, self.limits.concurrency).await?;
            life.tasks.spawn(self.clone().work(lane, queue, consumer, life.clone()));
        }
        Ok(())
    }

    /// Takes deliveries of one lane until the end, then waits for those in hand.
    async fn work(
        self: Arc<Self>,
        lane: Lane,
        queue: String,
        mut consumer: Box<dyn clinflow_ports::Consumer>,
        life: Lifecycle,
    ) {
        let in_hand = TaskTracker::new();
        let queue: Arc<str> = queue.into();
        loop {
            let delivery = tokio::select! {
                biased;
                () = life.soft.cancelled() => break,
                delivery = consumer.next() => delivery,
            };
            let Some(delivery) = delivery else { break };
            let (worker, queue, hard) = (self.clone(), queue.clone(), life.hard.clone());
            in_hand.spawn(async move { worker.deliver(lane, &queue, delivery, &hard).await });
        }
        consumer.cancel().await;
        while let Some(delivery) = consumer.next().await {
            // Failing to hand it back means the connection is gone, which hands it back too.
            let _ = delivery.release().await;
            self.powers.metrics.delivery(H::ROLE, lane, Outcome::Released);
        }
        in_hand.close();
        in_hand.wait().await;
    }

    /// One delivery, start to finish. What is in hand when the drain's limit is over stays unacked and is
    /// handed out again.
    async fn deliver(&self, lane: Lane, queue: &str, delivery: Box<dyn Delivery>, hard: &CancellationToken) {
        let _in_flight = self.powers.metrics.in_flight(H::ROLE);
        let outcome = tokio::select! {
            biased;
            () = hard.cancelled() => Outcome::Released,
            outcome = self.settle(lane, queue, delivery) => outcome,
        };
        self.powers.metrics.delivery(H::ROLE, lane, outcome);
    }

    /// Reads the message and sees to it that it is settled.
    async fn settle(&self, lane: Lane, queue: &str, delivery: Box<dyn Delivery>) -> Outcome {
        let now = self.powers.clock.now();
        if delivery.redelivered() {
            self.powers.metrics.redelivered(H::ROLE, lane);
        }
        let message = match Message::<H::Input>::read(delivery.envelope(), H::ROLE, lane, now) {
            Ok(message) => message,
            Err(unreadable) => {
                tracing::warn!(code = unreadable.failure.code, error = %unreadable.failure.source, "unreadable message");
                let outputs =
                    self.set_aside(queue, delivery.envelope(), &unreadable.failure, Route::dead(queue));
                return self.finish(delivery, vec![outputs], Outcome::Dead, unreadable.failure.code).await;
            }
        };
        if message.meta.attempt == 1 && !delivery.redelivered() {
            // Clocks of two machines differ; a message from the future has not waited.
            let waited = Duration::try_from(now.duration_since(message.meta.timestamp)).unwrap_or_default();
            self.powers.metrics.waited(H::ROLE, lane, waited);
        }
        let span = info_span!(
            "handle",
            otel.name = Empty,
            role = %H::ROLE,
            message_id = %message.meta.message_id,
            execution = Empty,
            workflow = %message.meta.workflow,
            attempt = message.meta.attempt,
        );
        if let Some(execution) = message.meta.execution {
            span.record("execution", tracing::field::display(execution));
        }
        span.record("otel.name", message.event.key());
        adopt(&span, message.meta.traceparent.as_deref());
        self.attend(queue, delivery, message, now).instrument(span).await
    }

    /// Guards, claims, handles and settles a readable message.
    async fn attend(
        &self,
        queue: &str,
        delivery: Box<dyn Delivery>,
        message: Message<H::Input>,
        now: Timestamp,
    ) -> Outcome {
        let Message { meta, event, input, body } = message;
        let execution = input.received_execution().cloned();
        let key = ClaimKey { role: H::ROLE, message_id: meta.message_id, redrive: meta.redrive };
        let handled = match self.guard(&meta, now) {
            Err(failure) => Err((Cause::Verdict(failure.verdict), failure)),
            Ok(remaining) => match self.powers.claims.claim(key, self.owner, self.limits.lease).await {
                Ok(Claim::Fresh) => {
                    let context = Context { meta: meta.clone(), now, remaining };
                    self.handle(key, input, context).await
                }
                Ok(Claim::AlreadyDone) => {
                    return self.finish(delivery, Vec::new(), Outcome::Duplicate, "").await;
                }
                Ok(Claim::HeldElsewhere) => {
                    let again = (Route::delayed(REFUSED_PAUSE, queue), meta.write(body));
                    return self.finish(delivery, vec![again], Outcome::HeldElsewhere, "").await;
                }
                Err(error) => {
                    // The store of claims is down: wait for it without counting an attempt.
                    tracing::warn!(%error, "claims are unavailable");
                    let again = (Route::delayed(REFUSED_PAUSE, queue), meta.write(body));
                    return self.finish(delivery, vec![again], Outcome::Retried, "store.unavailable").await;
                }
            },
        };
        match handled {
            Ok(done) => {
                let outputs = self.outputs(&meta, now, done);
                let settled = self.publish(outputs).await;
                if let Err(error) = self.powers.claims.complete(key, self.limits.remember).await {
                    tracing::warn!(%error, "the claim was not completed; a redelivery repeats the work");
                }
                self.ack(delivery, settled).await;
                Outcome::Handled
            }
            Err((cause, failure)) => {
                let (outcome, outputs) =
                    self.dispose(queue, event, meta, body, execution, cause, &failure, now);
                let settled = self.publish(outputs).await;
                if let Err(error) = self.powers.claims.abandon(key, self.owner).await {
                    tracing::warn!(%error, "the claim was not given up; it ends with its lease");
                }
                self.powers.metrics.failure(H::ROLE, failure.code);
                self.ack(delivery, settled).await;
                outcome
            }
        }
    }

    /// How long the message may be handled, or why it may not be.
    fn guard(&self, meta: &Meta, now: Timestamp) -> Result<Duration, Failure> {
        if meta.hops > self.limits.max_hops {
            return Err(Failure::park(
                "loop.hops",
                anyhow::anyhow!("{} hops; a document has seven", meta.hops),
            ));
        }
        let Some(deadline) = meta.deadline else { return Ok(self.limits.stage_timeout) };
        match Duration::try_from(deadline.duration_since(now)) {
            Ok(left) if !left.is_zero() => Ok(left.min(self.limits.stage_timeout)),
            _ => Err(Failure::park("deadline.passed", anyhow::anyhow!("the deadline was {deadline}"))),
        }
    }

    /// Runs the handler under its time limit, renewing the claim while it runs; a panic stays in here.
    async fn handle(
        &self,
        key: ClaimKey,
        input: H::Input,
        context: Context,
    ) -> Result<Done, (Cause, Failure)> {
        let began = tokio::time::Instant::now();
        let remaining = context.remaining;
        let work = timeout(remaining, AssertUnwindSafe(self.handler.handle(input, &context)).catch_unwind());
        let mut renew = interval(self.limits.lease / 3);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        renew.reset();
        let mut work = std::pin::pin!(work);
        let ended = loop {
            tokio::select! {
                biased;
                ended = &mut work => break ended,
                _ = renew.tick() => {
                    if let Err(error) = self.powers.claims.claim(key, self.owner, self.limits.lease).await {
                        tracing::debug!(%error, "the claim was not renewed");
                    }
                }
            }
        };
        self.powers.metrics.duration(H::ROLE, began.elapsed());
        match ended {
            Ok(Ok(Ok(done))) => Ok(done),
            Ok(Ok(Err(failure))) => Err((Cause::Verdict(failure.verdict), failure)),
            // The payload may quote the document, so it is not repeated.
            Ok(Err(_payload)) => {
                let failure = Failure::retry("handler.panicked", anyhow::anyhow!("the {} panicked", H::ROLE));
                Err((Cause::Panicked, failure))
            }
            Err(_elapsed) => {
                let failure =
                    Failure::retry("handler.timeout", anyhow::anyhow!("no answer within {remaining:?}"));
                Err((Cause::TimedOut, failure))
            }
        }
    }

    /// The messages a handled input gives rise to, with ids derived from it and its step in their history.
    fn outputs(&self, input: &Meta, started: Timestamp, done: Done) -> Vec<(Route, Envelope)> {
        let ended = self.powers.clock.now();
        let step = done.work.map(|work| wire::step_to_wire(&step(H::ROLE, input, started, ended, work)));
        let traceparent = current_traceparent(&Span::current(), input.traceparent.as_deref());
        let address = |(index, mut output): (u32, Output)| {
            if let Some(step) = &step {
                output.add_step(step.clone());
            }
            let meta = Meta {
                message_id: output.id(H::ROLE, input.message_id, index),
                execution: output
                    .execution()
                    .and_then(|execution| execution.execution_id.parse().ok())
                    .or(input.execution),
                type_name: output.event().type_name().to_owned(),
                timestamp: ended,
                workflow: output.workflow.clone(),
                attempt: 1,
                hops: input.hops + 1,
                traceparent: traceparent.clone(),
                ..input.clone()
            };
            (Route::event(output.event(), &output.workflow, input.lane), meta.write(output.body()))
        };
        (0..).zip(done.outputs).map(address).collect()
    }

    /// What a failure gives rise to: the message elsewhere, and the event that says so when it is not retried.
    #[expect(
        clippy::too_many_arguments,
        reason = "everything that is known about one failed delivery, used once"
    )]
    fn dispose(
        &self,
        queue: &str,
        event: Event,
        mut meta: Meta,
        body: Bytes,
        execution: Option<v1::ExecutionContext>,
        cause: Cause,
        failure: &Failure,
        started: Timestamp,
    ) -> (Outcome, Vec<(Route, Envelope)>) {
        let disposition = disposition::decide(cause, meta.attempt, &self.limits.retry, fastrand::f64());
        tracing::warn!(code = failure.code, error = %failure.source, ?disposition, "not handled");
        let ended = self.powers.clock.now();
        let work = Work::of(meta.workflow.agent(H::ROLE)).failing(failure.code);
        let failed = wire::step_to_wire(&step(H::ROLE, &meta, started, ended, work));
        let (outcome, status, place) = match disposition {
            Disposition::Retry { delay, next_attempt } => {
                meta.attempt = next_attempt;
                // The failed attempt stays in the history that the message carries.
                let body = wire::patched(&body, &H::Input::patch(event, failed));
                return (Outcome::Retried, vec![(Route::delayed(delay, queue), meta.write(body))]);
            }
            Disposition::Park => (Outcome::Parked, "parked", Route::parked(queue)),
            Disposition::Dead => (Outcome::Dead, "failed", Route::dead(queue)),
        };
        let mut outputs = vec![self.set_aside(queue, &meta.write(body), failure, place)];
        // The auditor's own failures are not announced to the auditor.
        if let (Some(mut execution), true) = (execution, H::ROLE != Role::Auditor) {
            execution.steps.push(failed);
            let announcement = v1::DocumentFailed {
                execution: Some(execution),
                workflow_id: meta.workflow.to_string(),
                role: H::ROLE.to_string(),
                code: failure.code.to_owned(),
                message: failure.source.to_string(),
                status: status.to_owned(),
                message_id: meta.message_id.to_string(),
            };
            let announced = Meta {
                message_id: Output::new(&meta.workflow, announcement.clone()).id(H::ROLE, meta.message_id, 0),
                type_name: Event::DocumentFailed.type_name().to_owned(),
                timestamp: ended,
                attempt: 1,
                hops: meta.hops + 1,
                ..meta.clone()
            };
            let route = Route::event(Event::DocumentFailed, &meta.workflow, meta.lane);
            outputs.push((route, announced.write(announcement.encode_body())));
        }
        (outcome, outputs)
    }

    /// The message as it is set aside for people: unchanged, with the reason in its headers.
    fn set_aside(
        &self,
        queue: &str,
        envelope: &Envelope,
        failure: &Failure,
        place: Route,
    ) -> (Route, Envelope) {
        let mut aside = envelope.clone();
        aside.headers.insert(FAILURE_CODE.to_owned(), failure.code.to_owned());
        aside.headers.insert(FAILURE_MESSAGE.to_owned(), failure.source.to_string());
        aside.headers.insert(QUEUE.to_owned(), queue.to_owned());
        aside.headers.insert(SINCE.to_owned(), self.powers.clock.now().to_string());
        (place, aside)
    }

    /// Publishes, confirms and acks; `code` is counted as a failure when there is one.
    async fn finish(
        &self,
        delivery: Box<dyn Delivery>,
        outputs: Vec<(Route, Envelope)>,
        outcome: Outcome,
        code: &'static str,
    ) -> Outcome {
        let settled = self.publish(outputs).await;
        if !code.is_empty() {
            self.powers.metrics.failure(H::ROLE, code);
        }
        self.ack(delivery, settled).await;
        outcome
    }

    /// Publishes until everything is confirmed. A broker that refuses is waited for with the deliveries in
    /// hand, which is how backpressure reaches the queues; ids stay the same, so repeats change nothing.
    async fn publish(&self, outputs: Vec<(Route, Envelope)>) -> Settled {
        loop {
            match Settled::publishing(self.powers.broker.as_ref(), outputs.clone()).await {
                Ok(settled) => return settled,
                Err(error) => {
                    tracing::warn!(%error, "outputs are not confirmed; publishing again");
                    let mut health = self.powers.broker.health();
                    let better = health.wait_for(|health| *health == Health::Up);
                    // Whether it got better or the pause is over, the next publish finds out.
                    let _ = timeout(REFUSED_PAUSE, better).await;
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(20..200))).await;
                }
            }
        }
    }

    async fn ack(&self, delivery: Box<dyn Delivery>, settled: Settled) {
        if let Err(error) = delivery.ack(settled).await {
            // Its outputs are confirmed; the redelivery finds the claim completed.
            tracing::debug!(%error, "not acked");
        }
    }
}

/// A message that could be read.
struct Message<I> {
    meta: Meta,
    event: Event,
    input: I,
    body: Bytes,
}

/// A message that could not.
struct Unreadable {
    failure: Failure,
}

impl<I: Receive> Message<I> {
    fn read(envelope: &Envelope, role: Role, lane: Lane, now: Timestamp) -> Result<Self, Unreadable> {
        let unreadable = |failure| Unreadable { failure };
        let meta = Meta::read(envelope, lane, now)
            .map_err(|bad| unreadable(Failure::reject("message.bad-header", bad)))?;
        let event = event_of(&meta.type_name, role).ok_or_else(|| {
            unreadable(Failure::reject(
                "message.wrong-type",
                anyhow::anyhow!("the AMQP type is not one of clinflow's"),
            ))
        })?;
        let input = I::receive(event, &envelope.body).map_err(unreadable)?;
        Ok(Self { meta, event, input, body: envelope.body.clone() })
    }
}

/// The event a message is. A message without a type is taken for the only event its role consumes, because
/// upstream systems publish submissions by hand.
fn event_of(type_name: &str, role: Role) -> Option<Event> {
    if !type_name.is_empty() {
        return Event::of_type(type_name);
    }
    let (_, events) =
        clinflow_ports::topology::CONSUMES.into_iter().find(|(consumer, _)| *consumer == role)?;
    match events {
        [only] => Some(*only),
        _ => None,
    }
}

/// One step of the history.
fn step(role: Role, meta: &Meta, started_at: Timestamp, ended_at: Timestamp, work: Work) -> Step {
    Step {
        role,
        agent_id: work.agent_id,
        invocation_id: meta.message_id,
        attempt: meta.attempt,
        started_at,
        ended_at,
        outcome: if work.code.is_some() { StepOutcome::Failed } else { StepOutcome::Succeeded },
        code: work.code.map(str::to_owned),
        model: work.model,
        prompt: work.prompt,
        output: work.output,
        cost_nano_usd: work.cost_nano_usd,
    }
}
