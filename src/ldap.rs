//! The LDAP front (RFC 4511): a directory that is read, and binds that let people into apps.
//!
//! `access` of the app decides, as everywhere. Nothing here writes what people are; nobody reads more than
//! their own entry unless the files name them.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::access::target::Client;
use crate::factor::FactorError;
use crate::flow::hashing::HashError;
use crate::repeats::{Repeats, Say};
use crate::session::SessionError;
use crate::store::StoreError;
use crate::web::server::Server;

/// A name and a secret: who that is, and what it opens.
mod bind;
/// One connection, from its first word to its last.
pub mod connection;
/// Everybody and every group, a moment ago.
mod directory;
/// What an entry says.
mod entry;
/// Search filters.
mod filter;
/// Requests on the wire.
mod frame;
/// Who bears a value, without a look at everybody.
mod index;
/// Where a search goes on that came in pages.
mod page;
/// Where programs ask from.
mod programs;
/// What the server says of itself.
mod schema;
/// What a search gives.
mod search;
/// Where entries stand.
mod tree;
/// Passwords that were right a moment ago.
mod verified;
/// A bind as a walk through a flow.
mod walk;

/// The front, shared by its connections.
pub struct Ldap {
    server: Arc<Server>,
    /// A connection in clear may go on over TLS.
    start_tls: AtomicBool,
    directory: directory::Served,
    verified: verified::Verified,
    programs: programs::Programs,
    /// What clients make happen as often as they like.
    told: Repeats,
}

/// What keeps an operation from being answered, and is not its client's fault.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Factor(#[from] FactorError),
    #[error("the store was not reached for too long")]
    NoContact,
    #[error("numbers for POSIX are given out by other nodes all the time")]
    Numbers,
}

impl Ldap {
    #[must_use]
    pub fn new(server: Arc<Server>) -> Self {
        let (directory, verified) = (directory::Served::default(), verified::Verified::default());
        let (programs, told) = (programs::Programs::default(), Repeats::default());
        Self { server, start_tls: AtomicBool::new(false), directory, verified, programs, told }
    }

    /// Says in the log what kept a client from an answer.
    fn say(&self, trouble: &str) {
        if self.is_news(trouble) {
            tracing::error!(error = trouble, "an LDAP client could not be answered");
        }
    }

    /// Whether something is to be told: at once, and then ever more seldom.
    fn is_news(&self, thing: &str) -> bool {
        self.told.say(thing, self.server.clock.now()) != Say::Nothing
    }

    /// Whether a connection in clear may go on over TLS: there is a certificate.
    pub fn offer_start_tls(&self, offered: bool) {
        self.start_tls.store(offered, Ordering::Relaxed);
    }

    fn offers_start_tls(&self) -> bool {
        self.start_tls.load(Ordering::Relaxed)
    }
}

/// The program that asks: its address is the one that rules see.
fn client(peer: IpAddr) -> Client {
    Client::Known(crate::access::target::plain(peer))
}
