//! Review items: what a person must settle about an execution, by reference; never text of the document.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    field::{Severity, Span},
    id::{ExecutionId, WorkflowId},
    step::ObjectRef,
};

/// A review item's id: its execution, and its number there from 1. Written `<execution>.<number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReviewId {
    /// The execution.
    pub execution: ExecutionId,
    /// The position among the items of the recorded result, from 1.
    pub number: u32,
}

impl fmt::Display for ReviewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.execution, self.number)
    }
}

/// What is no review item's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a review item's id is the execution's UUID, a dot and a number from 1")]
pub struct InvalidReviewId;

impl FromStr for ReviewId {
    type Err = InvalidReviewId;

    fn from_str(text: &str) -> Result<Self, InvalidReviewId> {
        let (execution, number) = text.split_once('.').ok_or(InvalidReviewId)?;
        let execution = execution.parse().map_err(|_| InvalidReviewId)?;
        let number = number.parse().ok().filter(|number| *number > 0).ok_or(InvalidReviewId)?;
        Ok(Self { execution, number })
    }
}

impl TryFrom<String> for ReviewId {
    type Error = InvalidReviewId;

    fn try_from(text: String) -> Result<Self, InvalidReviewId> {
        text.parse()
    }
}

impl From<ReviewId> for String {
    fn from(id: ReviewId) -> Self {
        id.to_string()
    }
}

/// What a person decides about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// What was extracted is right.
    Accepted,
    /// Another value is right.
    Corrected,
    /// What was extracted is wrong, and there is no right value.
    Rejected,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Corrected, Self::Rejected];

    /// The one spelling of this decision.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Corrected => "corrected",
            Self::Rejected => "rejected",
        }
    }

    /// Reads a decision from its one spelling.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.as_str() == name)
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an item was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// What was decided.
    pub decision: Decision,
    /// Who, as the identity provider names them.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The corrected value, in the object store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<ObjectRef>,
}

/// Something a person must settle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewItem {
    /// Its id.
    pub id: ReviewId,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The rule that asks for it: `AE-SER-02`.
    pub rule: String,
    /// How much it matters: review or block.
    pub severity: Severity,
    /// The field it is about, by name; `None` for the whole document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The repetition it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// Where the field stands in the extracted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// How it was settled; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
}

impl ReviewItem {
    /// True while nobody has settled it.
    pub const fn is_open(&self) -> bool {
        self.resolution.is_none()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Decision, InvalidReviewId, ReviewId};
    use crate::id::ExecutionId;

    #[test]
    fn an_id_reads_back_from_its_own_text_and_nothing_else_is_one() {
        let id = ReviewId { execution: ExecutionId::from_uuid(Uuid::from_u128(7)), number: 12 };
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in
            ["", "7.1", "00000000-0000-0000-0000-000000000007", "00000000-0000-0000-0000-000000000007.0"]
        {
            assert_eq!(bad.parse::<ReviewId>(), Err(InvalidReviewId), "{bad}");
        }
    }

    #[test]
    fn every_decision_reads_back_from_its_own_spelling() {
        for decision in Decision::ALL {
            assert_eq!(Decision::parse(decision.as_str()), Some(decision));
        }
    }
}
