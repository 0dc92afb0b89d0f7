//! App passwords and API tokens: whose they are, when they are worth something, and what ends them.

use doorward::clock::Millis;
use doorward::model::scope::Scope;
use doorward::store::{Retention, Store, Token, TokenKind};

use super::{digest, hours, insert_user};
use crate::support::stores::{NOON, on_both_stores};

fn token(mark: u8, user_id: &str, expires_at: Option<Millis>) -> Token {
    Token {
        id: format!("tok_{mark}"),
        digest: digest(mark),
        user_id: user_id.to_owned(),
        kind: if mark.is_multiple_of(2) { TokenKind::AppPassword } else { TokenKind::ApiToken },
        name: format!("token {mark}"),
        apps: vec!["app_1".to_owned(), "app_2".to_owned()],
        scopes: vec![Scope::Invitations],
        created_at: NOON.plus(hours(u64::from(mark))),
        expires_at,
        used_at: None,
        revoked_at: None,
    }
}

async fn insert(store: &Store, token: &Token) -> bool {
    let mut tx = store.begin().await.expect("begun");
    let inserted = tx.insert_token(token).await.expect("asked");
    tx.commit().await.expect("committed");
    inserted
}

async fn find(store: &Store, mark: u8) -> Option<Token> {
    store.read().await.expect("reading").find_token(&digest(mark)).await.expect("asked")
}

async fn names(store: &Store, user_id: &str) -> Vec<String> {
    let tokens = store.read().await.expect("reading").list_tokens_of(user_id).await;
    tokens.expect("listed").into_iter().map(|token| token.name).collect()
}

#[tokio::test]
async fn a_token_is_found_by_its_digest_as_it_was_kept() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        let (first, second) = (token(1, "usr_1", None), token(2, "usr_1", Some(NOON)));
        assert!(insert(store, &first).await && insert(store, &second).await);
        assert_eq!(find(store, 1).await, Some(first));
        assert_eq!(find(store, 2).await, Some(second));
        assert_eq!(find(store, 3).await, None);
        assert_eq!(names(store, "usr_1").await, ["token 2", "token 1"]);
        let read = store.read().await.expect("reading");
        assert_eq!(read.list_tokens().await.expect("listed").len(), 2);
        assert_eq!(read.count_live_tokens_of("usr_1", NOON).await.expect("counted"), 1);
    })
    .await;
}

#[tokio::test]
async fn nobody_who_is_gone_or_disabled_gets_a_token_and_it_goes_with_its_owner() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        assert!(!insert(store, &token(1, "usr_2", None)).await);
        assert!(insert(store, &token(1, "usr_1", None)).await);
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.release_user("usr_1").await.expect("disabled"));
        tx.commit().await.expect("committed");
        assert!(!insert(store, &token(2, "usr_1", None)).await);
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.purge_user("usr_1").await.expect("purged"));
        tx.commit().await.expect("committed");
        assert_eq!(find(store, 1).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_revoked_once_and_only_by_its_owner_if_one_is_named() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_user(store, "usr_2", "bob", NOON).await;
        assert!(insert(store, &token(1, "usr_1", None)).await);
        let revoke = async |of: Option<&str>, now| {
            let mut tx = store.begin().await.expect("begun");
            let revoked = tx.revoke_token("tok_1", of, now).await.expect("asked");
            tx.commit().await.expect("committed");
            revoked.map(|token| token.id)
        };
        let later = NOON.plus(hours(1));
        assert_eq!(revoke(Some("usr_2"), later).await, None);
        assert!(find(store, 1).await.expect("there").is_live(later));
        assert_eq!(revoke(Some("usr_1"), later).await.as_deref(), Some("tok_1"));
        assert_eq!(revoke(None, later).await, None);
        let token = find(store, 1).await.expect("there");
        assert_eq!((token.revoked_at, token.is_live(NOON)), (Some(later), false));
        assert!(names(store, "usr_1").await.is_empty());
        let read = store.read().await.expect("reading");
        let since = async |at| read.list_tokens_revoked_since(at).await.expect("listed");
        assert_eq!(since(later).await, ["tok_1"]);
        assert!(since(later.plus(hours(1))).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn uses_are_written_many_at_once_and_never_back() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        for mark in 0..20 {
            assert!(insert(store, &token(mark, "usr_1", None)).await);
        }
        let used = |at: Millis| (0..20).map(|mark| (format!("tok_{mark}"), at)).collect::<Vec<_>>();
        let mut tx = store.begin().await.expect("begun");
        tx.touch_tokens(&used(NOON.plus(hours(1)))).await.expect("touched");
        tx.touch_tokens(&used(NOON)).await.expect("touched");
        tx.touch_tokens(&[]).await.expect("nothing to do");
        tx.commit().await.expect("committed");
        for mark in 0..20 {
            let used = find(store, mark).await.expect("there").used_at;
            assert_eq!(used, Some(NOON.plus(hours(1))));
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_over_goes_after_a_while_and_what_lives_stays() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        for (mark, expires_at) in [(1, None), (2, Some(NOON)), (3, None)] {
            assert!(insert(store, &token(mark, "usr_1", expires_at)).await);
        }
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.revoke_token("tok_3", None, NOON).await.expect("asked").is_some());
        tx.commit().await.expect("committed");
        let keep = Retention::default();
        assert_eq!(store.clean_up(&keep, NOON).await.expect("cleaned").tokens, 0);
        let later = NOON.plus(hours(24 * 31));
        assert_eq!(store.clean_up(&keep, later).await.expect("cleaned").tokens, 2);
        assert!(find(store, 1).await.is_some());
        assert!(find(store, 2).await.is_none() && find(store, 3).await.is_none());
    })
    .await;
}
