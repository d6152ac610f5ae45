//! Errors of the SDK, read: what they mean for the document and for its bill, in names and numbers only. What Bedrock
//! writes beside them may quote the request.

use std::{error::Error, time::Duration};

use aws_sdk_bedrockruntime::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use clinflow_ports::model::ModelError;

/// The longest name that is passed on, in characters.
const LONGEST_NAME: usize = 64;

/// What an error of a call means.
pub(crate) fn read<E>(error: &SdkError<E, HttpResponse>) -> ModelError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::TimeoutError(_) => ModelError::TimedOut,
        SdkError::DispatchFailure(failure) => {
            not_delivered(failure.as_connector_error().map(|error| error as _))
        }
        SdkError::ServiceError(said) => {
            let (code, message) = (said.err().code(), said.err().message().unwrap_or_default());
            let after = said.raw().headers().get("retry-after").and_then(seconds);
            said_by_service(code, message, said.raw().status().as_u16(), after)
        }
        SdkError::ConstructionFailure(_) => refused("unsendable request"),
        // An answer came, and nothing can be made of it.
        _ => failed("unreadable response"),
    }
}

/// What an error that Bedrock names means. Names first: they are exact. A status alone is what a proxy on the way, or an
/// error newer than this version, leaves.
fn said_by_service(code: Option<&str>, message: &str, status: u16, after: Option<Duration>) -> ModelError {
    let code = code.map(name).filter(|code| !code.is_empty());
    match code.as_deref() {
        Some("ThrottlingException" | "TooManyRequestsException" | "ServiceQuotaExceededException") => {
            return ModelError::Throttled { after };
        }
        Some("ModelTimeoutException") => return ModelError::TimedOut,
        Some(known @ ("ModelErrorException" | "ModelStreamErrorException")) => return failed(known),
        Some(
            known @ ("ModelNotReadyException"
            | "InternalServerException"
            | "ServiceUnavailableException"
            // Credentials are about to be replaced.
            | "ExpiredTokenException"),
        ) => return ModelError::Unavailable { code: known.to_owned() },
        Some("ValidationException") => return refused(&validation(message)),
        _ => {}
    }
    let code = code.unwrap_or_else(|| format!("HTTP {status}"));
    match status {
        429 => ModelError::Throttled { after },
        408 | 504 => ModelError::TimedOut,
        // A proxy lost the answer; Bedrock may have given it.
        424 | 502 => failed(&code),
        500..=599 => ModelError::Unavailable { code },
        400..=499 => refused(&code),
        _ => failed("unreadable response"),
    }
}

/// Why a request is not valid, as far as it is one of the mistakes people make: the message itself may quote the
/// request.
fn validation(message: &str) -> String {
    let message = message.to_lowercase();
    let known = [
        ("on-demand throughput", "needs an inference profile"),
        ("model identifier is invalid", "unknown model"),
        ("too long", "input is too long"),
        ("too many input tokens", "input is too long"),
        ("maximum tokens", "output limit is too high"),
        ("guardrail", "guardrail"),
        ("schema", "schema"),
    ];
    let known = known.iter().find(|(words, _)| message.contains(words));
    known.map_or_else(
        || "ValidationException".to_owned(),
        |(_, meaning)| format!("ValidationException: {meaning}"),
    )
}

/// A call that ended without an answer. Before there is a connection nothing was sent and nothing is billed; a
/// connection that breaks later may break after the model's work.
fn not_delivered(error: Option<&(dyn Error + 'static)>) -> ModelError {
    let mut is_transport = false;
    let mut is_connecting = false;
    let mut next = error;
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            is_transport = true;
            is_connecting |= error.is_connect();
        }
        next = error.source();
    }
    match (is_transport, is_connecting) {
        (true, false) => failed("connection lost"),
        (true, true) => ModelError::Unavailable { code: "no connection".to_owned() },
        // Names that do not resolve, credentials that are not found, time limits of connecting.
        (false, _) => ModelError::Unavailable { code: "not sent".to_owned() },
    }
}

/// A provider's word, cut down to what a name can be: nothing that a document says fits through.
pub(crate) fn name(word: &str) -> String {
    let is_name = word.len() <= LONGEST_NAME && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_name { word.to_owned() } else { "unreadable".to_owned() }
}

fn refused(code: &str) -> ModelError {
    ModelError::Refused { code: code.to_owned() }
}

fn failed(code: &str) -> ModelError {
    ModelError::Failed { code: code.to_owned() }
}

fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
