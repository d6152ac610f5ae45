//! Alerts in the log.

use async_trait::async_trait;
use clinflow_ports::{Alert, Alerts, StoreError, alerts::Severity};

/// The log. It always hears.
pub(crate) struct Log;

#[async_trait]
impl Alerts for Log {
    async fn raise(&self, alert: &Alert) -> Result<(), StoreError> {
        let Alert { id, name, severity, summary, description } = alert;
        match severity {
            Severity::Critical => tracing::error!(alert = name, id, description, "{summary}"),
            Severity::Warning => tracing::warn!(alert = name, id, description, "{summary}"),
        }
        Ok(())
    }
}
