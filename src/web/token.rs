//! An app password or API token that a request brings.
//!
//! A known one costs no query and no hash of a password. An unknown one is asked about once, and
//! counts as a guess of its address until it turns out right (`security.md` 17).

use std::sync::Arc;
use std::time::Duration;

use super::server::Server;
use super::visitor;
use crate::access::target::Client;
use crate::flow::attempts::{Guesses, Taken};
use crate::secret::TokenDigest;
use crate::session::SessionError;
use crate::token::{Known, Live, Look};

/// Why a token speaks for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoToken {
    Worthless,
    /// It was asked about for the first time.
    Guess,
    /// The address has guessed too often.
    Wait(Duration),
    Unavailable,
}

impl NoToken {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Worthless | Self::Guess => "worthless",
            Self::Wait(_) => "too-many-attempts",
            Self::Unavailable => "store-unavailable",
        }
    }
}

/// The token that was brought, if it is worth something.
///
/// # Errors
/// If it is not, or nobody can say.
pub async fn find(server: &Server, client: Client, brought: &Look) -> Result<Arc<Live>, NoToken> {
    let Look::Whole(_, whole) = brought else { return Err(NoToken::Worthless) };
    if !server.sessions.in_contact() {
        return Err(NoToken::Unavailable);
    }
    let digest = server.tokens.digest(whole);
    match server.tokens.known(&digest, server.clock.now()) {
        Known::Live(token) => Ok(token),
        Known::Worthless => Err(NoToken::Worthless),
        Known::Unknown => look_up(server, client, &digest).await,
    }
}

/// Asks the store, in turn and within what the address has left.
async fn look_up(
    server: &Server,
    client: Client,
    digest: &TokenDigest,
) -> Result<Arc<Live>, NoToken> {
    let tokens = &server.tokens;
    let address = visitor::address_key(client);
    let closed = |now| tokens.closed_until(&address, now).map(|until| until.since(now));
    if let Some(wait) = closed(server.clock.now()) {
        return Err(NoToken::Wait(wait));
    }
    let _turn = tokens.turn(digest).await;
    let now = server.clock.now();
    match tokens.known(digest, now) {
        Known::Live(token) => return Ok(token),
        Known::Worthless => return Err(NoToken::Worthless),
        Known::Unknown => {}
    }
    let found = async {
        let (guesses, store) = (Guesses::at_key(address.clone()), &server.store);
        if let Taken::Wait(wait) = guesses.take(store, now).await? {
            tokens.close(address.clone(), now.plus(wait));
            return Ok(Err(NoToken::Wait(wait)));
        }
        let Some(token) = tokens.find(&server.sessions, digest).await? else {
            return Ok(Err(NoToken::Guess));
        };
        guesses.give_back(store).await?;
        Ok(Ok(token))
    };
    found.await.unwrap_or_else(|error: SessionError| {
        tracing::warn!(%error, "a token could not be looked up");
        Err(NoToken::Unavailable)
    })
}
