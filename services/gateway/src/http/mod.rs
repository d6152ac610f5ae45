//! The HTTP side: documents in, executions out, JSON and problems (RFC 9457).

mod audit;
mod costs;
mod documents;
mod events;
mod executions;
mod operations;
mod questions;
mod reviews;
mod views;

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::QueryRejection},
    http::{header, request::Parts},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use bytes::Bytes;
use clinflow_core::ExecutionId;
use serde::de::DeserializeOwned;

use crate::{
    ask::Asker, audit::Auditing, auth::Caller, costs::Costing, operate::Operator, provenance::Provenance,
    refusal::Refusal, reviews::Reviewing, show, show::Show, submit::Submitter, watch::Watcher,
};

/// The routes, by what guards them.
pub(crate) struct Routes {
    /// Those that take one document.
    pub(crate) one_document: Router,
    /// The others.
    pub(crate) others: Router,
}

/// The routes of the HTTP side.
pub(crate) fn routes(
    submitter: Arc<Submitter>,
    show: Arc<Show>,
    watcher: Watcher,
    operations: Operations,
) -> Routes {
    let one_document = Router::new().route("/v1/documents", post(documents::submit)).with_state(submitter);
    let others = Router::new()
        .route("/v1/executions", get(executions::list))
        .route("/v1/executions/{id}", get(executions::get))
        .route("/v1/executions/{id}/record", get(executions::record))
        .with_state(show)
        .merge(Router::new().route("/v1/executions/{id}/events", get(events::watch)).with_state(watcher))
        .merge(operations.routes());
    Routes { one_document, others }
}

/// What is behind the routes of operators, reviewers and auditors.
#[derive(Clone)]
pub(crate) struct Operations {
    pub(crate) provenance: Arc<Provenance>,
    pub(crate) auditing: Arc<Auditing>,
    pub(crate) operator: Arc<Operator>,
    pub(crate) reviewing: Arc<Reviewing>,
    pub(crate) costing: Arc<Costing>,
}

impl Operations {
    fn routes(self) -> Router {
        let trace =
            Router::new().route("/v1/executions/{id}/trace", get(audit::trace)).with_state(self.provenance);
        let audit = Router::new()
            .route("/v1/executions/{id}/audit", get(audit::verify))
            .route("/v1/executions/{id}/audit/records", get(audit::records))
            .with_state(self.auditing);
        let operate = Router::new()
            .route("/v1/parked", get(operations::list))
            .route("/v1/parked/{message}", get(operations::get))
            .route("/v1/parked/{message}/replay", post(operations::replay))
            .route("/v1/parked/{message}/drop", post(operations::drop))
            .route("/v1/executions/{id}/redrive", post(operations::redrive))
            .route("/v1/executions/{id}/rerun", post(operations::rerun))
            .route("/v1/executions/{id}/abort", post(operations::abort))
            .with_state(self.operator);
        let reviews = Router::new()
            .route("/v1/reviews", get(reviews::list))
            .route("/v1/reviews/{id}", get(reviews::get))
            .route("/v1/reviews/{id}/resolution", post(reviews::resolve))
            .with_state(self.reviewing);
        let costs = Router::new()
            .route("/v1/costs", get(costs::report))
            .route("/v1/budgets", get(costs::budgets))
            .with_state(self.costing);
        trace.merge(audit).merge(operate).merge(reviews).merge(costs)
    }
}

/// An answer that holds PHI, so that nothing between may keep it.
fn not_kept(value: serde_json::Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(value)).into_response()
}

/// A body in JSON; an empty one says nothing.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        // The parser's words would repeat what was said.
        let unreadable =
            || Refusal::Unreadable { field: "body", expected: "the JSON object that docs/guide describes" };
        let bytes = Bytes::from_request(request, state).await.map_err(|_| unreadable())?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|_| unreadable())
    }
}

/// The route that asks.
pub(crate) fn questions(asker: Arc<Asker>) -> Router {
    Router::new().route("/v1/executions/{id}/questions", post(questions::ask)).with_state(asker)
}

/// The caller that the gate let in.
type Who = Extension<Caller>;

/// The id in a path.
struct Id(ExecutionId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Ok(Path(id)) = Path::<String>::from_request_parts(parts, state).await else {
            return Err(Refusal::UnknownExecution);
        };
        show::execution_id(&id).map(Self)
    }
}

/// The parameters of a query. One that is not known is refused: a misspelt `workflow` would go to the classifier.
struct Parameters<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let read: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        match read {
            Ok(Query(read)) => Ok(Self(read)),
            // The parser's words would repeat the value.
            Err(_) => {
                Err(Refusal::Unreadable { field: "query", expected: "the parameters that docs/guide lists" })
            }
        }
    }
}
