//! The tests every implementation of a port passes. A port's file holds `pub async fn` tests over a
//! `&dyn Port` and a macro that turns them into `#[tokio::test]`s for one implementation:
//!
//! ```ignore
//! clinflow_ports::claims_suite!(async { MemoryClaims::default() });
//! ```
//!
//! The expression makes a fresh implementation, or one whose keys no other test uses: every test draws ids of
//! its own from [`unique`].

pub mod audit_log;
pub mod broker;
pub mod bundles;
pub mod claims;
pub mod counters;
pub mod executions;
pub mod joins;
pub mod ledger;
pub mod objects;
pub mod reviews;
pub mod sessions;

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// An id no other test of this machine uses, so that suites can share one server.
pub fn unique() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    clinflow_core::id::derive(&[b"suite", &std::process::id().to_be_bytes(), &next.to_be_bytes()])
}

/// Turns the tests of a suite module into `#[tokio::test]`s.
#[macro_export]
macro_rules! suite_tests {
    ($module:ident, $make:expr, [$($test:ident),+ $(,)?]) => {
        $(
            #[tokio::test]
            async fn $test() {
                let implementation = $make.await;
                $crate::suite::$module::$test(&implementation).await;
            }
        )+
    };
}
