//! Budgets: what was decided, how full they are, and whether counters and ledger agree.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use clinflow_core::TeamId;
use clinflow_cost::{Account, Answer, NanoUsd, Scope, ScopeKind};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::{
    Histograms, UsdGauge, at_zero, dollars, histograms,
    labels::{Agent, AgentLabels, Name, Names, words},
};

/// Buckets of rebuilds, in seconds: a month of a team's ledger is read in seconds.
const SECONDS: [f64; 8] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0];

/// What was said to a call that asked for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may be made.
    Allowed,
    /// Money is there but held by calls under way: come back.
    Contended(ScopeKind),
    /// The money is spent.
    Exhausted(ScopeKind),
    /// The scope is closed by a person or a rebuild.
    Frozen(ScopeKind),
    /// The same call again and again.
    Loop,
    /// An identical call is under way: its answer will do.
    InFlight,
    /// The price table does not know the model.
    Unpriced,
    /// The counters cannot be asked, or are not rebuilt yet: nothing is spent.
    Unavailable,
}

impl Decision {
    /// What the counters' answer means. `None` for an attempt that was reserved before: nothing was decided.
    pub fn of(answer: &Answer) -> Option<Self> {
        Some(match answer {
            Answer::Ok { .. } => Self::Allowed,
            Answer::Duplicate(_) => return None,
            Answer::InFlight(_) => Self::InFlight,
            Answer::Exhausted { scope, .. } => Self::Exhausted(scope.kind()),
            Answer::Contended { scope, .. } => Self::Contended(scope.kind()),
            Answer::Frozen { scope } => Self::Frozen(scope.kind()),
            Answer::Loop(_) => Self::Loop,
            Answer::Uninitialised => Self::Unavailable,
        })
    }

    /// Every decision about every scope.
    fn all() -> impl Iterator<Item = Self> {
        let scoped = ScopeKind::ALL
            .into_iter()
            .flat_map(|scope| [Self::Contended(scope), Self::Exhausted(scope), Self::Frozen(scope)]);
        [Self::Allowed, Self::InFlight, Self::Loop, Self::Unpriced, Self::Unavailable]
            .into_iter()
            .chain(scoped)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allow",
            Self::Contended(_) => "contended",
            Self::Exhausted(_) => "exhausted",
            Self::Frozen(_) => "frozen",
            Self::Loop => "loop",
            Self::InFlight => "in_flight",
            Self::Unpriced => "unpriced",
            Self::Unavailable => "unavailable",
        }
    }

    const fn scope(self) -> &'static str {
        match self {
            Self::Contended(scope) | Self::Exhausted(scope) | Self::Frozen(scope) => scope.as_str(),
            Self::Loop | Self::InFlight => ScopeKind::Document.as_str(),
            Self::Allowed | Self::Unpriced | Self::Unavailable => "none",
        }
    }
}

words!(
    /// What made a document look like a loop.
    LoopReason {
        /// The same call once more.
        Identical => "identical_calls",
        /// Too many calls of one agent about one document.
        Attempts => "attempts",
    }
);

words!(
    /// What became of money that a dead process held.
    LeaseResolution {
        /// The call was never made: given back.
        Released => "released",
        /// Whether the call was billed is not known: it still counts.
        Suspended => "suspended",
        /// The ledger had the outcome: booked.
        Settled => "settled",
    }
);

words!(
    /// How a rebuild of the counters ended.
    Rebuild {
        /// The ledger's sums are in place.
        Installed => "installed",
        /// Somebody else rebuilds.
        LostLock => "lost_lock",
        /// It could not be done.
        Failed => "failed",
    }
);

/// How full a budget is.
#[derive(Debug, Clone, Copy)]
pub struct Budget<'a> {
    /// Whose, and over which time.
    pub account: &'a Account,
    /// What may be spent.
    pub limit: NanoUsd,
    /// What is booked.
    pub spent: NanoUsd,
    /// What calls under way may still cost.
    pub held: NanoUsd,
    /// What calls may have cost whose end is not known.
    pub suspense: NanoUsd,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    #[prometheus(flatten)]
    agent: AgentLabels,
    decision: &'static str,
    scope: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LoopLabels {
    #[prometheus(flatten)]
    agent: AgentLabels,
    reason: LoopReason,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BudgetLabels {
    scope: &'static str,
    scope_id: Name,
    period: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OwnerLabels {
    scope: &'static str,
    scope_id: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResolutionLabels {
    resolution: LeaseResolution,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RebuildLabels {
    result: Rebuild,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TeamLabels {
    team_id: Name,
}

/// The families of whoever decides about money and of whoever looks after the counters.
pub(super) struct Budgets {
    decisions: Family<DecisionLabels, Counter>,
    loops: Family<LoopLabels, Counter>,
    limits: Family<BudgetLabels, UsdGauge>,
    spent: Family<BudgetLabels, UsdGauge>,
    held: Family<BudgetLabels, UsdGauge>,
    suspense: Family<BudgetLabels, UsdGauge>,
    /// What the four gauges show, so that a period that is over stops being shown.
    shown: Mutex<HashSet<BudgetLabels>>,
    drifts: Family<OwnerLabels, UsdGauge>,
    rebuilds: Family<RebuildLabels, Counter>,
    rebuild_durations: Histograms<RebuildLabels>,
    leases: Family<ResolutionLabels, Counter>,
    outbox: Family<TeamLabels, Gauge>,
}

impl Budgets {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            decisions: Family::default(),
            loops: Family::default(),
            limits: Family::default(),
            spent: Family::default(),
            held: Family::default(),
            suspense: Family::default(),
            shown: Mutex::default(),
            drifts: Family::default(),
            rebuilds: Family::default(),
            rebuild_durations: histograms(|| Histogram::new(SECONDS)),
            leases: Family::default(),
            outbox: Family::default(),
        };
        registry.register(
            "budget_decisions",
            "Answers to calls that asked for money, by the scope that decided",
            this.decisions.clone(),
        );
        registry.register(
            "loop_detections",
            "Documents stopped because their calls repeat",
            this.loops.clone(),
        );
        registry.register("budget_limit_usd", "What may be spent in a period", this.limits.clone());
        registry.register("budget_spent_usd", "What is booked in a period", this.spent.clone());
        registry.register("budget_held_usd", "What calls under way may still cost", this.held.clone());
        registry.register(
            "budget_suspense_usd",
            "What calls may have cost whose end is not known",
            this.suspense.clone(),
        );
        registry.register("budget_ledger_drift_usd", "Counters minus ledger", this.drifts.clone());
        registry.register(
            "budget_rebuilds",
            "Rebuilds of the counters from the ledger",
            this.rebuilds.clone(),
        );
        registry.register(
            "budget_rebuild_duration_seconds",
            "Time of a rebuild of the counters",
            this.rebuild_durations.clone(),
        );
        registry.register(
            "leases_expired",
            "Money that a dead process held, by what became of it",
            this.leases.clone(),
        );
        registry.register("alert_outbox_pending", "Alerts that nobody has sent yet", this.outbox.clone());
        this
    }

    /// Series of an agent that asks for money, beginning at 0.
    pub(super) fn begin(&self, names: &Names, agent: Agent<'_>) {
        let agent = names.agent(agent);
        for decision in Decision::all() {
            let (decision, scope) = (decision.as_str(), decision.scope());
            at_zero(&self.decisions, &DecisionLabels { agent: agent.clone(), decision, scope });
        }
    }

    /// Series of an agent that may run into a loop, beginning at 0. The aggregator counts them when it tells of them.
    pub(super) fn begin_loops(&self, names: &Names, agent: Agent<'_>) {
        let agent = names.agent(agent);
        for &reason in LoopReason::ALL {
            at_zero(&self.loops, &LoopLabels { agent: agent.clone(), reason });
        }
    }

    /// Series of whoever looks after the counters, beginning at 0.
    pub(super) fn begin_keeping(&self) {
        for &resolution in LeaseResolution::ALL {
            at_zero(&self.leases, &ResolutionLabels { resolution });
        }
        for &result in Rebuild::ALL {
            at_zero(&self.rebuilds, &RebuildLabels { result });
        }
    }
}

impl super::Metrics {
    /// A call asked for money.
    pub fn budget_decision(&self, agent: Agent<'_>, decision: Decision) {
        let agent = self.names.agent(agent);
        let labels = DecisionLabels { agent, decision: decision.as_str(), scope: decision.scope() };
        self.budgets.decisions.get_or_create(&labels).inc();
    }

    /// A document's calls repeat; it was stopped.
    pub fn loop_detected(&self, agent: Agent<'_>, reason: LoopReason) {
        self.budgets.loops.get_or_create(&LoopLabels { agent: self.names.agent(agent), reason }).inc();
    }

    /// Every budget there is, as it stands. What was shown before and is not in `budgets` stops being shown. One
    /// process shows them; names that are not known are shown together as `other`, and sessions and documents, which
    /// are without number, not at all.
    pub fn budgets(&self, budgets: &[Budget<'_>]) {
        let families = &self.budgets;
        let mut sums: HashMap<BudgetLabels, [f64; 4]> = HashMap::new();
        for budget in budgets.iter().filter(|budget| budget.account.scope.kind().is_listed()) {
            let Budget { account, limit, spent, held, suspense } = *budget;
            let OwnerLabels { scope, scope_id } = self.owner(&account.scope);
            let labels = BudgetLabels { scope, scope_id, period: account.period.name.as_str().into() };
            let sum = sums.entry(labels).or_default();
            for (sum, amount) in sum.iter_mut().zip([limit, spent, held, suspense]) {
                *sum += dollars(amount);
            }
        }
        let gauges = [&families.limits, &families.spent, &families.held, &families.suspense];
        let mut shown = families.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in shown.iter().filter(|labels| !sums.contains_key(*labels)) {
            for gauge in gauges {
                gauge.remove(gone);
            }
        }
        for (labels, amounts) in &sums {
            for (gauge, amount) in gauges.into_iter().zip(amounts) {
                gauge.get_or_create(labels).set(*amount);
            }
        }
        *shown = sums.into_keys().collect();
    }

    /// Counters minus ledger, in nano-dollars. 0 when all is well.
    pub fn ledger_drift(&self, scope: &Scope, nano: i64) {
        if !scope.kind().is_listed() {
            return;
        }
        let labels = self.owner(scope);
        let size = dollars(NanoUsd::new(nano.unsigned_abs()));
        self.budgets.drifts.get_or_create(&labels).set(if nano < 0 { -size } else { size });
    }

    fn owner(&self, scope: &Scope) -> OwnerLabels {
        OwnerLabels { scope: scope.kind().as_str(), scope_id: self.names.scope(scope) }
    }

    /// The counters were rebuilt from the ledger, or not.
    pub fn budget_rebuilt(&self, result: Rebuild, took: Duration) {
        let labels = RebuildLabels { result };
        self.budgets.rebuilds.get_or_create(&labels).inc();
        self.budgets.rebuild_durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Money that a dead process held was seen to.
    pub fn lease_expired(&self, resolution: LeaseResolution) {
        self.budgets.leases.get_or_create(&ResolutionLabels { resolution }).inc();
    }

    /// How many of a team's alerts nobody has sent yet.
    pub fn alert_outbox(&self, team: &TeamId, pending: u64) {
        let labels = TeamLabels { team_id: self.names.team(team) };
        self.budgets.outbox.get_or_create(&labels).set(i64::try_from(pending).unwrap_or(i64::MAX));
    }
}
