//! One Doorward signs in through another: both sides are the real thing.

use super::*;

const HOME: &str = r#"
group staff "Staff"
user octavia "Octavia" email="octavia@example.com" { in users staff }
app far "Far away" {
    oidc {
        client-id us
        client-secret (env)DOORWARD_SECRET_FAR
        redirect-uri "REDIRECT"
        scopes openid profile email groups
        id-token minutes=5
    }
    access { allow group:users }
}
"#;

/// The sign-in host of the provider.
const FAR: &str = "http://id.localhost:9000";

/// Octavia's browser, signed in at the provider.
fn signed_in(provider: &Server) -> Browser<'_> {
    let mut browser = Browser::at(provider);
    let url = provider.url(&format!("{FAR}/sign-in"));
    for fields in [[("username", "octavia")], [("password", PASSWORD)]] {
        let page = browser.open(&url);
        assert_eq!(browser.submit(&url, &page, &fields).status, 303);
    }
    assert_eq!(browser.open(&url).status, 303);
    browser
}

/// A provider with octavia, and a place that takes its word.
fn pair() -> (Server, Server) {
    let mut provider = Server::stopped("", &[]);
    let text = household(&format!(
        "group colleagues \"Colleagues\"
        source there \"Home\" {{
            oidc {{
                issuer \"http://id.localhost:{}\"
                client-id us; client-secret (env)DOORWARD_SECRET_THERE
                scopes openid profile email groups
            }}
            may-reach \"id.localhost:{}\"
            link verified-email
            enroll newcomers
            in colleagues if=\"'staff' in user.groups\"
        }}
        {FLOWS}
        app desk \"Desk\" protect {{ proxy \"http://desk.localhost:9000\"; access {{ allow group:colleagues }} }}",
        provider.port, provider.port
    ));
    let defaults = "settings { default-flows { authentication front }; ";
    let mut server = Server::stopped(&text.replacen("settings { ", defaults, 1), &[]);
    server.tell("DOORWARD_SECRET_THERE", SECRET);
    let redirect = format!("http://auth.localhost:{}/source/there", server.port);
    let text = household(&HOME.replace("REDIRECT", &redirect));
    provider.edit("home.kdl", &text.replace("http://auth.localhost:9000", FAR));
    provider.tell("DOORWARD_SECRET_FAR", SECRET);
    provider.start();
    server.start();
    provider.set_password("octavia", PASSWORD);
    (provider, server)
}

#[test]
fn somebody_of_another_doorward_comes_by_an_account_here_and_back_to_it() {
    let (provider, server) = pair();
    let mut there = signed_in(&provider);
    let mut walk = Walk::to(&server, Browser::at(&server), "http://desk.localhost:9000/");
    walk.shows("Continue with Home");
    let away = sent(&mut walk);
    assert!(away.starts_with(&format!("http://id.localhost:{}/", provider.port)), "{away}");
    let asked = query(&away);
    assert_eq!(asked["code_challenge_method"], "S256");
    let answer = there.open(&away);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let back = url::Url::parse(answer.location()).expect("an address");
    walk.go(&format!("{}?{}", back.path(), back.query().expect("an answer")));
    walk.shows("Have you been here before?").shows("octavia");
    walk.post(&[("account", "new")]);
    walk.shows("octavia@example.com").shows("value=\"octavia\"").shows("value=\"Octavia\"");
    walk.post(&[("username", "octavia"), ("email", "evil@example.com"), ("name", "Octavia")]);
    walk.is_in("http://desk.localhost:9000/");
    assert_eq!(who(&mut walk).as_deref(), Some("octavia"));
    let email = server.look(async |read| {
        read.find_user_by_username("octavia").await.expect("asked").expect("octavia").email
    });
    assert_eq!(email.as_deref(), Some("octavia@example.com"), "what the provider verified");

    // From now on she is known.
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    let away = sent(&mut walk);
    let answer = there.open(&away);
    let back = url::Url::parse(answer.location()).expect("an address");
    walk.go(&format!("{}?{}", back.path(), back.query().expect("an answer")));
    assert_eq!(who(&mut walk).as_deref(), Some("octavia"));
    let signed_in = server.events("login.succeeded");
    assert_eq!(signed_in[0].data["source"], "there");
    assert_eq!(signed_in[0].data["factors"], json!([]), "a source is no second factor");
}

/// Whoever must show up once more does so at their provider.
#[test]
fn somebody_without_a_password_shows_up_at_their_provider() {
    let (provider, server) = pair();
    let mut there = signed_in(&provider);
    let mut walk = Walk::at(&server, Browser::at(&server), "/sign-in");
    let way = |walk: &mut Walk<'_>, there: &mut Browser<'_>| {
        let away = sent(walk);
        let answer = there.open(&away);
        (away, answer)
    };
    let (_, answer) = way(&mut walk, &mut there);
    let back = url::Url::parse(answer.location()).expect("an address");
    walk.go(&format!("{}?{}", back.path(), back.query().expect("an answer")));
    walk.post(&[("account", "new")]);
    walk.post(&[("username", "octavia"), ("email", ""), ("name", "Octavia")]);
    assert_eq!(who(&mut walk).as_deref(), Some("octavia"));
    walk.go("/step-up?next=/security");
    // She has shown up just now.
    assert!(walk.url.ends_with("/security"), "{}", walk.url);
}
