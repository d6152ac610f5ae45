//! The bookkeeper: keeps every team's counters in line with the ledger, and tells people of what the counters raised.
//!
//! Counters may be lost at any time. The ledger says what they were; alerts are told before they are ticked off, so that
//! a crash tells twice and never not at all, with the same id (INV-13).

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use clinflow_core::{Failure, Lane, Role, TeamId, WorkflowId, id::derive};
use clinflow_cost::{Account, Cause, CostAlert, NanoUsd, Scope, ScopeKind};
use clinflow_ports::{
    Alerts, Broker, Clock, Counters, Envelope, Event, Ledger, Meta, Route, Settled,
    alerts::{Alert, Severity},
    reconcile::{self, Rebuilt, Swept},
};
use clinflow_proto::v1;
use clinflow_runtime::{
    Catalog, Lifecycle,
    telemetry::{
        Metrics,
        metrics::{Agent, Budget, LeaseResolution, LoopReason, Rebuild},
    },
};
use clinflow_workflow::Bundle;
use jiff::{Timestamp, fmt::serde::unsigned_duration::friendly::compact::required as friendly};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many alerts one tick tells.
const BATCH: usize = 100;

/// How the books are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BookSettings {
    /// How often counters are looked at.
    #[serde(with = "friendly")]
    pub tick: Duration,
    /// How long a rebuild of one team's counters may take before somebody else takes over.
    #[serde(with = "friendly")]
    pub rebuild_within: Duration,
    /// How long an alert that was taken and not told is left to whoever took it.
    #[serde(with = "friendly")]
    pub tell_within: Duration,
}

impl Default for BookSettings {
    fn default() -> Self {
        Self {
            tick: Duration::from_secs(1),
            rebuild_within: Duration::from_secs(60),
            tell_within: Duration::from_secs(30),
        }
    }
}

/// What the bookkeeper works with.
pub struct Money {
    /// The counters.
    pub counters: Arc<dyn Counters>,
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// Who is told.
    pub alerts: Arc<dyn Alerts>,
}

/// Looks after the counters of every team of the current bundle. Several replicas may do so.
pub struct Bookkeeper {
    settings: BookSettings,
    money: Money,
    broker: Arc<dyn Broker>,
    catalog: Arc<Catalog<Bundle>>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Bookkeeper {
    /// A bookkeeper with these powers.
    pub const fn new(
        settings: BookSettings,
        money: Money,
        broker: Arc<dyn Broker>,
        catalog: Arc<Catalog<Bundle>>,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Self {
        Self { settings, money, broker, catalog, clock, metrics }
    }

    /// Ticks until soft is cancelled. What a tick cannot do is left for the next.
    pub async fn run(self, life: Lifecycle) {
        let mut tick = tokio::time::interval(self.settings.tick);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = life.soft.cancelled() => return,
                _ = tick.tick() => {}
            }
            if let Err(failure) = self.keep(self.clock.now()).await {
                tracing::warn!(code = failure.code, error = %failure.source, "the books are not kept in this tick");
            }
        }
    }

    /// One look at every team.
    pub async fn keep(&self, now: Timestamp) -> Result<(), Failure> {
        let (_, bundle) = self.catalog.current().await?;
        let teams: BTreeSet<&TeamId> = bundle.workflows().map(|workflow| &workflow.team).collect();
        for team in teams {
            if self.money.counters.epoch(team).await?.is_none() {
                self.rebuild(team, &bundle, now).await?;
            }
            self.sweep(team, now).await?;
            self.tell(team, &bundle, now).await?;
        }
        self.show(&bundle, now).await
    }

    /// Makes the team's counters from the ledger.
    async fn rebuild(&self, team: &TeamId, bundle: &Bundle, now: Timestamp) -> Result<(), Failure> {
        let Money { counters, ledger, .. } = &self.money;
        #[expect(
            clippy::disallowed_methods,
            reason = "a fencing token is like no other, and nothing is derived from it"
        )]
        let turn = (Uuid::now_v7(), self.settings.rebuild_within);
        let began = Instant::now();
        let rebuilt =
            reconcile::rebuild(counters.as_ref(), ledger.as_ref(), bundle.budgets(), team, turn, now).await;
        let result = match &rebuilt {
            Ok(Rebuilt::Done { entries, open, settled }) => {
                tracing::info!(%team, entries, open, %settled, "the counters were rebuilt from the ledger");
                Rebuild::Installed
            }
            Ok(Rebuilt::Busy | Rebuilt::Lost) => Rebuild::LostLock,
            Err(_) => Rebuild::Failed,
        };
        self.metrics.budget_rebuilt(result, began.elapsed());
        rebuilt.map(drop).map_err(Failure::from)
    }

    /// Sees to holds that nobody looks after any more.
    async fn sweep(&self, team: &TeamId, now: Timestamp) -> Result<(), Failure> {
        let Money { counters, ledger, .. } = &self.money;
        let swept = reconcile::sweep(counters.as_ref(), ledger.as_ref(), team, now).await?;
        let Swept { released, suspended, settled, written_off } = swept;
        for (resolution, count) in [
            (LeaseResolution::Released, released),
            (LeaseResolution::Suspended, suspended),
            (LeaseResolution::Settled, settled + written_off),
        ] {
            for _ in 0..count {
                self.metrics.lease_expired(resolution);
            }
        }
        Ok(())
    }

    /// Tells what the counters raised: downstream as an event, people as an alert.
    async fn tell(&self, team: &TeamId, bundle: &Bundle, now: Timestamp) -> Result<(), Failure> {
        let Money { counters, ledger, alerts } = &self.money;
        let raised = counters.take_alerts(team, BATCH, self.settings.tell_within).await?;
        self.metrics.alert_outbox(team, raised.len() as u64);
        for alert in raised {
            if let Some(message) = event(&alert, now) {
                let _: Settled = Settled::publishing(self.broker.as_ref(), vec![message]).await?;
            }
            if let Cause::Loop { agent, trip, .. } = &alert.cause
                && let Some(workflow) = bundle.workflows().find(|one| one.id.agent(Role::Nlp) == *agent)
            {
                let reason = if trip == "identical" { LoopReason::Identical } else { LoopReason::Attempts };
                let agent = Agent { team, workflow: &workflow.id, role: Role::Nlp };
                self.metrics.loop_detected(agent, reason);
            }
            alerts.raise(&words(&alert)).await?;
            ledger.put_alert(team, &alert.id).await?;
            counters.acknowledge(team, std::slice::from_ref(&alert.id)).await?;
        }
        Ok(())
    }

    /// Shows how full the budgets of teams, workflows and agents are.
    async fn show(&self, bundle: &Bundle, now: Timestamp) -> Result<(), Failure> {
        let mut shown = Vec::new();
        for workflow in bundle.workflows() {
            let agent = workflow.id.agent(Role::Nlp);
            for scope in [Scope::team(&workflow.team), Scope::workflow(&workflow.id), Scope::agent(&agent)] {
                let account = Account::at(scope, now, bundle.budgets().zone());
                if shown.iter().any(|(known, _)| *known == account) {
                    continue;
                }
                let position = self.money.counters.position(&workflow.team, &account).await?;
                let limit = position.limit.map(|(amount, _)| amount);
                let limit =
                    limit.or_else(|| bundle.budgets().limit(&account.scope).map(|limit| limit.amount));
                shown.push((account, (limit, position)));
            }
        }
        let budgets: Vec<Budget<'_>> = shown
            .iter()
            .map(|(account, (limit, position))| Budget {
                account,
                limit: limit.unwrap_or(NanoUsd::ZERO),
                spent: position.settled,
                held: position.held,
                suspense: position.suspense,
            })
            .collect();
        self.metrics.budgets(&budgets);
        Ok(())
    }
}

/// The event of a threshold; a loop has none, because the document that is in it says so itself by being parked.
fn event(alert: &CostAlert, now: Timestamp) -> Option<(Route, Envelope)> {
    let Cause::Threshold { scope, period, version, percent, used, limit, .. } = &alert.cause else {
        return None;
    };
    let body = v1::BudgetThreshold {
        scope: scope.kind().as_str().to_owned(),
        scope_id: scope.id().to_owned(),
        period: period.clone(),
        limit_version: *version,
        threshold_percent: u32::from(*percent),
        spent_nano_usd: used.get(),
        limit_nano_usd: limit.get(),
    };
    let workflow = match scope.kind() {
        ScopeKind::Workflow => WorkflowId::new(scope.id()).ok(),
        ScopeKind::Agent => {
            scope.id().rsplit_once('.').and_then(|(workflow, _)| WorkflowId::new(workflow).ok())
        }
        ScopeKind::Team | ScopeKind::Session | ScopeKind::Document => None,
    };
    let meta = Meta {
        message_id: derive(&[b"alert", alert.id.as_bytes()]),
        execution: None,
        type_name: Event::BudgetThreshold.type_name().to_owned(),
        timestamp: now,
        workflow: workflow.unwrap_or_else(WorkflowId::auto),
        lane: Lane::Interactive,
        team: None,
        session: None,
        attempt: 1,
        redrive: 0,
        hops: 0,
        deadline: None,
        traceparent: None,
    };
    Some((
        Route::event(Event::BudgetThreshold, &meta.workflow, meta.lane),
        meta.write(body.encode_to_vec().into()),
    ))
}

/// An alert in words for people.
fn words(alert: &CostAlert) -> Alert {
    let id = alert.id.clone();
    match &alert.cause {
        Cause::Threshold { scope, period, percent, used, limit, refused, .. } => {
            let (kind, whose) = (scope.kind().as_str(), scope.id());
            let spent = format!("{used} of {limit} are spent by the {kind} `{whose}` in {period}.");
            let (name, severity, summary, what) = if *percent >= 100 {
                let what = match *refused {
                    NanoUsd::ZERO => "Its documents are parked from now on.".to_owned(),
                    refused => format!("A call of up to {refused} did not fit; its document is parked."),
                };
                let summary = format!("The budget of {kind} {whose} for {period} is exhausted");
                ("budget-exhausted", Severity::Critical, summary, what)
            } else {
                let summary = format!("{percent} % of the budget of {kind} {whose} for {period} are spent");
                ("budget-near-limit", Severity::Warning, summary, String::new())
            };
            let description = format!(
                "{spent} {what} Look: `clinflow cost report`. Raise: a new version of `budgets.yaml`. Then replay: \
                 `clinflow parked replay`."
            );
            Alert { id, name: name.to_owned(), severity, summary, description }
        }
        Cause::Loop { document, agent, calls, .. } => Alert {
            id,
            name: "document-loop".to_owned(),
            severity: Severity::Critical,
            summary: format!("{agent} asks the same about one document again and again"),
            description: format!(
                "Document {document}: {calls} calls were made, the next was refused, and the document is parked. Look: \
                 `clinflow parked list`."
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use clinflow_core::TeamId;
    use clinflow_cost::{Cause, CostAlert, NanoUsd, Scope};
    use jiff::Timestamp;

    use super::{event, words};

    fn alert(percent: u8, refused: u64) -> CostAlert {
        CostAlert {
            id: format!("team:pv|2026-11|3|{percent}"),
            at: Timestamp::UNIX_EPOCH,
            cause: Cause::Threshold {
                scope: Scope::team(&TeamId::new("pv").unwrap()),
                period: "2026-11".to_owned(),
                version: 3,
                percent,
                used: NanoUsd::new(800_000_000),
                limit: NanoUsd::new(1_000_000_000),
                refused: NanoUsd::new(refused),
            },
        }
    }

    #[test]
    fn a_threshold_says_whose_money_how_much_and_what_to_do() {
        let near = words(&alert(80, 0));
        assert_eq!((near.name.as_str(), near.id.as_str()), ("budget-near-limit", "team:pv|2026-11|3|80"));
        assert_eq!(near.summary, "80 % of the budget of team pv for 2026-11 are spent");
        let full = words(&alert(100, 300_000_000));
        assert_eq!(full.name, "budget-exhausted");
        assert!(full.description.contains("$0.800000000 of $1.000000000"), "{}", full.description);
        assert!(
            full.description.contains("A call of up to $0.300000000 did not fit"),
            "{}",
            full.description
        );
    }

    #[test]
    fn the_same_alert_is_the_same_message() {
        let (route, one) = event(&alert(80, 0), Timestamp::UNIX_EPOCH).unwrap();
        let (_, other) = event(&alert(80, 0), Timestamp::from_second(5).unwrap()).unwrap();
        assert_eq!(one.message_id, other.message_id);
        assert_eq!(route.key, "budget.threshold.auto.interactive");
    }
}
