//! People without a password show up once more at their provider.

use super::*;

/// Octo has no password; a session that is old asks for him again.
fn enrolled<'a>(server: &'a Server, provider: &Provider, signer: &Signer) -> Walk<'a> {
    let mut walk = come(server, provider, signer, &json!({}));
    walk.post(&[("account", "new")]).post(&[("username", "octo"), ("name", "Octo")]);
    assert_eq!(who(&mut walk).as_deref(), Some("octo"));
    walk
}

const APP: &str = r#"app wiki "Wiki" {
    oidc { client-id wiki; client-secret (env)DOORWARD_SECRET_THERE; redirect-uri "https://wiki.example.com/cb"; pkce optional; scopes openid }
    access { allow group:users }
}"#;

/// An app that wants its person to show up (`max_age=0`): a proof at the provider, fresh by its `auth_time`.
#[test]
fn a_provider_shows_that_somebody_is_there_and_only_a_fresh_proof_counts() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let protocol = format!(
        "oidc {{ issuer {:?}; client-id us; client-secret (env)DOORWARD_SECRET_THERE }}",
        provider.issuer()
    );
    let lines = format!("may-reach \"{}\"; enroll newcomers", provider.address);
    let server = with_source(&protocol, &lines, APP);
    let asking = "/oauth2/authorize?client_id=wiki&response_type=code&scope=openid&prompt=login\
        &redirect_uri=https://wiki.example.com/cb&state=s";
    let now = signer::now();
    for (changes, is_enough) in [
        (json!({ "auth_time": null }), false),
        (json!({ "auth_time": now - 3600 }), false),
        (json!({ "auth_time": now, "sub": "there-2" }), false),
        (json!({ "auth_time": now }), true),
    ] {
        let mut walk = enrolled_or_known(&server, &provider, &signer);
        walk.page = walk.browser.open(&server.url(&format!("{EXTERNAL}{asking}")));
        for _ in 0..4 {
            if walk.page.status != 303 {
                break;
            }
            walk.url = format!("{}{}", server.url(EXTERNAL), walk.page.location());
            walk.page = walk.browser.open(&walk.url);
        }
        walk.shows("Continue with There");
        let away = sent(&mut walk);
        assert_eq!(
            (query(&away)["prompt"].as_str(), query(&away)["max_age"].as_str()),
            ("login", "0")
        );
        let mut told = claims(&provider, &away);
        let about = told.as_object_mut().expect("claims");
        about.extend(changes.as_object().expect("changes").clone());
        about.retain(|_, value| !value.is_null());
        let subject = about["sub"].clone();
        provider.says("/userinfo", json!({ "sub": subject }));
        gives(&provider, &signer.sign(&json!({ "kid": "k1" }), &told));
        let state = query(&away)["state"].clone();
        let mut url = format!("/source/there?state={state}&code=c");
        for _ in 0..6 {
            walk.page = walk.browser.open(&format!("{}{url}", server.url(EXTERNAL)));
            if walk.page.status != 303 || !walk.page.location().starts_with('/') {
                break;
            }
            url = walk.page.location().to_owned();
        }
        let arrived = walk.page.location().starts_with("https://wiki.example.com/cb?code=");
        assert_eq!(arrived, is_enough, "{changes}: {} {}", walk.page.status, walk.page.body);
    }
}

fn enrolled_or_known<'a>(server: &'a Server, provider: &Provider, signer: &Signer) -> Walk<'a> {
    let known = server
        .look(async |read| read.find_user_by_username("octo").await.expect("asked").is_some());
    match known {
        true => come(server, provider, signer, &json!({})),
        false => enrolled(server, provider, signer),
    }
}
