//! Opening a store: new, known, newer, foreign, away.

use doorward::store::{KeyCheck, Opening, StateUrl, Store, StoreError};

use crate::support::stores::{NOON, limits, on_both_places, on_both_stores, on_sqlite, scratch};

async fn open(url: &StateUrl) -> Result<Opening, StoreError> {
    Store::open(url, limits(), NOON).await.map(|(_, opening)| opening)
}

#[tokio::test]
async fn a_store_is_made_once_and_found_again() {
    on_both_stores(async |store| {
        let mut tx = store.begin().await.expect("begun");
        tx.put_meta("a", "kept").await.expect("put");
        tx.commit().await.expect("committed");
        for _ in 0..2 {
            let again = store.reopened().await;
            let read = again.read().await.expect("reading");
            assert_eq!(read.find_meta("a").await.expect("asked").as_deref(), Some("kept"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_nodes_that_open_a_new_store_one_makes_it() {
    on_both_places(async |place| {
        let nodes = (0..8).map(|_| {
            let url = place.url().clone();
            tokio::spawn(async move { open(&url).await })
        });
        let mut made = 0;
        for node in nodes.collect::<Vec<_>>() {
            let opening = node.await.expect("joined").expect("opened");
            made += usize::from(opening == Opening::Created);
        }
        assert_eq!(made, 1);
    })
    .await;
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused() {
    on_both_stores(async |store| {
        store.tamper("INSERT INTO migrations VALUES (99, '0099_later', 'x', 0)").await;
        let error = open(store.url()).await.expect_err("refused");
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
        assert!(error.to_string().contains("run that version"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_store_made_by_another_text_of_a_migration_is_refused() {
    on_both_stores(async |store| {
        store.tamper("UPDATE migrations SET digest = 'x' WHERE number = 1").await;
        let error = open(store.url()).await.expect_err("refused");
        assert!(matches!(error, StoreError::Altered { .. }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_store_remembers_its_first_master_key() {
    on_both_stores(async |store| {
        let expected =
            [("aa", KeyCheck::FirstUse), ("aa", KeyCheck::Fits), ("bb", KeyCheck::Differs)];
        for (fingerprint, check) in expected {
            let mut tx = store.begin().await.expect("begun");
            assert_eq!(tx.check_key(fingerprint).await.expect("checked"), check);
            tx.commit().await.expect("committed");
        }
    })
    .await;
}

#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    on_sqlite(async |store| {
        let StateUrl::Sqlite(file) = store.url() else { panic!("SQLite") };
        let mode = |path: &std::path::Path| {
            std::fs::metadata(path).expect("there").permissions().mode() & 0o777
        };
        assert_eq!(mode(file), 0o600);
        assert_eq!(mode(file.parent().expect("a directory")), 0o700);
        assert_eq!(mode(&file.with_extension("db-wal")), 0o600);
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_damaged() {
    let directory = scratch();
    std::fs::create_dir(&directory).expect("made");
    let file = directory.join("state.db");
    std::fs::write(&file, "not a database, but long enough to be looked at ".repeat(100))
        .expect("written");
    let error = open(&StateUrl::Sqlite(file)).await.expect_err("refused");
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    std::fs::remove_dir_all(directory).expect("removed");
}

#[tokio::test]
async fn a_place_that_cannot_be_reached_is_named_without_the_password() {
    let gone = "postgres://door:hunter2@127.0.0.1:9/state".parse().expect("an address");
    let error = open(&gone).await.expect_err("nobody answers");
    assert!(error.is_passing());
    let text = format!("{error} {error:?}");
    assert!(text.contains("postgres://127.0.0.1:9/state"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("door:"), "{text}");

    let file = StateUrl::Sqlite("/proc/nowhere/state.db".into());
    let error = open(&file).await.expect_err("no such place");
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
}
