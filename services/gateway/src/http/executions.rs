//! `GET /v1/executions...`: one, many, and the record of one.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    http::{Id, Parameters, Who, views},
    refusal::Refusal,
    show::{Show, Wanted},
};

/// What the query of a list says.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Query {
    status: String,
    limit: u32,
    page: String,
}

/// One execution with its history.
pub(super) async fn get(
    State(show): State<Arc<Show>>,
    Extension(caller): Who,
    Id(id): Id,
) -> Result<Json<views::Detail>, Refusal> {
    let execution = show.execution(&caller, id).await?;
    let history = show.history(&execution).await?;
    Ok(Json(views::Detail::of(&execution, history)))
}

/// Executions, newest first.
pub(super) async fn list(
    State(show): State<Arc<Show>>,
    Extension(caller): Who,
    Parameters(query): Parameters<Query>,
) -> Result<Json<views::List>, Refusal> {
    let page = show.list(&caller, Wanted::read(&query.status, query.limit, &query.page)?).await?;
    Ok(Json(views::List::of(page)))
}

/// The record of an execution, as the reporter wrote it. It holds PHI, so that nothing between may keep it.
pub(super) async fn record(
    State(show): State<Arc<Show>>,
    Extension(caller): Who,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let record = show.record(&caller, id).await?;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, record).into_response())
}
