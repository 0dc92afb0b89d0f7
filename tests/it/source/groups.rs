//! Groups by what a provider says.

use super::*;

const LINES: &str = "link verified-email
    in crew if=\"'staff' in user.groups && user.attributes.team == ['blue']\"
    in guests";
const GROUPS: &str = r#"
group crew "Crew"
group guests "Guests"
app deck "Deck" protect { proxy "http://deck.localhost:9000"; access { allow group:crew } }
app shore "Shore" protect { proxy "http://shore.localhost:9000"; access { allow group:guests } }
"#;

fn served(provider: &Provider) -> Server {
    let protocol = format!(
        "oidc {{ issuer {:?}; client-id us; client-secret (env)DOORWARD_SECRET_THERE }}",
        provider.issuer()
    );
    with_source(&protocol, &format!("may-reach \"{}\"; {LINES}", provider.address), GROUPS)
}

fn may_enter(walk: &mut Walk<'_>, app: &str) -> bool {
    let url = walk.server.url(&format!("http://{app}.localhost:9000/"));
    walk.page = walk.browser.ask(&url);
    walk.follow();
    walk.page.status == 200 && walk.url == url
}

fn alice(changes: &Value) -> Value {
    let mut all = json!({ "email": "alice@example.com" });
    all.as_object_mut().expect("claims").extend(changes.as_object().expect("claims").clone());
    all
}

/// What the provider says at each sign-in is what counts, as long as the files give groups for it.
#[test]
fn groups_follow_what_the_provider_says_and_what_the_files_give() {
    let signer = Signer::new("k1");
    let provider = Provider::openid(&signer);
    let server = served(&provider);
    let staff = alice(&json!({ "groups": ["staff"], "team": "blue" }));
    let mut walk = come(&server, &provider, &signer, &staff);
    assert!(may_enter(&mut walk, "deck") && may_enter(&mut walk, "shore"));
    // An expression that fails gives nothing.
    for less in [
        json!({ "groups": ["staff"] }),
        json!({ "team": "blue" }),
        json!({ "groups": "staff", "team": ["red"] }),
    ] {
        let mut walk = come(&server, &provider, &signer, &alice(&less));
        assert!(!may_enter(&mut walk, "deck"), "{less}");
        assert!(may_enter(&mut walk, "shore"), "{less}");
    }
    let mut walk = come(&server, &provider, &signer, &staff);
    assert!(may_enter(&mut walk, "deck"));
    let text = std::fs::read_to_string(server.path().join("blueprints/home.kdl")).expect("text");
    server.edit("home.kdl", &text.replace("in guests", "").replace("in crew if", "in users if"));
    let (code, said) = server.reload();
    assert_eq!(code, 0, "{said}");
    assert!(!may_enter(&mut walk, "deck") && !may_enter(&mut walk, "shore"), "the files decide");
}

/// `security.md` R11: nobody comes by a console role through somebody else's word.
#[test]
fn no_provider_gives_a_console_role() {
    let server = Server::stopped(&household(""), &[]);
    let text = household(
        "source there \"There\" { github { client-id a; client-secret (env)DOORWARD_SECRET_X }; in admins }",
    );
    server.edit("home.kdl", &text);
    let done = server.command_elsewhere(&["check", "blueprints"]);
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(said.contains("blueprint::console-group-given"), "{said}");
}
