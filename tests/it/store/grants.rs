//! What people let apps have, and the sign-in that it hangs on.

use doorward::clock::Millis;
use doorward::store::{Approved, Grant, Proven, Store};

use super::{hours, insert_session, insert_user};
use crate::support::stores::{NOON, on_both_stores};

async fn insert_grant(store: &Store, id: &str, session: Option<&str>) {
    let grant = Grant {
        id: id.to_owned(),
        app_uid: "app_1".to_owned(),
        user_id: "usr_1".to_owned(),
        session_id: session.map(str::to_owned),
        offline: false,
        scopes: vec!["openid".to_owned()],
        approved: Approved::default(),
        created_at: NOON,
        expires_at: NOON.plus(hours(100)),
        revoked: None,
    };
    let mut tx = store.begin().await.expect("begun");
    tx.insert_grant(&grant).await.expect("inserted");
    tx.commit().await.expect("committed");
}

async fn proofs(store: &Store, id: &str, now: Millis) -> Option<Proven> {
    let read = store.read().await.expect("reading");
    let (grant, proofs) = read.find_grant_and_proofs(id, now).await.expect("asked").expect("there");
    assert_eq!((grant.id.as_str(), grant.created_at), (id, NOON));
    proofs
}

#[tokio::test]
async fn a_grant_comes_with_what_was_proven_while_its_sign_in_goes_on() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_session(store, "ses_1", "usr_1", 1, NOON).await;
        insert_grant(store, "grt_1", Some("ses_1")).await;
        insert_grant(store, "grt_2", Some("ses_gone")).await;
        insert_grant(store, "grt_3", None).await;
        let proven = Some(Proven { first: Some(NOON), ..Proven::default() });
        assert_eq!(proofs(store, "grt_1", NOON).await, proven);
        assert_eq!(proofs(store, "grt_1", NOON.plus(hours(2))).await, None, "idle");
        assert_eq!(proofs(store, "grt_2", NOON).await, None);
        assert_eq!(proofs(store, "grt_3", NOON).await, None);

        let mut tx = store.begin().await.expect("begun");
        tx.end_session("ses_1", NOON).await.expect("ended");
        tx.commit().await.expect("committed");
        assert_eq!(proofs(store, "grt_1", NOON).await, None, "ended");
        let read = store.read().await.expect("reading");
        assert!(read.find_grant_and_proofs("grt_4", NOON).await.expect("asked").is_none());
    })
    .await;
}
