//! What operators see: logs, metrics, traces.

mod logs;
mod metrics;
mod trace;

pub(crate) use logs::{FilterHandle, start};
pub use logs::{Format, LogSettings};
pub use metrics::{Metrics, Outcome};
pub(crate) use trace::{adopt, current_traceparent};
