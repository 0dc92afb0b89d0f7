//! The process as a whole: how it starts, what its commands say.

mod commands;
mod doctor;
mod start;

use super::support::server::EXTERNAL;

/// A household with one app; `more` is added at its end.
fn household(more: &str) -> String {
    format!(
        r#"server {{ listen "127.0.0.1:9000"; trusted-proxies "127.0.0.1/32" }}
settings {{ external-host "{EXTERNAL}" }}
group users "Users"
group admins "Administrators" {{ console admin; membership declared }}
user alice "Alice Example" email="alice@example.com" {{ in users }}
user root "Root" email="root@example.com" {{ in admins }}
{more}
"#
    )
}

const WIKI: &str = r#"app wiki "Wiki" protect {
    proxy "http://wiki.localhost:9000"; access { allow group:users }
}"#;
