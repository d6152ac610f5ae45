//! Reviews concluded: by the gateway when a person decides, and by the auditor when it hears of it, so that a crash of
//! either leaves nothing half done.

use clinflow_core::{
    Disposition, ExecutionId, ReviewId, ReviewItem, Status, audit::ChainHead, review::Resolution,
};
use clinflow_ports::{Executions, Reviews, StoreError};
use jiff::Timestamp;

/// What came of a resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The item, with the resolution that counts.
    pub item: ReviewItem,
    /// How many items of its execution are still open.
    pub open: usize,
}

/// Settles `id` by `resolution`, which the audit log holds up to `head`, and completes the execution when that was
/// its last open item. Doing it again changes nothing.
pub async fn apply(
    reviews: &dyn Reviews,
    executions: &dyn Executions,
    id: ReviewId,
    resolution: &Resolution,
    head: ChainHead,
) -> Result<Applied, StoreError> {
    let item = reviews.resolve(id, resolution).await?;
    let open = conclude(reviews, executions, id.execution, resolution.at, head).await?;
    Ok(Applied { item, open })
}

/// Completes an execution that waits for a review of which no item is open any more (INV-02: by explicit review).
/// Answers how many are.
pub async fn conclude(
    reviews: &dyn Reviews,
    executions: &dyn Executions,
    id: ExecutionId,
    at: Timestamp,
    head: ChainHead,
) -> Result<usize, StoreError> {
    let items = reviews.of_execution(id).await?;
    let open = items.iter().filter(|item| item.is_open()).count();
    if items.is_empty() || open > 0 {
        return Ok(open);
    }
    if let Some(execution) = executions.get(id).await?
        && execution.status == Status::NeedsReview
    {
        let before = execution.disposition;
        let completed = Disposition {
            status: Status::Completed,
            workflow: before.as_ref().and_then(|before| before.workflow.clone()),
            code: None,
            message: None,
            outputs: before.and_then(|before| before.outputs),
            head,
            at,
        };
        executions.intervene(id, execution.redrives, &completed, None).await?;
    }
    Ok(0)
}
