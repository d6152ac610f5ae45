//! `/v1/reviews...`: what people must settle.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    response::Response,
};
use clinflow_core::Phi;
use clinflow_proto::v1;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    http::{Body, Parameters, Who, not_kept},
    json,
    refusal::Refusal,
    reviews::{Reviewing, Said},
};

/// What the query of a list says.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Query {
    state: String,
    execution: String,
    limit: u32,
    page: String,
}

/// A decision.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Decided {
    decision: String,
    value: Phi,
    reviewer: String,
}

/// Review items, the oldest first.
pub(super) async fn list(
    State(reviewing): State<Arc<Reviewing>>,
    Extension(caller): Who,
    Parameters(query): Parameters<Query>,
) -> Result<Json<Value>, Refusal> {
    let Query { state, execution, limit, page } = query;
    let request =
        v1::ListReviewsRequest { state, execution_id: execution, page_size: limit, page_token: page };
    let page = reviewing.list(&caller, &request).await?;
    let items: Vec<Value> = page.items.iter().map(json::review).collect();
    let next = Some(page.next_page_token).filter(|token| !token.is_empty());
    Ok(Json(json!({"items": items, "next": next})))
}

/// One item with what it is about: PHI, which nothing between may keep.
pub(super) async fn get(
    State(reviewing): State<Arc<Reviewing>>,
    Extension(caller): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    Ok(not_kept(json::review(&reviewing.get(&caller, &id).await?)))
}

/// Settles an item.
pub(super) async fn resolve(
    State(reviewing): State<Arc<Reviewing>>,
    Extension(caller): Who,
    Path(id): Path<String>,
    Body(decided): Body<Decided>,
) -> Result<Json<Value>, Refusal> {
    let said = Said { decision: &decided.decision, value: decided.value, reviewer: &decided.reviewer };
    Ok(Json(json::resolution(&reviewing.resolve(&caller, &id, said).await?)))
}
