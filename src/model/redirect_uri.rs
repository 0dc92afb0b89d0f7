//! Where codes may be delivered: compared letter by letter, but for the port of a loopback address.

/// Whether a redirect URI that a client sent is the one that is declared (RFC 9700 §4.1.3). For a
/// loopback address the port is the client's to choose, since the system gave it one
/// (RFC 8252 §7.3).
#[must_use]
pub fn matches(declared: &str, given: &str) -> bool {
    declared == given || is_same_but_for_loopback_port(declared, given)
}

const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

fn is_same_but_for_loopback_port(declared: &str, given: &str) -> bool {
    LOOPBACK.iter().any(|origin| {
        let (Some(declared), Some(given)) =
            (declared.strip_prefix(origin), given.strip_prefix(origin))
        else {
            return false;
        };
        match (without_port(declared), without_port(given)) {
            (Some(declared), Some(given)) => declared == given,
            _ => false,
        }
    })
}

/// What follows the host and its port; `None` if the host goes on or the port is none.
fn without_port(rest: &str) -> Option<&str> {
    let Some(port) = rest.strip_prefix(':') else {
        return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest);
    };
    let end = port.find(['/', '?']).unwrap_or(port.len());
    let (port, rest) = port.split_at(end);
    let plain = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    (plain && port.parse::<u16>().is_ok_and(|port| port != 0)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DECLARED: &str = "https://git.example.com/user/oauth2/cb";

    /// `security.md` 13.
    #[test]
    fn only_the_declared_text_is_the_declared_address() {
        assert!(matches(DECLARED, DECLARED));
        for other in [
            "https://git.example.com/user/oauth2/cb/",
            "https://git.example.com/user/oauth2/cb?x=1",
            "https://git.example.com/user/oauth2/cb#x",
            "https://git.example.com/user/oauth2/c",
            "https://git.example.com/user/oauth2/cbx",
            "https://gitxexample.com/user/oauth2/cb",
            "https://git.example.com.evil.example/user/oauth2/cb",
            "https://git.example.com@evil.example/user/oauth2/cb",
            "https://git.example.com:443/user/oauth2/cb",
            "https://GIT.example.com/user/oauth2/cb",
            "http://git.example.com/user/oauth2/cb",
            "https://git.example.com/user/oauth2/../cb",
            "https://git.example.com/user/oauth2/%63b",
            "https://git.example.com/user\\oauth2/cb",
            " https://git.example.com/user/oauth2/cb",
            "https://git.example.com/user/oauth2/cb\n",
            "https://evil.example/?https://git.example.com/user/oauth2/cb",
            "",
        ] {
            assert!(!matches(DECLARED, other), "{other}");
        }
    }

    /// RFC 8252 §7.3: the port, and nothing else.
    #[test]
    fn a_loopback_address_may_have_any_port() {
        let declared = "http://127.0.0.1/callback";
        for same in [declared, "http://127.0.0.1:1/callback", "http://127.0.0.1:61234/callback"] {
            assert!(matches(declared, same), "{same}");
        }
        assert!(matches("http://[::1]:8080/", "http://[::1]:9/"));
        for other in [
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:99999/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:1@evil.example/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.10/callback",
            "http://127.0.0.1:80/callback?x",
            "https://127.0.0.1:80/callback",
            "http://localhost:80/callback",
            "http://127.0.0.1@evil.example/callback",
            "http://[::1]:1/callback",
        ] {
            assert!(!matches(declared, other), "{other}");
        }
        // A name may lead elsewhere, so that its port counts.
        assert!(!matches("http://localhost/cb", "http://localhost:81/cb"));
    }

    proptest! {
        /// `security.md` 13.
        #[test]
        fn no_other_text_is_taken(given in "\\PC{0,80}") {
            prop_assert_eq!(matches(DECLARED, &given), given == DECLARED);
        }

        /// `security.md` 13: whatever is put into a loopback address, its host stays loopback.
        #[test]
        fn a_loopback_address_leads_to_this_machine(middle in "[-.:@/0-9a-z\\\\\\[\\]%?#]{0,24}") {
            let given = format!("http://127.0.0.1{middle}/callback");
            if matches("http://127.0.0.1/callback", &given) {
                let url = url::Url::parse(&given).expect("an address");
                prop_assert_eq!(url.host_str(), Some("127.0.0.1"));
                prop_assert_eq!(url.path(), "/callback");
                prop_assert_eq!(url.username(), "");
            }
        }
    }
}
