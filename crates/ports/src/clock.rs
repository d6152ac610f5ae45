//! Where the time comes from.

use jiff::Timestamp;

/// Says what time it is. The only source of time outside `runtime`'s system clock and tests.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}
