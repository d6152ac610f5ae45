//! Who calls, and which workflows they may use: one gate in front of both protocols.

mod claims;
mod keys;
mod settings;
mod signature;

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};
use clinflow_core::{Execution, WorkflowId};
use clinflow_ports::Clock;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use tokio_util::task::TaskTracker;

use crate::{auth::keys::Keys, config::Config, refusal::Refusal, trace};

pub use settings::{AuthSettings, JwtSettings, TokenUse};

/// The longest token that is looked at. Cognito's are below 3 KiB even with many groups.
const LONGEST_TOKEN: usize = 16 * 1024;

/// Somebody who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The token's subject, for the log: who asked is part of every access to a record.
    pub(crate) subject: String,
    allowed: Allowed,
    rights: Rights,
}

/// What a caller may do beside submitting and looking, to the executions that the caller sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rights {
    /// Replay, drop, redrive, rerun, abort.
    operate: bool,
    /// Settle review items.
    review: bool,
    /// The subject was proved by a token.
    proved: bool,
}

/// The workflows a caller may use.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    All,
    These(Arc<BTreeSet<WorkflowId>>),
}

impl Caller {
    /// Whoever calls in development mode.
    fn developer() -> Self {
        let rights = Rights { operate: true, review: true, proved: false };
        Self { subject: "developer".to_owned(), allowed: Allowed::All, rights }
    }

    /// Whether this caller may submit to `workflow`. The placeholder `auto` is granted like a workflow of its own,
    /// because behind it may be any.
    pub(crate) fn may(&self, workflow: &WorkflowId) -> bool {
        match &self.allowed {
            Allowed::All => true,
            Allowed::These(workflows) => workflows.contains(workflow),
        }
    }

    /// Refuses a caller who is no operator.
    pub(crate) const fn check_operator(&self) -> Result<(), Refusal> {
        if self.rights.operate { Ok(()) } else { Err(Refusal::NotOperator) }
    }

    /// Refuses a caller who is no reviewer.
    pub(crate) const fn check_reviewer(&self) -> Result<(), Refusal> {
        if self.rights.review { Ok(()) } else { Err(Refusal::NotReviewer) }
    }

    /// Who the audit log says it was: the token's subject, or who the caller says to be (`said`, in `field`) where
    /// calls are not authenticated. It must be a name as identity providers give them, not a sentence.
    pub(crate) fn name(&self, said: &str, field: &'static str) -> Result<String, Refusal> {
        let name = if self.rights.proved || said.is_empty() { &self.subject } else { said };
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-@:|+/=".contains(c);
        if name.is_empty() || name.len() > 128 || !name.chars().all(legal) {
            let expected = "1 to 128 of the characters a-z, A-Z, 0-9 and `._-@:|+/=`";
            return Err(Refusal::Unreadable { field, expected });
        }
        Ok(name.to_owned())
    }

    /// Whether this caller may see `execution`: who may use the workflow that was asked for, and, once it is
    /// settled, who may use the one it ran under.
    pub(crate) fn sees(&self, execution: &Execution) -> bool {
        self.may(&execution.requested_workflow) || self.may(execution.workflow())
    }
}

/// Lets callers in.
pub(crate) enum Gate {
    /// Everybody; the configuration allows it on a loopback address only.
    Open,
    /// Those with a token of the issuer.
    Jwt(Box<Tokens>),
}

/// Reads tokens.
pub(crate) struct Tokens {
    settings: JwtSettings,
    keys: Arc<Keys>,
    tasks: TaskTracker,
    clock: Arc<dyn Clock>,
}

impl Gate {
    /// The gate that `config` asks for. Keys are fetched when the first token comes.
    pub(crate) fn new(config: &Config, clock: Arc<dyn Clock>, tasks: &TaskTracker) -> anyhow::Result<Self> {
        Ok(match &config.auth {
            AuthSettings::None => Self::Open,
            AuthSettings::Jwt(settings) => {
                signature::install();
                let keys = Keys::new(settings, config.retry_after)?;
                let (settings, tasks) = (settings.as_ref().clone(), tasks.clone());
                Self::Jwt(Box::new(Tokens { settings, keys, tasks, clock }))
            }
        })
    }

    /// Who sent these headers.
    async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        match self {
            Self::Open => Ok(Caller::developer()),
            Self::Jwt(tokens) => tokens.caller(bearer(headers)?).await,
        }
    }
}

impl Tokens {
    async fn caller(&self, token: &str) -> Result<Caller, Refusal> {
        let malformed = Refusal::BadToken { why: "it is not a signed JWT" };
        let Ok(header) = decode_header(token) else { return Err(malformed) };
        // Asked before any key is looked up, so that nobody chooses the algorithm but us (RFC 8725 section 3.1).
        if header.alg != Algorithm::RS256 {
            return Err(Refusal::BadToken { why: "it is not signed with RS256" });
        }
        let id = header.kid.ok_or(Refusal::BadToken { why: "it names no key" })?;
        let key = self.keys.get(&id, &self.tasks).await?;
        let token = decode(token, &key, &signature_only())
            .map_err(|_| Refusal::BadToken { why: "its signature or its form is wrong" })?;
        claims::judge(&token.claims, &self.settings, self.clock.now())
    }
}

/// Checks the signature and nothing else: what the claims must say is [`claims::judge`]'s, by our clock.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

/// The bearer token of a request (RFC 6750 section 2.1; the scheme is case-insensitive).
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Refusal::NoToken)?;
    let value = value.to_str().map_err(|_| Refusal::NoToken)?;
    let (scheme, token) = value.split_once(' ').ok_or(Refusal::NoToken)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::NoToken);
    }
    if token.len() > LONGEST_TOKEN {
        return Err(Refusal::BadToken { why: "it is too long" });
    }
    Ok(token.trim())
}

/// Puts the caller into the request, or answers why there is none, in the request's own protocol.
pub(crate) async fn authenticate(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    match gate.caller(request.headers()).await {
        Ok(caller) => {
            trace::caller(&caller);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => refusal.answer(trace::is_grpc(&request)),
    }
}
