//! `GET /v1/executions/{id}/events`: server-sent events, one for each change, until the execution is terminal.
//!
//! An event's id says what it told (`<status>.<steps>`). A browser connects again when the stream ends and sends
//! the last id: after a terminal one it is answered 204, which is how it is told to stop.

use std::convert::Infallible;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use clinflow_core::Status;
use futures_util::StreamExt as _;

use crate::{
    http::{Id, Who, views},
    refusal::Refusal,
    watch::{Depth, News, Watcher},
};

/// Watches an execution.
pub(super) async fn watch(
    State(watcher): State<Watcher>,
    Extension(caller): Who,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if headers.get("last-event-id").is_some_and(|last| ended_with(last.as_bytes())) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let keep_alive = KeepAlive::new().interval(watcher.keep_alive());
    let news = watcher.watch(caller, id, Depth::Steps).await?;
    // A refusal has no place in a stream of events: it ends, and whoever connects again is told properly.
    let events = news.filter_map(async |news| news.ok().map(|news| Ok::<_, Infallible>(event(news))));
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// Whether an event id says that the execution was terminal.
fn ended_with(last: &[u8]) -> bool {
    let status = last.split(|byte| *byte == b'.').next().and_then(|status| std::str::from_utf8(status).ok());
    status.and_then(Status::parse).is_some_and(Status::is_terminal)
}

fn event(news: News) -> Event {
    let id = format!("{}.{}", news.execution.status, news.told);
    let view = views::News { execution: views::Execution::of(&news.execution), steps: news.steps };
    let data = serde_json::to_string(&view).expect("a view holds strings, numbers and lists only");
    Event::default().event("execution").id(id).data(data)
}

#[cfg(test)]
mod tests {
    use super::ended_with;

    #[test]
    fn a_watcher_who_was_told_the_end_is_told_to_stop() {
        assert!(ended_with(b"completed.7") && ended_with(b"needs-review.0"));
        assert!(
            !ended_with(b"running.0")
                && !ended_with(b"parked.2")
                && !ended_with(b"")
                && !ended_with(b"\xff.")
        );
    }
}
