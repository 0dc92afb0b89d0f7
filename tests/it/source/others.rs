//! GitHub, and providers that speak OAuth 2 alone.

use super::*;

fn github(provider: &Provider, lines: &str) -> Server {
    let protocol = format!(
        "github {{ url {:?}; client-id us; client-secret (env)DOORWARD_SECRET_THERE; scopes read:user user:email read:org }}",
        provider.issuer()
    );
    let lines = format!("may-reach \"{}\"; {lines}", provider.address);
    with_source(&protocol, &lines, "group team \"Team\"")
}

fn octocat(provider: &Provider, id: u64) {
    let tokens = json!({ "access_token": "gho_1", "token_type": "bearer", "scope": "read:user" });
    provider.says("/login/oauth/access_token", tokens);
    let user = json!({ "id": id, "login": "octocat", "name": "Mona", "email": "evil@x.example" });
    provider.says("/api/v3/user", user);
    provider.says(
        "/api/v3/user/emails",
        json!([
            { "email": "alice@example.com", "primary": true, "verified": true },
        ]),
    );
    provider.says("/api/v3/user/orgs", json!([{ "login": "octo-org" }]));
}

#[test]
fn github_signs_people_in_by_their_number() {
    let provider = Provider::new();
    let server = github(&provider, "link verified-email; in team if=\"'octo-org' in user.groups\"");
    octocat(&provider, 583_231);
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    let sent = sent(&mut walk);
    assert!(sent.starts_with(&format!("{}/login/oauth/authorize?", provider.issuer())), "{sent}");
    assert_eq!(query(&sent)["scope"], "read:user user:email read:org");
    back(&mut walk, &[("state", &query(&sent)["state"]), ("code", "c-1")]);
    assert_eq!(who(&mut walk).as_deref(), Some("alice"));
    let asked = provider.asked("/login/oauth/access_token");
    assert!(asked[0].body.contains(&format!("client_secret={SECRET}")), "{asked:?}");
    assert!(asked[0].body.contains("code_verifier="), "{asked:?}");
    let told = provider.asked("/api/v3/user");
    assert_eq!(told[0].authorization.as_deref(), Some("Bearer gho_1"));
    let connection = server.look(async |read| {
        read.find_connection(&provider.issuer(), "583231").await.expect("asked").expect("connected")
    });
    assert_eq!(
        (connection.shown_as.as_str(), &connection.groups),
        ("octocat", &vec!["team".to_owned()])
    );
}

/// It refuses with 200.
#[test]
fn a_code_that_github_refuses_signs_nobody_in() {
    let provider = Provider::new();
    let server = github(&provider, "");
    octocat(&provider, 1);
    provider.says("/login/oauth/access_token", json!({ "error": "bad_verification_code" }));
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    let sent = sent(&mut walk);
    back(&mut walk, &[("state", &query(&sent)["state"]), ("code", "c-1")]);
    walk.shows("There did not sign you in");
    assert_eq!(who(&mut walk), None);
    assert_eq!(provider.asked("/api/v3/user").len(), 0);
    assert!(
        server.events("login.failed")[0].data["reason"]
            .as_str()
            .is_some_and(|it| it.contains("bad_verification_code"))
    );
}

#[test]
fn plain_oauth_2_says_who_somebody_is_by_the_names_that_it_has() {
    let provider = Provider::new();
    let at = |path: &str| format!("{}{path}", provider.issuer());
    let protocol = format!(
        "oauth2 {{ authorize {:?}; token {:?}; userinfo {:?}; client-id \"us & them\"; client-secret (env)DOORWARD_SECRET_THERE
            scopes identify email; fields subject=uuid username=handle email=mail email-verified=confirmed }}",
        at("/authorize?tenant=1"), at("/token"), at("/me")
    );
    let lines = format!("may-reach \"{}\"; link verified-email", provider.address);
    let server = with_source(&protocol, &lines, "");
    provider.says("/token", json!({ "access_token": "t" }));
    provider.says("/me", json!({ "uuid": "u-1", "id": 9, "handle": "al", "mail": "alice@example.com", "confirmed": true }));
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    let sent = sent(&mut walk);
    let asked = query(&sent);
    assert_eq!((asked["tenant"].as_str(), asked["client_id"].as_str()), ("1", "us & them"));
    assert_eq!(asked["scope"], "identify email");
    back(&mut walk, &[("state", &asked["state"]), ("code", "c-1")]);
    assert_eq!(who(&mut walk).as_deref(), Some("alice"));
    let proof = provider.asked("/token")[0].authorization.clone().expect("a proof");
    assert_eq!(proof, crate::support::server::basic("us+%26+them", SECRET), "RFC 6749 §2.3.1");
    // Without a name of its own nobody is anybody.
    provider.says(
        "/me",
        json!({ "id": 9, "sub": "x", "mail": "alice@example.com", "confirmed": true }),
    );
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    let sent = super::sent(&mut walk);
    back(&mut walk, &[("state", &query(&sent)["state"]), ("code", "c-1")]);
    assert_eq!(who(&mut walk), None);
}
