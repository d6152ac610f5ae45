//! The HTTP side: documents in, executions out, JSON and problems (RFC 9457).

mod documents;
mod events;
mod executions;
mod views;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{FromRequestParts, Path, Query, rejection::QueryRejection},
    http::request::Parts,
    routing::{get, post},
};
use clinflow_core::ExecutionId;
use serde::de::DeserializeOwned;

use crate::{auth::Caller, refusal::Refusal, show, show::Show, submit::Submitter, watch::Watcher};

/// The routes, by what guards them.
pub(crate) struct Routes {
    /// Those that take one document.
    pub(crate) one_document: Router,
    /// The others.
    pub(crate) others: Router,
}

/// The routes of the HTTP side.
pub(crate) fn routes(submitter: Arc<Submitter>, show: Arc<Show>, watcher: Watcher) -> Routes {
    let one_document = Router::new().route("/v1/documents", post(documents::submit)).with_state(submitter);
    let others = Router::new()
        .route("/v1/executions", get(executions::list))
        .route("/v1/executions/{id}", get(executions::get))
        .route("/v1/executions/{id}/record", get(executions::record))
        .with_state(show)
        .merge(Router::new().route("/v1/executions/{id}/events", get(events::watch)).with_state(watcher));
    Routes { one_document, others }
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
