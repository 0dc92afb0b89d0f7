//! Flows in progress: a step counts once, from the state that it saw.

use std::time::Duration;

use doorward::clock::Millis;
use doorward::store::{FlowState, NewFlowState, Store};
use serde_json::{Value, json};

use super::digest;
use crate::support::stores::{NOON, on_both_stores};

const LATE: Millis = Millis(NOON.0 + 900_000);

async fn begin(store: &Store, data: &Value) {
    let mut tx = store.begin().await.expect("begun");
    let state = NewFlowState {
        digest: &digest(1),
        flow: "sign-in",
        purpose: "login",
        generation: 3,
        data,
        expires_at: NOON.plus(Duration::from_secs(900)),
    };
    tx.put_flow_state(state, NOON).await.expect("put");
    tx.commit().await.expect("committed");
}

async fn find(store: &Store, now: Millis) -> Option<FlowState> {
    let read = store.read().await.expect("reading");
    read.find_flow_state(&digest(1), now).await.expect("asked")
}

async fn step(store: &Store, version: i64, data: Value, now: Millis) -> bool {
    let mut tx = store.begin().await.expect("begun");
    let went = tx.advance_flow_state(&digest(1), version, &data, now).await.expect("asked");
    tx.commit().await.expect("committed");
    went
}

#[tokio::test]
async fn a_step_from_a_stale_page_is_refused() {
    on_both_stores(async |store| {
        begin(store, &json!({ "at": 0 })).await;
        assert!(step(store, 1, json!({ "at": 1 }), NOON).await);
        assert!(!step(store, 1, json!({ "at": 9 }), NOON).await);
        assert!(!step(store, 2, json!({ "at": 9 }), LATE).await);
        let state = find(store, NOON).await.expect("there");
        assert_eq!((state.version, state.data), (2, json!({ "at": 1 })));
        assert_eq!((state.flow.as_str(), state.generation), ("sign-in", 3));
        assert_eq!(find(store, LATE).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_flow_begun_again_voids_the_pages_before() {
    on_both_stores(async |store| {
        begin(store, &json!({ "at": 0 })).await;
        begin(store, &json!({ "at": 0 })).await;
        assert!(!step(store, 1, json!({ "at": 1 }), NOON).await);
        assert!(step(store, 2, json!({ "at": 1 }), NOON).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_ends_once() {
    on_both_stores(async |store| {
        begin(store, &json!({})).await;
        let tries = (0..20).map(|_| {
            let store = Store::clone(store);
            tokio::spawn(async move {
                let mut tx = store.begin().await.expect("begun");
                let state = tx.consume_flow_state(&digest(1), 1, NOON).await.expect("asked");
                tx.commit().await.expect("committed");
                state.is_some()
            })
        });
        let mut ended = 0;
        for attempt in tries.collect::<Vec<_>>() {
            ended += usize::from(attempt.await.expect("joined"));
        }
        assert_eq!(ended, 1);
        assert_eq!(find(store, NOON).await, None);
    })
    .await;
}
