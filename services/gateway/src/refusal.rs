//! Why the gateway does not do what it is asked: one code, one meaning, the same words over HTTP and gRPC.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use clinflow_core::{Failure, Verdict, WorkflowId, review::Decision};
use clinflow_ports::{BrokerError, StoreError};
use serde::Serialize;
use tonic::{Code, Status, metadata::MetadataValue};

/// The metadata key under which a gRPC status carries the code.
pub(crate) const CODE_METADATA: &str = "code";

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the document is empty")]
    Empty,
    #[error("the document is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the submission took longer than {} seconds", limit.as_secs())]
    TooSlow { limit: Duration },
    #[error("the upload ended before the document did")]
    Incomplete,
    #[error("no workflow `{workflow}`; leave it out to let the classifier choose")]
    UnknownWorkflow { workflow: WorkflowId },
    #[error("the declared media type is not one of a document; leave it out, or say what the bytes are")]
    UnsupportedMediaType,
    #[error("the document is declared as `{declared}` and does not begin like one")]
    MediaTypeMismatch { declared: &'static str },
    #[error("`{field}` cannot be read: {expected}")]
    Unreadable { field: &'static str, expected: &'static str },
    #[error("too many submissions are in hand")]
    Busy { after: Duration },
    #[error("no bearer token")]
    NoToken,
    #[error("the token is not accepted: {why}")]
    BadToken { why: &'static str },
    #[error("the issuer's keys cannot be had")]
    NoKeys { after: Duration },
    #[error("none of the caller's groups may use workflow `{workflow}`")]
    Forbidden { workflow: WorkflowId },
    #[error("none of the caller's groups may operate; `auth.jwt.operators` names those that may")]
    NotOperator,
    #[error("none of the caller's groups may review; `auth.jwt.reviewers` names those that may")]
    NotReviewer,
    #[error("no such parked message, or somebody else is looking at it just now")]
    UnknownParked,
    #[error("no such review item")]
    UnknownReview,
    #[error("the item was {decision} by {by} before")]
    ReviewSettled { decision: Decision, by: String },
    #[error("the execution is {status}: {instead}")]
    WrongState { status: clinflow_core::Status, instead: &'static str },
    #[error("somebody else changed the execution just now; look at it again")]
    Changed,
    #[error("no such execution")]
    UnknownExecution,
    #[error("the execution has no record yet")]
    NoRecord,
    #[error("too many executions are being watched")]
    TooManyWatchers { after: Duration },
    #[error("too many questions are being waited for")]
    TooManyQuestions { after: Duration },
    #[error("no answer within {} seconds; ask the same again to find it", limit.as_secs())]
    AnswerLate { limit: Duration, after: Duration },
    #[error("the question could not be answered: {code}; `clinflow show` has the step")]
    QuestionFailed { code: String },
    #[error("the broker takes no messages for now")]
    BrokerRefuses { after: Duration },
    #[error("the broker cannot be reached")]
    BrokerDown { after: Duration },
    #[error("`{store}` cannot be reached")]
    StoreDown { store: &'static str, after: Duration },
    #[error("no bundle is published; run `clinflow workflow publish`")]
    NoBundle { after: Duration },
    #[error("the gateway is going away; ask again")]
    Draining,
    #[error("the execution was watched for as long as one watch may last; ask again")]
    WatchedLongEnough,
    #[error("no such route")]
    UnknownRoute,
    #[error("another method is needed here")]
    WrongMethod,
    #[error("this should not have happened; the gateway's log says more")]
    Internal { code: &'static str },
}

/// How a refusal is said.
struct Words {
    code: &'static str,
    http: StatusCode,
    grpc: Code,
    after: Option<Duration>,
}

impl Refusal {
    /// The one table of codes. A code is stable: callers match it, and `docs/guide` lists it.
    fn words(&self) -> Words {
        let words = |code, http, grpc| Words { code, http, grpc, after: None };
        let wait = |code, http, grpc, after: &Duration| Words { code, http, grpc, after: Some(*after) };
        match self {
            Self::Empty => words("submit.empty", StatusCode::BAD_REQUEST, Code::InvalidArgument),
            // What tonic itself answers to a message above its limit.
            Self::TooLarge { .. } => {
                words("submit.too-large", StatusCode::PAYLOAD_TOO_LARGE, Code::OutOfRange)
            }
            Self::TooSlow { .. } => {
                words("submit.too-slow", StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded)
            }
            Self::Incomplete => words("submit.incomplete", StatusCode::BAD_REQUEST, Code::InvalidArgument),
            Self::UnknownWorkflow { .. } => {
                words("submit.unknown-workflow", StatusCode::BAD_REQUEST, Code::InvalidArgument)
            }
            Self::UnsupportedMediaType => words(
                "submit.unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Code::InvalidArgument,
            ),
            Self::MediaTypeMismatch { .. } => {
                words("submit.media-type-mismatch", StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument)
            }
            Self::Unreadable { .. } => {
                words("request.unreadable", StatusCode::BAD_REQUEST, Code::InvalidArgument)
            }
            Self::Busy { after } => {
                wait("submit.busy", StatusCode::TOO_MANY_REQUESTS, Code::ResourceExhausted, after)
            }
            Self::NoToken => words("auth.missing", StatusCode::UNAUTHORIZED, Code::Unauthenticated),
            Self::BadToken { .. } => words("auth.invalid", StatusCode::UNAUTHORIZED, Code::Unauthenticated),
            Self::NoKeys { after } => {
                wait("auth.unavailable", StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, after)
            }
            Self::Forbidden { .. } => words("auth.forbidden", StatusCode::FORBIDDEN, Code::PermissionDenied),
            Self::NotOperator => words("auth.not-operator", StatusCode::FORBIDDEN, Code::PermissionDenied),
            Self::NotReviewer => words("auth.not-reviewer", StatusCode::FORBIDDEN, Code::PermissionDenied),
            Self::UnknownParked => words("parked.unknown", StatusCode::NOT_FOUND, Code::NotFound),
            Self::UnknownReview => words("review.unknown", StatusCode::NOT_FOUND, Code::NotFound),
            Self::ReviewSettled { .. } => words("review.settled", StatusCode::CONFLICT, Code::AlreadyExists),
            Self::WrongState { .. } => {
                words("operation.wrong-state", StatusCode::CONFLICT, Code::FailedPrecondition)
            }
            Self::Changed => words("operation.changed", StatusCode::CONFLICT, Code::Aborted),
            Self::UnknownExecution => words("execution.unknown", StatusCode::NOT_FOUND, Code::NotFound),
            Self::NoRecord => words("execution.no-record", StatusCode::NOT_FOUND, Code::NotFound),
            Self::TooManyWatchers { after } => {
                wait("watch.too-many", StatusCode::TOO_MANY_REQUESTS, Code::ResourceExhausted, after)
            }
            Self::TooManyQuestions { after } => {
                wait("question.too-many", StatusCode::TOO_MANY_REQUESTS, Code::ResourceExhausted, after)
            }
            Self::AnswerLate { after, .. } => {
                wait("question.late", StatusCode::GATEWAY_TIMEOUT, Code::DeadlineExceeded, after)
            }
            Self::QuestionFailed { .. } => {
                words("question.failed", StatusCode::BAD_GATEWAY, Code::FailedPrecondition)
            }
            Self::BrokerRefuses { after } => {
                wait("broker.refused", StatusCode::TOO_MANY_REQUESTS, Code::ResourceExhausted, after)
            }
            Self::BrokerDown { after } => {
                wait("broker.unavailable", StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, after)
            }
            Self::StoreDown { after, .. } => {
                wait("store.unavailable", StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, after)
            }
            Self::NoBundle { after } => {
                wait("bundle.none", StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, after)
            }
            Self::Draining => words("gateway.draining", StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
            Self::WatchedLongEnough => {
                words("watch.ended", StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable)
            }
            Self::UnknownRoute => words("request.unknown-route", StatusCode::NOT_FOUND, Code::Unimplemented),
            Self::WrongMethod => {
                words("request.wrong-method", StatusCode::METHOD_NOT_ALLOWED, Code::Unimplemented)
            }
            Self::Internal { code } => words(code, StatusCode::INTERNAL_SERVER_ERROR, Code::Internal),
        }
    }

    /// Its stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.words().code
    }

    /// What a store could not do. What it said goes to the log: it may name hosts and tables.
    pub(crate) fn of_store(error: StoreError, after: Duration) -> Self {
        Self::of_failure(&error.into(), after)
    }

    /// What the broker could not do.
    pub(crate) fn of_broker(error: &BrokerError, after: Duration) -> Self {
        tracing::warn!(%error, "a request could not be served");
        match error {
            BrokerError::Refused { .. } => Self::BrokerRefuses { after },
            BrokerError::Unavailable(_)
            | BrokerError::Unroutable { .. }
            | BrokerError::Mismatch { .. }
            | BrokerError::Unsupported { .. } => Self::BrokerDown { after },
        }
    }

    /// What a part that is shared with the pipeline could not do.
    pub(crate) fn of_failure(failure: &Failure, after: Duration) -> Self {
        tracing::warn!(code = failure.code, error = %failure.source, "a request could not be served");
        match (failure.code, failure.verdict) {
            ("bundle.none", _) => Self::NoBundle { after },
            (_, Verdict::Retry { .. }) => Self::StoreDown { store: store_of(failure), after },
            (code, Verdict::Park | Verdict::Reject) => Self::Internal { code },
        }
    }
}

/// The store a failure is about.
fn store_of(failure: &Failure) -> &'static str {
    match failure.source.downcast_ref::<StoreError>() {
        Some(
            StoreError::Unavailable { store, .. }
            | StoreError::Corrupt { store, .. }
            | StoreError::Missing { store, .. },
        ) => store,
        None => "a store",
    }
}

/// Whole seconds, rounded up: what `Retry-After` can say.
fn seconds(after: Duration) -> u64 {
    after.as_secs() + u64::from(after.subsec_nanos() > 0)
}

/// The body of a refusal over HTTP (RFC 9457).
#[derive(Serialize)]
struct Problem {
    /// The kind of problem: our code, as a URN.
    r#type: String,
    /// The status' own words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What it is about this time.
    detail: String,
    /// Stable code.
    code: &'static str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let words = self.words();
        let problem = Problem {
            r#type: format!("urn:clinflow:problem:{}", words.code),
            title: words.http.canonical_reason().unwrap_or_default(),
            status: words.http.as_u16(),
            detail: self.to_string(),
            code: words.code,
        };
        let mut response = (words.http, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(after) = words.after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(after)));
        }
        if words.http == StatusCode::UNAUTHORIZED {
            // RFC 6750 section 3: a request without a token learns only the scheme.
            let challenge =
                if matches!(self, Self::NoToken) { "Bearer" } else { "Bearer error=\"invalid_token\"" };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let words = refusal.words();
        let mut status = Self::new(words.grpc, refusal.to_string());
        status.metadata_mut().insert(CODE_METADATA, MetadataValue::from_static(words.code));
        if let Some(after) = words.after {
            status.metadata_mut().insert("retry-after", MetadataValue::from(seconds(after)));
        }
        status
    }
}

impl Refusal {
    /// The answer to a request in its own protocol.
    pub(crate) fn answer(self, grpc: bool) -> Response {
        if grpc { Status::from(self).into_http::<Body>() } else { self.into_response() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_protocols_carry_the_same_code_and_the_same_wait() {
        let refusal = || Refusal::BrokerRefuses { after: Duration::from_millis(4_200) };
        let response = refusal().into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()["retry-after"], "5");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let status = Status::from(refusal());
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(status.metadata().get(CODE_METADATA).unwrap(), "broker.refused");
        assert_eq!(status.metadata().get("retry-after").unwrap(), "5");
    }

    #[test]
    fn what_a_store_said_stays_inside() {
        let error = StoreError::unavailable("executions", anyhow::anyhow!("connect to 192.0.2.7 refused"));
        let refusal = Refusal::of_store(error, Duration::from_secs(5));
        assert_eq!(refusal.code(), "store.unavailable");
        assert_eq!(refusal.to_string(), "`executions` cannot be reached");
    }

    #[test]
    fn the_guides_list_every_code() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide");
        let pages = std::fs::read_dir(folder).unwrap().map(|page| page.unwrap().path());
        let guide: String = pages
            .filter(|page| page.extension().is_some_and(|extension| extension == "md"))
            .map(|page| std::fs::read_to_string(page).unwrap())
            .collect();
        let source = include_str!("refusal.rs");
        let table = source.split_once("fn words(").unwrap().1.split_once("/// Its stable code.").unwrap().0;
        let codes: Vec<&str> = table.split('"').skip(1).step_by(2).collect();
        assert_eq!(codes.len(), 34);
        for code in codes {
            assert!(guide.contains(&format!("`{code}`")), "{code}");
        }
    }
}
