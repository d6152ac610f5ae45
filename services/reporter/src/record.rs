//! `record.json`: everything clinflow knows about one document, for machines to read.

use clinflow_core::{
    BundleHash, DocumentHash, ExecutionId, Field, Finding, Guarded, SessionId, Status, Step, WorkflowId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cost::Cost;

/// The body of `record.json`. Its JSON Schema is `docs/schema/record.v1.json`; absent facts are `null`, so that
/// every record has the same keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Schema of this file: [`Record::SCHEMA`].
    pub schema: String,
    /// The execution.
    pub execution_id: ExecutionId,
    /// The document.
    pub document: Document,
    /// The workflow the document was read by.
    pub workflow_id: WorkflowId,
    /// The kind of document the classifier recognised.
    pub document_type: String,
    /// [`Status::Completed`] or [`Status::NeedsReview`].
    pub status: Status,
    /// The configuration the execution ran under.
    pub bundle: BundleHash,
    /// What the submitter groups executions by.
    pub session_id: Option<SessionId>,
    /// The validated fields, in document order.
    pub fields: Vec<Field>,
    /// What rules have to say about them.
    pub findings: Vec<Finding>,
    /// The guardrail the fields have passed, and what it did to them.
    pub guardrail: Guarded,
    /// What the steps cost together.
    pub cost: Cost,
    /// Every step before the report, oldest first.
    pub steps: Vec<Step>,
}

/// The document of a [`Record`]: known by its hash. The name of its file is left out, because it may identify a patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its identity.
    pub sha256: DocumentHash,
    /// The media type recognised in its bytes.
    pub media_type: String,
    /// Number of pages, when the document has pages.
    pub pages: Option<u32>,
}

impl Record {
    /// The schema name written into every record.
    pub const SCHEMA: &'static str = "clinflow.record/1";

    /// When the last of its steps ended: the time of everything that is made of the record, so that making it again
    /// makes the same. The beginning of time for a record without steps, which no auditor has seen.
    pub fn made_at(&self) -> Timestamp {
        self.steps.iter().map(|step| step.ended_at).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The bytes of `record.json`: indented, because people open it too, and with a newline at the end.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes =
            serde_json::to_vec_pretty(self).expect("a record has no maps and no fallible serialisers");
        bytes.push(b'\n');
        bytes
    }
}

#[cfg(test)]
mod tests;
