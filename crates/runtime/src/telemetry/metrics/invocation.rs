//! Model calls: how they ended, what they cost, and whether the price table is good.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use clinflow_cost::{NanoUsd, Usage};
use jiff::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::{
    Dollars, Histograms, at_zero, dollars, histograms,
    labels::{Agent, AgentLabels, Name, Names, OTHER, Word, words},
};

/// Buckets of calls, in seconds: a local model takes milliseconds, a provider seconds to minutes.
const SECONDS: [f64; 12] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0];

/// Buckets of the cost of one call, in dollars.
const DOLLARS: [f64; 10] = [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0];

words!(
    /// How a model call ended.
    Answered {
        /// With an answer.
        Ok => "ok",
        /// With an answer that had been paid for before: nothing was called.
        Stored => "stored",
        /// The provider asked to come back later.
        Throttled => "throttled",
        /// Not in time.
        TimedOut => "timeout",
        /// With an error, or with an answer that cannot be read.
        Error => "error",
        /// A guardrail stopped question or answer.
        Blocked => "guardrail_blocked",
    }
);

words!(
    /// Why money was spent.
    CostClass {
        /// The first call of its work.
        First => "first",
        /// A further attempt after an error.
        Retry => "retry",
        /// The broker handed the message out again.
        Redelivery => "redelivery",
        /// Redrive, rerun or replay.
        Reprocess => "reprocess",
    }
);

words!(
    /// Which tokens, each at its own price.
    TokenType {
        /// Read at the full price.
        Input => "input",
        /// Produced.
        Output => "output",
        /// Read from the prompt cache.
        CacheRead => "cache_read",
        /// Written to the prompt cache for five minutes.
        CacheWrite5m => "cache_write_5m",
        /// Written to the prompt cache for an hour.
        CacheWrite1h => "cache_write_1h",
    }
);

impl TokenType {
    const fn of(self, usage: &Usage) -> u64 {
        match self {
            Self::Input => usage.input,
            Self::Output => usage.output,
            Self::CacheRead => usage.cache_read,
            Self::CacheWrite5m => usage.cache_write_5m,
            Self::CacheWrite1h => usage.cache_write_1h,
        }
    }
}

/// One attempt of one agent at a model.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// Whose.
    pub agent: Agent<'a>,
    /// The model's id, as the price table has it.
    pub model: &'a str,
    /// How it ended.
    pub answered: Answered,
    /// Why it was made.
    pub class: CostClass,
    /// What was booked.
    pub cost: NanoUsd,
    /// What was billed.
    pub usage: Usage,
    /// From the request to its end.
    pub took: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InvocationLabels {
    #[prometheus(flatten)]
    agent: AgentLabels,
    model: Name,
    outcome: Answered,
    cost_class: CostClass,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CostLabels {
    #[prometheus(flatten)]
    agent: AgentLabels,
    model: Name,
    cost_class: CostClass,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    #[prometheus(flatten)]
    agent: AgentLabels,
    model: Name,
    token_type: TokenType,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    model: Name,
    outcome: Answered,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallCostLabels {
    role: Word<clinflow_core::Role>,
    model: Name,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VersionLabels {
    version: Name,
}

/// The families of whoever calls models.
pub(super) struct Invocations {
    calls: Family<InvocationLabels, Counter>,
    costs: Family<CostLabels, Dollars>,
    tokens: Family<TokenLabels, Counter>,
    durations: Histograms<DurationLabels>,
    call_costs: Histograms<CallCostLabels>,
    prices: Family<VersionLabels, Gauge>,
    verified: Family<VersionLabels, Gauge>,
    price_version: Mutex<Option<VersionLabels>>,
}

impl Invocations {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            calls: Family::default(),
            costs: Family::default(),
            tokens: Family::default(),
            durations: histograms(|| Histogram::new(SECONDS)),
            call_costs: histograms(|| Histogram::new(DOLLARS)),
            prices: Family::default(),
            verified: Family::default(),
            price_version: Mutex::default(),
        };
        registry.register(
            "invocations",
            "Model calls by how they ended and why they were made",
            this.calls.clone(),
        );
        registry.register("cost_usd", "Dollars booked for model calls", this.costs.clone());
        registry.register("tokens", "Tokens of model calls by price class", this.tokens.clone());
        registry.register("invocation_duration_seconds", "Time of one model call", this.durations.clone());
        registry.register("invocation_cost_usd", "Dollars of one model call", this.call_costs.clone());
        registry.register(
            "price_table_info",
            "1 for the version of the price table in use",
            this.prices.clone(),
        );
        registry.register(
            "price_table_verified_timestamp_seconds",
            "When the prices were last compared with the provider's list",
            this.verified.clone(),
        );
        this
    }

    /// Series of an agent and a model that begin at 0.
    pub(super) fn begin(&self, names: &Names, agent: Agent<'_>, model: &str) {
        let (agent, model) = (names.agent(agent), names.model(model));
        for &cost_class in CostClass::ALL {
            for &outcome in Answered::ALL {
                let (agent, model) = (agent.clone(), model.clone());
                at_zero(&self.calls, &InvocationLabels { agent, model, outcome, cost_class });
            }
            let (agent, model) = (agent.clone(), model.clone());
            at_zero(&self.costs, &CostLabels { agent, model, cost_class });
        }
        for &token_type in TokenType::ALL {
            let (agent, model) = (agent.clone(), model.clone());
            at_zero(&self.tokens, &TokenLabels { agent, model, token_type });
        }
    }
}

impl super::Metrics {
    /// A model was asked, or a stored answer was used instead.
    pub fn invocation(&self, invocation: &Invocation<'_>) {
        let Invocation { agent, model, answered: outcome, class: cost_class, cost, usage, took } =
            *invocation;
        let role = Word(agent.role);
        let (agent, model) = (self.names.agent(agent), self.names.model(model));
        let families = &self.invocations;
        let (of, at) = (agent.clone(), model.clone());
        families.calls.get_or_create(&InvocationLabels { agent: of, model: at, outcome, cost_class }).inc();
        let (of, at) = (agent.clone(), model.clone());
        families.costs.get_or_create(&CostLabels { agent: of, model: at, cost_class }).inc_by(dollars(cost));
        for &token_type in TokenType::ALL {
            let labels = TokenLabels { agent: agent.clone(), model: model.clone(), token_type };
            families.tokens.get_or_create(&labels).inc_by(token_type.of(&usage));
        }
        let labels = DurationLabels { model: model.clone(), outcome };
        families.durations.get_or_create(&labels).observe(took.as_secs_f64());
        families.call_costs.get_or_create(&CallCostLabels { role, model }).observe(dollars(cost));
    }

    /// The price table in use, and when its prices were last compared with the provider's list.
    pub fn price_table(&self, version: &str, verified: Timestamp) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let legal = version.len() <= 64 && version.chars().all(plain);
        let labels = VersionLabels { version: if legal { version } else { OTHER }.into() };
        let families = &self.invocations;
        let mut current = families.price_version.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = current.replace(labels.clone()).filter(|old| *old != labels) {
            families.prices.remove(&old);
            families.verified.remove(&old);
        }
        families.prices.get_or_create(&labels).set(1);
        families.verified.get_or_create(&labels).set(verified.as_second());
    }
}
