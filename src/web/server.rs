//! Everything that a request may need, built once.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::looks::Looks;
use super::refused::Refused;
use crate::client_keys::ClientKeys;
use crate::client_secret::ClientSecrets;
use crate::clock::Clock;
use crate::flow::hashing::Hasher;
use crate::flow::reputation::Scores;
use crate::identity_source::IdentitySources;
use crate::ids::Rng;
use crate::journal::Journal;
use crate::mail::post::Post;
use crate::outbound::Outbound;
use crate::runtime::Runtime;
use crate::runtime::health::Health;
use crate::secret::MasterKey;
use crate::session::Sessions;
use crate::signing::SigningKeys;
use crate::store::Store;
use crate::token::Tokens;

/// The state that fronts share. There is one.
pub struct Server {
    pub runtime: ArcSwap<Runtime>,
    /// Whether the running configuration is the one in the files.
    pub health: ArcSwap<Health>,
    pub looks: ArcSwap<Looks>,
    pub sessions: Sessions,
    pub tokens: Tokens,
    pub signing_keys: SigningKeys,
    pub client_secrets: ClientSecrets,
    pub client_keys: ClientKeys,
    pub identity_sources: IdentitySources,
    pub outbound: Outbound,
    /// What was refused of late, for whoever asks why.
    pub refused: Refused,
    pub store: Store,
    pub key: Arc<MasterKey>,
    pub journal: Journal,
    pub post: Post,
    pub hasher: Hasher,
    pub reputations: Scores,
    pub clock: Clock,
    pub rng: Rng,
    pub listening: Listening,
}

/// How this process listens: decided on the host, fixed for its life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listening {
    /// Every main listener has a loopback address.
    pub loopback_only: bool,
    /// The main listener speaks TLS itself.
    pub tls: bool,
    /// Shown on every page of a development server.
    pub banner: Option<String>,
}

impl Server {
    /// Whether a peer may speak for clients: listed, or on this machine under `--dev`.
    #[must_use]
    pub fn trusts(&self, runtime: &Runtime, peer: std::net::IpAddr) -> bool {
        runtime.trusts(peer) || (runtime.addressing.dev && peer.is_loopback())
    }
}
