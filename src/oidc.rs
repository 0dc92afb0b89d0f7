//! The OpenID provider: authorization requests, codes, tokens, and what tokens open (OIDC Core,
//! RFC 6749). What people see of it is in `pages`; what programs ask is answered here, without a cookie.
//!
//! Every grant goes through `entitled`: who it is for, whether that still holds, and what the rules of
//! the app say (`security.md` 15).

use std::net::SocketAddr;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL,
};
use http::{HeaderValue, Method, Response, StatusCode, request};

use crate::web::reply;
use crate::web::server::Server;

/// What somebody lets an app have.
mod approval;
/// Authorization requests: read, carried along, answered.
pub mod authorize;
/// An access token that a request brings.
mod bearer;
/// What an app is told of a person.
mod claims;
/// Who asks at the token endpoint.
mod client_auth;
/// Devices without a keyboard.
pub mod device;
/// What this provider can do, for clients to read.
mod discovery;
/// Proof that whoever asks holds a key.
mod dpop;
/// Signing out by a link of an app's.
pub mod end_session;
/// Whether what a person let an app have still holds.
mod entitled;
/// Whether a token is good, for resource servers (RFC 7662).
mod introspect;
/// Tokens, made.
mod issue;
/// Telling applications that a sign-in has ended.
pub mod logout;
/// Requests that a client hands in itself.
mod push;
/// What goes wrong, in the words of the specifications.
mod refusal;
/// Calling a token back (RFC 7009).
mod revoke;
/// What travels in addresses.
mod sealed;
/// Times as tokens hold them.
mod time;
/// The token endpoint.
mod token;
/// What the bearer of a token may know of the person (OIDC Core §5.3).
mod userinfo;

use refusal::{ErrorCode, Refusal};

pub const AUTHORIZE: &str = "/oauth2/authorize";
/// Where people type what a device shows.
pub const DEVICE: &str = "/device";
pub const END_SESSION: &str = "/oauth2/sign-out";
const DEVICE_AUTHORIZATION: &str = "/oauth2/device";
const TOKEN: &str = "/oauth2/token";
const USERINFO: &str = "/oauth2/userinfo";
const INTROSPECT: &str = "/oauth2/introspect";
const PUSH: &str = "/oauth2/par";
const REVOKE: &str = "/oauth2/revoke";
const JWKS: &str = "/oauth2/jwks";
const DISCOVERY: &str = "/.well-known/openid-configuration";
const OAUTH_DISCOVERY: &str = "/.well-known/oauth-authorization-server";
/// For apps that know no other provider than GitHub.
const USER: &str = "/user";

/// Where programs are answered.
pub const FOR_PROGRAMS: [&str; 10] = [
    DEVICE_AUTHORIZATION,
    TOKEN,
    USERINFO,
    INTROSPECT,
    PUSH,
    REVOKE,
    JWKS,
    DISCOVERY,
    OAUTH_DISCOVERY,
    USER,
];

/// Whether programs are answered at this path.
#[must_use]
pub fn is_for_programs(path: &str) -> bool {
    FOR_PROGRAMS.contains(&path)
}

/// Answers a program. Nothing here looks at a cookie, so that every origin may ask.
pub async fn answer(
    server: &Server,
    parts: &request::Parts,
    body: Body,
    peer: SocketAddr,
) -> Response<Body> {
    let mut response = match parts.method {
        Method::OPTIONS => preflight(),
        _ => match route(server, parts, body, peer).await {
            Ok(response) => response,
            Err(refusal) => refusal.response(server),
        },
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("WWW-Authenticate, DPoP-Nonce");
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    if dpop::is_brought(&parts.headers)
        && let Ok(nonce) = HeaderValue::from_str(&dpop::nonce(&server.key, server.clock.now()))
    {
        headers.insert(dpop::NONCE_HEADER, nonce);
    }
    response
}

fn preflight() -> Response<Body> {
    let mut response = reply::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    let allowed = HeaderValue::from_static("authorization, content-type, dpop");
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

async fn route(
    server: &Server,
    parts: &request::Parts,
    body: Body,
    peer: SocketAddr,
) -> Result<Response<Body>, Refusal> {
    let runtime = server.runtime.load_full();
    let get = matches!(parts.method, Method::GET | Method::HEAD);
    let post = parts.method == Method::POST;
    let client = crate::web::visitor::client(server, &runtime, &parts.headers, peer);
    let asked = Asked { server, runtime: &runtime, parts, client };
    match parts.uri.path() {
        DISCOVERY | OAUTH_DISCOVERY if get => Ok(cached(discovery::document(&runtime))),
        JWKS if get => Ok(cached(server.signing_keys.jwks().to_string())),
        TOKEN if post => token::answer(&asked, body).await,
        DEVICE_AUTHORIZATION if post => device::answer(&asked, body).await,
        INTROSPECT if post => introspect::answer(&asked, body).await,
        PUSH if post => push::answer(&asked, body).await,
        REVOKE if post => revoke::answer(&asked, body).await,
        USERINFO if get || post => userinfo::answer(&asked, body).await,
        USER if get => userinfo::answer_like_github(&asked).await,
        path => {
            let code = ErrorCode::Method(methods(path));
            Err(Refusal::new(code, "this endpoint knows other methods"))
        }
    }
}

/// The methods that a path is asked by (RFC 9110 §10.2.1).
fn methods(path: &str) -> &'static str {
    match path {
        TOKEN | DEVICE_AUTHORIZATION | INTROSPECT | PUSH | REVOKE => "POST, OPTIONS",
        USERINFO => "GET, HEAD, POST, OPTIONS",
        _ => "GET, HEAD, OPTIONS",
    }
}

/// What programs may keep for a while.
fn cached(json: String) -> Response<Body> {
    let mut response = reply::text(StatusCode::OK, "application/json", json);
    let value = HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert(CACHE_CONTROL, value);
    response
}

/// An address with more in its query; what stands in it stays there (RFC 6749 §3.1.2).
fn with_query(uri: &str, query: &str) -> String {
    let joiner = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{joiner}{query}")
}

/// SHA-256 of a text, base64url (RFC 7636 §4.2, RFC 9449 §4.2).
fn digest_of(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// A question of a program.
struct Asked<'a> {
    server: &'a Server,
    runtime: &'a crate::runtime::Runtime,
    parts: &'a request::Parts,
    client: crate::access::target::Client,
}
