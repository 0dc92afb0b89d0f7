//! Counters of failed attempts (security.md 17).

use std::time::Duration;

use doorward::clock::Millis;
use doorward::store::{Attempts, Store};

use super::hours;
use crate::support::stores::{NOON, on_both_stores};

async fn fail(store: &Store, now: Millis) -> Attempts {
    let mut tx = store.begin().await.expect("begun");
    let attempts = tx.count_failure("usr_1", now, hours(1)).await.expect("counted");
    tx.commit().await.expect("committed");
    attempts
}

#[tokio::test]
async fn failures_count_within_a_window_and_then_anew() {
    on_both_stores(async |store| {
        let soon = NOON.plus(Duration::from_secs(600));
        assert_eq!(fail(store, NOON).await.failures, 1);
        let second = fail(store, soon).await;
        assert_eq!((second.failures, second.first_at, second.last_at), (2, NOON, soon));
        let later = NOON.plus(hours(1));
        let anew = fail(store, later).await;
        assert_eq!((anew.failures, anew.first_at), (1, later));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_failure_is_lost_when_many_come_at_once() {
    on_both_stores(async |store| {
        let tries = (0..20).map(|_| {
            let store = Store::clone(store);
            tokio::spawn(async move { fail(&store, NOON).await })
        });
        for attempt in tries.collect::<Vec<_>>() {
            attempt.await.expect("joined");
        }
        assert_eq!(fail(store, NOON).await.failures, 21);
    })
    .await;
}

#[tokio::test]
async fn a_block_is_only_ever_made_longer() {
    on_both_stores(async |store| {
        fail(store, NOON).await;
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.block_attempts("usr_1", NOON.plus(hours(2))).await.expect("blocked"));
        assert!(!tx.block_attempts("usr_1", NOON.plus(hours(1))).await.expect("longer already"));
        tx.commit().await.expect("committed");
        assert_eq!(fail(store, NOON).await.blocked_until, Some(NOON.plus(hours(2))));

        let mut tx = store.begin().await.expect("begun");
        assert_eq!(tx.purge_attempts(NOON.plus(hours(2)), 10).await.expect("purged"), 0);
        assert!(tx.clear_attempts("usr_1").await.expect("cleared"));
        assert_eq!(tx.find_attempts("usr_1").await.expect("asked"), None);
        tx.commit().await.expect("committed");
    })
    .await;
}
