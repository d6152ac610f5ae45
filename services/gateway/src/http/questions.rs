//! `POST /v1/executions/{id}/questions`: a question in the body, its answer in the response. Both are PHI: words of
//! a question never stand in a URL, and nothing between may keep the answer.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{State, rejection::JsonRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    ask::{Asker, Wish},
    http::{Id, Who},
    refusal::Refusal,
    trace,
};

/// What the body says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    question: String,
    #[serde(default)]
    session: String,
}

/// Asks, and waits for the answer.
pub(super) async fn ask(
    State(asker): State<Arc<Asker>>,
    Extension(caller): Who,
    Id(id): Id,
    headers: HeaderMap,
    body: Result<Json<Asked>, JsonRejection>,
) -> Result<Response, Refusal> {
    // The parser's words would repeat the question.
    let Json(asked) = body.map_err(|_| Refusal::Unreadable {
        field: "body",
        expected: "JSON: {\"question\": \"...\", \"session\": \"...\"}",
    })?;
    let wish = Wish::read(&asked.question, &asked.session)?;
    let answer = asker.ask(&caller, id, wish, trace::traceparent(&headers)).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}
