//! From a sign-in to an app: start on the sign-in host, a ticket, the callback on the app's host.
//!
//! The ticket is worth one use within a minute, in the browser that began the login, at the app and
//! host it was made for (`forward-auth.md` 4, `security.md` R13).

use crate::runtime::Runtime;

/// The ends on the app's host: the way out, and the way back with a ticket.
mod app_host;
/// The middle on the sign-in host: who may go on, and with which ticket.
mod sign_in_host;

pub use app_host::{begin, callback};
pub use sign_in_host::{Start, destination, start};

/// The path on the sign-in host where hand-overs begin.
pub const START: &str = "/forward-auth/start";

/// Where somebody signs out to come back as somebody else.
#[must_use]
pub fn other_account(runtime: &Runtime) -> String {
    format!("{}/sign-out", runtime.external)
}
