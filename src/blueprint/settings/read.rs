//! Reads the settings from their nodes.

use super::{
    Backup, Brand, DefaultFlows, DriftRule, Duo, Email, FooterLink, LdapServer, Notify,
    PasswordRules, ReconcileRules, Repository, Server, SessionLimits, Settings, TestRule, TlsFiles,
};
use crate::blueprint::app::subjects;
use crate::blueprint::decode;
use crate::blueprint::secret_ref::SecretRef;
use crate::blueprint::source::{Span, Spanned};
use crate::blueprint::tree::Node;
use crate::model::directory_profile::DirectoryProfile;
use crate::model::dn::Dn;
use crate::model::network::Network;
use crate::model::smtp_server::Security;
use crate::model::web_url::{SocketAddress, WebUrl};

impl Server {
    pub(in crate::blueprint) fn from_node(node: &Node) -> Self {
        Self {
            listen: decode::kid_parsed(node, "listen", SocketAddress::parse),
            listen_envoy: decode::kid_parsed(node, "listen-envoy", SocketAddress::parse).pop(),
            tls: node.kid("tls").and_then(TlsFiles::from_node),
            metrics: decode::kid_parsed(node, "metrics", SocketAddress::parse).pop(),
            state: decode::kid_word(node, "state"),
            master_key: decode::kid_secret(node, "master-key"),
            trusted_proxies: decode::kid_parsed(node, "trusted-proxies", Network::parse),
            at: Some(node.head()),
        }
    }
}

impl TlsFiles {
    fn from_node(node: &Node) -> Option<Self> {
        Some(Self { cert: decode::prop_name(node, "cert")?, key: decode::prop_name(node, "key")? })
    }
}

impl SessionLimits {
    pub(in crate::blueprint) fn from_node(node: &Node) -> Self {
        let usual = Self::default();
        Self {
            idle: decode::kid_duration(node, "idle").unwrap_or(usual.idle),
            absolute: decode::kid_duration(node, "absolute").unwrap_or(usual.absolute),
        }
    }
}

impl Settings {
    /// Settings without a usable `external-host` lead nowhere, so that the rest can be checked.
    pub(in crate::blueprint) fn from_node(node: &Node) -> Option<Self> {
        let part = |name: &str| node.kid(name);
        let host = decode::kid_parsed(node, "external-host", WebUrl::parse).pop();
        Some(Self {
            external_host: host.or_else(nowhere)?,
            default_token_lifetime: decode::kid_duration(node, "default-token-lifetime")
                .unwrap_or(std::time::Duration::from_secs(3600)),
            session: part("session").map(SessionLimits::from_node).unwrap_or_default(),
            default_flows: part("default-flows").map(DefaultFlows::from_node).unwrap_or_default(),
            password: part("password").map(PasswordRules::from_node).unwrap_or_default(),
            breached_list: part("password")
                .and_then(|password| decode::kid_word(password, "breached-list")),
            retain_events: part("events").and_then(|events| decode::kid_duration(events, "retain")),
            backup: part("backup").map(backup),
            repository: part("repository").and_then(repository),
            trusted_ca: decode::kid_word(node, "trusted-ca"),
            key_rotation: decode::kid_duration(node, "key-rotation"),
            reconcile: part("reconcile").map(ReconcileRules::from_node).unwrap_or_default(),
            runtime_objects: decode::kid_words(node, "runtime-objects"),
            duo: part("duo").and_then(duo),
            at: node.head(),
        })
    }
}

fn nowhere() -> Option<Spanned<WebUrl>> {
    let url = WebUrl::parse("https://sign-in.invalid").ok()?;
    Some(Spanned::new(url, Span::default()))
}

impl DefaultFlows {
    fn from_node(node: &Node) -> Self {
        let flow = |purpose: &str| decode::kid_word(node, purpose);
        Self {
            authentication: flow("authentication"),
            enrollment: flow("enrollment"),
            recovery: flow("recovery"),
            consent: flow("consent"),
            setup: flow("setup"),
            step_up: flow("step-up"),
        }
    }
}

impl PasswordRules {
    fn from_node(node: &Node) -> Self {
        let usual = Self::default();
        Self {
            min_length: decode::kid_number(node, "min-length").unwrap_or(usual.min_length),
            min_score: decode::kid_number(node, "min-score").unwrap_or(usual.min_score),
        }
    }
}

impl ReconcileRules {
    fn from_node(node: &Node) -> Self {
        let usual = Self::default();
        let guard =
            |prop: &str| node.kid("prune-guard").and_then(|guard| decode::prop_number(guard, prop));
        let word = |kid: &str| decode::kid_text(node, kid);
        Self {
            tests: match word("tests").as_deref() {
                Some("warn") => TestRule::Warn,
                _ => TestRule::Gate,
            },
            prune_percent: guard("percent").unwrap_or(usual.prune_percent),
            prune_count: guard("count").unwrap_or(usual.prune_count),
            keep_tombstones: decode::kid_duration(node, "keep-tombstones")
                .unwrap_or(usual.keep_tombstones),
            drift: match word("drift").as_deref() {
                Some("enforce") => DriftRule::Enforce,
                _ => DriftRule::Report,
            },
        }
    }
}

fn backup(node: &Node) -> Backup {
    Backup {
        at: decode::prop_name(node, "at"),
        keep: decode::prop_number(node, "keep"),
        to: decode::prop_name(node, "to"),
    }
}

fn repository(node: &Node) -> Option<Repository> {
    Some(Repository { url: decode::name(node)?, edit: decode::prop_text(node, "edit") })
}

fn duo(node: &Node) -> Option<Duo> {
    Some(Duo {
        api_host: decode::prop_text(node, "api-host")?,
        integration_key: decode::prop_text(node, "integration-key")?,
        secret_key: decode::kid_secret(node, "secret-key"),
        at: node.head(),
    })
}

impl Email {
    pub(in crate::blueprint) fn from_node(node: &Node) -> Option<Self> {
        let smtp = node.kid("smtp")?;
        Some(Self {
            smtp: decode::name(smtp)?,
            security: decode::prop_text(smtp, "security").as_deref().and_then(Security::parse),
            username: decode::prop_text(smtp, "username"),
            password: smtp.prop("password").and_then(SecretRef::from_value),
            from: decode::kid_word(node, "from")?,
            ca: decode::kid_word(node, "ca"),
            at: node.head(),
        })
    }
}

/// What a directory looks like, where it is said.
pub(in crate::blueprint) fn profile(node: &Node) -> Option<DirectoryProfile> {
    decode::kid_text(node, "profile").as_deref().and_then(DirectoryProfile::from_word)
}

impl LdapServer {
    pub(in crate::blueprint) fn from_node(node: &Node) -> Self {
        Self {
            listen: decode::kid_parsed(node, "listen", SocketAddress::parse),
            listen_tls: decode::kid_parsed(node, "listen-tls", SocketAddress::parse),
            tls: node.kid("tls").and_then(TlsFiles::from_node),
            base_dn: decode::kid_parsed(node, "base-dn", Dn::parse).pop(),
            profile: profile(node).unwrap_or_default(),
            search: node.kid("search").map(subjects).unwrap_or_default(),
            at: node.head(),
        }
    }
}

impl Brand {
    pub(in crate::blueprint) fn from_node(node: &Node) -> Option<Self> {
        let word = |kid: &str| decode::kid_word(node, kid);
        Some(Self {
            slug: decode::name(node)?,
            domains: decode::kid_words(node, "domain"),
            title: decode::kid_text(node, "title"),
            logo: word("logo"),
            favicon: word("favicon"),
            background: word("background"),
            color: word("color"),
            footer: node.kid("footer").map(footer).unwrap_or_default(),
            templates: word("templates"),
            css: word("css"),
            at: node.head(),
        })
    }
}

fn footer(node: &Node) -> Vec<FooterLink> {
    let link = |node: &Node| {
        let mut words = decode::words(node).into_iter();
        Some(FooterLink { text: words.next()?.value, url: words.next()? })
    };
    node.kids_named("link").filter_map(link).collect()
}

impl Notify {
    pub(in crate::blueprint) fn from_node(node: &Node) -> Option<Self> {
        Some(Self {
            slug: decode::name(node)?,
            webhook: decode::kid_word(node, "webhook"),
            token: node.kid("webhook").and_then(|hook| decode::kid_secret(hook, "token")),
            email: decode::kid_word(node, "email"),
            events: decode::kid_words(node, "events"),
            format: decode::kid_word(node, "format"),
            at: node.head(),
        })
    }
}
