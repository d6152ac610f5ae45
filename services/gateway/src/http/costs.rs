//! `GET /v1/costs` and `GET /v1/budgets`: what was spent, and what may be.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use clinflow_proto::v1;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    costs::Costing,
    http::{Parameters, Who},
    json,
    refusal::Refusal,
};

/// What the query of a report says.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Query {
    team: String,
    from: String,
    to: String,
    by: String,
    limit: u32,
}

/// Where money went.
pub(super) async fn report(
    State(costing): State<Arc<Costing>>,
    Extension(caller): Who,
    Parameters(query): Parameters<Query>,
) -> Result<Json<Value>, Refusal> {
    let Query { team, from, to, by, limit } = query;
    let request = v1::CostReportRequest { team_id: team, from, to, by, limit };
    Ok(Json(json::cost_report(&costing.report(&caller, &request).await?)))
}

/// How teams, workflows and agents stand.
pub(super) async fn budgets(
    State(costing): State<Arc<Costing>>,
    Extension(caller): Who,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(json::budgets(&costing.budgets(&caller).await?)))
}
