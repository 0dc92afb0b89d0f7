//! What is wrong with a call, in a form that programs read (RFC 9457).

use axum::body::Body;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use crate::model::scope::Scope;
use crate::store::StoreError;
use crate::web::reply;
use crate::web::token::NoToken;

/// Why a call comes to nothing.
#[derive(Debug)]
pub enum Problem {
    NoToken,
    Token(NoToken),
    /// The token is good, and not for this.
    Forbidden(Scope),
    /// The methods that there are.
    Method(&'static str),
    NotFound(String),
    NotJson,
    TooLong,
    /// What was sent is JSON, and not what is taken here.
    Unreadable(String),
    /// What is wanted cannot be.
    Refused(String),
    Store(StoreError),
}

impl From<NoToken> for Problem {
    fn from(why: NoToken) -> Self {
        Self::Token(why)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Problem {
    pub fn response(self) -> Response<Body> {
        let (status, detail) = self.told();
        let body = serde_json::json!({
            "title": status.canonical_reason(), "status": status.as_u16(), "detail": detail,
        });
        let mut response = reply::json(status, &body);
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, json);
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        match self {
            Self::Token(NoToken::Wait(wait)) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
            }
            Self::Method(allowed) => {
                headers.insert(ALLOW, HeaderValue::from_static(allowed));
            }
            _ => {}
        }
        response
    }

    fn told(&self) -> (StatusCode, String) {
        match self {
            Self::NoToken => (
                StatusCode::UNAUTHORIZED,
                "send an API token as `Authorization: Bearer dwt_…`; `doorward token create` makes one".to_owned(),
            ),
            Self::Token(NoToken::Worthless | NoToken::Guess) => {
                (StatusCode::UNAUTHORIZED, "this token is worth nothing here".to_owned())
            }
            Self::Token(NoToken::Wait(_)) => {
                (StatusCode::TOO_MANY_REQUESTS, "too many unknown tokens came from here".to_owned())
            }
            Self::Token(NoToken::Unavailable) => {
                (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer".to_owned())
            }
            Self::Forbidden(scope) => (
                StatusCode::FORBIDDEN,
                format!(
                    "this takes a token with the scope `{}` of somebody in a group with `console admin`",
                    scope.word()
                ),
            ),
            Self::Method(allowed) => {
                (StatusCode::METHOD_NOT_ALLOWED, format!("here there are {allowed}"))
            }
            Self::NotFound(what) => (StatusCode::NOT_FOUND, what.clone()),
            Self::NotJson => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send JSON with `Content-Type: application/json`".to_owned(),
            ),
            Self::TooLong => {
                (StatusCode::PAYLOAD_TOO_LARGE, "what was sent is too long or broke off".to_owned())
            }
            Self::Unreadable(why) => (StatusCode::BAD_REQUEST, why.clone()),
            Self::Refused(why) => (StatusCode::UNPROCESSABLE_ENTITY, why.clone()),
            Self::Store(error) => {
                tracing::warn!(%error, "a call of the API came to nothing");
                (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer".to_owned())
            }
        }
    }

    /// RFC 6750 §3.
    fn challenge(&self) -> Option<HeaderValue> {
        let error = match self {
            Self::NoToken => String::new(),
            Self::Token(NoToken::Worthless | NoToken::Guess) => {
                ", error=\"invalid_token\"".to_owned()
            }
            Self::Forbidden(scope) => {
                format!(", error=\"insufficient_scope\", scope=\"{}\"", scope.word())
            }
            _ => return None,
        };
        HeaderValue::try_from(format!("Bearer realm=\"api\"{error}")).ok()
    }
}
