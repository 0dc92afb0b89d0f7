//! Mail on its way out: one node at a time, nothing lost, nothing kept for ever.

use std::time::Duration;

use doorward::clock::Millis;
use doorward::store::{NewOutgoing, Outgoing, Retention, Store, Waiting};

use crate::support::stores::{NOON, TestStore, on_both_stores};

const LEASE: Duration = Duration::from_secs(120);

fn after(seconds: u64) -> Millis {
    NOON.plus(Duration::from_secs(seconds))
}

async fn queue(store: &Store, id: &str, lives: u64) {
    let mut tx = store.begin().await.expect("begun");
    let new = NewOutgoing {
        id,
        recipient: "ada@example.com",
        kind: "code",
        sealed: b"sealed",
        expires_at: after(lives),
    };
    tx.insert_outgoing(new, NOON).await.expect("queued");
    tx.commit().await.expect("committed");
}

async fn claim(store: &Store, now: Millis) -> Option<Outgoing> {
    let mut tx = store.begin().await.expect("begun");
    let claimed = tx.claim_outgoing(now, now.plus(LEASE)).await.expect("asked");
    tx.commit().await.expect("committed");
    claimed
}

async fn waiting(store: &Store) -> Waiting {
    store.read().await.expect("reading").count_outbox().await.expect("counted")
}

async fn given_up(store: &Store, message: &Outgoing, error: &str, now: Millis) {
    let mut tx = store.begin().await.expect("begun");
    assert!(tx.give_up_outgoing(message, error, now).await.expect("given up"));
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn a_message_is_claimed_once_and_gone_when_it_is_done() {
    on_both_stores(async |store: &TestStore| {
        queue(store, "mail_1", 3600).await;
        let other = store.reopened().await;
        let claimed = claim(store, NOON).await.expect("claimed");
        assert_eq!((claimed.id.as_str(), claimed.attempts), ("mail_1", 1));
        assert_eq!(claimed.sealed, b"sealed");
        assert_eq!(claim(&other, NOON).await, None, "another node");
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.finish_outgoing(&claimed).await.expect("done"));
        tx.commit().await.expect("committed");
        assert_eq!(waiting(store).await, Waiting::default());
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_is_not_completed_becomes_free_and_the_late_answer_changes_nothing() {
    on_both_stores(async |store: &TestStore| {
        queue(store, "mail_1", 3600).await;
        let first = claim(store, NOON).await.expect("claimed");
        assert_eq!(claim(store, after(119)).await, None, "the claim holds");
        let second = claim(store, after(120)).await.expect("free again");
        assert_eq!(second.attempts, 2);
        let mut tx = store.begin().await.expect("begun");
        assert!(!tx.finish_outgoing(&first).await.expect("asked"), "it is another node's now");
        assert!(!tx.postpone_outgoing(&first, "late", after(9)).await.expect("asked"));
        assert!(tx.finish_outgoing(&second).await.expect("done"));
        tx.commit().await.expect("committed");
    })
    .await;
}

#[tokio::test]
async fn many_nodes_at_once_get_each_message_once() {
    on_both_stores(async |store: &TestStore| {
        for number in 0..12 {
            queue(store, &format!("mail_{number:02}"), 3600).await;
        }
        let other = store.reopened().await;
        let take_all = async |store: &Store| {
            let mut taken = Vec::new();
            while let Some(message) = claim(store, NOON).await {
                taken.push(message.id);
            }
            taken
        };
        let (one, two, three) = tokio::join!(take_all(store), take_all(&other), take_all(store));
        let mut all = [one, two, three].concat();
        // A node that chose a row which another took finds nothing, and looks again later.
        all.extend(take_all(store).await);
        all.sort();
        let wanted: Vec<String> = (0..12).map(|number| format!("mail_{number:02}")).collect();
        assert_eq!(all, wanted);
    })
    .await;
}

#[tokio::test]
async fn what_failed_waits_for_its_time_and_says_why() {
    on_both_stores(async |store: &TestStore| {
        queue(store, "mail_1", 3600).await;
        let claimed = claim(store, NOON).await.expect("claimed");
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.postpone_outgoing(&claimed, "refused", after(60)).await.expect("postponed"));
        tx.commit().await.expect("committed");
        let last_error = Some("refused".to_owned());
        let expected = Waiting { waiting: 1, failing: 1, given_up: 0, last_error };
        assert_eq!(waiting(store).await, expected);
        let read = store.read().await.expect("reading");
        assert_eq!(read.next_outgoing_at().await.expect("asked"), Some(after(60)));
        drop(read);
        assert_eq!(claim(store, after(59)).await, None);
        let again = claim(store, after(60)).await.expect("due");
        assert_eq!((again.attempts, again.last_error.as_deref()), (2, Some("refused")));
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.release_outgoing(&again).await.expect("released"));
        tx.commit().await.expect("committed");
        assert_eq!(claim(store, after(60)).await.expect("at once").attempts, 2);
    })
    .await;
}

#[tokio::test]
async fn what_was_given_up_keeps_no_words_and_goes_after_a_week() {
    on_both_stores(async |store: &TestStore| {
        queue(store, "mail_1", 3600).await;
        let claimed = claim(store, NOON).await.expect("claimed");
        given_up(store, &claimed, "no such mailbox", NOON).await;
        let last_error = Some("no such mailbox".to_owned());
        assert_eq!(waiting(store).await, Waiting { given_up: 1, last_error, ..Waiting::default() });
        assert_eq!(claim(store, after(500)).await, None);
        let day = 86_400;
        let clean = async |now| store.clean_up(&Retention::default(), now).await.expect("cleaned");
        assert_eq!(clean(after(6 * day)).await.mail, 0);
        assert_eq!(clean(after(8 * day)).await.mail, 1);
        assert_eq!(waiting(store).await, Waiting::default());
    })
    .await;
}

#[tokio::test]
async fn what_ran_out_is_dropped_and_never_claimed() {
    on_both_stores(async |store: &TestStore| {
        queue(store, "mail_1", 60).await;
        queue(store, "mail_2", 3600).await;
        assert_eq!(claim(store, after(60)).await.expect("claimed").id, "mail_2");
        let mut tx = store.begin().await.expect("begun");
        let dropped = tx.drop_expired_outgoing(after(60), 10).await.expect("dropped");
        tx.commit().await.expect("committed");
        assert_eq!(dropped.len(), 1);
        assert_eq!((dropped[0].id.as_str(), dropped[0].kind.as_str()), ("mail_1", "code"));
        let read = store.read().await.expect("reading");
        assert_eq!(read.count_waiting(10).await.expect("counted"), 1);
        assert_eq!(read.count_waiting(0).await.expect("counted"), 0);
    })
    .await;
}
