//! Errors as Bedrock writes them: the name in a header, the words in the body.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{Fault, Plan};

/// The header that names an error.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// An error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) name: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    /// A request that is not as Bedrock wants it.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, name: "ValidationException", message: message.into() }
    }

    /// Something that is not there.
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, name: "ResourceNotFoundException", message: message.into() }
    }

    /// A call without a signature.
    pub(crate) fn unsigned() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            name: "MissingAuthenticationTokenException",
            message: "Missing Authentication Token".to_owned(),
        }
    }

    /// The error that a fault is, for those that are one. It quotes what was asked, as real ones may.
    pub(crate) fn of(fault: Fault, quote: &str) -> Option<Self> {
        let (status, name) = match fault {
            Fault::Throttle => (429, "ThrottlingException"),
            Fault::Quota => (400, "ServiceQuotaExceededException"),
            Fault::NotReady => (429, "ModelNotReadyException"),
            Fault::Timeout => (408, "ModelTimeoutException"),
            Fault::ModelError => (424, "ModelErrorException"),
            Fault::Internal => (500, "InternalServerException"),
            Fault::Unavailable => (503, "ServiceUnavailableException"),
            Fault::Invalid => (400, "ValidationException"),
            Fault::Denied => (403, "AccessDeniedException"),
            Fault::Missing => (404, "ResourceNotFoundException"),
            _ => return None,
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Some(Self { status, name, message: format!("The request could not be processed: {quote}") })
    }

    /// The response; a throttled caller may be told how long to wait.
    pub(crate) fn response(&self, plan: &Plan) -> Response {
        let body = if self.name == "ModelErrorException" {
            json!({"message": self.message, "originalStatusCode": 500, "resourceName": "model"})
        } else {
            json!({"message": self.message})
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(ERROR_TYPE, HeaderValue::from_static(self.name));
        if let Some(wait) = plan.retry_after.filter(|_| self.name == "ThrottlingException") {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        response
    }
}
