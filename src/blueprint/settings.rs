//! What holds for the whole installation: `server`, `settings`, `email`, `ldap`, `brand`, `notify`.

mod read;

pub(super) use read::profile;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::flow::Purpose;
use super::secret_ref::SecretRef;
use super::source::{Name, Span, Spanned};
use crate::model::directory_profile::DirectoryProfile;
use crate::model::dn::Dn;
use crate::model::network::Network;
use crate::model::smtp_server::{Security, SmtpServer};
use crate::model::web_url::{SocketAddress, WebUrl};

/// Where Doorward listens if a blueprint does not say it.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9000);

/// Settings of the process; a change needs a restart.
#[derive(Clone, Debug, Default)]
pub struct Server {
    pub listen: Vec<Spanned<SocketAddress>>,
    /// Where Envoy alone asks.
    pub listen_envoy: Option<Spanned<SocketAddress>>,
    pub tls: Option<TlsFiles>,
    pub metrics: Option<Spanned<SocketAddress>>,
    /// `sqlite://…` or `postgres://…`.
    pub state: Option<Spanned<String>>,
    pub master_key: Option<SecretRef>,
    pub trusted_proxies: Vec<Spanned<Network>>,
    pub at: Option<Span>,
}

/// A certificate chain and its key, as PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    pub cert: Spanned<String>,
    pub key: Spanned<String>,
}

/// Settings that hot-reload.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The only sign-in host.
    pub external_host: Spanned<WebUrl>,
    pub default_token_lifetime: Duration,
    pub session: SessionLimits,
    pub default_flows: DefaultFlows,
    pub password: PasswordRules,
    /// Passwords from breaches: a file of their digests.
    pub breached_list: Option<Spanned<String>>,
    pub retain_events: Option<Duration>,
    pub backup: Option<Backup>,
    pub repository: Option<Repository>,
    /// Certificates to trust besides the system's.
    pub trusted_ca: Option<Spanned<String>>,
    /// How long a key signs.
    pub key_rotation: Option<Duration>,
    pub reconcile: ReconcileRules,
    pub runtime_objects: Vec<Spanned<String>>,
    pub duo: Option<Duo>,
    pub at: Span,
}

/// What people may make at run time where no file says it.
const AT_RUN_TIME: [&str; 4] = ["users", "invitations", "tokens", "memberships"];

impl Settings {
    /// Whether these may be made at run time (`runtime-objects`).
    #[must_use]
    pub fn allows_at_run_time(&self, objects: &str) -> bool {
        match self.runtime_objects.is_empty() {
            true => AT_RUN_TIME.contains(&objects),
            false => self.runtime_objects.iter().any(|each| each.value == objects),
        }
    }
}

/// How long a session lasts without use, and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    pub idle: Duration,
    pub absolute: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { idle: Duration::from_secs(12 * 3600), absolute: Duration::from_secs(14 * 86_400) }
    }
}

/// The flow for each purpose; absent means the built-in one.
#[derive(Clone, Debug, Default)]
pub struct DefaultFlows {
    pub authentication: Option<Name>,
    pub enrollment: Option<Name>,
    pub recovery: Option<Name>,
    pub consent: Option<Name>,
    pub setup: Option<Name>,
    pub step_up: Option<Name>,
}

impl DefaultFlows {
    /// The name of the flow for a purpose.
    #[must_use]
    pub fn name(&self, purpose: Purpose) -> &str {
        let (chosen, built_in) = match purpose {
            Purpose::Authentication => (&self.authentication, "builtin.authentication"),
            Purpose::Enrollment => (&self.enrollment, "builtin.enrollment"),
            Purpose::Recovery => (&self.recovery, "builtin.recovery"),
            Purpose::Consent => (&self.consent, "builtin.consent"),
            Purpose::Setup => (&self.setup, "builtin.setup"),
            Purpose::StepUp => (&self.step_up, "builtin.step-up"),
            Purpose::Logout => (&None, "builtin.logout"),
        };
        chosen.as_ref().map_or(built_in, |name| &name.value)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    pub min_length: usize,
    pub min_score: u8,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { min_length: 12, min_score: 3 }
    }
}

#[derive(Clone, Debug)]
pub struct Backup {
    pub at: Option<Spanned<String>>,
    pub keep: Option<u32>,
    pub to: Option<Spanned<String>>,
}

/// Where the blueprints live, for links in pages and events.
#[derive(Clone, Debug)]
pub struct Repository {
    pub url: Spanned<String>,
    /// With `{file}` and `{line}`.
    pub edit: Option<String>,
}

/// When a new set of files is held back or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconcileRules {
    pub tests: TestRule,
    pub prune_percent: u32,
    pub prune_count: u32,
    pub keep_tombstones: Duration,
    pub drift: DriftRule,
}

impl Default for ReconcileRules {
    fn default() -> Self {
        Self {
            tests: TestRule::Gate,
            prune_percent: 20,
            prune_count: 3,
            keep_tombstones: Duration::from_secs(30 * 86_400),
            drift: DriftRule::Report,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestRule {
    /// A failing test rejects the set.
    Gate,
    Warn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftRule {
    Report,
    Enforce,
}

#[derive(Clone, Debug)]
pub struct Duo {
    pub api_host: String,
    pub integration_key: String,
    pub secret_key: Option<SecretRef>,
    pub at: Span,
}

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct Email {
    pub smtp: Spanned<String>,
    /// `security=`, where the scheme does not decide.
    pub security: Option<Security>,
    pub username: Option<String>,
    pub password: Option<SecretRef>,
    pub from: Spanned<String>,
    /// Certificates to trust instead of the system's.
    pub ca: Option<Spanned<String>>,
    pub at: Span,
}

impl Email {
    /// The mail server; `None` if the address is none, which no checked blueprint has.
    #[must_use]
    pub fn server(&self) -> Option<SmtpServer> {
        SmtpServer::parse(&self.smtp.value, self.security).ok()
    }
}

/// The LDAP front as a whole.
#[derive(Clone, Debug)]
pub struct LdapServer {
    pub listen: Vec<Spanned<SocketAddress>>,
    pub listen_tls: Vec<Spanned<SocketAddress>>,
    pub tls: Option<TlsFiles>,
    pub base_dn: Option<Spanned<Dn>>,
    pub profile: DirectoryProfile,
    pub search: Vec<Spanned<crate::model::subject::Subject>>,
    pub at: Span,
}

/// A look, chosen by the host of the app where a sign-in began.
#[derive(Clone, Debug)]
pub struct Brand {
    pub slug: Name,
    pub domains: Vec<Spanned<String>>,
    pub title: Option<String>,
    pub logo: Option<Spanned<String>>,
    pub favicon: Option<Spanned<String>>,
    pub background: Option<Spanned<String>>,
    pub color: Option<Spanned<String>>,
    pub footer: Vec<FooterLink>,
    pub templates: Option<Spanned<String>>,
    pub css: Option<Spanned<String>>,
    pub at: Span,
}

impl Brand {
    /// The brand of a host: the one with the longest domain that the host belongs to, else the one for
    /// every host.
    #[must_use]
    pub fn of_host<'a>(brands: &'a [Self], host: &str) -> Option<&'a Self> {
        let fitting = brands.iter().filter_map(|brand| {
            let domains = brand.domains.iter().filter(|domain| is_below(host, &domain.value));
            let longest = domains.map(|domain| domain.value.len()).max();
            let length = if brand.domains.is_empty() { Some(0) } else { longest };
            Some((length?, brand))
        });
        fitting.max_by_key(|(length, _)| *length).map(|(_, brand)| brand)
    }
}

/// Whether a host is a domain or a name below it.
fn is_below(host: &str, domain: &str) -> bool {
    let Some(at) = host.len().checked_sub(domain.len()) else { return false };
    let (before, end) = (host.get(..at), host.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(domain))
        && before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

#[derive(Clone, Debug)]
pub struct FooterLink {
    pub text: String,
    pub url: Spanned<String>,
}

/// Where chosen events are sent.
#[derive(Clone, Debug)]
pub struct Notify {
    pub slug: Name,
    pub webhook: Option<Spanned<String>>,
    pub token: Option<SecretRef>,
    pub email: Option<Spanned<String>>,
    pub events: Vec<Spanned<String>>,
    pub format: Option<Spanned<String>>,
    pub at: Span,
}
