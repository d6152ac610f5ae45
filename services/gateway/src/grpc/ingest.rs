//! The service `Ingest`.

use std::sync::Arc;

use clinflow_core::Phi;
use clinflow_proto::v1::{
    Execution, SubmitError, SubmitRequest, SubmitResponse, SubmitStreamResponse, WatchRequest,
    ingest_server::Ingest, submit_stream_response::Result as Became,
};
use futures_util::{
    Stream, StreamExt as _,
    stream::{iter, unfold},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, Streaming};
use tracing::{Instrument as _, Span, field::Empty};

use crate::{
    auth::Caller,
    grpc::{Answers, caller, watch, words},
    refusal::Refusal,
    show::execution_id,
    submit::{Said, Submitted, Submitter, Wish},
    trace,
    uploads::Uploads,
    watch::Watcher,
};

/// Takes documents.
pub(super) struct Service {
    pub(super) submitter: Arc<Submitter>,
    pub(super) watcher: Watcher,
    pub(super) uploads: Uploads,
    /// How many documents of one stream are in hand at once.
    pub(super) in_flight: usize,
    pub(super) soft: CancellationToken,
}

/// What came next on a stream of submissions.
enum Next {
    /// A document.
    Document(Box<SubmitRequest>),
    /// A document that cannot be read.
    Refused(Refusal),
}

#[tonic::async_trait]
impl Ingest for Service {
    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        let caller = caller(&request)?;
        let traceparent = trace::traceparent(request.metadata().as_ref());
        let submitted = submit(&self.submitter, &caller, request.into_inner(), traceparent).await?;
        Ok(Response::new(words::submitted(&submitted)))
    }

    type SubmitStreamStream = Answers<SubmitStreamResponse>;

    async fn submit_stream(
        &self,
        request: Request<Streaming<SubmitRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        let room = self.uploads.enter()?;
        let caller = Arc::new(caller(&request)?);
        let traceparent = trace::traceparent(request.metadata().as_ref());
        let (submitter, span) = (self.submitter.clone(), Span::current());
        let documents = documents(request.into_inner(), self.uploads.clone(), self.soft.clone()).enumerate();
        let answers = documents.map(move |(position, next)| {
            // Held until the stream is dropped.
            let _ = &room;
            let (submitter, caller, traceparent) = (submitter.clone(), caller.clone(), traceparent.clone());
            // The request's own span ends with its first answer.
            let span = tracing::info_span!(parent: &span, "document", position, execution = Empty);
            let became = async move {
                let result = match next? {
                    Next::Document(document) => submit(&submitter, &caller, *document, traceparent).await,
                    Next::Refused(refusal) => Err(refusal),
                };
                Ok(answer(position as u64, result))
            };
            became.instrument(span)
        });
        Ok(Response::new(Box::pin(answers.buffered(self.in_flight))))
    }

    type WatchStream = Answers<Execution>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let id = execution_id(&request.get_ref().execution_id)?;
        Ok(Response::new(watch(&self.watcher, caller(&request)?, id).await?))
    }
}

/// Takes one document.
async fn submit(
    submitter: &Submitter,
    caller: &Caller,
    request: SubmitRequest,
    traceparent: Option<String>,
) -> Result<Submitted, Refusal> {
    let wish = Wish::try_from(Said {
        media_type: &request.media_type,
        workflow: &request.workflow_id,
        session: &request.session_id,
        team: &request.team_id,
        lane: &request.lane,
        name: Phi::new(request.name),
    })?;
    let admission = submitter.admit(caller, wish).await?;
    submitter.submit(admission, request.content, traceparent).await
}

/// The documents of a stream. It ends with a status when its sender waits too long, when the gateway drains, and
/// after a message that is too large: the bytes behind its length are not read, so nothing can follow it.
fn documents(
    requests: Streaming<SubmitRequest>,
    uploads: Uploads,
    soft: CancellationToken,
) -> impl Stream<Item = Result<Next, Status>> + Send {
    let read = unfold(Some(requests), move |requests| {
        let (uploads, soft) = (uploads.clone(), soft.clone());
        async move {
            let mut requests = requests?;
            let next = tokio::select! {
                biased;
                () = soft.cancelled() => Err(Refusal::Draining.into()),
                next = timeout(uploads.limit, requests.message()) => next.unwrap_or_else(|_| Err(uploads.too_slow().into())),
            };
            match next {
                Ok(Some(document)) => Some((vec![Ok(Next::Document(Box::new(document)))], Some(requests))),
                Ok(None) => None,
                Err(status) if status.code() == Code::OutOfRange => {
                    let ended = Err(uploads.too_large().into());
                    Some((vec![Ok(Next::Refused(uploads.too_large())), ended], None))
                }
                Err(status) => Some((vec![Err(status)], None)),
            }
        }
    });
    read.flat_map(iter)
}

/// What became of the document at `position`.
fn answer(position: u64, result: Result<Submitted, Refusal>) -> SubmitStreamResponse {
    let result = match result {
        Ok(submitted) => Became::Submitted(words::submitted(&submitted)),
        Err(refusal) => {
            Became::Error(SubmitError { code: refusal.code().to_owned(), message: refusal.to_string() })
        }
    };
    SubmitStreamResponse { position, result: Some(result) }
}
