//! What the gateway works with.

use std::sync::Arc;

use clinflow_ports::{AuditLog, Broker, Clock, Executions, Objects};
use clinflow_runtime::Catalog;
use clinflow_workflow::Bundle;

/// The outside world of a gateway.
#[derive(Clone)]
pub struct Ports {
    /// Where submissions are published.
    pub broker: Arc<dyn Broker>,
    /// Where executions are made and looked up.
    pub executions: Arc<dyn Executions>,
    /// Where histories are read.
    pub log: Arc<dyn AuditLog>,
    /// Where documents are put and records are read.
    pub objects: Arc<dyn Objects>,
    /// The workflows that can be asked for.
    pub catalog: Arc<Catalog<Bundle>>,
    /// Says what time it is.
    pub clock: Arc<dyn Clock>,
}
