//! What the aggregator merged, read from its message.

use clinflow_core::{Failure, WorkflowId, step::ObjectRef};
use clinflow_proto::v1;
use clinflow_runtime::wire::{self, Run, malformed};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// A merged document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merged {
    pub(crate) run: Run,
    pub(crate) workflow: WorkflowId,
    /// The document's text.
    pub(crate) text: ObjectRef,
    /// What each branch found.
    pub(crate) branches: Vec<ObjectRef>,
    /// Branches that did not arrive.
    pub(crate) missing: Vec<String>,
    /// The day of the submission (UTC), where the message says it.
    pub(crate) submitted: Option<Date>,
}

impl TryFrom<&v1::FieldsMerged> for Merged {
    type Error = Failure;

    fn try_from(message: &v1::FieldsMerged) -> Result<Self, Failure> {
        let document = message.document.as_ref().ok_or_else(|| malformed("`document` is missing"))?;
        let context = document.execution.as_ref().ok_or_else(|| malformed("`execution` is missing"))?;
        let branch =
            |branch: &v1::Branch| wire::required_object(branch.fields.as_ref(), "a branch has no `fields`");
        Ok(Self {
            run: Run::try_from(context)?,
            workflow: WorkflowId::new(&document.workflow_id)
                .map_err(|_| malformed("`workflow_id` is not a workflow id"))?,
            text: wire::required_object(document.text.as_ref(), "`text` is missing")?,
            branches: message.branches.iter().map(branch).collect::<Result<_, _>>()?,
            missing: message.missing.clone(),
            submitted: context.submitted_at.as_ref().and_then(wire::timestamp).map(day),
        })
    }
}

/// The day of an instant in UTC.
pub(crate) fn day(instant: Timestamp) -> Date {
    instant.to_zoned(TimeZone::UTC).date()
}
