//! The server: connections with bounds, and an end in good order.

use std::{convert::Infallible, future::Future, io, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::FromRequestParts, http::request::Parts};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    pin,
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// How long a client may take to send the head of a request, and how long an idle connection is kept.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// The most bytes of a request's head; what the API itself allows is less, and is told better.
const MAX_HEAD_BYTES: usize = 256 * 1024;
/// The most connections at once; others wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;
/// How long requests that are under way may take once the server is to stop.
const STOP_TIME: Duration = Duration::from_secs(10);
/// How long to wait when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Says that the server is to stop, so that what waits long (a claim, a stream) can end early.
///
/// As an extractor it never fails; outside of [`serve`] it never says so.
#[derive(Debug, Clone, Default)]
pub struct Stopping(CancellationToken);

impl Stopping {
    /// Returns once the server is to stop.
    pub async fn wait(&self) {
        self.0.cancelled().await;
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Stopping {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// Answers requests until `shutdown` completes; then takes no more, lets those under way end, and returns.
///
/// A request whose client goes away is dropped where it waits.
///
/// # Errors
/// When the listener has no address, which is to say that it is broken.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    tracing::debug!(address = %listener.local_addr()?, "listening");
    let stopping = Stopping::default();
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let accepting = async {
        loop {
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
            let stream = accept(&listener).await;
            let connection = converse(stream, router.clone(), stopping.clone());
            connections.spawn(async move {
                connection.await;
                drop(permit);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = shutdown => {}
    }
    drop(listener);
    stopping.0.cancel();
    connections.close();
    connections.wait().await;
    Ok(())
}

/// The next connection; errors of single ones are passed over.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps its delay");
                }
                return stream;
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Answers the requests of one connection, until the client leaves or the server has to stop.
async fn converse(stream: TcpStream, router: Router, stopping: Stopping) {
    let stop = stopping.0.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(stopping.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_header_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(STOP_TIME, connection).await {
                Ok(ended) => ended,
                Err(_) => {
                    tracing::warn!("a request did not end in time; its connection is closed");
                    Ok(())
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}
