use super::NONE;
use crate::blueprint::diagnostic::Diagnostics;
use crate::blueprint::sample;
use crate::blueprint::understand::understand;
use crate::blueprint::validate::Mode;

/// The places of all complaints about listeners.
fn taken(server: &str, beside: &str) -> Vec<String> {
    let text = format!(
        "settings {{ external-host \"https://auth.example.com\" }}\nserver {{ {server} }}\n{beside}"
    );
    let (nodes, sources) = sample::expanded(&[("one.kdl", &text)]);
    let mut out = Diagnostics::default();
    understand(&nodes, &sources, Mode::default(), &mut out);
    let found = out.sorted();
    let found = found.iter().filter(|each| each.code == "blueprint::address-taken");
    found.map(|each| sources.slice(each.span()).to_owned()).collect()
}

#[test]
fn every_listener_has_an_address_of_its_own() {
    let main = "listen \"127.0.0.1:9000\"";
    let second = ["\"127.0.0.1:9000\""];
    assert_eq!(taken(&format!("{main}; listen-envoy \"127.0.0.1:9002\""), ""), NONE);
    assert_eq!(taken(&format!("{main}; listen-envoy \"127.0.0.1:9000\""), ""), second);
    assert_eq!(
        taken("listen-envoy \"127.0.0.1:9300\"; metrics \"127.0.0.1:9300\"", ""),
        ["\"127.0.0.1:9300\""]
    );
    let ldap = "ldap { base-dn \"dc=example,dc=com\"; listen \"127.0.0.1:9002\" }";
    assert_eq!(taken("listen-envoy \"127.0.0.1:9002\"", ldap), ["\"127.0.0.1:9002\""]);
    assert_eq!(taken("listen-envoy \"127.0.0.1:9000\"", ""), second, "the default is taken, too");
}

#[test]
fn an_address_of_all_takes_the_port_of_each() {
    let both = |main: &str, envoy: &str| {
        taken(&format!("listen \"{main}\"; listen-envoy \"{envoy}\""), "").len()
    };
    assert_eq!(both("0.0.0.0:9000", "127.0.0.1:9000"), 1);
    assert_eq!(both("127.0.0.1:9000", "0.0.0.0:9000"), 1);
    assert_eq!(both("[::]:9000", "127.0.0.1:9000"), 1);
    assert_eq!(both("0.0.0.0:9000", "[::1]:9000"), 0);
    assert_eq!(both("127.0.0.1:9000", "127.0.0.2:9000"), 0);
    assert_eq!(both("0.0.0.0:9000", "0.0.0.0:9002"), 0);
}
