//! The HTTP server: routes, signatures, faults of the network, and the book of calls.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use clinflow_cost::Usage;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    Call, Fault, Operation, Plan,
    apply::{self, Guardrails},
    calls::Book,
    converse::{self, Answer, Kept},
    count,
    error::Refusal,
    models::Served,
    wire,
};

/// The largest body that is read: Bedrock takes 20 MB.
const LARGEST_BODY: usize = 20_000_000;

/// How long half of an answer lasts.
const CUT_AFTER: Duration = Duration::from_millis(50);

/// A server on this machine. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    state: Arc<Inner>,
    task: JoinSet<std::io::Result<()>>,
}

#[derive(Debug)]
struct Inner {
    plan: Plan,
    book: Book,
    kept: Kept,
    guardrails: Guardrails,
}

type Shared = State<Arc<Inner>>;

impl Server {
    /// Starts a server on a free port of the loopback interface.
    pub async fn start(plan: Plan) -> anyhow::Result<Self> {
        Self::bind(plan, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a server at `address`.
    pub async fn bind(plan: Plan, address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
        let address = listener.local_addr()?;
        let guardrails = Guardrails::new(&plan.guardrails);
        let state = Arc::new(Inner { plan, book: Book::default(), kept: Kept::default(), guardrails });
        let router = Router::new()
            .route("/model/{id}/converse", post(converse))
            .route("/model/{id}/count-tokens", post(count_tokens))
            .route("/guardrail/{id}/version/{version}/apply", post(apply_guardrail))
            .route("/calls", get(calls))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(Arc::clone(&state));
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, state, task })
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All calls so far, in the order they were dealt with.
    pub fn calls(&self) -> Vec<Call> {
        self.state.book.calls()
    }

    /// Serves until something ends it.
    pub async fn ended(mut self) -> anyhow::Result<()> {
        match self.task.join_next().await {
            Some(ended) => Ok(ended??),
            None => Ok(()),
        }
    }
}

/// What the network or the service says in place of an answer, or the answer.
enum Said {
    Answer(Answer),
    Refusal(Refusal),
    Nothing,
    Half,
    Proxy,
    Unreadable,
}

impl Said {
    /// What becomes of an answer. An error quotes what was asked, as real ones may.
    fn after(fault: Option<Fault>, answer: Answer, quote: &str) -> Self {
        match fault {
            Some(Fault::Hang) => Self::Nothing,
            Some(Fault::Reset) => Self::Half,
            Some(Fault::Proxy) => Self::Proxy,
            Some(Fault::Unreadable) => Self::Unreadable,
            Some(fault) => Refusal::of(fault, quote).map_or(Self::Answer(answer), Self::Refusal),
            None => Self::Answer(answer),
        }
    }

    /// Whether the call is on the bill.
    fn is_billed(&self, fault: Option<Fault>) -> bool {
        match self {
            Self::Answer(_) | Self::Nothing | Self::Half | Self::Proxy | Self::Unreadable => true,
            Self::Refusal(_) => fault == Some(Fault::Timeout),
        }
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(_) | Self::Unreadable => Some(200),
            Self::Refusal(refusal) => Some(refusal.status.as_u16()),
            Self::Nothing | Self::Half => None,
            Self::Proxy => Some(502),
        }
    }

    async fn response(self, plan: &Plan) -> Response {
        match self {
            Self::Answer(answer) => Json(answer.body).into_response(),
            Self::Refusal(refusal) => refusal.response(plan),
            Self::Nothing => {
                tokio::time::sleep(plan.hang).await;
                half()
            }
            Self::Half => half(),
            Self::Proxy => (StatusCode::BAD_GATEWAY, "<html>bad gateway</html>").into_response(),
            Self::Unreadable => (StatusCode::OK, "<html>please log in</html>").into_response(),
        }
    }
}

/// An answer that is begun and not ended.
fn half() -> Response {
    let begun = stream::once(async { Ok(Bytes::from_static(b"{\"output\":{")) });
    let cut = stream::once(async {
        // What was begun is under way by then.
        tokio::time::sleep(CUT_AFTER).await;
        Err(std::io::Error::other("cut"))
    });
    Body::from_stream(begun.chain(cut)).into_response()
}

async fn converse(State(state): Shared, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let path = format!("/model/{id}/converse");
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let hash = hash(&path, &body);
    let fault = state.book.fate(Operation::Converse, &hash, &state.plan);
    let deciding = Arc::clone(&state);
    let is_signed = is_signed(&headers);
    // Reading a long document takes longer than a task may keep its thread.
    let decided = tokio::task::spawn_blocking(move || decide(&deciding, &id, is_signed, &body, fault)).await;
    let Ok(Decided { said, usage, metadata }) = decided else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let billed = said.is_billed(fault);
    state.book.write(Call {
        operation: Operation::Converse,
        path,
        body: hash,
        metadata,
        status: said.status(),
        fault,
        billed,
        usage: if billed { usage } else { Usage::default() },
    });
    tokio::time::sleep(state.plan.latency).await;
    said.response(&state.plan).await
}

/// What is said to a call of Converse, what its answer costs, and who asked.
struct Decided {
    said: Said,
    usage: Usage,
    metadata: BTreeMap<String, String>,
}

fn decide(state: &Inner, id: &str, is_signed: bool, body: &Value, fault: Option<Fault>) -> Decided {
    let refused = |refusal| (Said::Refusal(refusal), Usage::default());
    let body: wire::Converse = match wire::read(body) {
        Ok(body) => body,
        Err(refusal) => {
            let (said, usage) = refused(refusal);
            return Decided { said, usage, metadata: BTreeMap::new() };
        }
    };
    let (said, usage) = answer(state, id, is_signed, &body, fault).unwrap_or_else(refused);
    Decided { said, usage, metadata: body.request_metadata }
}

/// What is said and what it costs, to who may ask and asks rightly.
fn answer(
    state: &Inner,
    id: &str,
    is_signed: bool,
    body: &wire::Converse,
    fault: Option<Fault>,
) -> Result<(Said, Usage), Refusal> {
    if !is_signed {
        return Err(Refusal::unsigned());
    }
    let served = Served::find(id)?;
    converse::check(served, body)?;
    let engine = match &body.guardrail_config {
        Some(config) => {
            let found = state.guardrails.find(&config.guardrail_identifier, &config.guardrail_version);
            Some(found.map_err(|refusal| Refusal::invalid(refusal.message))?)
        }
        None => None,
    };
    let answer = converse::answer(served, body, fault, engine, &state.plan, &state.kept)?;
    let usage = answer.usage;
    let (document, _) = converse::document_and_query(body);
    Ok((Said::after(fault, answer, document), usage))
}

async fn count_tokens(
    State(state): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = format!("/model/{id}/count-tokens");
    let answer = |body: &Value| {
        let counted = count::answer(Served::find(&id)?, &wire::read(body)?)?;
        Ok(json!({"inputTokens": counted}))
    };
    free(&state, Operation::CountTokens, path, &headers, &body, answer).await
}

async fn apply_guardrail(
    State(state): Shared,
    Path((id, version)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = format!("/guardrail/{id}/version/{version}/apply");
    let answer = |body: &Value| apply::answer(state.guardrails.find(&id, &version)?, &wire::read(body)?);
    free(&state, Operation::ApplyGuardrail, path, &headers, &body, answer).await
}

/// Deals with a call that is not on the bill of a model.
async fn free(
    state: &Inner,
    operation: Operation,
    path: String,
    headers: &HeaderMap,
    body: &Bytes,
    answer: impl FnOnce(&Value) -> Result<Value, Refusal>,
) -> Response {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let hash = hash(&path, &body);
    let fault = state.book.fate(operation, &hash, &state.plan);
    let said = match answer(&body).map(|body| Answer { body, usage: Usage::default() }) {
        _ if !is_signed(headers) => Said::Refusal(Refusal::unsigned()),
        Ok(answer) => Said::after(fault, answer, &body.to_string()),
        Err(refusal) => Said::Refusal(refusal),
    };
    let call = Call {
        operation,
        path,
        body: hash,
        metadata: BTreeMap::new(),
        status: said.status(),
        fault,
        billed: false,
        usage: Usage::default(),
    };
    state.book.write(call);
    said.response(&state.plan).await
}

async fn calls(State(state): Shared) -> Json<Vec<Call>> {
    Json(state.book.calls())
}

/// The same for the same question: who asks, and for which attempt, is no part of it.
fn hash(path: &str, body: &Value) -> String {
    let mut body = body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("requestMetadata");
    }
    hex::encode(Sha256::digest(format!("{path}\n{body}")))
}

fn is_signed(headers: &HeaderMap) -> bool {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    authorization.is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 ") || value.starts_with("Bearer "))
}
