//! One span and one line of log a request: which route, how long, how it ended. Never a path, a query, a name or
//! text, because a path can hold what its caller put there by mistake.

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use clinflow_core::ExecutionId;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field::Empty};

use crate::auth::Caller;

/// W3C trace context, as it comes with requests and goes on with messages.
pub(crate) const TRACEPARENT: &str = "traceparent";

/// Whether a request speaks gRPC.
pub(crate) fn is_grpc(request: &Request) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.starts_with(b"application/grpc"))
}

/// The trace a request belongs to, if its header says so in the form of version 00
/// (<https://www.w3.org/TR/trace-context/>, section 3.2): anything else does not go on.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(TRACEPARENT)?.to_str().ok()?;
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = value.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let valid =
        version == "00" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2) && parts.next().is_none();
    let zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    (valid && !zero(trace) && !zero(parent)).then(|| value.to_owned())
}

/// Puts a request into a span and says how it ended.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
    let span = tracing::info_span!("request", method = %request.method(), route, caller = Empty, execution = Empty,
        traceparent = traceparent(request.headers()));
    let began = Instant::now();
    async {
        let response = next.run(request).await;
        let grpc_status = response.headers().get("grpc-status").and_then(|status| status.to_str().ok());
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = response.status().as_u16(), grpc_status, millis, "answered");
        response
    }
    .instrument(span)
    .await
}

/// Says who calls, in the span of the request.
pub(crate) fn caller(caller: &Caller) {
    Span::current().record("caller", caller.subject.as_str());
}

/// Says which execution the request is about, in its span.
pub(crate) fn execution(id: ExecutionId) {
    Span::current().record("execution", tracing::field::display(id));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_trace_context_goes_on() {
        let read = |value: &str| {
            traceparent(&HeaderMap::from_iter([(
                axum::http::HeaderName::from_static(TRACEPARENT),
                value.parse().unwrap(),
            )]))
        };
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(read(good).as_deref(), Some(good));
        for bad in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "Jane Roe",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
