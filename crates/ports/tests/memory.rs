//! The in-memory implementations pass the suites of their ports.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]
#![cfg(feature = "suite")]

use clinflow_ports::{Broker as _, memory, topology::Topology};

mod audit_log {
    clinflow_ports::audit_log_suite!(async { super::memory::MemoryAuditLog::default() });
}
mod bundles {
    clinflow_ports::bundles_suite!(async { super::memory::MemoryBundles::default() });
}
mod claims {
    clinflow_ports::claims_suite!(async { super::memory::MemoryClaims::default() });
}
mod counters {
    clinflow_ports::counters_suite!(async {
        let clock = super::memory::ManualClock::at(jiff::Timestamp::from_second(4_000_000_000).unwrap());
        super::memory::MemoryCounters::new(std::sync::Arc::new(clock))
    });
}
mod executions {
    clinflow_ports::executions_suite!(async { super::memory::MemoryExecutions::default() });
}
mod joins {
    clinflow_ports::joins_suite!(async { super::memory::MemoryJoins::default() });
}
mod ledger {
    clinflow_ports::ledger_suite!(async { super::memory::MemoryLedger::default() });
}
mod objects {
    clinflow_ports::objects_suite!(async { super::memory::MemoryObjects::default() });
}
mod sessions {
    clinflow_ports::sessions_suite!(async { super::memory::MemorySessions::default() });
}
mod reviews {
    clinflow_ports::reviews_suite!(async { super::memory::MemoryReviews::default() });
}
mod broker {
    async fn broker() -> super::memory::MemoryBroker {
        use super::{Topology, memory::MemoryBroker};
        let broker = MemoryBroker::new();
        super::declare(&broker, &Topology::standard()).await;
        broker
    }
    clinflow_ports::broker_suite!(broker());
}

async fn declare(broker: &memory::MemoryBroker, topology: &Topology) {
    broker.declare(topology).await.unwrap();
}
