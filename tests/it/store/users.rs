//! People: what git owns, what they own, and how they are found.

use doorward::clock::Millis;
use doorward::secret::Secret;
use doorward::store::{
    Attributes, DeclaredUser, Membership, NewPassword, NewUser, Owner, Store, StoreError, User,
};

use super::{insert_session, insert_user};
use crate::support::stores::{NOON, on_both_stores};

async fn declare(store: &Store, user: DeclaredUser<'_>) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.put_declared_user(user, NOON).await?;
    tx.commit().await
}

fn ada(attributes: &Attributes) -> DeclaredUser<'_> {
    DeclaredUser {
        id: "usr_1",
        username: "Ada",
        name: "Ada Lovelace",
        email: Some("Ada@Example.org"),
        disabled: false,
        attributes,
    }
}

async fn login(store: &Store, login: &str) -> Option<User> {
    let read = store.read().await.expect("reading");
    read.find_user_by_login(login).await.expect("asked")
}

async fn user(store: &Store, id: &str) -> User {
    let read = store.read().await.expect("reading");
    read.find_user(id).await.expect("asked").expect("there")
}

#[tokio::test]
async fn somebody_is_found_by_any_spelling_of_name_or_address() {
    on_both_stores(async |store| {
        declare(store, ada(&Attributes::new())).await.expect("declared");
        for spelling in ["ada", " ADA ", "ＡＤＡ", "ada@example.org", "ADA@EXAMPLE.ORG"] {
            assert_eq!(login(store, spelling).await.expect(spelling).id, "usr_1");
        }
        for spelling in ["ad_", "ad%", "", "ada@example"] {
            assert_eq!(login(store, spelling).await, None, "{spelling}");
        }
    })
    .await;
}

#[tokio::test]
async fn declaring_again_changes_only_what_git_owns() {
    on_both_stores(async |store| {
        declare(store, ada(&Attributes::new())).await.expect("declared");
        let hash = Secret::new("$argon2id$1");
        let mut tx = store.begin().await.expect("begun");
        let password = NewPassword { hash: &hash, must_change: true };
        assert!(tx.set_password("usr_1", password, NOON).await.expect("set"));
        tx.commit().await.expect("committed");

        let attributes = Attributes::from([("team".to_owned(), vec!["a".to_owned()])]);
        let changed = DeclaredUser { name: "Countess", email: None, ..ada(&attributes) };
        declare(store, changed).await.expect("declared");
        let now = user(store, "usr_1").await;
        assert_eq!((now.name.as_str(), now.email.as_ref()), ("Countess", None));
        assert_eq!(now.attributes, attributes);
        assert_eq!(now.password_hash, Some(hash));
        assert_eq!((now.password_set_at, now.must_change), (Some(NOON), true));
        assert!(login(store, "ada@example.org").await.is_none());
    })
    .await;
}

#[tokio::test]
async fn two_people_never_share_a_name_or_an_address() {
    on_both_stores(async |store| {
        declare(store, ada(&Attributes::new())).await.expect("declared");
        let attributes = Attributes::new();
        let twin = DeclaredUser { id: "usr_2", email: None, ..ada(&attributes) };
        let error = declare(store, twin).await.expect_err("taken");
        assert!(
            matches!(&error, StoreError::Conflict { table, columns }
                if table == "users" && columns == "username_key"),
            "{error}"
        );
        let double = DeclaredUser { id: "usr_2", username: "bob", ..ada(&attributes) };
        let error = declare(store, double).await.expect_err("taken");
        assert!(
            matches!(&error, StoreError::Conflict { columns, .. } if columns == "email_key"),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_released_person_is_disabled_and_frees_the_address() {
    on_both_stores(async |store| {
        declare(store, ada(&Attributes::new())).await.expect("declared");
        let mut tx = store.begin().await.expect("begun");
        assert!(tx.release_user("usr_1").await.expect("released"));
        tx.commit().await.expect("committed");
        let released = user(store, "usr_1").await;
        assert!(released.disabled && !released.declared);

        let attributes = Attributes::new();
        let heir = DeclaredUser { id: "usr_2", username: "eve", ..ada(&attributes) };
        declare(store, heir).await.expect("declared");
        assert_eq!(login(store, "ada@example.org").await.expect("there").id, "usr_2");
    })
    .await;
}

#[tokio::test]
async fn an_initial_password_is_applied_once_and_never_over_another() {
    on_both_stores(async |store| {
        let (first, own) = (Secret::new("first"), Secret::new("own"));
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_user(store, "usr_2", "bob", NOON).await;
        let mut tx = store.begin().await.expect("begun");
        let initial = NewPassword { hash: &first, must_change: true };
        let chosen = NewPassword { hash: &own, must_change: false };
        assert!(tx.apply_initial_password("usr_1", initial, NOON).await.expect("applied"));
        assert!(!tx.apply_initial_password("usr_1", initial, NOON).await.expect("not twice"));
        assert!(tx.set_password("usr_2", chosen, NOON).await.expect("set"));
        assert!(!tx.apply_initial_password("usr_2", initial, NOON).await.expect("not over it"));
        tx.commit().await.expect("committed");
        assert_eq!(user(store, "usr_2").await.password_hash, Some(own));
    })
    .await;
}

#[tokio::test]
async fn a_hash_is_upgraded_only_if_the_password_is_still_the_same() {
    on_both_stores(async |store| {
        let (old, new, other) = (Secret::new("old"), Secret::new("new"), Secret::new("other"));
        insert_user(store, "usr_1", "ada", NOON).await;
        let mut tx = store.begin().await.expect("begun");
        let password = NewPassword { hash: &old, must_change: false };
        tx.set_password("usr_1", password, NOON).await.expect("set");
        assert!(tx.upgrade_password_hash("usr_1", &old, &new).await.expect("upgraded"));
        assert!(!tx.upgrade_password_hash("usr_1", &old, &other).await.expect("too late"));
        tx.commit().await.expect("committed");
        let now = user(store, "usr_1").await;
        assert_eq!((now.password_hash, now.password_set_at), (Some(new), Some(NOON)));
    })
    .await;
}

#[tokio::test]
async fn lists_are_paged_by_folded_name() {
    on_both_stores(async |store| {
        for (id, name) in [("usr_3", "Zoë"), ("usr_1", "bob"), ("usr_2", "Ada"), ("usr_4", "émile")]
        {
            insert_user(store, id, name, NOON).await;
        }
        let read = store.read().await.expect("reading");
        let mut names = Vec::new();
        let mut after = String::new();
        loop {
            let page = read.list_users(&after, 3).await.expect("listed");
            let Some(last) = page.last() else { break };
            after.clone_from(&last.username_key);
            names.extend(page.into_iter().map(|user| user.username));
        }
        assert_eq!(names, ["Ada", "bob", "Zoë", "émile"]);
    })
    .await;
}

#[tokio::test]
async fn git_replaces_its_own_memberships_and_no_others() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        let groups = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut tx = store.begin().await.expect("begun");
        tx.replace_git_memberships("usr_1", &groups(&["admins", "users"])).await.expect("put");
        tx.put_membership("usr_1", "admins", Owner::Runtime).await.expect("put");
        tx.replace_git_memberships("usr_1", &groups(&["users", "users"])).await.expect("put");
        tx.rename_group("admins", "owners").await.expect("renamed");
        tx.commit().await.expect("committed");

        let read = store.read().await.expect("reading");
        let found = read.list_memberships_of("usr_1").await.expect("listed");
        let member = |group: &str, owner| Membership {
            user_id: "usr_1".to_owned(),
            group: group.to_owned(),
            owner,
        };
        assert_eq!(found, [member("owners", Owner::Runtime), member("users", Owner::Git)]);
        assert_eq!(read.list_memberships().await.expect("listed"), found);
    })
    .await;
}

#[tokio::test]
async fn a_purged_person_leaves_nothing() {
    on_both_stores(async |store| {
        insert_user(store, "usr_1", "ada", NOON).await;
        insert_session(store, "ses_1", "usr_1", 1, NOON).await;
        let mut tx = store.begin().await.expect("begun");
        tx.put_membership("usr_1", "users", Owner::Runtime).await.expect("put");
        assert!(tx.purge_user("usr_1").await.expect("purged"));
        tx.commit().await.expect("committed");
        let read = store.read().await.expect("reading");
        assert!(read.list_memberships().await.expect("listed").is_empty());
        assert!(read.list_live_sessions(Millis(0)).await.expect("listed").is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_account_made_at_run_time_belongs_to_nobody_else() {
    on_both_stores(async |store| {
        let own_attributes = Attributes::from([("locale".to_owned(), vec!["de".to_owned()])]);
        let mut tx = store.begin().await.expect("begun");
        let new = NewUser {
            id: "usr_1",
            username: "ada",
            name: "Ada",
            email: None,
            own_attributes: &own_attributes,
        };
        tx.insert_user(new, NOON).await.expect("inserted");
        tx.commit().await.expect("committed");
        let made = user(store, "usr_1").await;
        assert!(!made.declared && !made.disabled && made.attributes.is_empty());
        assert_eq!((made.own_attributes, made.created_at), (own_attributes, NOON));
        assert_eq!(made.password_hash, None);
    })
    .await;
}
