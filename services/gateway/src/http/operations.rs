//! `/v1/parked...` and `POST /v1/executions/{id}/{redrive,rerun,abort}`: what operators do.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    http::{Body, Id, Parameters, Who},
    json,
    operate::{Operator, Said},
    refusal::Refusal,
};

/// What the query of a list says.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Query {
    code: String,
    limit: u32,
}

/// What comes with an operation.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Asked {
    reason: String,
    operator: String,
    current_bundle: bool,
}

impl Asked {
    fn said(&self) -> Said<'_> {
        Said { reason: &self.reason, operator: &self.operator }
    }
}

/// Parked messages, the longest waiting first.
pub(super) async fn list(
    State(operator): State<Arc<Operator>>,
    Extension(caller): Who,
    Parameters(query): Parameters<Query>,
) -> Result<Json<Value>, Refusal> {
    let parked = operator.list(&caller, query.limit, &query.code).await?;
    let messages: Vec<Value> = parked.messages.iter().map(json::parked).collect();
    Ok(Json(json!({"messages": messages, "waiting": parked.waiting})))
}

/// One parked message.
pub(super) async fn get(
    State(operator): State<Arc<Operator>>,
    Extension(caller): Who,
    Path(message): Path<String>,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(json::parked(&operator.get(&caller, &message).await?)))
}

/// Puts a parked message back to work.
pub(super) async fn replay(
    State(operator): State<Arc<Operator>>,
    Extension(caller): Who,
    Path(message): Path<String>,
    Body(asked): Body<Asked>,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(json::operation(&operator.replay(&caller, &message, asked.said()).await?)))
}

/// Gives a parked message up.
pub(super) async fn drop(
    State(operator): State<Arc<Operator>>,
    Extension(caller): Who,
    Path(message): Path<String>,
    Body(asked): Body<Asked>,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(json::operation(&operator.drop_parked(&caller, &message, asked.said()).await?)))
}

/// Lets an execution go on from where it failed.
pub(super) async fn redrive(
    State(operator): State<Arc<Operator>>,
    Extension(caller): Who,
    Id(id): Id,
    Body(asked): Body<Asked>,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(json::operation(&operator.redrive(&caller, id, asked.said()).await?)))
}

/// Makes a new execution of the same work.
pub(super) async fn rerun(
    State(operator): State<Arc<Operator>>,
    Extension(caller): Who,
    Id(id): Id,
    Body(asked): Body<Asked>,
) -> Result<Json<Value>, Refusal> {
    let done = operator.rerun(&caller, id, asked.said(), asked.current_bundle).await?;
    Ok(Json(json::operation(&done)))
}

/// Stops an execution for good.
pub(super) async fn abort(
    State(operator): State<Arc<Operator>>,
    Extension(caller): Who,
    Id(id): Id,
    Body(asked): Body<Asked>,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(json::operation(&operator.abort(&caller, id, asked.said()).await?)))
}
