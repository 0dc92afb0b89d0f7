//! Whose account is it? (`security.md` R14)

use super::*;

#[test]
fn whoever_has_an_account_connects_it_by_proving_to_be_its_person() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "");
    let mut walk = come(&server, &provider, &signer, &json!({}));
    walk.shows("Sign in once with the account that you have here").shows("octo");
    assert!(!walk.page.body.contains("Continue with"), "one thing after the other");
    walk.password("alice");
    assert_eq!(who(&mut walk).as_deref(), Some("alice"));
    assert_eq!(server.events("connection.added").len(), 1);
    let mut again = come(&server, &provider, &signer, &json!({}));
    assert_eq!(who(&mut again).as_deref(), Some("alice"));
    // The name there may be given to somebody else.
    let mut other = come(&server, &provider, &signer, &json!({ "sub": "there-2" }));
    assert_eq!(who(&mut other), None);
    other.shows("Sign in once");
    // And whoever is at the other account is not alice's by her password.
    other.password("root");
    assert_eq!(who(&mut other).as_deref(), Some("root"), "an administrator connects by a proof");
}

#[test]
fn nothing_is_connected_by_whoever_proves_nothing() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "");
    let mut walk = come(&server, &provider, &signer, &json!({ "email": "alice@example.com" }));
    walk.shows("Sign in once");
    walk.post(&[("username", "alice")]).post(&[("password", "wrong-wrong-wrong")]);
    assert_eq!(who(&mut walk), None);
    let connections = server.look(async |read| {
        let alice = read.find_user_by_username("alice").await.expect("asked").expect("alice");
        read.list_connections_of(&alice.id).await.expect("asked")
    });
    assert_eq!(connections, Vec::new());
}

#[test]
fn link_never_connects_nothing_and_enroll_makes_accounts() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "link never; enroll newcomers");
    let mut known = come(&server, &provider, &signer, &json!({ "email": "alice@example.com" }));
    known.shows("Nobody here is known by that There account");
    assert_eq!(who(&mut known), None);
    let mut walk = come(&server, &provider, &signer, &json!({}));
    walk.shows("Your account").shows("value=\"octo\"");
    walk.post(&[("username", "alice"), ("name", "Octo")]);
    walk.shows("alice");
    assert_eq!(who(&mut walk), None, "the name is somebody's");
    walk.post(&[("username", "octo"), ("name", "Octo")]);
    assert_eq!(who(&mut walk).as_deref(), Some("octo"));
}

/// An address that both sides have verified is a proof, where files say so, and never for a console role.
#[test]
fn a_verified_address_is_enough_where_files_say_so_but_not_for_administrators() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "link verified-email");
    let refused = [
        json!({ "email": "alice@example.com", "email_verified": false }),
        json!({ "email": "alice@example.com", "email_verified": null }),
        json!({ "email": "alice@example.com", "email_verified": "false" }),
        json!({ "email": "root@example.com" }),
        json!({ "email": "nobody@example.com" }),
        json!({ "preferred_username": "alice" }),
    ];
    for changes in refused {
        let mut walk = come(&server, &provider, &signer, &changes);
        assert_eq!(who(&mut walk), None, "{changes}");
        walk.shows("Sign in once");
    }
    let odd = json!({ "email": "alice@example.com", "email_verified": "yes" });
    let mut walk = come(&server, &provider, &signer, &odd);
    walk.shows("cannot be reached right now");
    // Some providers say it as text.
    let text = json!({ "email": "Alice@Example.com", "email_verified": "true" });
    let mut walk = come(&server, &provider, &signer, &text);
    assert_eq!(who(&mut walk).as_deref(), Some("alice"));
    assert_eq!(server.events("connection.added").len(), 1);
}

/// What an address was enough for is not enough any more once its person may use the console.
#[test]
fn a_connection_made_by_an_address_is_proven_before_it_opens_a_console_role() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "link verified-email");
    let alice = json!({ "email": "alice@example.com" });
    let mut walk = come(&server, &provider, &signer, &alice);
    assert_eq!(who(&mut walk).as_deref(), Some("alice"));

    let text = std::fs::read_to_string(server.path().join("blueprints/home.kdl")).expect("text");
    server.edit("home.kdl", &text.replacen("{ in users }", "{ in users admins }", 1));
    let done = server.command(&["apply", "--allow", "user:alice.console"]);
    assert!(done.status.success(), "{done:?}");

    let mut walk = come(&server, &provider, &signer, &alice);
    assert_eq!(who(&mut walk), None);
    walk.shows("Sign in once with the account that you have here").password("alice");
    assert_eq!(who(&mut walk).as_deref(), Some("alice"));
    let mut walk = come(&server, &provider, &signer, &alice);
    assert_eq!(who(&mut walk).as_deref(), Some("alice"), "it is proven now");
}

#[test]
fn a_disabled_account_is_not_signed_in_by_its_provider() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "link never; enroll newcomers");
    let mut walk = come(&server, &provider, &signer, &json!({}));
    walk.post(&[("username", "octo"), ("name", "Octo")]);
    assert_eq!(who(&mut walk).as_deref(), Some("octo"));
    let done = server.command(&["user", "disable", "octo"]);
    assert!(done.status.success(), "{done:?}");
    let mut walk = come(&server, &provider, &signer, &json!({}));
    walk.shows("Nobody here is known by that There account");
    assert_eq!(who(&mut walk), None);
}

#[test]
fn people_see_what_is_connected_and_take_it_away_but_not_their_only_way_in() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "enroll newcomers");
    let connection = |subject: &str| {
        [
            ("do", "disconnect".to_owned()),
            ("issuer", provider.issuer()),
            ("subject", subject.into()),
        ]
    };
    let mut walk = come(&server, &provider, &signer, &json!({}));
    walk.post(&[("account", "new")]).post(&[("username", "octo"), ("name", "Octo")]);
    walk.go("/security").shows("There").shows("connected");
    let fields = connection("there-1");
    walk.post(&fields.each_ref().map(|(name, value)| (*name, value.as_str())));
    walk.shows("This is your only way in");

    let changes = json!({ "sub": "there-2", "email": null });
    let mut walk = come(&server, &provider, &signer, &changes);
    walk.post(&[("account", "mine")]).password("alice");
    walk.go("/security").shows("octo");
    // Somebody else's stays.
    walk.post(&fields.each_ref().map(|(name, value)| (*name, value.as_str())));
    let fields = connection("there-2");
    walk.post(&fields.each_ref().map(|(name, value)| (*name, value.as_str())));
    assert_eq!(server.events("connection.removed").len(), 1);
    let mut again = come(&server, &provider, &signer, &json!({}));
    assert_eq!(who(&mut again).as_deref(), Some("octo"));
    let mut gone = come(&server, &provider, &signer, &changes);
    assert_eq!(who(&mut gone), None);
}

/// A source's sign-in is not `mfa`: what asks for a second factor asks on.
#[test]
fn a_source_is_no_second_factor() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let app = r#"app vault "Vault" protect {
        proxy "http://vault.localhost:9000"; access { allow group:users; require mfa }
    }"#;
    let protocol = format!(
        "oidc {{ issuer {:?}; client-id us; client-secret (env)DOORWARD_SECRET_THERE }}",
        provider.issuer()
    );
    let lines = format!("may-reach \"{}\"; link verified-email", provider.address);
    let server = with_source(&protocol, &lines, app);
    let mut walk = Walk::to(&server, Browser::at(&server), "http://vault.localhost:9000/");
    go_there(&mut walk, &provider, &signer, &json!({ "email": "alice@example.com" }));
    assert_ne!(walk.page.status, 0);
    assert!(!walk.url.starts_with(&server.url("http://vault.localhost:9000")), "{}", walk.url);
    assert_eq!(who(&mut walk).as_deref(), Some("alice"));
}

/// Addresses of a domain lead to its provider, whether or not somebody has one.
#[test]
fn a_domain_leads_to_its_provider() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "for-domain \"there.example\"");
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    let answer =
        walk.browser.submit(&walk.url, &walk.page, &[("username", "Any.Body@There.example")]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(answer.location().starts_with(&provider.issuer()), "{}", answer.location());
    assert_eq!(query(answer.location())["login_hint"], "Any.Body@There.example");
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    walk.post(&[("username", "any@elsewhere.example")]).shows("type=\"password\"");
}
