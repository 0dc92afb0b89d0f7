//! Identity: one uid through renames, removal and return.

use std::time::Duration;

use doorward::clock::Millis;
use doorward::store::{NewObject, Object, Store};

use super::hours;
use crate::support::stores::{NOON, on_both_stores};

fn app<'a>(uid: &'a str, slug: &'a str) -> NewObject<'a> {
    NewObject { uid, kind: "app", slug, declared_at: "apps.kdl:1", protect: true }
}

async fn insert(store: &Store, object: NewObject<'_>) {
    let mut tx = store.begin().await.expect("begun");
    tx.insert_object(object, NOON).await.expect("inserted");
    tx.commit().await.expect("committed");
}

async fn find(store: &Store, slug: &str) -> Option<Object> {
    let read = store.read().await.expect("reading");
    read.find_live_object("app", slug).await.expect("asked")
}

#[tokio::test]
async fn a_removed_object_comes_back_under_its_uid() {
    on_both_stores(async |store| {
        insert(store, app("app_1", "wiki")).await;
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.tombstone_object("app_1", NOON).await.expect("removed"));
        assert!(!tx.tombstone_object("app_1", NOON).await.expect("removed already"));
        tx.commit().await.expect("committed");
        assert_eq!(find(store, "wiki").await, None);

        let mut tx = store.begin().await.expect("begun");
        let gone = tx.find_tombstoned_object("app", "wiki").await.expect("asked").expect("there");
        assert_eq!(gone.tombstoned_at, Some(NOON));
        assert!(tx.revive_object(&gone.uid).await.expect("revived"));
        assert!(!tx.revive_object(&gone.uid).await.expect("alive already"));
        tx.commit().await.expect("committed");
        let back = find(store, "wiki").await.expect("back");
        assert_eq!((back.uid.as_str(), back.tombstoned_at), ("app_1", None));
        assert!(back.protect);
    })
    .await;
}

#[tokio::test]
async fn a_slug_set_free_in_a_transaction_may_be_used_in_it() {
    on_both_stores(async |store| {
        insert(store, app("app_1", "wiki")).await;
        insert(store, app("app_2", "notes")).await;
        let mut tx = store.begin().await.expect("begun");
        tx.tombstone_object("app_1", NOON).await.expect("removed");
        assert!(tx.rename_object("app_2", "wiki").await.expect("renamed"));
        tx.insert_object(app("app_3", "notes"), NOON).await.expect("inserted");
        tx.commit().await.expect("committed");
        let wiki = find(store, "wiki").await.expect("there");
        assert_eq!((wiki.uid.as_str(), wiki.aliases), ("app_2", vec!["notes".to_owned()]));
        assert_eq!(find(store, "notes").await.expect("there").uid, "app_3");
    })
    .await;
}

#[tokio::test]
async fn a_slug_taken_back_is_no_alias() {
    on_both_stores(async |store| {
        insert(store, app("app_1", "a")).await;
        let mut tx = store.begin().await.expect("begun");
        for slug in ["b", "a"] {
            assert!(tx.rename_object("app_1", slug).await.expect("renamed"));
        }
        assert!(tx.put_object_place("app_1", "more.kdl:7", false).await.expect("moved"));
        tx.commit().await.expect("committed");
        let object = find(store, "a").await.expect("there");
        assert_eq!(object.aliases, vec!["b".to_owned()]);
        assert_eq!((object.declared_at.as_str(), object.protect), ("more.kdl:7", false));
    })
    .await;
}

#[tokio::test]
async fn a_purged_object_takes_its_secrets_along() {
    on_both_stores(async |store| {
        for (uid, slug) in [("app_1", "old"), ("app_2", "young"), ("app_3", "alive")] {
            insert(store, app(uid, slug)).await;
            let mut tx = store.begin().await.expect("begun");
            tx.put_secret(uid, "client-secret", b"sealed", NOON).await.expect("put");
            tx.commit().await.expect("committed");
        }
        let later = NOON.plus(hours(2));
        let mut tx = store.begin().await.expect("begun");
        tx.tombstone_object("app_1", NOON).await.expect("removed");
        tx.tombstone_object("app_2", later).await.expect("removed");
        let purged = tx.purge_tombstones(later, 10).await.expect("purged");
        tx.commit().await.expect("committed");
        assert_eq!(purged.iter().map(|object| object.uid.as_str()).collect::<Vec<_>>(), ["app_1"]);

        let read = store.read().await.expect("reading");
        let owners: Vec<_> = read.list_secrets().await.expect("listed");
        let owners: Vec<_> = owners.iter().map(|secret| secret.owner_uid.as_str()).collect();
        assert_eq!(owners, ["app_2", "app_3"]);
        assert_eq!(read.list_tombstoned_objects().await.expect("listed").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_rotated_secret_keeps_its_retired_values() {
    on_both_stores(async |store| {
        for (number, at) in [(1, NOON), (2, NOON.plus(Duration::from_secs(1)))] {
            let mut tx = store.begin().await.expect("begun");
            let value = [number; 3];
            let secret = tx.put_secret("app_1", "client-secret", &value, at).await.expect("put");
            assert_eq!(secret.rotation, i64::from(number));
            tx.commit().await.expect("committed");
        }
        let read = store.read().await.expect("reading");
        let now = read.find_secret("app_1", "client-secret").await.expect("asked").expect("there");
        assert_eq!((now.rotation, now.sealed), (2, vec![2; 3]));
        let all = read.list_secrets_of("app_1").await.expect("listed");
        let retired: Vec<_> = all.iter().map(|secret| secret.retired_at).collect();
        assert_eq!(retired, [None, Some(Millis(NOON.0 + 1_000))]);
        assert_eq!(read.find_secret("app_1", "other").await.expect("asked"), None);
    })
    .await;
}
