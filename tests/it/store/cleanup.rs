//! What has had its time goes; what lives stays.

use doorward::store::{
    Cleaned, Event, EventFilter, Link, NewAppSession, NewFlowState, NewObject, Retention, Store,
    Ticket,
};
use serde_json::json;

use super::{digest, find_session, hours, insert_session, insert_user};
use crate::support::stores::{NOON, on_both_stores};

fn event(number: i64, kind: &str, subject: Option<&str>) -> Event {
    Event {
        id: format!("evt_{number:03}"),
        at: NOON.plus(hours(number.unsigned_abs())),
        kind: kind.to_owned(),
        actor: None,
        subject: subject.map(str::to_owned),
        data: json!({ "number": number }),
    }
}

/// One of everything, all of it over after a day.
async fn fill(store: &Store) {
    insert_user(store, "usr_1", "ada", NOON).await;
    insert_session(store, "ses_1", "usr_1", 1, NOON).await;
    let mut tx = store.begin().await.expect("begun");
    let app_session = NewAppSession {
        id: "aps_1",
        digest: &digest(2),
        session_id: "ses_1",
        app_uid: "app_2",
        host: "h",
    };
    assert!(tx.insert_app_session(app_session, NOON).await.expect("inserted"));
    tx.end_app_sessions_of("app_2", NOON).await.expect("ended");
    let ticket = Ticket {
        digest: digest(3),
        app_uid: "app_2".to_owned(),
        host: "h".to_owned(),
        return_to: "/".to_owned(),
        nonce_digest: digest(4),
        session_id: "ses_1".to_owned(),
        expires_at: NOON,
    };
    tx.insert_ticket(&ticket).await.expect("inserted");
    let state = NewFlowState {
        digest: &digest(5),
        flow: "f",
        purpose: "login",
        generation: 1,
        data: &json!({}),
        expires_at: NOON,
    };
    tx.put_flow_state(state, NOON).await.expect("put");
    let link = Link {
        digest: digest(6),
        user_id: "usr_1".to_owned(),
        purpose: "p".to_owned(),
        created_at: NOON,
        expires_at: NOON,
        used_at: None,
    };
    tx.replace_link(&link).await.expect("put");
    for value in [b"a", b"b"] {
        tx.put_secret("app_2", "field", value, NOON).await.expect("put");
    }
    let object =
        NewObject { uid: "app_1", kind: "app", slug: "w", declared_at: "a.kdl:1", protect: false };
    tx.insert_object(object, NOON).await.expect("inserted");
    tx.tombstone_object("app_1", NOON).await.expect("removed");
    tx.insert_event(&event(1, "login", None)).await.expect("inserted");
    tx.count_failure("usr_1", NOON, hours(1)).await.expect("counted");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn nothing_goes_before_its_time_and_everything_after() {
    on_both_stores(async |store| {
        fill(store).await;
        let keep = Retention::default();
        assert_eq!(store.clean_up(&keep, NOON).await.expect("cleaned"), Cleaned::default());
        assert!(find_session(store, 1, NOON).await.is_some());

        let cleaned = store.clean_up(&keep, NOON.plus(hours(24 * 400))).await.expect("cleaned");
        assert_eq!(cleaned.objects.len(), 1);
        let counts = [
            cleaned.sessions,
            cleaned.app_sessions,
            cleaned.flow_states,
            cleaned.links,
            cleaned.secrets,
            cleaned.events,
            cleaned.attempts,
        ];
        assert_eq!(counts, [1; 7]);
        let read = store.read().await.expect("reading");
        assert!(read.find_user("usr_1").await.expect("asked").is_some());
        let secret = read.find_secret("app_2", "field").await.expect("asked").expect("there");
        assert_eq!(secret.sealed, b"b");
    })
    .await;
}

#[tokio::test]
async fn a_clean_up_takes_no_more_than_its_batch() {
    on_both_stores(async |store| {
        let mut tx = store.begin().await.expect("begun");
        for number in 0..7 {
            tx.insert_event(&event(number, "login", None)).await.expect("inserted");
        }
        tx.commit().await.expect("committed");
        let keep = Retention { batch: 3, events: hours(1), ..Retention::default() };
        let mut deleted = Vec::new();
        for _ in 0..4 {
            let cleaned = store.clean_up(&keep, NOON.plus(hours(24))).await.expect("cleaned");
            deleted.push(cleaned.events);
        }
        assert_eq!(deleted, [3, 3, 1, 0]);
    })
    .await;
}

#[tokio::test]
async fn events_are_listed_newest_first_and_by_what_they_concern() {
    on_both_stores(async |store| {
        let mut tx = store.begin().await.expect("begun");
        for (number, kind, subject) in [
            (1, "login", Some("usr_1")),
            (2, "login", Some("usr_2")),
            (3, "lock.added", Some("usr_1")),
            (4, "login", None),
        ] {
            tx.insert_event(&event(number, kind, subject)).await.expect("inserted");
        }
        tx.commit().await.expect("committed");
        let read = store.read().await.expect("reading");
        let list = async |filter: EventFilter<'_>, limit| {
            let events = read.list_events(filter, limit).await.expect("listed");
            events.iter().map(|event| event.data["number"].clone()).collect::<Vec<_>>()
        };
        let all = EventFilter::default();
        assert_eq!(list(all, 3).await, [4, 3, 2]);
        assert_eq!(list(EventFilter { before_id: Some("evt_002"), ..all }, 3).await, [1]);
        assert_eq!(list(EventFilter { kind: Some("login"), ..all }, 9).await, [4, 2, 1]);
        assert_eq!(list(EventFilter { subject: Some("usr_1"), ..all }, 9).await, [3, 1]);
        assert_eq!(list(EventFilter { actor: Some("x"), ..all }, 9).await.len(), 0);
        let since = Some(NOON.plus(hours(3)));
        assert_eq!(list(EventFilter { since, ..all }, 9).await, [4, 3]);
    })
    .await;
}
