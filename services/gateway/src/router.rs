//! One port for both protocols: which routes there are, who guards them, and how they are served.

use std::{future::IntoFuture as _, net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use axum::{
    Router,
    extract::Request,
    middleware::{from_fn, from_fn_with_state},
    response::Response,
    serve::ListenerExt as _,
};
use clinflow_runtime::Lifecycle;
use tokio::net::TcpListener;

use crate::{
    ask::Asker,
    audit::Auditing,
    auth::{Gate, authenticate},
    config::Config,
    costs::Costing,
    grpc, health, http,
    operate::Operator,
    ports::Ports,
    provenance::Provenance,
    refusal::Refusal,
    reviews::Reviewing,
    show::Show,
    submit::Submitter,
    trace,
    uploads::{Uploads, bounded},
    watch::Watcher,
};

/// Builds the gateway's routes. `life` ends its streams and its health.
///
/// # Errors
///
/// A configuration that cannot be used ([`crate::Invalid`]).
pub fn build(config: &Config, ports: Ports, life: &Lifecycle) -> anyhow::Result<Router> {
    config.check()?;
    let gate = Arc::new(Gate::new(config, ports.clock.clone(), &life.tasks)?);
    let uploads = Uploads::new(config);
    let show = Show::new(ports.clone(), config.retry_after);
    let watcher = Watcher::new(config, show.clone(), life.soft.clone());
    let health = health::service(ports.broker.health(), life);
    let provenance = Provenance::new(ports.clone(), show.clone(), config.retry_after);
    let behind = http::Operations {
        costing: Costing::new(&ports, config.retry_after),
        auditing: Auditing::new(&ports, show.clone(), config.retry_after),
        operator: Operator::new(config, ports.clone(), show.clone()),
        reviewing: Reviewing::new(ports.clone(), provenance.clone(), config.retry_after),
        provenance,
    };
    let asker = Asker::new(config, ports.clone(), show.clone(), life.soft.clone());
    let submitter = Submitter::new(config, ports);

    let http = http::routes(submitter.clone(), show.clone(), watcher.clone(), behind.clone());
    let grpc = grpc::routes(config, submitter, show, watcher, uploads.clone(), behind, life.soft.clone());
    let one_document =
        http.one_document.merge(grpc.one_document).route_layer(from_fn_with_state(uploads, bounded));
    let guarded = one_document
        .merge(http.others)
        .merge(http::questions(asker.clone()))
        .merge(grpc::questions(asker))
        .merge(grpc.others)
        .route_layer(from_fn_with_state(gate, authenticate));
    Ok(grpc::open(guarded, health)?
        .method_not_allowed_fallback(async |request: Request| refuse(&request, Refusal::WrongMethod))
        .fallback(async |request: Request| refuse(&request, Refusal::UnknownRoute))
        .layer(from_fn(trace::observe)))
}

fn refuse(request: &Request, refusal: Refusal) -> Response {
    refusal.answer(trace::is_grpc(request))
}

/// Binds `config.listen` and serves there as a task of `life`; answers the address, which port 0 leaves open.
///
/// # Errors
///
/// A configuration that cannot be used ([`crate::Invalid`]), or an address that cannot be bound.
pub async fn start(config: Config, ports: Ports, life: &Lifecycle) -> anyhow::Result<SocketAddr> {
    let router = build(&config, ports, life)?;
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("bind `{}`", config.listen))?;
    let address = listener.local_addr()?;
    let serving = serve(listener, router, life.clone());
    let soft = life.soft.clone();
    life.tasks.spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "the gateway's port closed");
            // Nothing can be submitted any more: let the process be restarted.
            soft.cancel();
        }
    });
    Ok(address)
}

/// Serves the routes on `listener`, HTTP/1.1 and HTTP/2 without TLS. Once `life` is soft no connection is
/// accepted, streams end and what is in hand is finished; once it is hard, everything is let go.
///
/// # Errors
///
/// Those of the listener.
pub async fn serve(listener: TcpListener, router: Router, life: Lifecycle) -> std::io::Result<()> {
    tracing::info!(listen = %listener.local_addr()?, "taking documents");
    // Answers are small: without this each waits for the acknowledgement of the one before.
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(life.soft.cancelled_owned()).into_future();
    tokio::select! {
        ended = serving => ended,
        () = life.hard.cancelled() => Ok(()),
    }
}
