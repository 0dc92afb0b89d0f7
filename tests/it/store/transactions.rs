//! All or nothing, and nothing after an error.

use std::time::Duration;

use doorward::clock::Millis;
use doorward::store::{Limits, NewObject, StateUrl, Store, StoreError};

use super::{insert_session, insert_user};
use crate::support::stores::{NOON, on_both_stores, on_postgres, on_sqlite};

fn app<'a>(uid: &'a str, slug: &'a str) -> NewObject<'a> {
    NewObject { uid, kind: "app", slug, declared_at: "apps.kdl:1", protect: false }
}

async fn count(store: &Store) -> usize {
    let read = store.read().await.expect("reading");
    read.list_live_objects().await.expect("listed").len()
}

#[tokio::test]
async fn a_dropped_transaction_leaves_no_trace() {
    on_both_stores(async |store| {
        for _ in 0..10 {
            let mut tx = store.begin().await.expect("begun");
            tx.insert_object(app("app_1", "wiki"), NOON).await.expect("inserted");
            assert_eq!(tx.list_live_objects().await.expect("listed").len(), 1);
        }
        assert_eq!(count(store).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_transaction_given_up_in_the_middle_of_a_statement_leaves_no_trace() {
    on_both_stores(async |store| {
        for _ in 0..10 {
            let attempt = async {
                let mut tx = store.begin().await?;
                for number in 0..100 {
                    let slug = number.to_string();
                    tx.insert_object(app(&slug, &slug), NOON).await?;
                }
                std::future::pending::<Result<(), StoreError>>().await
            };
            tokio::time::timeout(Duration::from_millis(3), attempt).await.expect_err("given up");
        }
        assert_eq!(count(store).await, 0);
        let mut tx = store.begin().await.expect("the next one begins");
        tx.insert_object(app("app_1", "wiki"), NOON).await.expect("inserted");
        tx.commit().await.expect("committed");
        assert_eq!(count(store).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_was_committed_outlives_the_process() {
    on_both_stores(async |store| {
        let mut tx = store.begin().await.expect("begun");
        tx.insert_object(app("app_1", "wiki"), NOON).await.expect("inserted");
        tx.commit().await.expect("committed");
        let mut open = store.begin().await.expect("begun");
        open.insert_object(app("app_2", "mail"), NOON).await.expect("inserted");
        // What a killed process leaves behind: a transaction without an end.
        drop(open);
        let again = store.reopened().await;
        assert_eq!(count(&again).await, 1);
    })
    .await;
}

#[tokio::test]
async fn no_transaction_goes_on_after_an_error() {
    on_both_stores(async |store| {
        let mut tx = store.begin().await.expect("begun");
        tx.insert_object(app("app_1", "wiki"), NOON).await.expect("inserted");
        let error = tx.insert_object(app("app_2", "wiki"), NOON).await.expect_err("taken");
        assert_eq!(error.to_string(), "table objects already holds a row with the same kind, slug");
        let error = tx.list_live_objects().await.expect_err("spoiled");
        assert!(matches!(error, StoreError::Spoiled), "{error}");
        assert!(matches!(tx.commit().await, Err(StoreError::Spoiled)));
        assert_eq!(count(store).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_nul_character_never_reaches_the_store() {
    on_both_stores(async |store| {
        let mut tx = store.begin().await.expect("begun");
        let error = tx.insert_object(app("app_1", "wi\0ki"), NOON).await.expect_err("refused");
        assert!(matches!(error, StoreError::Nul), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_an_error_naming_it() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_session(store, "ses_1", "usr_1", 1, NOON).await;
        store.tamper("UPDATE users SET attributes = 'nonsense'").await;
        store.tamper("UPDATE sessions SET idle_ms = -1").await;
        let read = store.read().await.expect("reading");
        let error = read.find_user("usr_1").await.expect_err("corrupt");
        assert!(
            matches!(&error, StoreError::Corrupt { table: "users", id, column: "attributes" }
                if id == "usr_1"),
            "{error}"
        );
        let error = read.list_live_sessions(Millis(0)).await.expect_err("corrupt");
        assert!(
            matches!(&error, StoreError::Corrupt { table: "sessions", column: "idle_ms", .. }),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_busy() {
    on_sqlite(async |store| {
        let StateUrl::Sqlite(file) = store.url() else { panic!("SQLite") };
        let other = rusqlite::Connection::open(file).expect("opened");
        let limits = Limits { wait: Duration::from_millis(20), ..Limits::default() };
        let (impatient, _) = Store::open(store.url(), limits, NOON).await.expect("opened");
        other.execute_batch("BEGIN IMMEDIATE").expect("locked");
        let error = impatient.begin().await.err().expect("busy");
        assert!(matches!(error, StoreError::Busy { .. }), "{error}");
        impatient.ping().await.expect("reading goes on");
        other.execute_batch("COMMIT").expect("unlocked");
        impatient.begin().await.expect("free again").commit().await.expect("committed");
    })
    .await;
}

#[tokio::test]
async fn a_second_write_waits_for_the_first() {
    on_sqlite(async |store| {
        let limits = Limits { wait: Duration::from_millis(20), ..Limits::default() };
        let (impatient, _) = Store::open(store.url(), limits, NOON).await.expect("opened");
        let first = impatient.begin().await.expect("begun");
        let error = impatient.begin().await.err().expect("busy");
        assert!(matches!(error, StoreError::Busy { .. }), "{error}");
        drop(first);
        impatient.begin().await.expect("free again").commit().await.expect("committed");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_drops_its_connections_is_found_again() {
    on_postgres(async |store| {
        let mut tx = store.begin().await.expect("begun");
        tx.insert_object(app("app_1", "wiki"), NOON).await.expect("inserted");
        let ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE application_name = current_schema()";
        store.tamper(ended).await;
        let error = tx.insert_object(app("app_2", "mail"), NOON).await.expect_err("gone");
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
        assert!(matches!(tx.commit().await, Err(StoreError::Spoiled)));

        let mut tx = store.begin().await.expect("connected anew");
        tx.insert_object(app("app_3", "mail"), NOON).await.expect("inserted");
        tx.commit().await.expect("committed");
        assert_eq!(count(store).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_waits_too_long_for_another_gives_up() {
    on_postgres(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        let limits = Limits { wait: Duration::from_millis(20), ..Limits::default() };
        let (impatient, _) = Store::open(store.url(), limits, NOON).await.expect("opened");
        let mut first = store.begin().await.expect("begun");
        assert!(first.release_user("usr_1").await.expect("released"));
        let mut second = impatient.begin().await.expect("begun");
        let error = second.release_user("usr_1").await.expect_err("locked");
        assert!(matches!(error, StoreError::Busy { .. }), "{error}");
        first.commit().await.expect("committed");
    })
    .await;
}

#[tokio::test]
async fn a_value_of_a_foreign_type_is_corrupt() {
    on_sqlite(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        for (value, column) in
            [("name = CAST(x'ff' AS TEXT)", "name"), ("name = 'x', created_at = 1.5", "created_at")]
        {
            store.tamper(&format!("UPDATE users SET {value}")).await;
            let read = store.read().await.expect("reading");
            let error = read.find_user("usr_1").await.expect_err("corrupt");
            assert!(
                matches!(&error, StoreError::Corrupt { column: at, .. } if *at == column),
                "{error}"
            );
        }
    })
    .await;
}
