//! What may be used once is used once, however many try (security.md 14).

use std::time::Duration;

use doorward::clock::Millis;
use doorward::secret::TokenDigest;
use doorward::store::{Link, Store, StoreError, Ticket, TicketUse};

use super::{digest, insert_session, insert_user};
use crate::support::stores::{NOON, on_both_stores};

const TRIES: usize = 20;

fn ticket() -> Ticket {
    Ticket {
        digest: digest(7),
        app_uid: "app_1".to_owned(),
        host: "wiki.example.org".to_owned(),
        return_to: "/page".to_owned(),
        nonce_digest: digest(8),
        session_id: "ses_1".to_owned(),
        expires_at: NOON.plus(Duration::from_secs(60)),
    }
}

async fn with_ticket(store: &Store) -> Ticket {
    insert_user(store, "usr_1", "ada", NOON).await;
    insert_session(store, "ses_1", "usr_1", 1, NOON).await;
    let mut tx = store.begin().await.expect("begun");
    tx.insert_ticket(&ticket()).await.expect("inserted");
    tx.commit().await.expect("committed");
    ticket()
}

async fn redeem(
    store: &Store,
    attempt: TicketUse<'_>,
    now: Millis,
) -> Result<Option<Ticket>, StoreError> {
    let mut tx = store.begin().await?;
    let ticket = tx.consume_ticket(attempt, now).await?;
    tx.commit().await?;
    Ok(ticket)
}

fn fitting(ticket: &Ticket) -> TicketUse<'_> {
    TicketUse {
        digest: &ticket.digest,
        app_uid: &ticket.app_uid,
        host: &ticket.host,
        nonce_digest: &ticket.nonce_digest,
    }
}

async fn set_up_link(store: &Store, mark: u8) {
    let link = Link {
        digest: digest(mark),
        user_id: "usr_1".to_owned(),
        purpose: "set-password".to_owned(),
        created_at: NOON,
        expires_at: NOON.plus(Duration::from_secs(1_800)),
        used_at: None,
    };
    let mut tx = store.begin().await.expect("begun");
    tx.replace_link(&link).await.expect("replaced");
    tx.commit().await.expect("committed");
}

async fn use_link(store: &Store, digest: &TokenDigest, purpose: &str, now: Millis) -> bool {
    let mut tx = store.begin().await.expect("begun");
    let link = tx.consume_link(digest, purpose, now).await.expect("asked");
    tx.commit().await.expect("committed");
    link.is_some()
}

/// security.md 14: one cell of the table succeeds.
#[tokio::test]
async fn a_ticket_is_worth_something_only_where_everything_fits() {
    on_both_stores(async |store| {
        let ticket = with_ticket(store).await;
        let other = digest(99);
        let right = fitting(&ticket);
        let wrong = [
            TicketUse { digest: &other, ..right },
            TicketUse { app_uid: "app_2", ..right },
            TicketUse { host: "evil.example.org", ..right },
            TicketUse { nonce_digest: &other, ..right },
        ];
        for attempt in wrong {
            assert_eq!(redeem(store, attempt, NOON).await.expect("asked"), None, "{attempt:?}");
        }
        assert_eq!(redeem(store, right, ticket.expires_at).await.expect("asked"), None);
        assert_eq!(redeem(store, right, NOON).await.expect("asked"), Some(ticket.clone()));
        assert_eq!(redeem(store, right, NOON).await.expect("asked"), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_who_hold_one_ticket_one_enters() {
    on_both_stores(async |store| {
        with_ticket(store).await;
        let tries = (0..TRIES).map(|_| {
            let store = Store::clone(store);
            tokio::spawn(async move { redeem(&store, fitting(&ticket()), NOON).await })
        });
        let mut entered = 0;
        for attempt in tries.collect::<Vec<_>>() {
            entered += usize::from(attempt.await.expect("joined").expect("asked").is_some());
        }
        assert_eq!(entered, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_who_hold_one_link_one_uses_it() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        set_up_link(store, 5).await;
        let tries = (0..TRIES).map(|_| {
            let store = Store::clone(store);
            tokio::spawn(async move { use_link(&store, &digest(5), "set-password", NOON).await })
        });
        let mut used = 0;
        for attempt in tries.collect::<Vec<_>>() {
            used += usize::from(attempt.await.expect("joined"));
        }
        assert_eq!(used, 1);
    })
    .await;
}

/// security.md R17: a link lives thirty minutes, and looking at it consumes nothing.
#[tokio::test]
async fn a_link_is_for_one_purpose_and_looking_does_not_use_it() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        set_up_link(store, 5).await;
        let late = NOON.plus(Duration::from_secs(1_800));
        for _ in 0..3 {
            let read = store.read().await.expect("reading");
            let seen = read.find_link(&digest(5), "set-password").await.expect("asked");
            let seen = seen.expect("there");
            assert_eq!(seen.user_id, "usr_1");
            assert!(seen.is_usable(NOON) && !seen.is_usable(late));
            assert_eq!(read.find_link(&digest(5), "other").await.expect("asked"), None);
            assert_eq!(
                read.find_link_of("usr_1", "set-password", late).await.expect("asked"),
                None
            );
        }
        assert!(!use_link(store, &digest(5), "other", NOON).await);
        assert!(!use_link(store, &digest(5), "set-password", late).await);
        assert!(use_link(store, &digest(5), "set-password", NOON).await);
        assert!(!use_link(store, &digest(5), "set-password", NOON).await);
    })
    .await;
}

#[tokio::test]
async fn a_new_link_voids_the_one_before() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        set_up_link(store, 5).await;
        set_up_link(store, 6).await;
        assert!(!use_link(store, &digest(5), "set-password", NOON).await);
        assert!(use_link(store, &digest(6), "set-password", NOON).await);
        set_up_link(store, 9).await;
        assert!(use_link(store, &digest(9), "set-password", NOON).await);
    })
    .await;
}
