//! What went wrong and was survived, counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts since the process connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Connections that were lost and made again, both kinds together.
    pub reconnects: u64,
    /// Consumers whose channel was lost and that were registered again.
    pub resubscribes: u64,
    /// Acks and releases on a channel that was gone: the broker hands these messages out again.
    pub stale_acks: u64,
    /// Publishes nobody was bound for.
    pub returned: u64,
    /// Publishes the broker refused after it had received them.
    pub nacked: u64,
    /// Publishes that were not confirmed in time.
    pub timeouts: u64,
    /// Consumers that were silent although their queue was not empty.
    pub watchdog_rebuilds: u64,
    /// Times the topology was declared again because a queue or exchange was gone.
    pub redeclared: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) reconnects: AtomicU64,
    pub(crate) resubscribes: AtomicU64,
    pub(crate) stale_acks: AtomicU64,
    pub(crate) returned: AtomicU64,
    pub(crate) nacked: AtomicU64,
    pub(crate) timeouts: AtomicU64,
    pub(crate) watchdog_rebuilds: AtomicU64,
    pub(crate) redeclared: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            reconnects: self.reconnects.load(Relaxed),
            resubscribes: self.resubscribes.load(Relaxed),
            stale_acks: self.stale_acks.load(Relaxed),
            returned: self.returned.load(Relaxed),
            nacked: self.nacked.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            watchdog_rebuilds: self.watchdog_rebuilds.load(Relaxed),
            redeclared: self.redeclared.load(Relaxed),
        }
    }
}

/// Counts one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
