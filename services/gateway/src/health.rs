//! `grpc.health.v1`: whether calls make sense now. Open to everybody, as probes and load balancers need it.

use clinflow_ports::Health;
use clinflow_proto::v1;
use clinflow_runtime::Lifecycle;
use tokio::sync::watch;
use tonic_health::{
    ServingStatus,
    pb::health_server::{self, HealthServer},
    server::{HealthReporter, health_reporter},
};

/// What is reported on: the gateway as a whole, and its services.
const SERVICES: [&str; 6] = [
    "",
    v1::ingest_server::SERVICE_NAME,
    v1::executions_server::SERVICE_NAME,
    v1::audit_server::SERVICE_NAME,
    v1::operations_server::SERVICE_NAME,
    v1::reviews_server::SERVICE_NAME,
];

/// Those that serve until the gateway drains, because they need no broker, or say themselves when it is missing.
const STEADY: [&str; 4] = [
    v1::executions_server::SERVICE_NAME,
    v1::audit_server::SERVICE_NAME,
    v1::operations_server::SERVICE_NAME,
    v1::reviews_server::SERVICE_NAME,
];

/// The health service. `Ingest` serves while the broker takes messages; the others, and with them the gateway as a
/// whole, until it drains.
pub(crate) fn service(
    broker: watch::Receiver<Health>,
    life: &Lifecycle,
) -> HealthServer<impl health_server::Health> {
    let (reporter, server) = health_reporter();
    let soft = life.soft.clone();
    life.tasks.spawn(async move {
        tokio::select! {
            () = report(&reporter, broker) => soft.cancelled().await,
            () = soft.cancelled() => {}
        }
        stop(reporter).await;
    });
    server
}

/// Reports until the broker's health is no longer known.
async fn report(reporter: &HealthReporter, mut broker: watch::Receiver<Health>) {
    let serving = |yes| if yes { ServingStatus::Serving } else { ServingStatus::NotServing };
    for name in STEADY {
        reporter.set_service_status(name, ServingStatus::Serving).await;
    }
    loop {
        let takes_messages = *broker.borrow_and_update() == Health::Up;
        reporter.set_service_status(v1::ingest_server::SERVICE_NAME, serving(takes_messages)).await;
        if broker.changed().await.is_err() {
            return;
        }
    }
}

/// Says that nothing is served any more, and ends the streams of those who watch: they would keep connections
/// open and with them the drain.
async fn stop(mut reporter: HealthReporter) {
    for name in SERVICES {
        reporter.set_service_status(name, ServingStatus::NotServing).await;
    }
    for name in SERVICES {
        reporter.clear_service_status(name).await;
    }
}
