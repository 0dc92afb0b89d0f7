//! Requests of ours to others over HTTP.

use std::error::Error;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

const WITHIN: Duration = Duration::from_secs(10);

/// A client that goes where it is sent and nowhere else: it follows no redirect, asks no proxy of the
/// environment and waits for nobody (`security.md` R19).
pub fn client() -> ClientBuilder {
    Client::builder().redirect(Policy::none()).no_proxy().timeout(WITHIN).user_agent("doorward")
}

/// The innermost cause of a failure, which says what happened and names no address.
#[must_use]
pub fn cause(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn Error> = error.source();
    let mut last = None;
    while let Some(inner) = cause {
        last = Some(inner);
        cause = inner.source();
    }
    last.map_or_else(|| without_address(error), ToString::to_string)
}

fn without_address(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() { "nothing came in time" } else { "the request failed" };
    kind.to_owned()
}
