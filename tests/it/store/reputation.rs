//! How accounts and addresses behaved of late.

use std::time::Duration;

use doorward::access::condition::Reputation;
use doorward::clock::Millis;
use doorward::flow::reputation::{self, Scores};
use doorward::store::Store;

use super::hours;
use crate::support::stores::{NOON, on_both_stores};

async fn lower(store: &Store, key: &str, now: Millis, times: usize) {
    let mut tx = store.begin().await.expect("begun");
    for _ in 0..times {
        reputation::lower(&mut tx, [key.to_owned()].iter(), now).await.expect("lowered");
    }
    tx.commit().await.expect("committed");
}

async fn score(store: &Store, user_id: Option<&str>, now: Millis) -> Reputation {
    Scores::default().of(store, user_id, "address:192.0.2.1", now).await
}

#[tokio::test]
async fn points_come_back_with_the_hours() {
    on_both_stores(async |store| {
        assert_eq!(score(store, Some("usr_1"), NOON).await, Reputation::Score(0));
        lower(store, "address:192.0.2.1", NOON, 3).await;
        assert_eq!(score(store, None, NOON).await, Reputation::Score(-3));
        assert_eq!(score(store, Some("usr_1"), NOON).await, Reputation::Score(-3));
        assert_eq!(score(store, None, NOON.plus(hours(1))).await, Reputation::Score(-2));
        assert_eq!(score(store, None, NOON.plus(hours(3))).await, Reputation::Score(0));
        let long_after = NOON.plus(hours(50));
        lower(store, "address:192.0.2.1", long_after, 1).await;
        assert_eq!(score(store, None, long_after).await, Reputation::Score(-1), "anew");
    })
    .await;
}

#[tokio::test]
async fn the_worse_of_account_and_address_counts_down_to_a_hundred() {
    on_both_stores(async |store| {
        lower(store, &reputation::account_key("usr_1"), NOON, 103).await;
        lower(store, "address:192.0.2.1", NOON, 2).await;
        assert_eq!(score(store, Some("usr_1"), NOON).await, Reputation::Score(-100));
        assert_eq!(score(store, Some("usr_2"), NOON).await, Reputation::Score(-2));
    })
    .await;
}

#[tokio::test]
async fn a_failure_that_was_none_is_taken_back_and_the_forgiven_are_purged() {
    on_both_stores(async |store| {
        lower(store, "address:192.0.2.1", NOON, 2).await;
        let mut tx = store.begin().await.expect("begun");
        let key = "address:192.0.2.1".to_owned();
        reputation::raise(&mut tx, [key].iter()).await.expect("raised");
        assert_eq!(tx.purge_reputation(NOON, 10).await.expect("purged"), 0);
        tx.commit().await.expect("committed");
        assert_eq!(score(store, None, NOON).await, Reputation::Score(-1));
        let mut tx = store.begin().await.expect("begun");
        assert_eq!(tx.purge_reputation(NOON.plus(hours(2)), 10).await.expect("purged"), 1);
        tx.commit().await.expect("committed");
    })
    .await;
}

/// A session that is known costs no query for two seconds.
#[tokio::test]
async fn a_score_is_gone_by_for_two_seconds() {
    on_both_stores(async |store| {
        let (scores, later) = (Scores::default(), NOON.plus(Duration::from_millis(1_999)));
        let of = async |now| scores.of(store, None, "address:192.0.2.1", now).await;
        assert_eq!(of(NOON).await, Reputation::Score(0));
        lower(store, "address:192.0.2.1", NOON, 1).await;
        assert_eq!(of(later).await, Reputation::Score(0));
        assert_eq!(of(NOON.plus(Duration::from_secs(2))).await, Reputation::Score(-1));
    })
    .await;
}
