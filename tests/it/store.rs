//! The state store, on both databases.

mod attempts;
mod cleanup;
mod connections;
mod consents;
mod factors;
mod flow_states;
mod generations;
mod grants;
mod objects;
mod once;
mod opening;
mod outbox;
mod posix_numbers;
mod reputation;
mod sessions;
mod tokens;
mod transactions;
mod users;

use doorward::clock::Millis;
use doorward::secret::TokenDigest;
use doorward::store::{Attributes, NewSession, NewUser, Proven, Session, Store};
use std::collections::BTreeMap;
use std::time::Duration;

/// A digest that a test can recognise.
fn digest(mark: u8) -> TokenDigest {
    TokenDigest([mark; 32])
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

async fn insert_user(store: &Store, id: &str, username: &str, now: Millis) {
    let mut tx = store.begin().await.expect("begun");
    let own_attributes = &Attributes::new();
    let user = NewUser { id, username, name: username, email: None, own_attributes };
    tx.insert_user(user, now).await.expect("inserted");
    tx.commit().await.expect("committed");
}

/// A session of twelve hours, two of them idle.
async fn insert_session(store: &Store, id: &str, user_id: &str, mark: u8, now: Millis) {
    let mut tx = store.begin().await.expect("begun");
    let session = NewSession {
        id,
        digest: &digest(mark),
        user_id,
        expires_at: now.plus(hours(12)),
        idle: hours(2),
        address: "192.0.2.1",
        agent: "Firefox",
        flows: &BTreeMap::from([("main".to_owned(), now.plus(hours(12)))]),
        proofs: &Proven { first: Some(now), ..Proven::default() },
    };
    tx.insert_session(session, now).await.expect("inserted");
    tx.commit().await.expect("committed");
}

async fn find_session(store: &Store, mark: u8, now: Millis) -> Option<Session> {
    let read = store.read().await.expect("reading");
    read.find_session(&digest(mark), now).await.expect("asked")
}
