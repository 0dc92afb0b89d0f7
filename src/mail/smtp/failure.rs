//! Where a conversation failed, why, and what to do about it.

use std::error::Error;
use std::fmt;

use tokio_rustls::rustls::{self, CertificateError};

use super::LONGEST_REPLY;
use crate::mail::one_line;
use crate::mail::route::TrustError;
use crate::model::smtp_server::SmtpServer;

/// The step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Settings,
    Connection,
    Encryption,
    Starttls,
    Greeting,
    Login,
    Sender,
    Recipient,
    Message,
}

/// A conversation that came to nothing: place, reason, remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub stage: Stage,
    pub reason: String,
    pub remedy: String,
    /// The server will say the same of this message whenever it is asked.
    pub lasting: bool,
}

impl Stage {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Connection => "connection",
            Self::Encryption => "encryption",
            Self::Starttls => "starttls",
            Self::Greeting => "greeting",
            Self::Login => "login",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Message => "message",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Settings => "see `email` in the blueprints",
            Self::Connection => {
                "see that host and port in `smtp` are right and that no firewall is between"
            }
            Self::Encryption => {
                "servers with TLS from the first byte are written `smtps://`, mostly with port 465; those with STARTTLS `smtp://`, mostly with port 587"
            }
            Self::Starttls | Self::Greeting => {
                "see that a mail server answers there; one that speaks TLS from the first byte is written `smtps://`, mostly with port 465"
            }
            Self::Login => {
                "see `username=` and `password=`; many providers want a password made for programs"
            }
            Self::Sender => "see `from`: most servers let a user send from their own address alone",
            Self::Recipient => {
                "see that the address exists and that the server passes mail on to it"
            }
            Self::Message => "the server's words say what it did not like",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stage.word(), self.reason)
    }
}

impl Failure {
    fn new(stage: Stage, reason: &str) -> Self {
        let reason = one_line(reason, LONGEST_REPLY);
        Self { stage, reason, remedy: stage.remedy().to_owned(), lasting: false }
    }

    fn with_remedy(self, remedy: &str) -> Self {
        Self { remedy: remedy.to_owned(), ..self }
    }

    /// What is wrong before anything is sent.
    #[must_use]
    pub fn settings(reason: &str, remedy: &str) -> Self {
        Self::new(Stage::Settings, reason).with_remedy(remedy)
    }

    pub(super) fn unreachable(server: &SmtpServer, error: &std::io::Error) -> Self {
        Self::new(Stage::Connection, &format!("{}: {error}", server.authority()))
    }

    pub(super) fn slow(stage: Stage) -> Self {
        Self::new(stage, "the server did not answer in time")
    }

    /// Each answer came in time, and the conversation had no end.
    #[must_use]
    pub fn too_long() -> Self {
        Self::new(Stage::Message, "the conversation took too long")
    }

    pub(super) fn no_trust(error: &TrustError) -> Self {
        Self::new(Stage::Encryption, &error.to_string()).with_remedy(
            "install the system's certificates, set SSL_CERT_FILE, or name a file with `ca`",
        )
    }

    pub(super) fn tls(server: &SmtpServer, error: &std::io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let failure = Self::new(Stage::Encryption, &error.to_string());
        let Some(rustls::Error::InvalidCertificate(reason)) = inner else { return failure };
        let (reason, remedy) = match reason {
            // An issuer of a trusted name with another key is another issuer.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => (
                "its issuer is not trusted here".to_owned(),
                "name the issuer's certificate with `ca` in `email`, or set SSL_CERT_FILE",
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                (
                    format!("it is not for `{}`", server.host()),
                    "write the name in `smtp` that stands in the certificate",
                )
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                ("it has expired".to_owned(), "whoever runs the mail server has to renew it")
            }
            other => (other.to_string(), "ask whoever runs the mail server"),
        };
        let reason = format!("the certificate of {} is refused: {reason}", server.authority());
        Self::new(Stage::Encryption, &reason).with_remedy(remedy)
    }

    pub(super) fn no_starttls() -> Self {
        Self::new(Stage::Starttls, "the server does not offer STARTTLS, so nothing was sent")
            .with_remedy("write `smtps://` if it speaks TLS from the first byte; somebody between here and it may also have taken the offer away")
    }

    pub(super) fn greeting(stage: Stage, reply: &str) -> Self {
        Self::new(stage, &format!("the server said: {reply}"))
    }

    pub(super) fn broken(stage: Stage, error: &std::io::Error) -> Self {
        Self::new(stage, &format!("the connection broke: {error}"))
    }

    pub(super) fn no_login() -> Self {
        Self::new(Stage::Login, "the server offers neither PLAIN nor LOGIN")
            .with_remedy("leave `username=` and `password=` out if it wants no login here; many servers want one on port 587 or 465 alone")
    }

    pub(super) fn refused(stage: Stage, error: &lettre::transport::smtp::Error) -> Self {
        let words = error.source().map(ToString::to_string).unwrap_or_default();
        let reason = match error.status() {
            Some(code) => format!("the server said: {code} {words}"),
            None => error.to_string(),
        };
        // The login and the sender are ours to mend: the message may go later.
        let about_message = matches!(stage, Stage::Recipient | Stage::Message);
        Self { lasting: error.is_permanent() && about_message, ..Self::new(stage, &reason) }
    }
}
