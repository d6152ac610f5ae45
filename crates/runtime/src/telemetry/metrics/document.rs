//! Documents: how executions end, how branches meet, what is driven again, what the guardrail does.

use std::time::Duration;

use clinflow_core::{Status, TeamId, WorkflowId};
use clinflow_cost::NanoUsd;
use clinflow_guardrail::{Action, PolicyKind};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use super::{
    Histograms, at_zero, dollars, histograms,
    labels::{Agent, AgentLabels, Name, Names, OTHER, Word, words},
};

/// Buckets of the cost of one document, in dollars; $2 is the limit a document has by default.
const DOLLARS: [f64; 10] = [0.000_1, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 10.0];

/// Buckets from submission to end, in seconds.
const SECONDS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0];

/// Everything the guardrail does about what it finds.
const ACTIONS: [Action; 3] = [Action::Anonymized, Action::Blocked, Action::Detected];

words!(
    /// How a join of branches was closed.
    JoinResult {
        /// Every branch arrived.
        Completed => "completed",
        /// Its deadline passed.
        TimedOut => "timed_out",
    }
);

words!(
    /// Why a part of a join did not count.
    Ignored {
        /// The join was closed.
        Late => "late",
        /// Another message had brought this branch.
        Differs => "differs",
        /// The join does not expect this branch.
        Unexpected => "unexpected",
    }
);

words!(
    /// What was done about an execution without progress.
    Redrive {
        /// Submitted again, with the same ids.
        DrivenAgain => "driven_again",
        /// Left alone, because messages wait in the queues.
        Postponed => "postponed",
        /// Given up.
        GivenUp => "given_up",
    }
);

/// An execution that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// The team that pays, when it is known.
    pub team: Option<&'a TeamId>,
    /// The workflow it ran under, or `auto`.
    pub workflow: &'a WorkflowId,
    /// How it ended.
    pub status: Status,
    /// What all its model calls cost.
    pub cost: NanoUsd,
    /// From its submission to its end, when it is known when it was submitted.
    pub took: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DocumentLabels {
    team_id: Name,
    workflow_id: Name,
    result: Word<Status>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    workflow_id: Name,
    result: Word<Status>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JoinLabels {
    workflow_id: Name,
    result: JoinResult,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IgnoredLabels {
    workflow_id: Name,
    reason: Ignored,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RedriveLabels {
    result: Redrive,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GuardrailLabels {
    #[prometheus(flatten)]
    agent: AgentLabels,
    policy: &'static str,
    action: &'static str,
}

/// The families of documents as a whole.
pub(super) struct Documents {
    ended: Family<DocumentLabels, Counter>,
    costs: Histograms<ResultLabels>,
    durations: Histograms<ResultLabels>,
    joins: Family<JoinLabels, Counter>,
    ignored: Family<IgnoredLabels, Counter>,
    redrives: Family<RedriveLabels, Counter>,
    interventions: Family<GuardrailLabels, Counter>,
}

impl Documents {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            ended: Family::default(),
            costs: histograms(|| Histogram::new(DOLLARS)),
            durations: histograms(|| Histogram::new(SECONDS)),
            joins: Family::default(),
            ignored: Family::default(),
            redrives: Family::default(),
            interventions: Family::default(),
        };
        registry.register("documents", "Executions that ended, by terminal state", this.ended.clone());
        registry.register("document_cost_usd", "Dollars of one execution", this.costs.clone());
        registry.register(
            "document_duration_seconds",
            "Time from submission to terminal state",
            this.durations.clone(),
        );
        registry.register("joins", "Joins of branches by how they were closed", this.joins.clone());
        registry.register("join_parts_ignored", "Parts of joins that did not count", this.ignored.clone());
        registry.register(
            "redrives",
            "Executions without progress, by what was done about them",
            this.redrives.clone(),
        );
        registry.register(
            "guardrail_interventions",
            "Findings of the guardrail by policy and action",
            this.interventions.clone(),
        );
        this
    }

    /// Terminal states of a workflow's executions, beginning at 0.
    pub(super) fn begin_ends(&self, names: &Names, team: &TeamId, workflow: &WorkflowId) {
        let (team_id, workflow_id) = (names.team(team), names.workflow(workflow));
        for result in Status::ALL.into_iter().filter(|status| status.is_terminal()).map(Word) {
            let (team_id, workflow_id) = (team_id.clone(), workflow_id.clone());
            at_zero(&self.ended, &DocumentLabels { team_id, workflow_id, result });
        }
    }

    /// Joins of a workflow, beginning at 0.
    pub(super) fn begin_joins(&self, names: &Names, workflow: &WorkflowId) {
        let workflow_id = names.workflow(workflow);
        for &result in JoinResult::ALL {
            at_zero(&self.joins, &JoinLabels { workflow_id: workflow_id.clone(), result });
        }
        for &reason in Ignored::ALL {
            at_zero(&self.ignored, &IgnoredLabels { workflow_id: workflow_id.clone(), reason });
        }
    }

    /// Redrives, beginning at 0.
    pub(super) fn begin_redrives(&self) {
        for &result in Redrive::ALL {
            at_zero(&self.redrives, &RedriveLabels { result });
        }
    }

    /// What the guardrail does for an agent, beginning at 0.
    pub(super) fn begin_guardrail(&self, names: &Names, agent: Agent<'_>) {
        let agent = names.agent(agent);
        for policy in PolicyKind::ALL.map(PolicyKind::as_str) {
            for action in ACTIONS.map(Action::as_str) {
                at_zero(&self.interventions, &GuardrailLabels { agent: agent.clone(), policy, action });
            }
        }
    }
}

impl super::Metrics {
    /// An execution ended. A status that is no end is not counted.
    pub fn document(&self, ended: &Ended<'_>) {
        let Ended { team, workflow, status, cost, took } = *ended;
        if !status.is_terminal() {
            return;
        }
        let team_id = team.map_or_else(|| OTHER.into(), |team| self.names.team(team));
        let (workflow_id, result) = (self.names.workflow(workflow), Word(status));
        let families = &self.documents;
        let labels = DocumentLabels { team_id, workflow_id: workflow_id.clone(), result };
        families.ended.get_or_create(&labels).inc();
        let labels = ResultLabels { workflow_id, result };
        families.costs.get_or_create(&labels).observe(dollars(cost));
        if let Some(took) = took {
            families.durations.get_or_create(&labels).observe(took.as_secs_f64());
        }
    }

    /// A join was closed.
    pub fn join(&self, workflow: &WorkflowId, result: JoinResult) {
        let workflow_id = self.names.workflow(workflow);
        self.documents.joins.get_or_create(&JoinLabels { workflow_id, result }).inc();
    }

    /// A part of a join did not count.
    pub fn part_ignored(&self, workflow: &WorkflowId, reason: Ignored) {
        let workflow_id = self.names.workflow(workflow);
        self.documents.ignored.get_or_create(&IgnoredLabels { workflow_id, reason }).inc();
    }

    /// Something was done about an execution without progress.
    pub fn redrive(&self, result: Redrive) {
        self.documents.redrives.get_or_create(&RedriveLabels { result }).inc();
    }

    /// The guardrail found something in what an agent read or wrote; `policy` and `action` as records spell them.
    pub fn guardrail_intervened(&self, agent: Agent<'_>, policy: &str, action: &str) {
        let policies = PolicyKind::ALL.map(PolicyKind::as_str);
        let actions = ACTIONS.map(Action::as_str);
        let closed = |words: &[&'static str], word: &str| words.iter().find(|known| **known == word).copied();
        let labels = GuardrailLabels {
            agent: self.names.agent(agent),
            policy: closed(&policies, policy).unwrap_or(OTHER),
            action: closed(&actions, action).unwrap_or(OTHER),
        };
        self.documents.interventions.get_or_create(&labels).inc();
    }
}
