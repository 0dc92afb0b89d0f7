//! The state store on SQLite or Postgres: identities, people's data, sessions, secrets,
//! generations and events.
//!
//! `store/db.rs` alone knows drivers; every other file is one noun with the statements about
//! it, as methods of `Read` and `Tx`. The store knows no settings, flows or policies as truth:
//! those are served from compiled blueprints.

use std::fmt;

use crate::clock::Millis;

pub use crate::model::fold::fold;
pub use app_session::{AppSession, NewAppSession};
pub use attempt::Attempts;
pub use browser::{Browser, ProofTimes};
pub use cleanup::{Cleaned, Retention};
pub use connection::{Connection, NewConnection};
pub use consent::{Consent, Terms};
pub use db::{Limits, Read, Tx};
pub use device_code::DeviceCode;
pub use dump::{Dump, Filling, KEPT, Table};
pub use error::{Result, StoreError};
pub use event::{Event, EventFilter};
pub use factor::Factor;
pub use flow_state::{FlowState, NewFlowState};
pub use generation::{Generation, GenerationLine, NewGeneration};
pub use grant::{AccessToken, Approved, Code, Grant, RefreshToken, Revoked};
pub use held::Held;
pub use invitation::Invitation;
pub use link::Link;
pub use logout::Logout;
pub use membership::{Membership, Owner};
pub use meta::KeyCheck;
pub use migrate::Opening;
pub use notice::Notices;
pub use object::{NewObject, Object};
pub use outbox::{Given, NewOutgoing, Outgoing, Waiting};
pub use sealed::Sealed;
pub use session::{NewSession, PassedFlows, Proven, Session};
pub use signing_key::SigningKey;
pub use ticket::{Ticket, TicketUse};
pub use token::{Token, TokenKind};
pub use url::{StateUrl, StateUrlError};
pub use user::{Attributes, DeclaredUser, NewPassword, NewUser, User};

mod app_session;
mod attempt;
mod browser;
mod cleanup;
mod connection;
mod consent;
mod db;
mod device_code;
mod dump;
mod error;
mod event;
mod factor;
mod flow_state;
mod generation;
mod grant;
mod held;
mod invitation;
mod link;
mod logout;
mod membership;
mod meta;
mod migrate;
mod notice;
mod object;
mod once;
mod outbox;
/// The numbers of people and groups in POSIX.
mod posix_number;
mod recovery_code;
mod reputation;
mod sealed;
mod session;
mod signing_key;
mod ticket;
mod token;
mod url;
mod user;

/// An open store. Clones share it.
#[derive(Clone)]
pub struct Store {
    db: db::Db,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.place())
    }
}

impl Store {
    /// Opens or makes the store and brings it to this version's schema.
    ///
    /// # Errors
    /// If it cannot be reached, or was written by a newer version.
    pub async fn open(url: &StateUrl, limits: Limits, now: Millis) -> Result<(Self, Opening)> {
        let db = db::Db::open(url, limits).await?;
        let opening = migrate::migrate(&db, migrate::Making::Allowed, now).await?;
        Ok((Self { db }, opening))
    }

    /// Opens a store that is there already, and makes none.
    ///
    /// # Errors
    /// If there is none, or as `open`.
    pub async fn open_existing(url: &StateUrl, limits: Limits, now: Millis) -> Result<Self> {
        if let StateUrl::Sqlite(path) = url
            && !path.is_file()
        {
            return Err(StoreError::Missing { place: url.to_string() });
        }
        let db = db::Db::open(url, limits).await?;
        migrate::migrate(&db, migrate::Making::Refused, now).await?;
        Ok(Self { db })
    }

    /// Where the store is, without user and password.
    #[must_use]
    pub fn place(&self) -> &str {
        self.db.place()
    }

    /// Begins to read.
    ///
    /// # Errors
    /// If the database cannot be reached or all connections stay in use.
    pub async fn read(&self) -> Result<Read> {
        self.db.read().await
    }

    /// Begins a transaction; without `commit` it leaves no trace.
    ///
    /// # Errors
    /// If the database cannot be reached or is busy with another write for too long.
    pub async fn begin(&self) -> Result<Tx> {
        self.db.begin().await
    }

    /// Asks the store for the least it can answer.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn ping(&self) -> Result<()> {
        self.read().await?.rows("SELECT one FROM active", vec![]).await.map(|_| ())
    }
}
