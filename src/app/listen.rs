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
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use http::{Request, Response};

/// How long open requests may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How long a client may take to send its headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
const BACKLOG: u32 = 4096;
/// Connections that a listener holds open at once, where the process may have that many files.
const MOST_OPEN: usize = 4096;
/// Part of the files of the process that one listener may use: there are three, and the store.
const SHARE: u64 = 4;

/// What bounds the connections of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Beyond it, those who come wait until another connection ends.
    pub connections: usize,
    /// How long a client may take to send its headers, counted from the answer before them: so
    /// long an idle connection stays.
    pub headers_within: Duration,
}

impl Default for Bounds {
    /// As many as the process may have files for.
    fn default() -> Self {
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let share = files.and_then(|files| usize::try_from(files / SHARE).ok());
        Self {
            connections: share.unwrap_or(MOST_OPEN).clamp(1, MOST_OPEN),
            headers_within: HEADERS_WITHIN,
        }
    }
}

/// How a listener speaks with those who come.
#[derive(Clone)]
pub struct Way {
    pub bounds: Bounds,
    /// Without it, in plain HTTP.
    pub tls: Option<TlsAcceptor>,
}

impl From<Bounds> for Way {
    fn from(bounds: Bounds) -> Self {
        Self { bounds, tls: None }
    }
}

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
pub async fn serve<H, F>(
    listener: TcpListener,
    way: Way,
    mut stop: watch::Receiver<bool>,
    handler: Arc<H>,
) where
    H: Fn(Request<Body>, SocketAddr) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(way.bounds.connections));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = told(&mut stop) => break,
        };
        let Ok((stream, peer, permit)) = accepted else {
            // Out of descriptors: those that close make room.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (bounds, watcher) = (way.bounds, graceful.watcher());
        let (tls, handler, mut stop) = (way.tls.clone(), Arc::clone(&handler), stop.clone());
        tokio::spawn(async move {
            match tls {
                None => speak(stream, peer, bounds, watcher, handler).await,
                Some(tls) => {
                    // Whoever greets so slowly that the end comes first has asked for nothing yet.
                    let greeted = tokio::select! {
                        greeted = tokio::time::timeout(bounds.headers_within, tls.accept(stream)) => greeted,
                        () = told(&mut stop) => return,
                    };
                    if let Ok(Ok(stream)) = greeted {
                        speak(stream, peer, bounds, watcher, handler).await;
                    }
                }
            }
            drop(permit);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(LAST_WORDS, graceful.shutdown()).await;
}

/// Answers on one connection until it ends.
async fn speak<S, H, F>(
    stream: S,
    peer: SocketAddr,
    bounds: Bounds,
    watcher: Watcher,
    handler: Arc<H>,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
    H: Fn(Request<Body>, SocketAddr) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = handler(request.map(Body::new), peer);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.headers_within)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    // A client that goes away is its own affair.
    let _ = watcher.watch(connection).await;
}

/// The next connection, once there is room for it.
pub(super) async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A listener that says "ok", with these bounds.
    fn listening(
        connections: usize,
        headers_within: Duration,
    ) -> (SocketAddr, watch::Sender<bool>) {
        let listener = open(SocketAddr::from(([127, 0, 0, 1], 0)), "--listen").expect("a port");
        let at = listener.local_addr().expect("an address");
        let (stopper, stop) = watch::channel(false);
        let handler =
            Arc::new(|_: Request<Body>, _: SocketAddr| async { Response::new(Body::from("ok")) });
        let bounds = Bounds { connections, headers_within };
        tokio::spawn(serve(listener, bounds.into(), stop, handler));
        (at, stopper)
    }

    async fn ask(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.expect("an answer");
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn beyond_the_bound_a_connection_waits_for_another_to_end() {
        let (at, _stopper) = listening(1, HEADERS_WITHIN);
        let mut first = TcpStream::connect(at).await.expect("connected");
        assert!(ask(&mut first).await.ends_with("ok"));
        let mut second = TcpStream::connect(at).await.expect("in the backlog");
        let early = tokio::time::timeout(Duration::from_millis(200), ask(&mut second)).await;
        assert!(early.is_err(), "answered beside the first: {early:?}");
        drop(first);
        let mut answer = vec![0; 1024];
        let length = second.read(&mut answer).await.expect("an answer");
        assert!(answer[..length].ends_with(b"ok"));
    }

    #[tokio::test]
    async fn an_idle_connection_ends_and_makes_room() {
        let (at, _stopper) = listening(1, Duration::from_millis(150));
        let mut silent = TcpStream::connect(at).await.expect("connected");
        let mut idle = TcpStream::connect(at).await.expect("in the backlog");
        assert!(ask(&mut idle).await.ends_with("ok"), "the silent one made room");
        let mut third = TcpStream::connect(at).await.expect("in the backlog");
        assert!(ask(&mut third).await.ends_with("ok"), "the idle one made room");
        let mut rest = Vec::new();
        let _ = silent.read_to_end(&mut rest).await;
    }
}
