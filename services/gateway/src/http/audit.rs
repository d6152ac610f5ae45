//! `GET /v1/executions/{id}/{trace,audit,audit/records}`: where values come from, and whether that can be believed.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt as _;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    audit::Auditing,
    http::{Id, Parameters, Who, not_kept},
    json,
    provenance::{Provenance, Selector},
    refusal::Refusal,
};

/// What the query of a trace says.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Query {
    field: String,
}

/// Where the wanted fields come from: PHI, which nothing between may keep.
pub(super) async fn trace(
    State(provenance): State<Arc<Provenance>>,
    Extension(caller): Who,
    Id(id): Id,
    Parameters(query): Parameters<Query>,
) -> Result<Response, Refusal> {
    let traced = provenance.trace(&caller, id, Selector::read(&query.field)?).await?;
    Ok(not_kept(json::trace(&traced)))
}

/// Whether the chain of an execution verifies.
pub(super) async fn verify(
    State(auditing): State<Arc<Auditing>>,
    Extension(caller): Who,
    Id(id): Id,
) -> Result<Json<Value>, Refusal> {
    let checked: Vec<_> = auditing.verify(caller, Some(id)).try_collect().await?;
    checked.first().map(|chain| Json(json::verified(chain))).ok_or(Refusal::UnknownExecution)
}

/// Every record of an execution, one on each line.
pub(super) async fn records(
    State(auditing): State<Arc<Auditing>>,
    Extension(caller): Who,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let records: Vec<_> = auditing.export(caller, Some(id)).try_collect().await?;
    let lines: String = records.into_iter().flat_map(|record| [record.json, "\n".to_owned()]).collect();
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response())
}
