//! An execution: one run of a workflow over a document, and the states it can be in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    audit::ChainHead,
    id::{BundleHash, DocumentHash, ExecutionId, SessionId, TeamId, WorkflowId},
    role::Lane,
};

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Its messages are under way.
    Running,
    /// A message of it waits for a person or a budget; replay continues it.
    Parked,
    /// Done, and nothing asks for a person.
    Completed,
    /// Done, and a person must settle something.
    NeedsReview,
    /// Cannot be done; the code says why.
    Failed,
    /// Stopped on purpose.
    Aborted,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Running, Self::Parked, Self::Completed, Self::NeedsReview, Self::Failed, Self::Aborted];

    /// INV-01: an execution ends in exactly one of these. INV-02: it then stays there, unless a person asks
    /// for a rerun, a redrive or a review.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::NeedsReview | Self::Failed | Self::Aborted => true,
            Self::Running | Self::Parked => false,
        }
    }

    /// The one spelling of this status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Parked => "parked",
            Self::Completed => "completed",
            Self::NeedsReview => "needs-review",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }

    /// Reads a status from its one spelling.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The document of an execution, by reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRef {
    /// Identity.
    pub sha256: DocumentHash,
    /// Key in the object store.
    pub key: String,
    /// Declared media type: `application/pdf`.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
}

/// How an execution left the running state, or came back to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// The new status: parked or terminal; running when a person lets it go on.
    pub status: Status,
    /// The workflow it ran under, when it came so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowId>,
    /// The failure's code, when it did not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Words about it without PHI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Folder of the outputs in the object store, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<String>,
    /// The audit record that says so.
    pub head: ChainHead,
    /// When.
    pub at: Timestamp,
}

/// One run of a workflow over a document, as the executions table holds it. It carries everything that is
/// needed to submit the document again, because that is what a redrive does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Derived from workflow, document, bundle and rerun number.
    pub id: ExecutionId,
    /// The workflow asked for, or [`WorkflowId::auto`].
    pub requested_workflow: WorkflowId,
    /// The document.
    pub document: DocumentRef,
    /// The configuration it runs under.
    pub bundle: BundleHash,
    /// What the submitter groups executions by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The submitting team, when the submitter named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Urgency.
    pub lane: Lane,
    /// The message id of the submission that made it. Another submission of the same document has another.
    pub submission: Uuid,
    /// When it was made.
    pub created_at: Timestamp,
    /// How often the sweeper has submitted it again.
    pub redrives: u32,
    /// When the sweeper looks at it next; `None` once it is parked or terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_at: Option<Timestamp>,
    /// Where it stands.
    pub status: Status,
    /// How it came to stand where it stands; `None` while it runs for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// The newest audit record that it is known to have: a chain without it was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<ChainHead>,
}

impl Execution {
    /// The workflow it ran under, once that is settled; before that, the one that was asked for.
    pub fn workflow(&self) -> &WorkflowId {
        let settled = self.disposition.as_ref().and_then(|disposition| disposition.workflow.as_ref());
        settled.unwrap_or(&self.requested_workflow)
    }

    /// The newest audit record that anything here knows of.
    pub fn known_head(&self) -> Option<ChainHead> {
        let settled = self.disposition.as_ref().map(|disposition| disposition.head);
        [self.head, settled].into_iter().flatten().max_by_key(|head| head.sequence)
    }

    /// Whether a person may replace the current status by `next`, by a decision that is in the audit log (INV-02): a
    /// redrive or replay lets it run, an abort stops it, the last review item completes it.
    pub const fn may_be_made(current: Status, next: Status) -> bool {
        match next {
            Status::Running => matches!(current, Status::Parked | Status::Failed | Status::Aborted),
            Status::Aborted => matches!(current, Status::Running | Status::Parked),
            Status::Completed => matches!(current, Status::NeedsReview),
            Status::Parked | Status::NeedsReview | Status::Failed => false,
        }
    }

    /// Whether `next` may replace the current status without a person asking for it (INV-02).
    pub const fn may_become(current: Status, next: Status) -> bool {
        match current {
            Status::Running => !matches!(next, Status::Running),
            Status::Parked => next.is_terminal(),
            Status::Completed | Status::NeedsReview | Status::Failed | Status::Aborted => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Execution, Status};

    #[test]
    fn a_terminal_status_is_never_left() {
        for from in Status::ALL.into_iter().filter(|status| status.is_terminal()) {
            for to in Status::ALL {
                assert!(!Execution::may_become(from, to), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn a_person_may_let_go_on_what_failed_stop_what_runs_and_complete_what_was_reviewed() {
        let from = |next| {
            let made = Status::ALL.into_iter().filter(|from| Execution::may_be_made(*from, next));
            made.map(Status::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            Status::ALL.map(from),
            ["parked failed aborted", "", "needs-review", "", "", "running parked"]
        );
    }

    #[test]
    fn every_status_reads_back_from_its_own_spelling() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{status}\""));
        }
    }
}
