//! What the gateway works with.

use std::sync::Arc;

use clinflow_ports::{AuditLog, Broker, Clock, Executions, Ledger, Objects, Reviews, Sessions};
use clinflow_runtime::Catalog;
use clinflow_workflow::Bundle;

/// The outside world of a gateway.
#[derive(Clone)]
pub struct Ports {
    /// Where submissions are published.
    pub broker: Arc<dyn Broker>,
    /// Where executions are made and looked up.
    pub executions: Arc<dyn Executions>,
    /// What people must settle.
    pub reviews: Arc<dyn Reviews>,
    /// Where histories are read, and what people do is recorded.
    pub log: Arc<dyn AuditLog>,
    /// What was spent.
    pub ledger: Arc<dyn Ledger>,
    /// What was asked before.
    pub sessions: Arc<dyn Sessions>,
    /// Where documents are put and records are read.
    pub objects: Arc<dyn Objects>,
    /// The workflows that can be asked for.
    pub catalog: Arc<Catalog<Bundle>>,
    /// Says what time it is.
    pub clock: Arc<dyn Clock>,
}
