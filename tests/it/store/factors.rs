//! Second factors, recovery codes and the browsers that remember a proof.

use std::collections::BTreeMap;

use doorward::clock::Millis;
use doorward::model::factor::Factor as Class;
use doorward::store::{Browser, Factor, Store};

use super::{digest, hours, insert_user};
use crate::support::stores::{NOON, on_both_stores};

fn factor(mark: u8, user_id: &str, credential: Option<&str>) -> Factor {
    Factor {
        id: format!("fac_{mark}"),
        user_id: user_id.to_owned(),
        kind: if credential.is_some() { Class::Webauthn } else { Class::Totp },
        name: format!("factor {mark}"),
        credential: credential.map(str::to_owned),
        sealed: vec![mark, 0, 255],
        counter: 0,
        created_at: NOON.plus(hours(u64::from(mark))),
        used_at: None,
    }
}

async fn insert(store: &Store, factor: &Factor) -> bool {
    let mut tx = store.begin().await.expect("begun");
    let inserted = tx.insert_factor(factor).await.expect("asked");
    tx.commit().await.expect("committed");
    inserted
}

async fn of(store: &Store, user_id: &str) -> Vec<Factor> {
    store.read().await.expect("reading").list_factors_of(user_id).await.expect("listed")
}

#[tokio::test]
async fn factors_are_kept_as_they_were_and_go_with_their_owner_alone() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_user(store, "usr_2", "bob", NOON).await;
        let (first, second) = (factor(1, "usr_1", None), factor(2, "usr_1", Some("cred")));
        assert!(insert(store, &first).await && insert(store, &second).await);
        assert_eq!(of(store, "usr_1").await, [first, second.clone()]);
        assert!(!insert(store, &factor(3, "usr_2", Some("cred"))).await, "somebody's already");
        assert!(!insert(store, &factor(4, "usr_9", None)).await, "nobody's");
        let found = store.read().await.expect("reading").find_passkey("cred").await;
        assert_eq!(found.expect("asked"), Some(second.clone()));
        let mut tx = store.begin().await.expect("begun");
        assert!(!tx.rename_factor("usr_2", "fac_2", "mine").await.expect("asked"));
        assert!(tx.rename_factor("usr_1", "fac_2", "phone").await.expect("asked"));
        assert_eq!(tx.delete_factor("usr_2", "fac_2").await.expect("asked"), None);
        let taken = tx.delete_factor("usr_1", "fac_2").await.expect("asked");
        assert_eq!(taken, Some(Factor { name: "phone".to_owned(), ..second }));
        tx.commit().await.expect("committed");
        assert_eq!(of(store, "usr_1").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_counter_only_grows() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert(store, &factor(1, "usr_1", None)).await;
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.use_countless_factor("fac_1", NOON).await.expect("asked"));
        assert!(tx.use_factor("fac_1", 7, NOON).await.expect("asked"));
        for again in [7, 6, 0] {
            assert!(!tx.use_factor("fac_1", again, NOON).await.expect("asked"), "{again}");
        }
        assert!(!tx.use_countless_factor("fac_1", NOON).await.expect("asked"));
        assert!(tx.use_factor("fac_1", 8, NOON).await.expect("asked"));
        tx.commit().await.expect("committed");
        assert_eq!(of(store, "usr_1").await[0].counter, 8);
        assert_eq!(of(store, "usr_1").await[0].used_at, Some(NOON));
    })
    .await;
}

#[tokio::test]
async fn a_recovery_code_is_good_once_and_new_ones_replace_the_old() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_user(store, "usr_2", "bob", NOON).await;
        let mut tx = store.begin().await.expect("begun");
        tx.put_recovery_codes("usr_1", &[digest(1), digest(2)], NOON).await.expect("put");
        assert!(!tx.use_recovery_code("usr_2", &digest(1), NOON).await.expect("asked"));
        assert!(tx.use_recovery_code("usr_1", &digest(1), NOON).await.expect("asked"));
        assert!(!tx.use_recovery_code("usr_1", &digest(1), NOON).await.expect("asked"));
        assert_eq!(tx.count_recovery_codes_of("usr_1").await.expect("counted"), 1);
        tx.put_recovery_codes("usr_1", &[digest(3)], NOON).await.expect("put");
        assert!(!tx.use_recovery_code("usr_1", &digest(2), NOON).await.expect("asked"));
        assert_eq!(tx.count_recovery_codes_of("usr_1").await.expect("counted"), 1);
        tx.commit().await.expect("committed");
    })
    .await;
}

#[tokio::test]
async fn a_browser_remembers_for_each_person_by_themselves() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_user(store, "usr_2", "bob", NOON).await;
        let browser = |user_id: &str, at: Millis, proofs| Browser {
            digest: digest(1),
            user_id: user_id.to_owned(),
            proofs,
            created_at: at,
            seen_at: at,
            address: "192.0.2.1".to_owned(),
            agent: "Firefox".to_owned(),
        };
        let proven = BTreeMap::from([(Class::Totp, NOON)]);
        let later = NOON.plus(hours(1));
        let mut tx = store.begin().await.expect("begun");
        for (user_id, at, proofs) in
            [("usr_1", NOON, proven.clone()), ("usr_2", NOON, BTreeMap::new())]
        {
            tx.put_browser(&browser(user_id, at, proofs)).await.expect("put");
        }
        tx.put_browser(&browser("usr_1", later, proven.clone())).await.expect("put");
        tx.commit().await.expect("committed");
        let read = store.read().await.expect("reading");
        let found = read.find_browser(&digest(1), "usr_1").await.expect("asked").expect("known");
        assert_eq!((found.created_at, found.seen_at, found.proofs), (NOON, later, proven));
        let other = read.find_browser(&digest(1), "usr_2").await.expect("asked").expect("known");
        assert!(other.proofs.is_empty());
        assert_eq!(read.find_browser(&digest(2), "usr_1").await.expect("asked"), None);
        drop(read);
        let mut tx = store.begin().await.expect("begun");
        assert_eq!(tx.forget_proofs_of("usr_1").await.expect("forgotten"), 1);
        tx.commit().await.expect("committed");
        let list = store.read().await.expect("reading").list_browsers_of("usr_1").await;
        assert!(list.expect("listed")[0].proofs.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_may_be_used_once_is() {
    on_both_stores(async |store| {
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.use_once(&digest(1), NOON).await.expect("asked"));
        assert!(!tx.use_once(&digest(1), NOON.plus(hours(1))).await.expect("asked"));
        assert!(tx.use_once(&digest(2), NOON.plus(hours(1))).await.expect("asked"));
        assert_eq!(tx.purge_once(NOON.plus(hours(1)), 10).await.expect("purged"), 1);
        assert!(tx.use_once(&digest(1), NOON).await.expect("asked"));
        tx.commit().await.expect("committed");
    })
    .await;
}
