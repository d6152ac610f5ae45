//! What the classifier said, read from its message.

use clinflow_core::{Failure, WorkflowId, step::ObjectRef};
use clinflow_proto::v1;
use clinflow_runtime::wire::{self, Run, malformed};

/// A classified document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Classified {
    pub(crate) run: Run,
    pub(crate) workflow: WorkflowId,
    /// The document's text.
    pub(crate) text: ObjectRef,
}

impl TryFrom<&v1::DocumentClassified> for Classified {
    type Error = Failure;

    fn try_from(message: &v1::DocumentClassified) -> Result<Self, Failure> {
        Ok(Self {
            run: Run::of(message)?,
            workflow: WorkflowId::new(&message.workflow_id)
                .map_err(|_| malformed("`workflow_id` is not a workflow id"))?,
            text: wire::required_object(message.text.as_ref(), "`text` is missing")?,
        })
    }
}
