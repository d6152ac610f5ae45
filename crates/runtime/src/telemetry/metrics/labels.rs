//! What may be a label value: closed words, and names of configuration. Never a document, a session or free text.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use clinflow_core::{Role, TeamId, WorkflowId};
use clinflow_cost::{Scope, ScopeKind};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// The label value of every name that is not known.
pub const OTHER: &str = "other";

/// A label value that is a name.
pub(super) type Name = Arc<str>;

/// A closed enum as a label value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Word<T>(pub(super) T);

impl<T: fmt::Display> EncodeLabelValue for Word<T> {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.0.to_string().as_str().encode(encoder)
    }
}

/// A closed enum that is a label value: each variant has one spelling, and all are known, so that their series can
/// begin at 0.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its spelling as a label value.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl ::prometheus_client::encoding::EncodeLabelValue for $name {
            fn encode(
                &self,
                encoder: &mut ::prometheus_client::encoding::LabelValueEncoder<'_>,
            ) -> ::std::fmt::Result {
                ::prometheus_client::encoding::EncodeLabelValue::encode(&self.as_str(), encoder)
            }
        }
    };
}
pub(super) use words;

/// Whose work a figure is about.
#[derive(Debug, Clone, Copy)]
pub struct Agent<'a> {
    /// The team that pays.
    pub team: &'a TeamId,
    /// The workflow.
    pub workflow: &'a WorkflowId,
    /// The role that does the work inside it.
    pub role: Role,
}

/// An agent as labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AgentLabels {
    team_id: Name,
    workflow_id: Name,
    agent_id: Name,
}

/// Names of one kind, up to a limit that bounds the number of series.
#[derive(Debug)]
struct Known {
    names: RwLock<BTreeSet<Name>>,
    limit: usize,
}

impl Known {
    fn new(limit: usize) -> Self {
        Self { names: RwLock::default(), limit }
    }

    fn admit(&self, name: &str) {
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        if names.len() < self.limit {
            names.insert(name.into());
        }
    }

    /// The name, or [`OTHER`].
    fn label(&self, name: &str) -> Name {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.get(name).cloned().unwrap_or_else(|| OTHER.into())
    }
}

/// The names that may be label values. Whoever is not among them is counted under [`OTHER`], so that no message from
/// outside can make series.
#[derive(Debug)]
pub(super) struct Names {
    teams: Known,
    workflows: Known,
    models: Known,
}

impl Default for Names {
    /// Room for three times what the largest installation has: 10 teams, 20 workflows, 6 models.
    fn default() -> Self {
        Self { teams: Known::new(30), workflows: Known::new(60), models: Known::new(18) }
    }
}

impl Names {
    pub(super) fn admit(&self, team: &TeamId, workflow: &WorkflowId) {
        self.teams.admit(team.as_str());
        self.workflows.admit(workflow.as_str());
    }

    pub(super) fn admit_model(&self, model: &str) {
        self.models.admit(model);
    }

    pub(super) fn team(&self, team: &TeamId) -> Name {
        self.teams.label(team.as_str())
    }

    pub(super) fn workflow(&self, workflow: &WorkflowId) -> Name {
        // What was never classified is told apart from what is not known.
        if workflow.is_auto() { WorkflowId::AUTO.into() } else { self.workflows.label(workflow.as_str()) }
    }

    pub(super) fn model(&self, model: &str) -> Name {
        self.models.label(model)
    }

    /// Whose money it is: a team, a workflow or an agent.
    pub(super) fn scope(&self, scope: &Scope) -> Name {
        match scope.kind() {
            ScopeKind::Team => self.teams.label(scope.id()),
            ScopeKind::Workflow => self.workflows.label(scope.id()),
            ScopeKind::Agent => match scope.id().rsplit_once('.') {
                Some((workflow, role)) if role.parse::<Role>().is_ok() => {
                    format!("{}.{role}", self.workflows.label(workflow)).into()
                }
                _ => OTHER.into(),
            },
            ScopeKind::Session | ScopeKind::Document => OTHER.into(),
        }
    }

    pub(super) fn agent(&self, Agent { team, workflow, role }: Agent<'_>) -> AgentLabels {
        let workflow_id = self.workflow(workflow);
        let agent_id = format!("{workflow_id}.{role}").into();
        AgentLabels { team_id: self.team(team), workflow_id, agent_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_configured_is_counted_as_other() {
        let names = Names::default();
        let (team, workflow) = (TeamId::new("safety").unwrap(), WorkflowId::new("ae-report").unwrap());
        names.admit(&team, &workflow);
        let stranger = WorkflowId::new("made-up-by-a-caller").unwrap();
        let known = names.agent(Agent { team: &team, workflow: &workflow, role: Role::Nlp });
        assert_eq!((&*known.team_id, &*known.agent_id), ("safety", "ae-report.nlp"));
        let unknown = names.agent(Agent { team: &team, workflow: &stranger, role: Role::Nlp });
        assert_eq!((&*unknown.workflow_id, &*unknown.agent_id), ("other", "other.nlp"));
        assert_eq!(&*names.model("a model"), "other");
    }

    #[test]
    fn no_bundle_can_make_more_series_than_the_limit() {
        let known = Known::new(2);
        for name in ["a", "b", "c"] {
            known.admit(name);
        }
        assert_eq!(["a", "b", "c"].map(|name| known.label(name).to_string()), ["a", "b", "other"]);
    }
}
