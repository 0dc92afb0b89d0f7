use super::server::{EVERYTHING, Server};
use super::{HOME, edited};
use crate::blueprint::object::Kind;
use crate::reconcile::generated::binding;
use crate::reconcile::{ApplyError, Confirmations, Outcome, hold, sample};
use crate::store::EventFilter;

#[tokio::test]
async fn a_first_generation_makes_everybody_known_before_they_sign_in() {
    let server = Server::new().await;
    let applied = server.follow(HOME).await;
    assert_eq!((applied.generation, applied.is_new), (1, true));
    let read = server.store.read().await.expect("a reader");
    let alice = read.find_user_by_username("alice").await.expect("answered").expect("alice");
    assert_eq!(applied.uids.get(&(Kind::User, "alice".to_owned())), Some(&alice.id));
    assert_eq!((alice.email.as_deref(), alice.declared), (Some("alice@example.com"), true));
    let groups = read.list_memberships_of(&alice.id).await.expect("answered");
    assert_eq!(groups.iter().map(|m| m.group.as_str()).collect::<Vec<_>>(), ["admins", "users"]);
    let first: Vec<&str> = applied.first_passwords.iter().map(|p| p.username.as_str()).collect();
    assert_eq!(first, ["root"]);
    let app = applied.uids.get(&(Kind::App, "grafana".to_owned())).expect("a uid");
    assert!(app.starts_with("app_"));
}

#[tokio::test]
async fn a_held_set_changes_no_row() {
    let server = Server::new().await;
    server.follow(HOME).await;
    let vault = HOME.lines().find(|line| line.starts_with("app vault")).expect("vault");
    let after = sample::runtime(&edited(&[(vault, "")]));
    let before = server.rows(EVERYTHING);
    let plan = server.plan(&after, &Confirmations::default()).await;
    let refused = server.apply(&after, &plan).await;
    assert!(matches!(refused, Err(ApplyError::Held)));
    assert_eq!(server.rows(EVERYTHING), before);
    hold(&server.applying(&after, &plan)).await.expect("noted");
    hold(&server.applying(&after, &plan)).await.expect("noted once");
    let told = server.rows(&["SELECT kind FROM events WHERE kind = 'config.held'"]);
    assert_eq!(told.len(), 1);
    let given = Confirmations::parse(["--allow-prune app:vault"]).expect("parsed");
    let plan = server.plan(&after, &given).await;
    server.apply(&after, &plan).await.expect("applied");
    assert!(server.rows(&["SELECT * FROM held"]).is_empty());
}

#[tokio::test]
async fn a_plan_made_before_another_change_is_refused() {
    let server = Server::new().await;
    server.follow(HOME).await;
    let after = sample::runtime(&edited(&[("\"Grafana\"", "\"Graphs\"")]));
    let stale = server.plan(&after, &Confirmations::default()).await;
    server.follow(&edited(&[("\"Grafana\"", "\"Charts\"")])).await;
    let before = server.rows(EVERYTHING);
    let refused = server.apply(&after, &stale).await.expect_err("refused");
    assert!(refused.is_worth_another_try());
    assert_eq!(server.rows(EVERYTHING), before);
}

#[tokio::test]
async fn comments_make_no_generation_but_places_follow() {
    let server = Server::new().await;
    server.follow(HOME).await;
    let moved = format!("// three\n// more\n// lines\n{HOME}");
    let applied = server.follow(&moved).await;
    assert_eq!((applied.generation, applied.is_new), (1, false));
    let object = server.store.read().await.expect("a reader");
    let object = object.find_live_object("app", "grafana").await.expect("answered").expect("one");
    let line = 1 + moved.lines().position(|line| line.starts_with("app grafana")).expect("there");
    assert_eq!(object.declared_at, format!("home.kdl:{}", line + 1));
    let running = server.running().await.expect("a generation");
    assert!(running.sources.files[0].text.contains("// three"));
    assert!(server.rows(&["SELECT * FROM generations"]).len() == 1);
}

#[tokio::test]
async fn git_revert_brings_back_uid_secret_and_members() {
    let server = Server::new().await;
    let with = format!(
        "{HOME}app git {{ oidc {{ client-secret generated; redirect-uri \"https://git.example.com/cb\" }}
            access {{ allow group:users }} }}\n"
    );
    let first = server.follow(&with).await;
    let uid = first.uids.get(&(Kind::App, "git".to_owned())).expect("a uid").clone();
    let secret = server.rows(&["SELECT owner_uid, field, rotation, hex(sealed) FROM secrets"]);
    assert_eq!(secret.len(), 1);
    server.follow(HOME).await;
    let gone = server.rows(&["SELECT slug FROM objects WHERE tombstoned_at IS NOT NULL"]);
    assert_eq!(gone.len(), 1);
    let back = server.follow(&with).await;
    assert_eq!(back.uids.get(&(Kind::App, "git".to_owned())), Some(&uid));
    let again = server.rows(&["SELECT owner_uid, field, rotation, hex(sealed) FROM secrets"]);
    assert_eq!(again, secret);
}

#[tokio::test]
async fn a_removed_user_is_disabled_released_and_comes_back() {
    let server = Server::new().await;
    server.follow(HOME).await;
    server.follow(&edited(&[("user bob { in family }\n", "")])).await;
    let bob = || async {
        let read = server.store.read().await.expect("a reader");
        let user = read.find_user_by_username("bob").await.expect("answered").expect("bob");
        let groups = read.list_memberships_of(&user.id).await.expect("answered").len();
        (user, groups)
    };
    let (user, groups) = bob().await;
    assert_eq!((user.declared, user.disabled, groups), (false, true, 0));
    server.follow(HOME).await;
    let (again, groups) = bob().await;
    assert_eq!((again.declared, again.disabled, groups), (true, false, 1));
    assert_eq!(again.id, user.id);
}

#[tokio::test]
async fn names_and_addresses_can_be_exchanged() {
    let server = Server::new().await;
    let text = |a: &str, b: &str| {
        format!("{HOME}user anna email=\"{a}@example.com\"\nuser otto email=\"{b}@example.com\"\n")
    };
    server.follow(&text("one", "two")).await;
    server.follow(&text("two", "one")).await;
    let rows = server
        .rows(&["SELECT username, email FROM users WHERE username IN ('anna', 'otto')
        ORDER BY username"]);
    assert!(rows[0].contains("two@") && rows[1].contains("one@"), "{rows:?}");
}

#[tokio::test]
async fn a_renamed_group_keeps_members_given_by_hand() {
    let server = Server::new().await;
    let first = server.follow(HOME).await;
    let alice = first.uids.get(&(Kind::User, "alice".to_owned())).expect("a uid");
    server.tamper(&format!("INSERT INTO memberships VALUES ('{alice}', 'family', 'runtime')"));
    server
        .follow(&edited(&[
            ("group family {", "group kin formerly=family {"),
            ("in family }\npolicy", "in kin }\npolicy"),
            ("persona reader { in family }", "persona reader { in kin }"),
        ]))
        .await;
    let rows = server.rows(&["SELECT user_id, owner FROM memberships WHERE group_slug = 'kin'"]);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(server.rows(&["SELECT * FROM memberships WHERE group_slug = 'family'"]).is_empty());
}

#[tokio::test]
async fn rotating_makes_a_new_secret_and_keeps_the_old_one_for_a_while() {
    let server = Server::new().await;
    let text = |rotate: &str| {
        format!(
            "{HOME}app git {{ oidc {{ client-secret generated {rotate}
                redirect-uri \"https://git.example.com/cb\" }}; access {{ allow group:users }} }}\n"
        )
    };
    let first = server.follow(&text("")).await;
    let uid = first.uids.get(&(Kind::App, "git".to_owned())).expect("a uid").clone();
    let read = server.store.read().await.expect("a reader");
    let open = |sealed: &crate::store::Sealed| {
        let bound_to = binding(&uid, "oidc.client-secret");
        server.key.open(&sealed.sealed, &bound_to).expect("opened").reveal().to_owned()
    };
    let old = read.find_secret(&uid, "oidc.client-secret").await.expect("answered").expect("one");
    server.follow(&text("rotate=2")).await;
    let all = read.list_secrets_of(&uid).await.expect("answered");
    assert_eq!(all.iter().map(|s| s.rotation).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(all[1].retired_at, Some(server.now));
    assert_ne!(open(&all[0]), open(&old));
    server.follow(&text("rotate=2")).await;
    assert_eq!(read.list_secrets_of(&uid).await.expect("answered").len(), 2);
}

#[tokio::test]
async fn what_was_done_is_on_record_without_values() {
    let mut server = Server::new().await;
    server.follow(HOME).await;
    server.now = server.now.plus(std::time::Duration::from_secs(60));
    server.follow(&edited(&[("in admins users", "in users")])).await;
    let read = server.store.read().await.expect("a reader");
    let events = read.list_events(EventFilter::default(), 100).await.expect("answered");
    let find = |kind: &str, subject: Option<&str>| {
        let found = events.iter().find(|e| e.kind == kind && e.subject.as_deref() == subject);
        found.unwrap_or_else(|| panic!("no {kind} {subject:?}")).data.clone()
    };
    assert_eq!(find("object.changed", Some("user:alice"))["fields"], serde_json::json!(["in"]));
    let access = find("access.changed", Some("user:alice"));
    assert_eq!((&access["app"], &access["changes"][0]["new"]), (&"vault".into(), &"deny".into()));
    let applied = find("config.applied", None);
    assert_eq!((&applied["from"], &applied["to"]), (&1.into(), &2.into()));
}

#[tokio::test]
async fn a_group_that_is_purged_and_declared_anew_has_no_members_from_before() {
    let server = Server::new().await;
    let with = format!("{HOME}group club\n");
    let first = server.follow(&with).await;
    let bob = first.uids.get(&(Kind::User, "bob".to_owned())).expect("a uid");
    server.tamper(&format!("INSERT INTO memberships VALUES ('{bob}', 'club', 'runtime')"));
    server.follow(HOME).await;
    server.tamper("DELETE FROM objects WHERE tombstoned_at IS NOT NULL");
    server.follow(&with).await;
    assert!(server.rows(&["SELECT * FROM memberships WHERE group_slug = 'club'"]).is_empty());
}

#[tokio::test]
async fn an_address_of_somebody_else_holds_the_files() {
    let server = Server::new().await;
    server.follow(HOME).await;
    server.tamper(
        "INSERT INTO users SELECT 'usr_eve', 'eve', 'eve', name, 'eve@example.com', \
         'eve@example.com', FALSE, FALSE, '{}', '{}', NULL, NULL, NULL, FALSE, FALSE, 0, NULL \
         FROM users WHERE username = 'bob'",
    );
    let after = sample::runtime(&edited(&[("user bob {", "user bob email=\"Eve@example.com\" {")]));
    let plan = server.plan(&after, &Confirmations::default()).await;
    assert_eq!(super::codes(&plan), ["address-taken"]);
    assert_eq!(plan.outcome(), Outcome::Held);
}
