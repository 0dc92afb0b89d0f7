//! Generations: numbered, and one of them in force.

use doorward::store::{Held, NewGeneration, Store, StoreError};
use serde_json::json;

use super::hours;
use crate::support::stores::{NOON, on_both_stores};

/// Stores a generation and puts it in force if `expected` still is.
async fn apply(store: &Store, expected: Option<i64>, source: &str) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let generation = NewGeneration {
        source_digest: source,
        model_digest: "model",
        revision: None,
        sources: r#"{"a.kdl":""}"#,
        applied_by: "reload",
        summary: &json!({ "added": 1 }),
    };
    let number = tx.insert_generation(generation, NOON).await?;
    if !tx.activate(expected, number).await? {
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}

async fn active(store: &Store) -> Option<i64> {
    let read = store.read().await.expect("reading");
    read.find_active_number().await.expect("asked")
}

#[tokio::test]
async fn a_generation_comes_in_force_only_after_the_one_expected() {
    on_both_stores(async |store| {
        assert_eq!(active(store).await, None);
        assert!(!apply(store, Some(7), "a").await.expect("asked"));
        assert!(apply(store, None, "a").await.expect("asked"));
        assert!(!apply(store, None, "b").await.expect("asked"));
        assert!(apply(store, Some(1), "b").await.expect("asked"));
        assert_eq!(active(store).await, Some(2));
        let read = store.read().await.expect("reading");
        let now = read.find_active_generation().await.expect("asked").expect("there");
        assert_eq!((now.line.number, now.line.source_digest.as_str()), (2, "b"));
        assert_eq!(now.sources, r#"{"a.kdl":""}"#);
        let lines = read.list_generations(10).await.expect("listed");
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 1]);
        let known = read.find_generation_by_source("a").await.expect("asked").expect("there");
        assert_eq!((known.number, known.applied_at), (1, NOON));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_nodes_that_apply_at_once_one_wins() {
    on_both_stores(async |store| {
        let tries = (0..20).map(|_| {
            let store = Store::clone(store);
            tokio::spawn(async move { apply(&store, None, "a").await })
        });
        let mut won = 0;
        for attempt in tries.collect::<Vec<_>>() {
            // Two that take one number meet in the table: one of them may hear of a conflict.
            match attempt.await.expect("joined") {
                Ok(applied) => won += usize::from(applied),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(active(store).await, Some(1));
    })
    .await;
}

#[tokio::test]
async fn files_that_mean_the_same_refresh_the_sources() {
    on_both_stores(async |store| {
        assert!(apply(store, None, "a").await.expect("asked"));
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.refresh_generation(1, "b", Some("9f8e7d6"), "{}").await.expect("refreshed"));
        tx.commit().await.expect("committed");
        let read = store.read().await.expect("reading");
        let now = read.find_generation(1).await.expect("asked").expect("there");
        assert_eq!((now.line.source_digest.as_str(), now.sources.as_str()), ("b", "{}"));
        assert_eq!(now.line.revision.as_deref(), Some("9f8e7d6"));
        assert_eq!(now.line.summary, json!({ "added": 1 }));
    })
    .await;
}

#[tokio::test]
async fn old_generations_go_but_never_the_one_in_force() {
    on_both_stores(async |store| {
        assert!(apply(store, None, "a").await.expect("asked"));
        for number in 1..5 {
            assert!(apply(store, Some(number), "a").await.expect("asked"));
        }
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.activate(Some(5), 2).await.expect("rolled back to 2"));
        assert_eq!(tx.purge_generations(2, 10).await.expect("purged"), 2);
        tx.commit().await.expect("committed");
        let read = store.read().await.expect("reading");
        let lines = read.list_generations(10).await.expect("listed");
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [5, 4, 2]);
    })
    .await;
}

#[tokio::test]
async fn one_set_of_files_is_held_at_a_time() {
    on_both_stores(async |store| {
        let held = |digest: &str, hour| Held {
            source_digest: digest.to_owned(),
            reasons: json!([{ "reason": "protected" }]),
            at: NOON.plus(hours(hour)),
        };
        let mut tx = store.begin().await.expect("begun");
        assert_eq!(tx.find_held().await.expect("asked"), None);
        tx.put_held(&held("a", 0)).await.expect("put");
        tx.put_held(&held("b", 1)).await.expect("put");
        assert_eq!(tx.find_held().await.expect("asked"), Some(held("b", 1)));
        assert!(tx.clear_held().await.expect("cleared"));
        assert!(!tx.clear_held().await.expect("nothing held"));
        tx.commit().await.expect("committed");
    })
    .await;
}
