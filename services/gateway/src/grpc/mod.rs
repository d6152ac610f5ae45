//! The gRPC side: the services of `clinflow.v1`, health and reflection. Refusals carry their code in the metadata
//! `code`.

mod audit;
mod costs;
mod executions;
mod ingest;
mod operations;
mod questions;
mod reviews;
pub(crate) mod words;

use std::{pin::Pin, sync::Arc};

use axum::Router;
use clinflow_core::ExecutionId;
use clinflow_proto::{
    DESCRIPTORS,
    v1::{
        self, audit_server::AuditServer, costs_server::CostsServer, executions_server::ExecutionsServer,
        ingest_server::IngestServer, operations_server::OperationsServer, questions_server::QuestionsServer,
        reviews_server::ReviewsServer,
    },
};
use futures_util::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};
use tonic_health::pb::health_server::{Health, HealthServer};

use crate::{
    ask::Asker,
    auth::Caller,
    config::Config,
    http::Operations,
    refusal::Refusal,
    show::Show,
    submit::Submitter,
    uploads::Uploads,
    watch::{Depth, Watcher},
};

/// What a submission may have beside its document: names and ids have a few hundred bytes.
const BESIDE_DOCUMENT: usize = 64 * 1024;

/// A stream of answers.
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The routes, by what guards them.
pub(crate) struct Routes {
    /// Those that take one document.
    pub(crate) one_document: Router,
    /// The others.
    pub(crate) others: Router,
}

/// The routes of the gRPC side. Methods are routes of their own, so that the log names them and only the one that
/// takes a document counts as an upload.
pub(crate) fn routes(
    config: &Config,
    submitter: Arc<Submitter>,
    show: Arc<Show>,
    watcher: Watcher,
    uploads: Uploads,
    behind: Operations,
    soft: CancellationToken,
) -> Routes {
    let ingest = ingest::Service {
        submitter,
        watcher: watcher.clone(),
        uploads,
        in_flight: config.stream_in_flight,
        soft,
    };
    let ingest = IngestServer::new(ingest)
        .max_decoding_message_size(config.max_document.saturating_add(BESIDE_DOCUMENT));
    let Operations { provenance, auditing, operator, reviewing, costing } = behind;
    let executions = ExecutionsServer::new(executions::Service { show, watcher, provenance });
    let audit = AuditServer::new(audit::Service { auditing });
    let operations = OperationsServer::new(operations::Service { operator });
    let reviews = ReviewsServer::new(reviews::Service { reviewing });
    let costs = CostsServer::new(costs::Service { costing });
    let one_document = Router::new().route_service("/clinflow.v1.Ingest/Submit", ingest.clone());
    let others = Router::new()
        .route_service("/clinflow.v1.Ingest/SubmitStream", ingest.clone())
        .route_service("/clinflow.v1.Ingest/Watch", ingest)
        .route_service("/clinflow.v1.Executions/Get", executions.clone())
        .route_service("/clinflow.v1.Executions/List", executions.clone())
        .route_service("/clinflow.v1.Executions/Watch", executions.clone())
        .route_service("/clinflow.v1.Executions/Trace", executions)
        .route_service("/clinflow.v1.Audit/Verify", audit.clone())
        .route_service("/clinflow.v1.Audit/Export", audit)
        .route_service("/clinflow.v1.Operations/ListParked", operations.clone())
        .route_service("/clinflow.v1.Operations/GetParked", operations.clone())
        .route_service("/clinflow.v1.Operations/ReplayParked", operations.clone())
        .route_service("/clinflow.v1.Operations/DropParked", operations.clone())
        .route_service("/clinflow.v1.Operations/Redrive", operations.clone())
        .route_service("/clinflow.v1.Operations/Rerun", operations.clone())
        .route_service("/clinflow.v1.Operations/Abort", operations)
        .route_service("/clinflow.v1.Reviews/List", reviews.clone())
        .route_service("/clinflow.v1.Reviews/Get", reviews.clone())
        .route_service("/clinflow.v1.Reviews/Resolve", reviews)
        .route_service("/clinflow.v1.Costs/Report", costs.clone())
        .route_service("/clinflow.v1.Costs/Budgets", costs);
    Routes { one_document, others }
}

/// The route that asks.
pub(crate) fn questions(asker: Arc<Asker>) -> Router {
    let questions = QuestionsServer::new(questions::Service { asker });
    Router::new().route_service("/clinflow.v1.Questions/Ask", questions)
}

/// Adds what is open to everybody: health, and the description of the interface, which holds no data.
pub(crate) fn open(router: Router, health: HealthServer<impl Health>) -> anyhow::Result<Router> {
    let describe = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    Ok(router
        .route_service("/grpc.health.v1.Health/{method}", health)
        .route_service("/grpc.reflection.v1.ServerReflection/{method}", describe().build_v1()?)
        // What most clients still ask first.
        .route_service("/grpc.reflection.v1alpha.ServerReflection/{method}", describe().build_v1alpha()?))
}

/// The caller that the gate let in.
fn caller<T>(request: &Request<T>) -> Result<Caller, Refusal> {
    request.extensions().get().cloned().ok_or(Refusal::NoToken)
}

/// An execution each time its status changes, until it is terminal.
async fn watch(watcher: &Watcher, caller: Caller, id: ExecutionId) -> Result<Answers<v1::Execution>, Status> {
    let news = watcher.watch(caller, id, Depth::Status).await?;
    Ok(Box::pin(news.map(|news| Ok(words::execution(&news?.execution)))))
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn every_method_of_the_contract_has_a_route() {
        let source = include_str!("mod.rs");
        let files = prost_types::FileDescriptorSet::decode(DESCRIPTORS).unwrap();
        let mut methods = 0;
        for service in files.file.iter().flat_map(|file| &file.service) {
            for method in &service.method {
                let route = format!("\"/clinflow.v1.{}/{}\"", service.name(), method.name());
                assert!(source.contains(&route), "{route}");
                methods += 1;
            }
        }
        assert_eq!(methods, 22);
    }
}
