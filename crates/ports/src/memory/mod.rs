//! Every port in memory, with the semantics of the real thing: for unit tests and for the embedded mode.

mod audit_log;
mod broker;
mod bundles;
mod claims;
mod clock;
mod counters;
mod executions;
mod joins;
mod ledger;
mod objects;
mod reviews;
mod sessions;

pub use audit_log::MemoryAuditLog;
pub use broker::MemoryBroker;
pub use bundles::MemoryBundles;
pub use claims::MemoryClaims;
pub use clock::ManualClock;
pub use counters::MemoryCounters;
pub use executions::MemoryExecutions;
pub use joins::MemoryJoins;
pub use ledger::MemoryLedger;
pub use objects::MemoryObjects;
pub use reviews::MemoryReviews;
pub use sessions::MemorySessions;

/// Takes a lock that a panicking holder may have poisoned: the maps behind these locks are consistent between
/// any two statements, so what is there is still good.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
