use super::{NONE, app, complaints, complaints_in};
use crate::blueprint::validate::Mode;

fn traefik(body: &str) -> Vec<String> {
    complaints(&format!("traefik {{ {body} }}"))
}

/// `security.md R2`.
#[test]
fn no_template_reaches_the_file() {
    assert_eq!(traefik("entrypoints \"{{ env `X` }}\""), ["template-in-traefik: {{"]);
    assert_eq!(traefik("raw #\"x: \"{{ y }}\"\"#"), ["template-in-traefik: {{"]);
    assert_eq!(
        complaints(&app("proxy \"https://wiki.example.com\" { bypass \"/{{x}}\" reason=r }")),
        ["template-in-traefik: {{"]
    );
}

/// `security.md R2`.
#[test]
fn raw_text_declares_no_routers() {
    assert_eq!(traefik("raw \"http: { routers: { x: {} } }\""), ["raw-routers: routers"]);
    assert_eq!(traefik("raw #\"http: { \"Services\" : {} }\"#"), ["raw-routers: Services"]);
    assert_eq!(traefik(r##"raw #"http: { "\x72outers": {} }"#"##), [r"raw-escape: \x"]);
    assert_eq!(traefik("raw \"http: { middlewares: { my-routers-x: {} } }\""), NONE);
    let allowed = Mode { allow_raw_routers: true, ..Mode::default() };
    let text = "traefik { raw \"http: { routers: { x: {} } }\" }";
    assert_eq!(complaints_in(text, allowed), NONE);
}

#[test]
fn middlewares_have_one_name_and_one_kind() {
    let limit = "rate-limit average=1";
    assert_eq!(
        traefik(&format!("middleware a {{ {limit} }}; middleware a {{ {limit} }}")),
        ["declared-twice: a"]
    );
    assert_eq!(
        traefik(&format!("middleware doorward {{ {limit} }}")),
        ["declared-twice: doorward"]
    );
    assert_eq!(traefik("middleware a"), ["middleware-kind: middleware a"]);
    assert_eq!(
        traefik("middleware a { headers { request Remote-User x } }"),
        ["refused-header: Remote-User"]
    );
}

#[test]
fn an_app_names_middlewares_that_exist() {
    let named = |name: &str| {
        complaints(&format!(
            "traefik {{ middleware burst {{ rate-limit average=1 }} }}\n{}",
            app(&format!(
                "proxy \"https://wiki.example.com\" to=\"http://10.0.0.1:80\"; traefik {{ middlewares {name} }}"
            ))
        ))
    };
    assert_eq!(named("burst"), NONE);
    assert_eq!(named("compress@file"), NONE);
    assert_eq!(named("brust"), ["unknown-middleware: brust"]);
    assert_eq!(named("doorward@file"), ["forward-auth-twice: doorward@file"]);
}

/// `security.md 1`.
#[test]
fn without_trusted_proxies_nobody_gets_through_and_nobody_is_trusted_blindly() {
    let bare = "settings { external-host \"https://auth.example.com\" }\ngroup users \"U\"";
    let text = format!("{bare}\n{}", app("proxy \"https://wiki.example.com\""));
    let codes = |text: &str, mode: Mode| {
        let (nodes, sources) = crate::blueprint::sample::expanded(&[("one.kdl", text)]);
        let mut out = crate::blueprint::diagnostic::Diagnostics::default();
        crate::blueprint::understand::understand(&nodes, &sources, mode, &mut out);
        out.sorted().iter().map(|each| each.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&text, Mode::default()), ["blueprint::no-trusted-proxies"]);
    assert_eq!(codes(&text, Mode { dev: true, ..Mode::default() }), NONE);
    let all = format!("{text}\nserver {{ trusted-proxies \"0.0.0.0/0\" }}");
    assert_eq!(codes(&all, Mode::default()), ["blueprint::trusts-everybody"]);
}
