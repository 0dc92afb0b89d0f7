//! Sockets, connections and an orderly end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

use http::{Request, Response};

/// How long open requests may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How long a client may take to send its headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
const BACKLOG: u32 = 4096;

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("{0} is in use by another program: stop it, or choose another port, such as {1} {2}")]
    Busy(SocketAddr, &'static str, SocketAddr),
    #[error(
        "{0} cannot be listened on: {2}; see that the address is this machine's, or choose another with {1}"
    )]
    Refused(SocketAddr, &'static str, std::io::Error),
}

/// Opens a listener whose address `setting` names.
///
/// # Errors
/// If the port is taken or the address is not ours.
pub fn open(at: SocketAddr, setting: &'static str) -> Result<TcpListener, ListenError> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let opened = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(at)?;
        socket.listen(BACKLOG)
    });
    opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            let mut other = at;
            other.set_port(at.port().checked_add(1).unwrap_or(9001));
            ListenError::Busy(at, setting, other)
        }
        _ => ListenError::Refused(at, setting, error),
    })
}

/// Waits until `stop` says so, or nobody is left to say it.
pub async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves a listener until `stop` says so, and then lets open requests end.
pub async fn serve<H, F>(listener: TcpListener, mut stop: watch::Receiver<bool>, handler: Arc<H>)
where
    H: Fn(Request<Body>, SocketAddr) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = {
            tokio::select! {
                accepted = listener.accept() => accepted,
                () = told(&mut stop) => break,
            }
        };
        let Ok((stream, peer)) = accepted else {
            // Out of descriptors: those that close make room.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let handler = Arc::clone(&handler);
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = handler(request.map(Body::new), peer);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_buf_size(64 * 1024)
            .serve_connection(TokioIo::new(stream), service);
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that goes away is its own affair.
            let _ = watched.await;
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(LAST_WORDS, graceful.shutdown()).await;
}
