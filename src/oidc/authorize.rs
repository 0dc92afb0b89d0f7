//! Authorization requests (OIDC Core §3.1.2): read and checked once, carried along sealed while the
//! person signs in, and answered with a code or an error.
//!
//! Nothing is written before a code is given. What names no client of ours, or an address that is not
//! declared, is never answered by sending a browser anywhere (RFC 6749 §4.1.2.1).

use serde::{Deserialize, Serialize};

use super::with_query;
use crate::runtime::Runtime;

/// A request that is being read.
mod draft;
/// A request under way, with the app that it is of.
mod invited;
/// A request that was checked, and how it travels.
mod request;
/// A request that the client signed.
mod signed;

pub use draft::Wrong;
pub use invited::{Invited, Stale, shares};
pub use request::{PUSHED, PUSHED_LASTS, Request, SEALED};

/// How the answer travels (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    Query,
    Fragment,
    FormPost,
}

/// A request that cannot be answered with a code.
#[derive(Debug)]
pub enum Fault {
    /// Nobody knows where it comes from: a page says what is wrong.
    Untold(&'static str),
    /// The app is told.
    Told(Box<Answer>),
}

/// What is delivered to the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub redirect_uri: String,
    pub mode: Mode,
    pub parameters: Vec<(&'static str, String)>,
}

/// The codes of errors that an app is told (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    InvalidRequest,
    UnauthorizedClient,
    UnsupportedResponseType,
    InvalidScope,
    AccessDenied,
    LoginRequired,
    InteractionRequired,
    ConsentRequired,
    InvalidRequestObject,
    InvalidRequestUri,
    RequestUriNotSupported,
    ServerError,
    RegistrationNotSupported,
}

impl Told {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::InteractionRequired => "interaction_required",
            Self::ConsentRequired => "consent_required",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::ServerError => "server_error",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
        }
    }
}

fn refusal(
    runtime: &Runtime,
    redirect_uri: &str,
    mode: Mode,
    state: Option<String>,
    (error, why): (Told, &str),
) -> Answer {
    let mut parameters =
        vec![("error", error.word().to_owned()), ("error_description", why.to_owned())];
    parameters.extend(state.map(|state| ("state", state)));
    // Whose answer it is, against a mix-up of two providers (RFC 9207 §2).
    parameters.push(("iss", runtime.external.to_string()));
    Answer { redirect_uri: redirect_uri.to_owned(), mode, parameters }
}

impl Answer {
    /// The address that delivers it; a form is posted instead in `form_post`.
    #[must_use]
    pub fn location(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.parameters);
        let (uri, query) = (&self.redirect_uri, query.finish());
        match self.mode {
            Mode::Fragment => format!("{uri}#{query}"),
            Mode::Query | Mode::FormPost => with_query(uri, &query),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(redirect_uri: &str, mode: Mode) -> String {
        let parameters = vec![("code", "a b".to_owned()), ("state", "&=".to_owned())];
        Answer { redirect_uri: redirect_uri.to_owned(), mode, parameters }.location()
    }

    #[test]
    fn an_answer_keeps_what_the_address_holds() {
        assert_eq!(answer("https://a/cb", Mode::Query), "https://a/cb?code=a+b&state=%26%3D");
        assert_eq!(
            answer("https://a/cb?x=1", Mode::Query),
            "https://a/cb?x=1&code=a+b&state=%26%3D"
        );
        assert_eq!(answer("https://a/cb", Mode::Fragment), "https://a/cb#code=a+b&state=%26%3D");
    }
}
