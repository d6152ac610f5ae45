//! A call of a model, paid for: the money is held before it, the ledger knows of it before the model does, and what it
//! cost is booked after it. Whatever crashes in between, money is never spent that was not held (INV-06) and an answer
//! is never paid for twice (INV-05).
//!
//! reserve -> intent -> dispatch -> the call -> answer kept -> outcome -> settle. Every step may be repeated; a
//! redelivery goes through the same names and finds what is done.

mod fingerprint;
mod metering;
mod replies;
mod verdict;

use std::{sync::Arc, time::Duration};

use clinflow_core::{Failure, Role, id::ObjectHash, step::ObjectRef};
use clinflow_cost::{Answer, Attempt, Dispatch, Entry, Intent, NanoUsd, Payer, Reservation, Usage};
use clinflow_ports::{
    Clock, Counters, Ledger, Model, Objects,
    ledger::Noted,
    model::{Asker, ModelError, Reply, Request},
};
use clinflow_runtime::telemetry::{
    Metrics,
    metrics::{Agent, Answered, CostClass, Decision, Invocation},
};
use tokio::time::Instant;

pub use self::{fingerprint::fingerprint, metering::show};
use self::{
    metering::{attempted, first_or_retry, free},
    replies::{Kept, Replies},
    verdict::{Reserved, dispatched, reserved, unanswered, unpriced},
};
use crate::reader::Client;

/// What is kept of the time for a call, for booking it.
const BOOKING: Duration = Duration::from_secs(2);

/// How long after a call's time its hold counts as dead.
const GRACE: Duration = Duration::from_secs(30);

/// Attempts at one call within one delivery are found by counting up; nobody makes so many.
const ATTEMPTS: u32 = 100;

/// A model, and everything that is needed to pay for it.
pub struct Billing {
    model: Arc<dyn Model>,
    counters: Arc<dyn Counters>,
    ledger: Arc<dyn Ledger>,
    replies: Replies,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

/// An answer, and what it cost this time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// The answer.
    pub reply: Reply,
    /// Zero when it was paid for before.
    pub cost: NanoUsd,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bought {
    /// It was answered.
    Paid(Paid),
    /// It was made, may be on the bill, and its answer never came. It is not made again (INV-05): ask something else.
    Lost,
}

/// One call under way.
struct Call<'a> {
    request: &'a Request,
    client: &'a Client<'a>,
    fingerprint: ObjectHash,
    payer: Payer,
    ordinal: u32,
}

impl Call<'_> {
    fn attempt(&self, number: u32) -> Attempt {
        Attempt { invocation: self.client.invocation, ordinal: self.ordinal, number }
    }

    /// Whose figures it goes into.
    const fn agent(&self) -> Agent<'_> {
        Agent { team: self.client.team, workflow: self.client.workflow, role: Role::Nlp }
    }

    fn asker(&self, attempt: Attempt) -> Asker {
        Asker {
            attempt: attempt.to_string(),
            agent: self.client.agent.to_string(),
            workflow: self.client.workflow.to_string(),
            team: self.client.team.to_string(),
            document: self.client.document.to_string(),
        }
    }
}

impl Billing {
    /// Pays for `model`: holds and books with `counters`, writes to `ledger`, keeps answers in `objects`, counts in
    /// `metrics`.
    pub fn new(
        model: Arc<dyn Model>,
        counters: Arc<dyn Counters>,
        ledger: Arc<dyn Ledger>,
        objects: Arc<dyn Objects>,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        Self { model, counters, ledger, replies: Replies::new(objects), clock, metrics }
    }

    /// The model's id.
    pub fn model(&self) -> &str {
        self.model.id()
    }

    /// Asks the model, or answers what it answered before. `ordinal` is which of the calls of this invocation it is.
    pub async fn converse(
        &self,
        request: &Request,
        client: &Client<'_>,
        ordinal: u32,
    ) -> Result<Bought, Failure> {
        let call = Call {
            request,
            client,
            fingerprint: fingerprint(client.document, client.agent, self.model.id(), request),
            payer: Payer {
                team: client.team.clone(),
                workflow: client.workflow.clone(),
                agent: client.agent.clone(),
                session: client.session.cloned(),
                document: *client.document,
            },
            ordinal,
        };
        match self.replies.find(&call.fingerprint).await? {
            Some(Kept { reply: None, .. }) => Ok(Bought::Lost),
            Some(Kept { attempt, reply: Some(reply) }) => {
                self.again(&call, attempt, reply).await.map(Bought::Paid)
            }
            None => self.buy(&call).await,
        }
    }

    /// An answer that was paid for before costs nothing, but whoever asks the same again and again is in a loop.
    async fn again(&self, call: &Call<'_>, bought: Attempt, reply: Reply) -> Result<Paid, Failure> {
        let (began, mut booked) = (Instant::now(), (NanoUsd::ZERO, Usage::default()));
        // Who got the answer may have crashed before it was booked.
        if let Some(Entry { intent, outcome: None }) = self.ledger.attempt(bought).await? {
            booked = (self.book(call, &intent, reply.usage, None).await?, reply.usage);
        }
        let wanted = self.reservation(call, 1, NanoUsd::ZERO);
        match self.counters.reserve(&wanted).await? {
            answer @ Answer::Loop(_) => {
                self.metrics.budget_decision(call.agent(), Decision::Loop);
                if let Reserved::Stop(failure) = reserved(answer) {
                    return Err(failure);
                }
            }
            Answer::Ok { .. } => {
                self.metrics.budget_decision(call.agent(), Decision::Allowed);
                self.counters.release(&wanted.team, wanted.attempt).await?;
            }
            // Whatever else the counters say: nothing is spent.
            _ => {}
        }
        self.count(call, Answered::Stored, free(bought, wanted.attempt), booked, began.elapsed());
        Ok(Paid { reply, cost: NanoUsd::ZERO })
    }

    fn reservation(&self, call: &Call<'_>, number: u32, hold: NanoUsd) -> Reservation {
        let (budgets, now) = (call.client.bundle.budgets(), self.clock.now());
        let lease = call.client.within.saturating_add(GRACE);
        budgets.reserve(&call.payer, call.attempt(number), call.fingerprint, hold, lease, now)
    }

    /// Asks the counters, and counts what they say.
    async fn reserve(&self, call: &Call<'_>, wanted: &Reservation) -> Result<Answer, Failure> {
        let answer = self.counters.reserve(wanted).await;
        if let Some(decision) = answer.as_ref().map_or(Some(Decision::Unavailable), Decision::of) {
            self.metrics.budget_decision(call.agent(), decision);
        }
        Ok(answer?)
    }

    /// Counts an attempt, with what was booked for it.
    fn count(
        &self,
        call: &Call<'_>,
        answered: Answered,
        class: CostClass,
        (cost, usage): (NanoUsd, Usage),
        took: Duration,
    ) {
        let (agent, model) = (call.agent(), self.model.id());
        self.metrics.invocation(&Invocation { agent, model, answered, class, cost, usage, took });
    }

    /// Holds the money for the next attempt and writes down what it is for; `None` when one before may be on the bill.
    async fn hold(&self, call: &Call<'_>, hold: NanoUsd) -> Result<Option<(Reservation, Intent)>, Failure> {
        for number in 1..ATTEMPTS {
            let wanted = self.reservation(call, number, hold);
            match reserved(self.reserve(call, &wanted).await?) {
                Reserved::Go => {
                    let intent = self.intent(call, &wanted);
                    match self.ledger.put_intent(&intent).await? {
                        // Rebuilt counters know no attempt that has ended; the ledger does, and its outcome stays.
                        Noted::Known(entry) if entry.outcome.is_some() => {
                            self.counters.release(&wanted.team, wanted.attempt).await?;
                        }
                        Noted::New | Noted::Known(_) => return Ok(Some((wanted, intent))),
                    }
                }
                Reserved::Next => {}
                Reserved::Lost => {
                    let lost = Kept { attempt: wanted.attempt, reply: None };
                    self.replies.keep(&call.fingerprint, &lost).await?;
                    return Ok(None);
                }
                Reserved::Stop(failure) => return Err(failure),
            }
        }
        Err(Failure::park("budget.loop", anyhow::anyhow!("the call was attempted {ATTEMPTS} times")))
    }

    async fn buy(&self, call: &Call<'_>) -> Result<Bought, Failure> {
        let within = call.client.within.saturating_sub(BOOKING);
        if within.is_zero() {
            return Err(Failure::retry(
                "model.timed-out",
                anyhow::anyhow!("no time is left to ask the model"),
            ));
        }
        let tokens = self.model.count_input_tokens(call.request).await;
        let prices = call.client.bundle.prices();
        let output = u64::from(call.request.max_output_tokens);
        let hold =
            prices.upper_bound(self.model.id(), self.clock.now(), tokens, output).map_err(|error| {
                self.metrics.budget_decision(call.agent(), Decision::Unpriced);
                unpriced(error)
            })?;
        let Some((held, intent)) = self.hold(call, hold).await? else { return Ok(Bought::Lost) };
        let dispatch = self.counters.dispatch(&held.team, held.attempt, held.lease).await?;
        if matches!(dispatch, Dispatch::Unknown | Dispatch::Uninitialised) {
            // The counters were lost meanwhile. Nothing was sent, and nothing may count as if it had been.
            self.ledger.put_outcome(&intent.free(self.clock.now())).await?;
        }
        if let Some(failure) = dispatched(dispatch) {
            return Err(failure);
        }
        let began = Instant::now();
        let said = self.model.converse(call.request, &call.asker(held.attempt), within).await;
        let (took, (how, usage)) = (began.elapsed(), attempted(&said));
        let paid = match said {
            Ok(reply) => self.answered(call, &intent, reply).await,
            Err(error) => self.unanswered(call, &intent, error).await.and_then(Err),
        };
        let cost = paid.as_ref().map_or(NanoUsd::ZERO, |paid| paid.cost);
        self.count(call, how, first_or_retry(held.attempt), (cost, usage), took);
        paid.map(Bought::Paid)
    }

    fn intent(&self, call: &Call<'_>, held: &Reservation) -> Intent {
        let client = call.client;
        Intent {
            attempt: held.attempt,
            at: self.clock.now(),
            team: client.team.clone(),
            workflow: client.workflow.clone(),
            agent: client.agent.clone(),
            session: client.session.cloned(),
            execution: client.execution,
            document: *client.document,
            fingerprint: call.fingerprint,
            model: self.model.id().to_owned(),
            prices: client.bundle.prices().version(),
            hold: held.hold,
            accounts: held.accounts(),
        }
    }

    async fn answered(&self, call: &Call<'_>, intent: &Intent, reply: Reply) -> Result<Paid, Failure> {
        let kept = Kept { attempt: intent.attempt, reply: Some(reply.clone()) };
        let stored = self.replies.keep(&call.fingerprint, &kept).await?;
        let cost = self.book(call, intent, reply.usage, Some(stored)).await?;
        tracing::info!(model = self.model.id(), %cost, "the model has answered");
        Ok(Paid { reply, cost })
    }

    /// Books what an answer cost.
    async fn book(
        &self,
        call: &Call<'_>,
        intent: &Intent,
        usage: Usage,
        stored: Option<ObjectRef>,
    ) -> Result<NanoUsd, Failure> {
        let cost = call.client.bundle.prices().price(&intent.model, intent.at, usage).map_err(unpriced)?;
        let outcome = intent.billed(self.clock.now(), usage, cost, stored);
        let written = self.ledger.put_outcome(&outcome).await?;
        self.counters.settle(&intent.team, intent.attempt, written.cost).await?;
        Ok(written.cost)
    }

    /// Books a call without an answer; answers what to do about it.
    async fn unanswered(
        &self,
        call: &Call<'_>,
        intent: &Intent,
        error: ModelError,
    ) -> Result<Failure, Failure> {
        let team = &call.payer.team;
        if error.may_be_billed() {
            // Without an outcome the ledger counts the hold, and so do the counters.
            self.replies.keep(&call.fingerprint, &Kept { attempt: intent.attempt, reply: None }).await?;
            self.counters.suspend(team, intent.attempt).await?;
        } else {
            self.ledger.put_outcome(&intent.free(self.clock.now())).await?;
            self.counters.settle(team, intent.attempt, NanoUsd::ZERO).await?;
        }
        tracing::warn!(model = self.model.id(), %error, "the model has not answered");
        Ok(unanswered(error))
    }
}
