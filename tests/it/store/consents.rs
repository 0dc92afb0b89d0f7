//! What people let apps know, and the terms that they agreed to.

use std::time::Duration;

use doorward::store::{Consent, Retention, Terms};

use super::insert_user;
use crate::support::stores::{NOON, on_both_stores};

fn consent(app: &str, session: Option<&str>) -> Consent {
    Consent {
        user_id: "usr_1".to_owned(),
        app_uid: app.to_owned(),
        shares: vec!["name".to_owned(), "email".to_owned()],
        session_id: session.map(str::to_owned),
        given_at: NOON,
        expires_at: NOON.plus(Duration::from_secs(60)),
    }
}

#[test]
fn a_consent_covers_what_it_names_for_as_long_as_it_says() {
    let later = NOON.plus(Duration::from_secs(60));
    let any = consent("app_1", None);
    assert!(any.covers(&["email"], "ses_1", NOON) && any.covers(&[], "ses_2", NOON));
    assert!(!any.covers(&["email", "groups"], "ses_1", NOON), "more than was agreed to");
    assert!(!any.covers(&["email"], "ses_1", later), "it ran out");
    let one = consent("app_1", Some("ses_1"));
    assert!(one.covers(&["name"], "ses_1", NOON) && !one.covers(&["name"], "ses_2", NOON));
}

#[tokio::test]
async fn consents_replace_each_other_are_taken_back_and_run_out() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        let mut tx = store.begin().await.expect("begun");
        tx.put_consent(&consent("app_1", Some("ses_1"))).await.expect("put");
        tx.put_consent(&consent("app_1", None)).await.expect("put");
        tx.put_consent(&consent("app_2", None)).await.expect("put");
        tx.commit().await.expect("committed");
        let read = store.read().await.expect("reading");
        let found = read.find_consent("usr_1", "app_1").await.expect("asked");
        assert_eq!(found, Some(consent("app_1", None)));
        assert_eq!(read.list_consents_of("usr_1", NOON).await.expect("asked").len(), 2);
        drop(read);
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.delete_consent("usr_1", "app_2").await.expect("deleted"));
        assert!(!tx.delete_consent("usr_1", "app_2").await.expect("asked"));
        tx.commit().await.expect("committed");
        let later = NOON.plus(Duration::from_secs(61));
        let cleaned = store.clean_up(&Retention::default(), later).await.expect("cleaned");
        assert_eq!(cleaned.consents, 1);
    })
    .await;
}

#[tokio::test]
async fn terms_are_agreed_to_once_for_each_version() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        let version = |text: &str| Terms { file: "terms.txt".into(), version: text.into() };
        let mut tx = store.begin().await.expect("begun");
        for terms in [version("1"), version("1"), version("2")] {
            tx.put_agreement("usr_1", &terms, NOON).await.expect("put");
        }
        tx.commit().await.expect("committed");
        let mut found =
            store.read().await.expect("reading").list_agreements_of("usr_1").await.expect("asked");
        found.sort();
        assert_eq!(found, [version("1"), version("2")]);
    })
    .await;
}
