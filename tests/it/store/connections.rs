//! Accounts elsewhere, and whose they are here.

use doorward::store::NewConnection;

use super::*;
use crate::support::stores::{NOON, TestStore, on_both_stores};

async fn put(store: &Store, user_id: &str, proven: bool) -> bool {
    let new = NewConnection {
        issuer: "https://id.example.org",
        subject: "7",
        user_id,
        source: "work",
        shown_as: "ada",
        groups: &["crew".to_owned()],
        proven,
    };
    let mut tx = store.begin().await.expect("begun");
    let put = tx.put_connection(new, NOON).await.expect("put");
    tx.commit().await.expect("committed");
    put
}

async fn is_proven(store: &Store) -> bool {
    let read = store.read().await.expect("reading");
    let found = read.find_connection("https://id.example.org", "7").await.expect("asked");
    found.expect("a connection").proven
}

#[tokio::test]
async fn a_connection_is_one_accounts_and_stays_proven() {
    on_both_stores(async |store: &TestStore| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_user(store, "usr_2", "bob", NOON).await;
        assert!(put(store, "usr_1", false).await);
        assert!(!is_proven(store).await);
        assert!(!put(store, "usr_2", true).await, "it is somebody's");
        assert!(!is_proven(store).await);
        assert!(put(store, "usr_1", true).await);
        assert!(put(store, "usr_1", false).await);
        assert!(is_proven(store).await, "what was proven stays so");
        let all = store.read().await.expect("reading").list_connections().await.expect("asked");
        assert_eq!(all.len(), 1);
    })
    .await;
}
