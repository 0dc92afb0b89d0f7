use super::{NONE, app, complaints};

#[test]
fn a_host_belongs_to_one_app() {
    let two = format!(
        "{}\napp other \"Other\" {{ proxy \"https://WIKI.example.com\"; access {{ allow group:users }} }}",
        app(r#"proxy "https://wiki.example.com""#)
    );
    assert_eq!(complaints(&two), [r#"host-taken: "https://WIKI.example.com""#]);
}

#[test]
fn no_app_takes_in_the_sign_in_host() {
    assert_eq!(
        complaints(&app(r#"proxy "https://auth.example.com:8443""#)),
        [r#"covers-sign-in: "https://auth.example.com:8443""#]
    );
    assert_eq!(
        complaints(&app(r#"proxy-domain "example.com" { hosts "*.example.com" }"#)),
        [r#"covers-sign-in: "example.com""#, r#"covers-sign-in: "*.example.com""#]
    );
    assert_eq!(
        complaints(&app(r#"oidc { redirect-uri "https://auth.example.com/cb"; scopes openid }"#)),
        [r#"covers-sign-in: "https://auth.example.com/cb""#]
    );
    assert_eq!(
        complaints(&app(r#"proxy-domain "lab.example.com" { hosts "*.lab.example.com" }"#)),
        NONE
    );
}

#[test]
fn a_domain_is_ones_own() {
    assert_eq!(
        complaints(&app(r#"proxy-domain "co.uk" { hosts "*.co.uk" }"#)),
        [r#"public-suffix: "co.uk""#]
    );
    assert_eq!(
        complaints(&app("proxy-domain localhost { hosts \"*.localhost\" }")),
        ["public-suffix: localhost"]
    );
    assert_eq!(
        complaints(&app(r#"proxy-domain "lab.example.com" { hosts "*.example.org" }"#)),
        [r#"host-outside-domain: "*.example.org""#]
    );
}

#[test]
fn an_upstream_never_leads_back() {
    for to in ["https://auth.example.com", "https://wiki.example.com", "http://127.0.0.1:9000"] {
        let text = format!(
            "traefik {{ write \"/x.yml\"; reach-doorward-at \"http://127.0.0.1:9000\" }}\n{}",
            app(&format!("proxy \"https://wiki.example.com\" to=\"{to}\""))
        );
        assert_eq!(complaints(&text), [format!("proxy-loop: \"{to}\"")]);
    }
}

#[test]
fn the_portal_leads_to_the_app() {
    assert_eq!(
        complaints(&app(
            r#"launch-url "https://other.example.com/"; proxy "https://wiki.example.com""#
        )),
        [r#"launch-elsewhere: "https://other.example.com/""#]
    );
    assert_eq!(
        complaints(&app(
            r#"launch-url "https://wiki.example.com/start"; proxy "https://wiki.example.com""#
        )),
        NONE
    );
}

#[test]
fn urls_are_looked_at_closely() {
    assert_eq!(complaints(&app(r#"proxy "https://wiki.example.com/path""#)), ["bad-url: /path"]);
    assert_eq!(complaints(&app(r#"proxy "wiki.example.com""#)), [r#"bad-url: "wiki.example.com""#]);
    assert_eq!(
        complaints(&app(r#"proxy "http://wiki.example.com""#)),
        [r#"http-app: "http://wiki.example.com""#]
    );
    assert_eq!(
        complaints(&app(r#"proxy "https://u:p@wiki.example.com""#)),
        [r#"bad-url: "https://u:p@wiki.example.com""#]
    );
    assert_eq!(
        complaints(&app(r#"oidc { scopes openid; redirect-uri "https://*.example.com/cb" }"#)),
        ["bad-redirect: *"]
    );
    assert_eq!(
        complaints(&app(r#"oidc { scopes openid; redirect-uri "http://127.0.0.1:8080/cb" "x" }"#)),
        [r#"too-many-values: "x""#]
    );
}

#[test]
fn headers_keep_away_from_the_request_itself() {
    let header =
        |line: &str| complaints(&app(&format!("proxy \"https://wiki.example.com\" {{ {line} }}")));
    assert_eq!(header(r#"header Host "user.username""#), ["refused-header: Host"]);
    assert_eq!(
        header(r#"header X-Forwarded-For "user.username""#),
        ["refused-header: X-Forwarded-For"]
    );
    assert_eq!(header(r#"header Remote-User "user.username""#), ["header-twice: Remote-User"]);
    assert_eq!(header(r#"identity-headers none; header Remote-User "user.username""#), NONE);
    assert_eq!(
        header(r#"header X-User "user.username"; header x-user "user.username""#),
        ["header-twice: x-user"]
    );
    assert_eq!(header(r#"header X_User "user.username""#), ["bad-header: _"]);
}
