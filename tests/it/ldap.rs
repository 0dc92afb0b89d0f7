//! LDAP: binds, searches, and what neither gives (`security.md` 17, 18, 20, R9, R15).

use std::time::{Duration, Instant};

use ldap3::{LdapConn, LdapConnSettings, LdapError, Scope, SearchEntry};

use crate::support::server::{Browser, Server, free_port, household};
use crate::support::walk::{PASSWORD, Walk, code};

mod binds;
mod factors;
mod hostile;
mod locks;
mod search;
mod tls;
mod trees;

const BASE: &str = "dc=example,dc=com";
const ALICE: &str = "uid=alice,ou=people,dc=example,dc=com";
const NAS: &str = "cn=nas,ou=services,dc=example,dc=com";

/// Who there is, and an app that lets the users in by binds.
const DIRECTORY: &str = r#"
group family "Family" { in users }
group searchers "May search"
user carol "Carol" { in family; attribute loginShell "/bin/zsh"; attribute floor "3"; attribute uid "root" }
service-account nas "NAS" { in searchers; token ldap-bind }
service-account idle "Idle" { token ldap-bind }
"#;
const APP: &str = r#"app nas "NAS" { launch-url "https://nas.example.com/"; ldap { bind-as nas }; access { allow group:users } }"#;

/// A server with a directory.
struct Directory {
    server: Server,
    port: u16,
}

impl Directory {
    /// With these lines in `ldap` and at the top.
    fn with(lines: &str, more: &str) -> Self {
        let mut directory = Self::stopped(lines, more);
        directory.server.start();
        directory
    }

    fn stopped(lines: &str, more: &str) -> Self {
        let port = free_port();
        let ldap = format!(
            "ldap {{ listen \"127.0.0.1:{port}\"; base-dn \"{BASE}\"; search group:searchers; {lines} }}"
        );
        let server = Server::stopped(&household(&format!("{ldap}\n{DIRECTORY}\n{more}")), &[]);
        Self { server, port }
    }

    /// With passwords for everybody.
    fn inhabited(lines: &str, more: &str) -> Self {
        let directory = Self::with(lines, more);
        for name in ["alice", "root", "carol"] {
            directory.server.set_password(name, PASSWORD);
        }
        directory
    }

    fn connect(&self) -> LdapConn {
        let settings = LdapConnSettings::new().set_conn_timeout(Duration::from_secs(10));
        let url = format!("ldap://127.0.0.1:{}", self.port);
        LdapConn::with_settings(settings, &url).expect("connected")
    }

    /// The code of a bind, and a connection that is bound if it was right.
    fn bind(&self, dn: &str, secret: &str) -> (u32, LdapConn) {
        let mut connection = self.connect();
        let result = connection.simple_bind(dn, secret).expect("an answer");
        (result.rc, connection)
    }

    fn code(&self, dn: &str, secret: &str) -> u32 {
        self.bind(dn, secret).0
    }

    fn token_of(&self, account: &str) -> String {
        let done = self.server.command(&["secret", "show", &format!("service-account:{account}")]);
        assert!(done.status.success(), "{done:?}");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// A connection that may search everything.
    fn searcher(&self) -> LdapConn {
        let (code, connection) = self.bind(NAS, &self.token_of("nas"));
        assert_eq!(code, 0);
        connection
    }

    fn app_password(&self, user: &str, app: &str) -> String {
        let done = self.server.command(&["token", "create", user, "--app", app]);
        assert!(done.status.success(), "{done:?}");
        let told = String::from_utf8_lossy(&done.stdout).into_owned();
        let found = told.split_whitespace().find(|word| word.starts_with("dwp_"));
        found.expect("an app password").to_owned()
    }
}

/// The entries of a search, and its code.
fn search(
    connection: &mut LdapConn,
    (base, scope, filter): (&str, Scope, &str),
    attributes: &[&str],
) -> (Vec<SearchEntry>, u32) {
    let found = connection.search(base, scope, filter, attributes).expect("an answer");
    let entries = found.0.into_iter().map(SearchEntry::construct).collect();
    (entries, found.1.rc)
}

/// The names of what is found below a base.
fn names(connection: &mut LdapConn, base: &str, filter: &str) -> Vec<String> {
    let (entries, code) = search(connection, (base, Scope::Subtree, filter), &["1.1"]);
    assert_eq!(code, 0, "{base} {filter}");
    entries.into_iter().map(|entry| entry.dn).collect()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
