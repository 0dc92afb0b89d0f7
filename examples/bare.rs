//! The peer of the forward-auth benchmark: a bare axum handler that looks up one cookie.
//!
//! It does the least that any answer needs: read the cookie, find its session under a lock, answer with
//! four headers. What Doorward needs beyond it is the price of its rules. Knows nothing of Doorward.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::routing::get;
use axum::serve::ListenerExt;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const COOKIE: &str = "__Host-doorward-app";

struct Person {
    name: HeaderValue,
    groups: HeaderValue,
    title: HeaderValue,
    email: HeaderValue,
}

type Sessions = Arc<RwLock<HashMap<String, Arc<Person>>>>;

/// Usage: `bare ADDRESS COOKIE-VALUE`.
#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().context("first argument: the address to listen on")?;
    let token = arguments.next().context("second argument: the value of the known cookie")?;
    let router = Router::new().route("/auth/traefik", get(answer)).with_state(sessions(token));
    let listener = tokio::net::TcpListener::bind(&address).await?;
    axum::serve(listener.tap_io(|stream| drop(stream.set_nodelay(true))), router).await?;
    Ok(())
}

async fn answer(
    State(sessions): State<Sessions>,
    headers: HeaderMap,
) -> (StatusCode, [(HeaderName, HeaderValue); 4]) {
    let person = cookie(&headers).and_then(|token| find(&sessions, token));
    let Some(person) = person else {
        return (StatusCode::UNAUTHORIZED, identity(HeaderValue::from_static(""), None));
    };
    (StatusCode::OK, identity(person.name.clone(), Some(&person)))
}

fn find(sessions: &Sessions, token: &str) -> Option<Arc<Person>> {
    sessions.read().ok()?.get(token).cloned()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::COOKIE)?.to_str().ok()?;
    text.split("; ")
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

fn identity(name: HeaderValue, person: Option<&Person>) -> [(HeaderName, HeaderValue); 4] {
    let empty = HeaderValue::from_static("");
    let pick = |value: fn(&Person) -> &HeaderValue| {
        person.map_or_else(|| empty.clone(), |one| value(one).clone())
    };
    [
        (HeaderName::from_static("remote-user"), name),
        (HeaderName::from_static("remote-groups"), pick(|one| &one.groups)),
        (HeaderName::from_static("remote-name"), pick(|one| &one.title)),
        (HeaderName::from_static("remote-email"), pick(|one| &one.email)),
    ]
}

/// A thousand sessions, one of them with the given token.
fn sessions(token: String) -> Sessions {
    let person = Arc::new(Person {
        name: HeaderValue::from_static("bob"),
        groups: HeaderValue::from_static("users"),
        title: HeaderValue::from_static("Bob Example"),
        email: HeaderValue::from_static("bob@example.com"),
    });
    let others = (0..999).map(|number| format!("other-session-{number}"));
    Arc::new(RwLock::new(others.chain([token]).map(|one| (one, person.clone())).collect()))
}
