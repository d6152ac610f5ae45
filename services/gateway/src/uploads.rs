//! How many submissions may be in hand at once, and for how long: each holds a document in memory.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tonic::Code;

use crate::{
    config::Config,
    refusal::{CODE_METADATA, Refusal},
    trace::is_grpc,
};

/// Room for submissions.
#[derive(Clone)]
pub(crate) struct Uploads {
    room: Arc<Semaphore>,
    /// How long one may take.
    pub(crate) limit: Duration,
    retry_after: Duration,
    max_document: usize,
}

impl Uploads {
    /// The room that `config` gives.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            room: Arc::new(Semaphore::new(config.max_uploads)),
            limit: config.submit_timeout,
            retry_after: config.retry_after,
            max_document: config.max_document,
        }
    }

    /// Takes room for one, until the answer is dropped.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        self.room.clone().try_acquire_owned().map_err(|_| Refusal::Busy { after: self.retry_after })
    }

    /// The refusal of a submission that took too long.
    pub(crate) const fn too_slow(&self) -> Refusal {
        Refusal::TooSlow { limit: self.limit }
    }

    /// The refusal of a document that is too large.
    pub(crate) const fn too_large(&self) -> Refusal {
        Refusal::TooLarge { limit: self.max_document }
    }
}

/// Around the routes that take one document. Cancelling one that takes too long is safe wherever it is: what was
/// made durable is driven on by the sweeper, and the same document submitted again finds it.
pub(crate) async fn bounded(State(uploads): State<Uploads>, request: Request, next: Next) -> Response {
    let grpc = is_grpc(&request);
    let _room = match uploads.enter() {
        Ok(room) => room,
        Err(refusal) => return refusal.answer(grpc),
    };
    let Ok(mut response) = timeout(uploads.limit, next.run(request)).await else {
        return uploads.too_slow().answer(grpc);
    };
    // tonic refuses a message above its limit before we see it, and knows no codes.
    let out_of_range = HeaderValue::from(Code::OutOfRange as i32);
    if grpc
        && response.headers().get("grpc-status") == Some(&out_of_range)
        && !response.headers().contains_key(CODE_METADATA)
    {
        response.headers_mut().insert(CODE_METADATA, HeaderValue::from_static(uploads.too_large().code()));
    }
    response
}
