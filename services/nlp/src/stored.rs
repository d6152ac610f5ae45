//! Objects as what they hold, and the failures of both kinds of work.

use clinflow_core::{Failure, WorkflowId, step::ObjectRef};
use clinflow_ports::{Objects, StoreError, objects::get_checked};
use serde::de::DeserializeOwned;

/// Reads an object that holds JSON; `what` says what it should be.
pub(crate) async fn read_json<T: DeserializeOwned>(
    objects: &dyn Objects,
    reference: &ObjectRef,
    what: &'static str,
) -> Result<T, Failure> {
    parse(&get_checked(objects, reference).await?, &reference.key, what)
}

/// Reads JSON that stood under `key`.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8], key: &str, what: &'static str) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|_| {
        // The parser's words may quote the document.
        StoreError::Corrupt { store: "objects", what: format!("{what} `{key}`") }.into()
    })
}

/// The failure of a message whose bundle does not have its workflow.
pub(crate) fn unknown_workflow(workflow: &WorkflowId) -> Failure {
    Failure::park("workflow.unknown", anyhow::anyhow!("the bundle has no workflow `{workflow}`"))
}

/// What is stored holds nothing that JSON cannot.
pub(crate) fn unwritable(error: serde_json::Error) -> Failure {
    Failure::park("handler.unwritable", error)
}
