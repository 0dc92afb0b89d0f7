//! Numbers for POSIX.

use super::*;
use crate::support::stores::{TestStore, on_both_stores};

async fn number(store: &Store, owners: &[&str]) {
    let mut tx = store.begin().await.expect("begun");
    tx.number(owners).await.expect("numbered");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn a_number_is_given_once_and_never_to_another() {
    on_both_stores(async |store: &TestStore| {
        number(store, &["usr_1", "grp_1"]).await;
        number(store, &["usr_1", "usr_2"]).await;
        let read = store.read().await.expect("reading");
        let all = read.list_posix_numbers().await.expect("asked");
        assert_eq!((all["usr_1"], all["grp_1"]), (100_000, 100_001));
        assert_eq!(all.len(), 3);
        assert!(all["usr_2"] > 100_001);
    })
    .await;
}

/// Two nodes at once: nobody's number is another's, and whoever got none asks again.
#[tokio::test]
async fn two_at_once_give_no_number_twice() {
    on_both_stores(async |store: &TestStore| {
        let other = store.reopened().await;
        let give = async |store: &Store, owners: &[&str]| {
            for _ in 0..20 {
                let mut tx = store.begin().await.expect("begun");
                let done = tx.number(owners).await.is_ok();
                if done && tx.commit().await.is_ok() {
                    return;
                }
            }
        };
        tokio::join!(give(store, &["a", "b", "c"]), give(&other, &["d", "e", "f"]));
        number(store, &["a", "b", "c", "d", "e", "f"]).await;
        let all = store.read().await.expect("reading").list_posix_numbers().await.expect("asked");
        let mut numbers: Vec<i64> = all.values().copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all.len());
    })
    .await;
}
