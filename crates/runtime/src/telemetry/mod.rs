//! What operators see: logs, metrics, traces.

mod logs;
pub mod metrics;
mod panics;
mod trace;

pub use logs::{FilterHandle, Format, LogSettings, start};
pub use metrics::{Metrics, Outcome};
pub use trace::Flush;
pub(crate) use trace::{adopt, current_traceparent};
