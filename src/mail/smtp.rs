//! The conversation with a mail server, step by step.
//!
//! Encryption is decided by the settings, before the server says a word: what it offers or does
//! not offer never leads to less (RFC 8314).

mod failure;
mod starttls;
mod stream;

use std::net::SocketAddr;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::letter::Letter;
use super::one_line;
use super::route::{Login, Route};
use crate::model::smtp_server::Security;
pub use failure::{Failure, Stage};
use stream::Stream;

const LONGEST_REPLY: usize = 300;

/// How long each part of a conversation may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub connect: Duration,
    /// One command and its reply.
    pub step: Duration,
    /// The reply to the message itself, which servers look at first.
    pub message: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), step: seconds(20), message: seconds(60) }
    }
}

/// Something that went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Connected {
        to: SocketAddr,
    },
    /// The version of TLS.
    Encrypted {
        version: String,
    },
    /// The connection is not encrypted, as the settings say.
    NotEncrypted,
    Authenticated {
        username: String,
    },
    /// The server's reply to the message.
    Accepted {
        reply: String,
    },
}

/// Hands a letter in and tells each step that went well.
///
/// # Errors
/// At the first step that did not.
pub async fn hand_in(
    route: &Route,
    letter: &Letter,
    patience: Patience,
    tell: &mut (dyn FnMut(Step) + Send),
) -> Result<(), Failure> {
    let stream = connect(route, patience, tell).await?;
    let hello = ClientId::Domain(route.hello.clone());
    let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello);
    let mut connection = timed(patience.step, Stage::Greeting, greeting).await?;
    if let Some(login) = &route.login {
        authenticate(&mut connection, login, patience).await?;
        tell(Step::Authenticated { username: login.username.clone() });
    }
    let (from, to) = (Some(letter.from.clone()), letter.to.clone());
    let mail = connection.command(Mail::new(from, Vec::new()));
    timed(patience.step, Stage::Sender, mail).await?;
    let recipient = connection.command(Rcpt::new(to, Vec::new()));
    timed(patience.step, Stage::Recipient, recipient).await?;
    timed(patience.step, Stage::Message, connection.command(Data)).await?;
    let accepted = connection.message(&letter.bytes);
    let reply = timed(patience.message, Stage::Message, accepted).await?;
    tell(Step::Accepted { reply: shown(&reply) });
    // The message is theirs; a server that does not say goodbye changes nothing about it.
    let _ = tokio::time::timeout(patience.step, connection.quit()).await;
    Ok(())
}

async fn authenticate(
    connection: &mut AsyncSmtpConnection,
    login: &Login,
    patience: Patience,
) -> Result<(), Failure> {
    if connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
        return Err(Failure::no_login());
    }
    let credentials = Credentials::new(login.username.clone(), login.password.reveal().to_owned());
    let login = connection.auth(DEFAULT_MECHANISMS, &credentials);
    timed(patience.step, Stage::Login, login).await.map(|_| ())
}

async fn connect(
    route: &Route,
    patience: Patience,
    tell: &mut (dyn FnMut(Step) + Send),
) -> Result<Stream, Failure> {
    let connecting = TcpStream::connect((route.server.host(), route.server.port()));
    let tcp = match tokio::time::timeout(patience.connect, connecting).await {
        Ok(Ok(tcp)) => tcp,
        Ok(Err(error)) => return Err(Failure::unreachable(&route.server, &error)),
        Err(_) => return Err(Failure::slow(Stage::Connection)),
    };
    let to = tcp.peer_addr().map_err(|error| Failure::unreachable(&route.server, &error))?;
    tell(Step::Connected { to });
    match route.server.security() {
        Security::Plain => {
            tell(Step::NotEncrypted);
            Ok(Stream::plain(tcp, to))
        }
        Security::Tls => {
            let tls = encrypt(route, tcp, patience, tell).await?;
            Ok(Stream::encrypted(tls, to))
        }
        Security::Starttls => {
            let asked = starttls::ask(tcp, &route.hello);
            let tcp = match tokio::time::timeout(patience.step, asked).await {
                Ok(answer) => answer?,
                Err(_) => return Err(Failure::slow(Stage::Starttls)),
            };
            let tls = encrypt(route, tcp, patience, tell).await?;
            Ok(Stream::encrypted_after_greeting(tls, to))
        }
    }
}

async fn encrypt(
    route: &Route,
    tcp: TcpStream,
    patience: Patience,
    tell: &mut (dyn FnMut(Step) + Send),
) -> Result<TlsStream<TcpStream>, Failure> {
    let config = route.trust().map_err(|error| Failure::no_trust(&error))?;
    let name = ServerName::try_from(route.server.host().to_owned())
        .map_err(|error| Failure::tls(&route.server, &std::io::Error::other(error)))?;
    let handshake = TlsConnector::from(config).connect(name, tcp);
    let tls = match tokio::time::timeout(patience.connect, handshake).await {
        Ok(Ok(tls)) => tls,
        Ok(Err(error)) => return Err(Failure::tls(&route.server, &error)),
        Err(_) => return Err(Failure::slow(Stage::Encryption)),
    };
    let version = tls.get_ref().1.protocol_version();
    let version = version.and_then(|version| version.as_str()).unwrap_or("TLS");
    tell(Step::Encrypted { version: version.replace("TLSv1_", "TLS 1.") });
    Ok(tls)
}

async fn timed<T>(
    patience: Duration,
    stage: Stage,
    step: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(patience, step).await {
        Ok(done) => done.map_err(|error| Failure::refused(stage, &error)),
        Err(_) => Err(Failure::slow(stage)),
    }
}

fn shown(reply: &Response) -> String {
    let words: Vec<&str> = reply.message().collect();
    one_line(&format!("{} {}", reply.code(), words.join(" ")), LONGEST_REPLY)
}
