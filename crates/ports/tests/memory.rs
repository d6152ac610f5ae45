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
mod executions {
    clinflow_ports::executions_suite!(async { super::memory::MemoryExecutions::default() });
}
mod joins {
    clinflow_ports::joins_suite!(async { super::memory::MemoryJoins::default() });
}
mod objects {
    clinflow_ports::objects_suite!(async { super::memory::MemoryObjects::default() });
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
