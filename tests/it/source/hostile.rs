//! Hostile clients and hostile providers (`security.md` R14).

use super::*;

#[test]
fn each_claim_that_is_wrong_alone_proves_nothing() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "link verified-email");
    let alice = |name: &str, value: Value| {
        let mut all = json!({ "email": "alice@example.com" });
        all[name] = value;
        all
    };
    for (name, value) in [
        ("iss", json!("http://127.0.0.1:1")),
        ("iss", json!(null)),
        ("aud", json!("them")),
        ("aud", json!(["us", "them"])),
        ("aud", json!(null)),
        ("nonce", json!("another")),
        ("nonce", json!(null)),
        ("exp", json!(signer::now() - 1)),
        ("exp", json!(null)),
        ("sub", json!(null)),
        ("sub", json!("")),
        ("sub", json!("a\u{0}b")),
    ] {
        let changes = alice(name, value);
        let mut walk = come(&server, &provider, &signer, &changes);
        assert_eq!(who(&mut walk), None, "{changes}");
        walk.go("/sign-in");
    }
    let failed = server.some_events("login.failed", 10);
    assert!(failed.iter().all(|event| event.data["source"] == "there"), "{failed:?}");
    let mut walk = come(&server, &provider, &signer, &alice("name", json!("Alice")));
    assert_eq!(who(&mut walk).as_deref(), Some("alice"), "and the right one proves it");
}

#[test]
fn only_the_providers_own_key_signs() {
    let (signer, other) = (Signer::new("k1"), Signer::new("k1"));
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "link verified-email");
    let forged = |claims: &Value| {
        let unsigned = signer::unsigned(&json!({ "alg": "none" }), claims);
        let jwk = json!({ "kid": "k1", "jwk": other.jwk() });
        [
            other.sign(&json!({ "kid": "k1" }), claims),
            other.sign(&json!({}), claims),
            other.sign(&jwk, claims),
            signer::sign_with(SECRET, claims),
            format!("{unsigned}."),
            unsigned,
            String::new(),
            "a.b.c".to_owned(),
        ]
    };
    for which in 0..8 {
        let mut walk = Walk::at(&server, somebody(&server), "/sign-in");
        let sent = sent(&mut walk);
        let mut claims = claims(&provider, &sent);
        claims["email"] = json!("alice@example.com");
        provider.says("/userinfo", json!({ "sub": "there-1" }));
        gives(&provider, &forged(&claims)[which]);
        back(&mut walk, &[("state", &query(&sent)["state"]), ("code", "c")]);
        assert_eq!(who(&mut walk), None, "forgery {which}");
    }
}

/// What userinfo says is of the person of the token, or worth nothing (OIDC Core §5.3.2).
#[test]
fn userinfo_of_somebody_else_is_refused() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "link verified-email");
    let mut walk = Walk::at(&server, somebody(&server), "/sign-in");
    let sent = sent(&mut walk);
    let more = json!({ "sub": "there-2", "email": "alice@example.com", "email_verified": true });
    provider.says("/userinfo", more);
    gives(&provider, &signer.sign(&json!({ "kid": "k1" }), &claims(&provider, &sent)));
    back(&mut walk, &[("state", &query(&sent)["state"]), ("code", "c")]);
    assert_eq!(who(&mut walk), None);
    walk.shows("cannot be reached right now");
}

/// The answer is for the browser that was sent, once, and for the provider that was asked.
#[test]
fn an_answer_is_good_for_its_browser_once() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "link verified-email");
    let mut victim = Walk::at(&server, somebody(&server), "/sign-in");
    let mut walk = Walk::at(&server, somebody(&server), "/sign-in");
    let away = sent(&mut walk);
    let state = query(&away)["state"].clone();
    let mut told = claims(&provider, &away);
    told["email"] = json!("alice@example.com");
    provider.says("/userinfo", json!({ "sub": "there-1" }));
    gives(&provider, &signer.sign(&json!({ "kid": "k1" }), &told));

    back(&mut victim, &[("state", &state), ("code", "c")]);
    assert_eq!(who(&mut victim), None, "a browser without a flow");
    let mut victim = Walk::at(&server, somebody(&server), "/sign-in");
    sent(&mut victim);
    back(&mut victim, &[("state", &state), ("code", "c")]);
    assert_eq!(who(&mut victim), None, "a browser with a flow of its own");

    let asked = provider.asked("/token").len();
    for pairs in [
        vec![("state", "another"), ("code", "c")],
        vec![("code", "c")],
        vec![("state", state.as_str()), ("state", state.as_str()), ("code", "c")],
    ] {
        let mut same = Walk {
            browser: walk.browser.clone(),
            ..Walk::at(&server, somebody(&server), "/sign-in")
        };
        back(&mut same, &pairs);
        assert_eq!(who(&mut same), None, "{pairs:?}");
    }
    assert_eq!(provider.asked("/token").len(), asked, "nobody was asked for a wrong state");

    back(&mut walk, &[("state", &state), ("code", "c")]);
    assert_eq!(who(&mut walk).as_deref(), Some("alice"));
    let asked = provider.asked("/token").len();
    let mut again = Walk::at(&server, somebody(&server), "/sign-in");
    back(&mut again, &[("state", &state), ("code", "c")]);
    assert_eq!((who(&mut again), provider.asked("/token").len()), (None, asked), "used up");
}

#[test]
fn an_answer_of_another_issuer_or_with_an_error_redeems_nothing() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "");
    for (more, words) in [
        (vec![("code", "c"), ("iss", "https://evil.example")], "cannot be reached right now"),
        (vec![("error", "access_denied")], "did not sign you in"),
        (vec![("error", "access_denied"), ("code", "c")], "did not sign you in"),
        (vec![], "cannot be reached right now"),
        (vec![("code", "")], "cannot be reached right now"),
    ] {
        let mut walk = Walk::at(&server, somebody(&server), "/sign-in");
        let state = query(&sent(&mut walk))["state"].clone();
        back(&mut walk, &[&[("state", state.as_str())], &more[..]].concat());
        walk.shows(words);
        assert_eq!(provider.asked("/token").len(), 0, "{more:?}");
    }
}

/// Two sources, one of them hostile: its code is never redeemed at the other, nor the other's at it.
#[test]
fn one_source_cannot_pass_its_code_off_as_anothers() {
    let signer = Signer::new("k1");
    let (honest, evil) = (Provider::openid(&signer), Provider::openid(&Signer::new("k2")));
    let source = |name: &str, provider: &Provider| {
        format!(
            "source {name} \"{name}\" {{ oidc {{ issuer {:?}; client-id us; client-secret (env)DOORWARD_SECRET_THERE }}
                may-reach \"{}\"; link verified-email }}\n",
            provider.issuer(), provider.address
        )
    };
    let flows = FLOWS.replace("sources there", "sources honest evil");
    let text = household(&(source("honest", &honest) + &source("evil", &evil) + &flows));
    let defaults = "settings { default-flows { authentication front }; ";
    let mut server = Server::stopped(&text.replacen("settings { ", defaults, 1), &[]);
    server.tell("DOORWARD_SECRET_THERE", SECRET);
    server.start();
    let mut walk = Walk::at(&server, somebody(&server), "/sign-in");
    let answer = walk.browser.submit(&walk.url, &walk.page, &[("source", "evil")]);
    let state = query(answer.location())["state"].clone();
    // Evil sends the browser on to the honest one, whose code comes back to the honest address.
    walk.go(&format!("/source/honest?state={state}&code=honest-code"));
    assert_eq!((honest.asked("/token").len(), evil.asked("/token").len()), (0, 0));
    assert_eq!(who(&mut walk), None);
    // A token of the honest issuer from evil's endpoint is not evil's.
    let told = claims(&honest, answer.location());
    gives(&evil, &signer.sign(&json!({ "kid": "k1" }), &told));
    walk.go(&format!("/source/evil?state={state}&code=c"));
    assert_eq!((who(&mut walk), evil.asked("/token").len()), (None, 1));
}

/// Whatever the provider does, the page says so and the server goes on (`security.md` R19).
#[test]
fn a_provider_that_misbehaves_is_told_as_out_of_reach() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "");
    let press = || {
        let mut walk = Walk::at(&server, somebody(&server), "/sign-in");
        walk.post(&[("source", "there")]);
        walk
    };
    let about = "/.well-known/openid-configuration";
    provider.refuses(about, 500, json!({}));
    press().shows("There cannot be reached right now").shows("Continue with There");
    provider.says(about, json!({ "issuer": "https://evil.example" }));
    press().shows("cannot be reached right now");
    provider.says(about, json!(["x".repeat(300 * 1024)]));
    press().shows("cannot be reached right now");
    let mut walk = Walk::at(&server, somebody(&server), "/sign-in");
    walk.post(&[("source", "nowhere")]).shows("Username or e-mail address");
    walk.password("alice");
    assert_eq!(who(&mut walk).as_deref(), Some("alice"));
}

/// Nobody outside is called without being named.
#[test]
fn a_private_provider_that_is_not_named_is_not_called() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let protocol = format!(
        "oidc {{ issuer \"https://{}\"; client-id us; client-secret (env)DOORWARD_SECRET_THERE }}",
        provider.address
    );
    let server = with_source(&protocol, "", "");
    let mut walk = Walk::at(&server, somebody(&server), "/sign-in");
    walk.post(&[("source", "there")]).shows("cannot be reached right now");
    assert!(server.log_with("may-reach").contains("is not a public address"));
}

/// A source's enrollment is for people of that source: it is no open door.
#[test]
fn nobody_makes_an_account_by_a_sources_flow_without_the_source() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "enroll newcomers");
    let url = server.url(&format!("{EXTERNAL}/enroll?flow=newcomers"));
    let mut stranger = Browser::at(&server);
    let page = stranger.open(&url);
    assert_eq!(page.status, 404, "{}", page.body);
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    walk.url = url;
    walk.post(&[("username", "stranger"), ("name", "S")]);
    assert_eq!(walk.page.status, 404, "{}", walk.page.body);
    let found =
        server.look(async |read| read.find_user_by_username("stranger").await.expect("asked"));
    assert_eq!(found, None);
}

/// A sign-in that was parked is worth nothing once its connection is taken away, or its address is another's.
#[test]
fn a_connection_that_was_taken_away_does_not_come_back_by_a_parked_sign_in() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "");
    let mut alice = come(&server, &provider, &signer, &json!({}));
    alice.password("alice");
    let mut parked = Walk::at(&server, somebody(&server), "/sign-in");
    let away = sent(&mut parked);
    provider.says("/userinfo", json!({ "sub": "there-1" }));
    gives(&provider, &signer.sign(&json!({ "kid": "k1" }), &claims(&provider, &away)));
    let state = query(&away)["state"].clone();
    let back = server.url(&format!("{EXTERNAL}/source/there?state={state}&code=c"));
    let turned = parked.browser.open(&back);
    assert_eq!(turned.status, 303, "{}", turned.body);
    let issuer = provider.issuer();
    alice.go("/security").post(&[
        ("do", "disconnect"),
        ("issuer", &issuer),
        ("subject", "there-1"),
    ]);
    assert_eq!(server.events("connection.removed").len(), 1);
    parked.go("/sign-in");
    assert_eq!(who(&mut parked), None);
    let gone =
        server.look(async |read| read.find_connection(&issuer, "there-1").await.expect("asked"));
    assert_eq!(gone, None);
}

/// An address and whether it is verified come from one place.
#[test]
fn userinfo_does_not_put_another_address_beside_a_verified_one() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "link verified-email");
    let mut walk = Walk::at(&server, somebody(&server), "/sign-in");
    let away = sent(&mut walk);
    provider.says("/userinfo", json!({ "sub": "there-1", "email": "alice@example.com" }));
    gives(&provider, &signer.sign(&json!({ "kid": "k1" }), &claims(&provider, &away)));
    back(&mut walk, &[("state", &query(&away)["state"]), ("code", "c")]);
    assert_eq!(who(&mut walk), None);
    walk.shows("Sign in once");
}

/// Codes that are worth nothing are counted: nobody has the provider asked without end.
#[test]
fn worthless_answers_are_counted() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = with_openid(&provider, "");
    provider.refuses("/token", 400, json!({ "error": "invalid_grant" }));
    let browser = somebody(&server);
    let mut statuses = Vec::new();
    for _ in 0..150 {
        let mut walk = Walk::at(&server, browser.clone(), "/sign-in");
        let answer = walk.browser.submit(&walk.url, &walk.page, &[("source", "there")]);
        if answer.status != 303 {
            statuses.push(answer.status);
            break;
        }
        let state = query(answer.location())["state"].clone();
        back(&mut walk, &[("state", &state), ("code", "c")]);
        statuses.push(walk.page.status);
        if walk.page.status == 429 {
            break;
        }
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
}
