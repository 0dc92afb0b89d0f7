//! What goes wrong, in the words of the specifications.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::authorize::Told;
use crate::jose::Algorithm;
use crate::secret::TokenDigest;
use crate::web::reply;
use crate::web::server::Server;

/// The code of an error at an endpoint for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// RFC 6749 §5.2.
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    /// RFC 6750 §3.1.
    InvalidToken,
    InsufficientScope,
    /// RFC 9449 §5, §8.
    InvalidDpopProof,
    UseDpopNonce,
    /// RFC 8628 §3.5.
    AuthorizationPending,
    PollSlower,
    AccessDenied,
    ExpiredToken,
    /// No credential came at all: no code is said (RFC 6750 §3.1).
    NoToken,
    /// What a browser would have been sent back with (RFC 9126 §2.3).
    Pushed(Told),
    /// Too many wrong secrets came.
    SlowDown,
    /// 405, with the methods that are known.
    Method(&'static str),
    /// The store is away.
    Unavailable,
}

impl ErrorCode {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::InvalidRequest | Self::Method(_) | Self::NoToken => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::AuthorizationPending => "authorization_pending",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
            Self::Pushed(told) => told.word(),
            Self::SlowDown | Self::PollSlower => "slow_down",
            Self::Unavailable => "temporarily_unavailable",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient | Self::InvalidToken | Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::SlowDown => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// An answer that is no.
#[derive(Debug)]
pub struct Refusal {
    pub code: ErrorCode,
    pub description: Cow<'static, str>,
    /// What is kept of it, to be asked about by its name.
    pub about: Option<Box<About>>,
    /// How the header of an answer says what is to be shown.
    pub challenge: Option<Challenge>,
    pub wait: Option<Duration>,
}

/// The scheme of a challenge (RFC 9110 §11.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    Basic,
    Bearer,
    Dpop,
}

/// What is kept of a refusal.
#[derive(Debug)]
pub struct About {
    /// The same thing refused again is the same refusal.
    pub what: TokenDigest,
    /// `app:gitea`.
    pub app: Option<String>,
    pub data: Value,
}

impl Refusal {
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        let description = description.into();
        Self { code, description, about: None, challenge: None, wait: None }
    }

    /// Keeps what happened, so that somebody can ask.
    #[must_use]
    pub fn about(mut self, about: About) -> Self {
        self.about = Some(Box::new(about));
        self
    }

    /// The answer, with the name of what is kept.
    pub fn response(self, server: &Server) -> Response<Body> {
        let named = self.about.as_ref().and_then(|about| {
            let app = about.app.as_deref();
            let (now, data) = (server.clock.now(), about.data.clone());
            server.refused.name(about.what, now, &server.journal, app, data)
        });
        if let Some(about) = &self.about {
            tracing::info!(error = self.code.word(), app = about.app, reference = named, reason = %about.data, "a token was refused");
        }
        let mut description = self.description.into_owned();
        if let Some(name) = &named {
            description += &format!(" (ref {name})");
        }
        let mut body = json!({ "error": self.code.word(), "error_description": description });
        if let (Some(members), Some(name)) = (body.as_object_mut(), &named) {
            members.insert("ref".to_owned(), json!(name));
        }
        let status = match (self.code, self.challenge) {
            // What a client may not use at a resource it is asked for again (RFC 9449 §9).
            (ErrorCode::UseDpopNonce | ErrorCode::InvalidDpopProof, Some(Challenge::Dpop)) => {
                StatusCode::UNAUTHORIZED
            }
            (code, _) => code.status(),
        };
        let mut response = reply::json(status, &body);
        let headers = response.headers_mut();
        let challenge = self.challenge.map(|challenge| challenge.text(self.code, &description));
        if let Some(value) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        if let Some(wait) = self.wait {
            headers.insert(RETRY_AFTER, wait.as_secs().max(1).into());
        }
        if let ErrorCode::Method(known) = self.code {
            headers.insert(ALLOW, HeaderValue::from_static(known));
        }
        response
    }
}

impl Challenge {
    fn text(self, code: ErrorCode, description: &str) -> String {
        let error = match code {
            // Nothing was shown, so nothing was wrong with it (RFC 6750 §3.1).
            ErrorCode::NoToken | ErrorCode::InvalidClient => String::new(),
            code => {
                let description = quotable(description);
                format!(", error=\"{}\", error_description=\"{description}\"", code.word())
            }
        };
        match self {
            Self::Basic => "Basic realm=\"doorward\"".to_owned(),
            Self::Bearer => format!("Bearer realm=\"doorward\"{error}"),
            Self::Dpop => {
                let algorithms = Algorithm::ALL.map(Algorithm::word).join(" ");
                format!("DPoP realm=\"doorward\"{error}, algs=\"{algorithms}\"")
            }
        }
    }
}

/// What may stand between quotes (RFC 6749 §5.2).
fn quotable(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
}

/// The store did not answer, or we failed: nobody gets in.
pub fn failed(error: impl std::fmt::Display) -> Refusal {
    tracing::warn!(%error, "a request of an app could not be answered");
    Refusal::new(ErrorCode::Unavailable, "the state store does not answer; try again soon")
}

impl From<crate::store::StoreError> for Refusal {
    fn from(error: crate::store::StoreError) -> Self {
        failed(error)
    }
}

impl From<crate::session::SessionError> for Refusal {
    fn from(error: crate::session::SessionError) -> Self {
        failed(error)
    }
}

impl From<crate::ids::NoRandomness> for Refusal {
    fn from(error: crate::ids::NoRandomness) -> Self {
        failed(error)
    }
}

impl From<crate::signing::SigningError> for Refusal {
    fn from(error: crate::signing::SigningError) -> Self {
        failed(error)
    }
}

impl From<crate::jose::SigningFault> for Refusal {
    fn from(error: crate::jose::SigningFault) -> Self {
        failed(error)
    }
}
