//! Each check on the shortest text that it complains about, and on one that is right.

mod access;
mod email;
mod flows;
mod hosts;
mod listeners;
mod people;
mod protocols;
mod sources;
mod traefik;

use crate::blueprint::diagnostic::Diagnostics;
use crate::blueprint::sample;
use crate::blueprint::understand::understand;
use crate::blueprint::validate::Mode;

/// What every set of files needs; the rest of the text is the case.
const BASE: &str = r#"
settings { external-host "https://auth.example.com" }
server { trusted-proxies "127.0.0.1/32" }
group admins "Administrators" { console admin }
group users "Household"
group family "Family" { in users }
policy on-lan { network "10.0.0.0/8" }
policy at-work { time mon-fri from="09:00" to="17:00" tz="Europe/Berlin" }
"#;

/// Codes and places of all complaints but those about what is unused or not served.
fn complaints_in(text: &str, mode: Mode) -> Vec<String> {
    complaints_over(BASE, text, mode)
}

fn complaints_over(base: &str, text: &str, mode: Mode) -> Vec<String> {
    let (nodes, sources) = sample::expanded(&[("base.kdl", base), ("case.kdl", text)]);
    let mut out = Diagnostics::default();
    understand(&nodes, &sources, mode, &mut out);
    let quiet = ["blueprint::unused", "blueprint::not-served-yet"];
    out.sorted()
        .iter()
        .filter(|each| !quiet.contains(&each.code))
        .map(|each| {
            let code = each.code.trim_start_matches("blueprint::");
            format!("{code}: {}", sources.slice(each.span()))
        })
        .collect()
}

fn complaints(text: &str) -> Vec<String> {
    complaints_in(text, Mode::default())
}

/// An app with this body, and an `access` that lets the household in.
fn app(body: &str) -> String {
    format!("app wiki \"Wiki\" {{ {body}; access {{ allow group:users }} }}")
}

const NONE: [&str; 0] = [];

#[test]
fn the_base_of_these_tests_is_right() {
    assert_eq!(complaints(&app("proxy \"https://wiki.example.com\"")), NONE);
}

/// One list says which built-in flows there are: the flows themselves.
#[test]
fn a_built_in_flow_is_one_that_there_is_and_used_for_what_it_is_for() {
    let chosen = |what: &str| {
        let flow = "flow own for=authentication { identification; password; \
            authenticator-validate { device-classes totp; not-configured-action configure; \
            configure-with CHOSEN }; login }";
        complaints(&flow.replace("CHOSEN", what))
    };
    for good in ["builtin.setup", "builtin.passkey builtin.setup", "builtin.recovery-codes"] {
        assert_eq!(chosen(good), NONE, "{good}");
    }
    for none in ["builtin.signup", "builtin.logout", "builtin.stepup"] {
        assert_eq!(chosen(none), [format!("unknown-flow: {none}")]);
    }
    for other in ["builtin.step-up", "builtin.enrollment", "builtin.recovery"] {
        assert_eq!(chosen(other), [format!("wrong-purpose: {other}")]);
    }
}
