//! Sessions: when they live, and what ends with them.

use doorward::clock::Millis;
use doorward::model::factor::Factor;
use doorward::store::{NewAppSession, Proven, Store};

use super::{digest, find_session, hours, insert_session, insert_user};
use crate::support::stores::{NOON, on_both_stores};

async fn enter(store: &Store, id: &str, session_id: &str, app_uid: &str, mark: u8) -> bool {
    let mut tx = store.begin().await.expect("begun");
    let app_session =
        NewAppSession { id, digest: &digest(mark), session_id, app_uid, host: "wiki.example.org" };
    let entered = tx.insert_app_session(app_session, NOON).await.expect("asked");
    tx.commit().await.expect("committed");
    entered
}

async fn is_inside(store: &Store, mark: u8, now: Millis) -> bool {
    let read = store.read().await.expect("reading");
    read.find_app_session(&digest(mark), now).await.expect("asked").is_some()
}

#[tokio::test]
async fn a_session_ends_when_idle_and_at_its_latest() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_session(store, "ses_1", "usr_1", 1, NOON).await;
        let found = find_session(store, 1, NOON).await.expect("live");
        assert_eq!((found.id.as_str(), found.idle), ("ses_1", hours(2)));
        assert_eq!(found.proofs, Proven { first: Some(NOON), ..Proven::default() });
        assert!(find_session(store, 1, NOON.plus(hours(2))).await.is_none());

        for hour in 1..=12 {
            let mut tx = store.begin().await.expect("begun");
            let seen = [("ses_1".to_owned(), NOON.plus(hours(hour)))];
            tx.touch_sessions(&seen).await.expect("touched");
            tx.commit().await.expect("committed");
        }
        assert!(find_session(store, 1, NOON.plus(hours(11))).await.is_some());
        assert!(find_session(store, 1, NOON.plus(hours(12))).await.is_none());
        assert!(find_session(store, 2, NOON).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn many_sessions_are_touched_at_once_and_never_back() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        for mark in 0..120 {
            insert_session(store, &format!("ses_{mark}"), "usr_1", mark, NOON).await;
        }
        let seen =
            |at: Millis| (0..120).map(|mark| (format!("ses_{mark}"), at)).collect::<Vec<_>>();
        let mut tx = store.begin().await.expect("begun");
        tx.touch_sessions(&seen(NOON.plus(hours(1)))).await.expect("touched");
        tx.touch_sessions(&seen(NOON)).await.expect("touched");
        tx.touch_sessions(&[]).await.expect("nothing to do");
        tx.commit().await.expect("committed");
        let read = store.read().await.expect("reading");
        let live = read.list_live_sessions(NOON).await.expect("listed");
        assert_eq!(live.len(), 120);
        assert!(live.iter().all(|session| session.seen_at == NOON.plus(hours(1))));
    })
    .await;
}

#[tokio::test]
async fn ending_a_session_ends_it_everywhere() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_session(store, "ses_1", "usr_1", 1, NOON).await;
        insert_session(store, "ses_2", "usr_1", 2, NOON).await;
        assert!(enter(store, "aps_1", "ses_1", "app_1", 11).await);
        assert!(enter(store, "aps_2", "ses_2", "app_1", 12).await);
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.end_session("ses_1", NOON).await.expect("ended"));
        assert!(!tx.end_session("ses_1", NOON).await.expect("ended already"));
        tx.commit().await.expect("committed");

        assert!(find_session(store, 1, NOON).await.is_none());
        assert!(!is_inside(store, 11, NOON).await);
        assert!(is_inside(store, 12, NOON).await);
        assert!(!enter(store, "aps_3", "ses_1", "app_1", 13).await, "nobody enters any more");
        let read = store.read().await.expect("reading");
        assert_eq!(read.list_sessions_ended_since(NOON).await.expect("listed"), ["ses_1"]);
    })
    .await;
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_user(store, "usr_2", "bob", NOON).await;
        for (id, user, mark) in
            [("ses_1", "usr_1", 1), ("ses_2", "usr_1", 2), ("ses_3", "usr_2", 3)]
        {
            insert_session(store, id, user, mark, NOON).await;
            assert!(enter(store, &format!("aps_{mark}"), id, "app_1", mark + 10).await);
        }
        let mut tx = store.begin().await.expect("begun");
        let ended = tx.end_sessions_except("usr_1", "ses_2", NOON).await.expect("ended");
        assert_eq!(ended, ["ses_1"]);
        tx.commit().await.expect("committed");
        assert!(!is_inside(store, 11, NOON).await);
        assert!(is_inside(store, 12, NOON).await && is_inside(store, 13, NOON).await);

        let mut tx = store.begin().await.expect("begun");
        assert_eq!(tx.end_sessions_of("usr_1", NOON).await.expect("ended"), ["ses_2"]);
        tx.commit().await.expect("committed");
        let read = store.read().await.expect("reading");
        assert!(read.list_live_sessions_of("usr_1", NOON).await.expect("listed").is_empty());
        assert_eq!(read.list_live_sessions_of("usr_2", NOON).await.expect("listed").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn removing_an_application_ends_its_sessions_alone() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_session(store, "ses_1", "usr_1", 1, NOON).await;
        assert!(enter(store, "aps_1", "ses_1", "app_1", 11).await);
        assert!(enter(store, "aps_2", "ses_1", "app_2", 12).await);
        let mut tx = store.begin().await.expect("begun");
        assert_eq!(tx.end_app_sessions_of("app_1", NOON).await.expect("ended"), ["aps_1"]);
        tx.commit().await.expect("committed");
        assert!(!is_inside(store, 11, NOON).await);
        assert!(is_inside(store, 12, NOON).await);
        let read = store.read().await.expect("reading");
        assert_eq!(read.list_app_sessions_of("ses_1").await.expect("listed").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn after_a_rotation_the_old_cookie_is_worth_nothing() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_session(store, "ses_1", "usr_1", 1, NOON).await;
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.rotate_session("ses_1", &digest(2)).await.expect("rotated"));
        let proofs = Proven { first: None, factors: [(Factor::Totp, NOON)].into() };
        assert!(tx.put_proofs("ses_1", &proofs).await.expect("put"));
        tx.commit().await.expect("committed");
        assert!(find_session(store, 1, NOON).await.is_none());
        assert_eq!(find_session(store, 2, NOON).await.expect("live").proofs, proofs);
    })
    .await;
}
