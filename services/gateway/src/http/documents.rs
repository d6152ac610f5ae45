//! `POST /v1/documents`: the body is the document, the query says what it is for.
//!
//! The name comes in a header, percent-encoded, and never in the query: names can identify patients, and URLs end
//! up in the logs of everything between the submitter and us.

use std::{borrow::Cow, sync::Arc};

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use clinflow_core::Phi;
use futures_util::StreamExt as _;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::{
    http::{Parameters, Who, views},
    refusal::Refusal,
    submit::{Said, Submitter, Wish},
    trace,
};

/// The document's name: UTF-8, percent-encoded.
const NAME: &str = "clinflow-name";

/// How much is reserved for a document whose size is not declared, or is declared without being sent yet.
const FIRST: usize = 64 * 1024;

/// What the query says.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Query {
    workflow: String,
    session: String,
    team: String,
    lane: String,
}

/// Takes a document. Everything that can be wrong without it is found before a byte of it is read: a client that
/// waits for `100 Continue` then sends none.
pub(super) async fn submit(
    State(submitter): State<Arc<Submitter>>,
    Extension(caller): Who,
    Parameters(query): Parameters<Query>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let wish = Wish::try_from(Said {
        media_type: text(&headers, header::CONTENT_TYPE.as_str())?,
        workflow: &query.workflow,
        session: &query.session,
        team: &query.team,
        lane: &query.lane,
        name: name(&headers)?,
    })?;
    if let Some(length) =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok())
    {
        submitter.check_size(length)?;
    }
    let admission = submitter.admit(&caller, wish).await?;
    let document = read(&submitter, body).await?;
    let submitted = submitter.submit(admission, document, trace::traceparent(&headers)).await?;
    let status = if submitted.existing { StatusCode::OK } else { StatusCode::ACCEPTED };
    let location = format!("/v1/executions/{}", submitted.execution.id);
    Ok((status, [(header::LOCATION, location)], Json(views::Execution::of(&submitted.execution)))
        .into_response())
}

/// Reads the body, and stops as soon as it is too large.
async fn read(submitter: &Submitter, body: Body) -> Result<Bytes, Refusal> {
    let mut chunks = body.into_data_stream();
    let mut document = BytesMut::with_capacity(FIRST);
    while let Some(chunk) = chunks.next().await {
        // The connection broke: nobody hears this, and nothing has happened.
        let chunk = chunk.map_err(|_| Refusal::Incomplete)?;
        submitter.check_size(document.len() + chunk.len())?;
        document.extend_from_slice(&chunk);
    }
    Ok(document.freeze())
}

fn name(headers: &HeaderMap) -> Result<Phi, Refusal> {
    let encoded = text(headers, NAME)?;
    let decoded: Cow<'_, str> = percent_decode_str(encoded)
        .decode_utf8()
        .map_err(|_| Refusal::Unreadable { field: NAME, expected: "percent-encoded UTF-8" })?;
    Ok(Phi::new(decoded))
}

/// A header's text; empty when there is none.
fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Refusal> {
    match headers.get(name).map(|value| value.to_str()) {
        None => Ok(""),
        Some(Ok(value)) => Ok(value),
        Some(Err(_)) => Err(Refusal::Unreadable { field: name, expected: "printable ASCII" }),
    }
}
