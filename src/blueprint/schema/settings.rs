//! `server`, `settings`, `email`, `ldap`, `brand`, `notify`.

use super::{Lasts, Spec, Want, arg, many, must, need, node, once, prop, several};
use crate::blueprint::object::Kind;
use crate::model::directory_profile::DirectoryProfile;
use crate::model::smtp_server::Security;

pub static SERVER: Spec = node(
    "server",
    "Settings of the process; a change needs a restart, but for trusted-proxies.",
    "server { listen \"127.0.0.1:9000\"; trusted-proxies \"127.0.0.1/32\" }",
)
.kids(&[
    many(&LISTEN),
    once(&LISTEN_ENVOY),
    once(&TLS),
    once(&METRICS),
    once(&STATE),
    once(&MASTER_KEY),
    once(&TRUSTED_PROXIES),
]);

static LISTEN: Spec = node("listen", "An address to listen on.", "listen \"127.0.0.1:9000\"")
    .args(&[arg("address", Want::Listen)]);

static LISTEN_ENVOY: Spec = node(
    "listen-envoy",
    "The address at which Envoy's `ext_authz` asks; nothing else is answered there.",
    "listen-envoy \"127.0.0.1:9002\"",
)
.args(&[arg("address", Want::Listen)]);

static TLS: Spec = node(
    "tls",
    "A certificate chain and its key, as PEM files.",
    "tls cert=\"/etc/doorward/cert.pem\" key=\"/etc/doorward/key.pem\"",
)
.props(&[need("cert", Want::File), need("key", Want::File)]);

static METRICS: Spec =
    node("metrics", "The address for metrics and detailed health.", "metrics \"127.0.0.1:9300\"")
        .args(&[arg("address", Want::Listen)]);

static STATE: Spec =
    node("state", "Where people's data lives.", "state \"sqlite:///var/lib/doorward/state.db\"")
        .args(&[arg("url", Want::State)]);

static MASTER_KEY: Spec = node(
    "master-key",
    "The key that seals every secret in the store.",
    "master-key (credential)doorward-master-key",
)
.args(&[arg("secret", Want::Secret)]);

static TRUSTED_PROXIES: Spec = node(
    "trusted-proxies",
    "Reverse proxies whose forwarded headers are believed; there is no default.",
    "trusted-proxies \"127.0.0.1/32\" \"10.0.20.2/32\"",
)
.args(&[several("network", Want::Network)]);

pub static SETTINGS: Spec = node(
    "settings",
    "Settings that take effect at once.",
    "settings { external-host \"https://auth.example.com\" }",
)
.kids(&[
    must(&EXTERNAL_HOST),
    once(&DEFAULT_TOKEN_LIFETIME),
    once(&SESSION),
    once(&DEFAULT_FLOWS),
    once(&PASSWORD),
    once(&EVENTS),
    once(&BACKUP),
    once(&REPOSITORY),
    once(&TRUSTED_CA),
    once(&KEY_ROTATION),
    once(&RECONCILE),
    once(&RUNTIME_OBJECTS),
    once(&DUO),
]);

static EXTERNAL_HOST: Spec =
    node("external-host", "The only sign-in host.", "external-host \"https://auth.example.com\"")
        .args(&[arg("url", Want::ExternalHost)]);

static DEFAULT_TOKEN_LIFETIME: Spec = node(
    "default-token-lifetime",
    "How long access tokens live unless an app says otherwise.",
    "default-token-lifetime minutes=60",
)
.lasts(Lasts::Must);

pub static SESSION: Spec = node(
    "session",
    "How long a session lasts without use, and at most.",
    "session { idle hours=12; absolute days=14 }",
)
.kids(&[once(&IDLE), once(&ABSOLUTE)]);

static IDLE: Spec = node("idle", "Without use.", "idle hours=12").lasts(Lasts::Must);
static ABSOLUTE: Spec = node("absolute", "At most.", "absolute days=14").lasts(Lasts::Must);

static TRUSTED_CA: Spec = node(
    "trusted-ca",
    "Certificates, as a PEM file, that are trusted besides the system's when an app or a source is called.",
    "trusted-ca \"/etc/ssl/lan-ca.pem\"",
)
.args(&[arg("file", Want::File)]);

static KEY_ROTATION: Spec = node(
    "key-rotation",
    "How long a key signs tokens before the next one does.",
    "key-rotation days=90",
)
.lasts(Lasts::Must);

static DEFAULT_FLOWS: Spec = node(
    "default-flows",
    "The flow for each purpose; what is not named is built in.",
    "default-flows { authentication builtin.authentication }",
)
.kids(&[
    once(&FLOW_AUTHENTICATION),
    once(&FLOW_ENROLLMENT),
    once(&FLOW_RECOVERY),
    once(&FLOW_CONSENT),
    once(&FLOW_SETUP),
    once(&FLOW_STEP_UP),
]);

static FLOW_AUTHENTICATION: Spec =
    node("authentication", "The flow for signing in.", "authentication builtin.authentication")
        .args(&[arg("flow", Want::Ref(Kind::Flow))]);
static FLOW_ENROLLMENT: Spec =
    node("enrollment", "The flow for new accounts.", "enrollment enrollment")
        .args(&[arg("flow", Want::Ref(Kind::Flow))]);
static FLOW_RECOVERY: Spec = node("recovery", "The flow for a lost password.", "recovery recovery")
    .args(&[arg("flow", Want::Ref(Kind::Flow))]);
static FLOW_CONSENT: Spec =
    node("consent", "The flow that asks before data is handed over.", "consent builtin.consent")
        .args(&[arg("flow", Want::Ref(Kind::Flow))]);
static FLOW_SETUP: Spec =
    node("setup", "The flow that adds a second factor.", "setup builtin.setup")
        .args(&[arg("flow", Want::Ref(Kind::Flow))]);
static FLOW_STEP_UP: Spec =
    node("step-up", "The flow that asks for a second factor again.", "step-up builtin.step-up")
        .args(&[arg("flow", Want::Ref(Kind::Flow))]);

static PASSWORD: Spec =
    node("password", "What a new password must have.", "password { min-length 12; min-score 3 }")
        .kids(&[once(&MIN_LENGTH), once(&MIN_SCORE), once(&BREACHED_LIST)]);

static MIN_LENGTH: Spec = node("min-length", "Characters, at least.", "min-length 12")
    .args(&[arg("characters", Want::Whole(8, 128))]);
static MIN_SCORE: Spec = node("min-score", "How hard it is to guess, from 0 to 4.", "min-score 3")
    .args(&[arg("score", Want::Whole(0, 4))]);

static BREACHED_LIST: Spec = node(
    "breached-list",
    "A file of SHA-1 digests of passwords from breaches, sorted, one on a line: none of them is taken.",
    "breached-list \"/srv/lists/breached.txt\"",
)
.args(&[arg("file", Want::File)]);

static EVENTS: Spec = node("events", "The record of what happened.", "events { retain days=365 }")
    .kids(&[once(&RETAIN)]);
static RETAIN: Spec =
    node("retain", "How long events are kept.", "retain days=365").lasts(Lasts::Must);

static BACKUP: Spec = node(
    "backup",
    "A daily copy of the store.",
    "backup at=\"03:30\" keep=14 to=\"/var/backups/doorward\"",
)
.props(&[
    need("at", Want::TimeOfDay),
    prop("keep", Want::Whole(1, 10_000)),
    need("to", Want::OutputFile),
]);

static REPOSITORY: Spec = node(
    "repository",
    "Where the blueprints live, for links in pages and events.",
    "repository \"https://git.example.com/home/homelab\"",
)
.args(&[arg("url", Want::Page)])
.props(&[prop("edit", Want::Phrase)]);

static RECONCILE: Spec = node(
    "reconcile",
    "When a new set of files is refused or held back.",
    "reconcile { tests gate; prune-guard percent=20 count=3 }",
)
.kids(&[once(&TESTS), once(&PRUNE_GUARD), once(&KEEP_TOMBSTONES), once(&DRIFT)]);

static TESTS: Spec = node("tests", "Whether a failing test rejects the files.", "tests gate")
    .args(&[arg("rule", Want::Word(&["gate", "warn"]))]);
static PRUNE_GUARD: Spec = node(
    "prune-guard",
    "Removing more than this of a kind is held until confirmed.",
    "prune-guard percent=20 count=3",
)
.props(&[prop("percent", Want::Whole(0, 100)), prop("count", Want::Whole(0, 100_000))]);
static KEEP_TOMBSTONES: Spec =
    node("keep-tombstones", "How long data of removed objects stays.", "keep-tombstones days=30")
        .lasts(Lasts::Must);
static DRIFT: Spec =
    node("drift", "Whether foreign changes are reported or undone.", "drift report")
        .args(&[arg("rule", Want::Word(&["report", "enforce"]))]);

static RUNTIME_OBJECTS: Spec = node(
    "runtime-objects",
    "What may be made in the console.",
    "runtime-objects users invitations tokens memberships",
)
.args(&[several(
    "objects",
    Want::Word(&["users", "invitations", "tokens", "memberships", "apps"]),
)]);

static DUO: Spec = node(
    "duo",
    "The account with Duo for its push factor.",
    "duo api-host=\"api-x.duosecurity.com\" integration-key=DIXXXX { secret-key (credential)duo }",
)
.props(&[need("api-host", Want::Authority), need("integration-key", Want::Phrase)])
.kids(&[must(&SECRET_KEY)]);
static SECRET_KEY: Spec = node("secret-key", "The secret key.", "secret-key (credential)duo")
    .args(&[arg("secret", Want::Secret)]);

pub static EMAIL: Spec = node(
    "email",
    "How mail is sent.",
    "email { smtp \"smtps://smtp.example.com:465\"; from \"auth@example.com\" }",
)
.kids(&[must(&SMTP), must(&FROM), once(&CA)]);

static SMTP: Spec = node(
    "smtp",
    "The mail server.",
    "smtp \"smtps://smtp.example.com:465\" username=auth password=(credential)smtp-password",
)
.args(&[arg("url", Want::Smtp)])
.props(&[
    prop("security", Want::Word(Security::WORDS)),
    prop("username", Want::Phrase),
    prop("password", Want::Secret),
]);
static CA: Spec = node(
    "ca",
    "A file with the certificates that the mail server's must come from, instead of the system's.",
    "ca \"/etc/ssl/home-ca.pem\"",
)
.args(&[arg("file", Want::File)]);
static FROM: Spec = node("from", "The sender.", "from \"Home Lab <auth@example.com>\"")
    .args(&[arg("address", Want::Mailbox)]);

pub static LDAP: Spec = node(
    "ldap",
    "The LDAP front.",
    "ldap { listen \"127.0.0.1:3389\"; base-dn \"dc=example,dc=com\" }",
)
.kids(&[
    many(&LISTEN),
    many(&LISTEN_TLS),
    once(&TLS),
    must(&BASE_DN),
    once(&PROFILE),
    once(&SEARCH),
]);

static LISTEN_TLS: Spec =
    node("listen-tls", "An address to listen on with TLS.", "listen-tls \"0.0.0.0:6636\"")
        .args(&[arg("address", Want::Listen)]);
static BASE_DN: Spec =
    node("base-dn", "The root of the directory.", "base-dn \"dc=ldap,dc=example,dc=com\"")
        .args(&[arg("dn", Want::Dn)]);
pub(super) static PROFILE: Spec =
    node("profile", "What the directory looks like; `plain` if not said.", "profile sssd")
        .args(&[arg("profile", Want::Word(&DirectoryProfile::WORDS))]);
static SEARCH: Spec =
    node("search", "Who may search the whole directory.", "search group:ldap-search")
        .args(&[several("subject", Want::Subject)]);

pub static BRAND: Spec = node(
    "brand",
    "A look, chosen by the host of the app where a sign-in began.",
    "brand home { title \"Home Lab\"; logo \"assets/logo.svg\" }",
)
.args(&[arg("slug", Want::Slug)])
.kids(&[
    many(&DOMAIN),
    once(&TITLE),
    once(&LOGO),
    once(&FAVICON),
    once(&BACKGROUND),
    once(&COLOR),
    once(&FOOTER),
    once(&TEMPLATES),
    once(&CSS),
]);

static DOMAIN: Spec =
    node("domain", "A host, with its subdomains, that has this look.", "domain \"example.com\"")
        .args(&[arg("host", Want::Host)]);
static TITLE: Spec = node("title", "The name shown on pages.", "title \"Home Lab\"")
    .args(&[arg("text", Want::Phrase)]);
static LOGO: Spec =
    node("logo", "An image.", "logo \"assets/logo.svg\"").args(&[arg("file", Want::Asset)]);
static FAVICON: Spec = node("favicon", "The icon of the tab.", "favicon \"assets/favicon.ico\"")
    .args(&[arg("file", Want::Asset)]);
static BACKGROUND: Spec =
    node("background", "The image behind the form.", "background \"assets/sky.jpg\"")
        .args(&[arg("file", Want::Asset)]);
static COLOR: Spec = node("color", "The colour of buttons and links.", "color \"#3b6ea5\"")
    .args(&[arg("colour", Want::Color)]);
static FOOTER: Spec = node(
    "footer",
    "Links below every page.",
    "footer { link \"Status\" \"https://status.example.com\" }",
)
.kids(&[many(&FOOTER_LINK)]);
static FOOTER_LINK: Spec =
    node("link", "A link.", "link \"Status\" \"https://status.example.com\"")
        .args(&[arg("text", Want::Title), arg("url", Want::Page)]);
static TEMPLATES: Spec =
    node("templates", "A directory of page templates.", "templates \"custom-templates\"")
        .args(&[arg("directory", Want::Asset)]);
static CSS: Spec = node("css", "A style sheet after ours.", "css \"assets/overrides.css\"")
    .args(&[arg("file", Want::Asset)]);

pub static NOTIFY: Spec = node(
    "notify",
    "Where chosen events are sent.",
    "notify ops { email \"ops@example.com\"; events config.rejected }",
)
.args(&[arg("slug", Want::Slug)])
.kids(&[once(&WEBHOOK), once(&NOTIFY_EMAIL), must(&NOTIFY_EVENTS), once(&FORMAT)]);

static WEBHOOK: Spec = node(
    "webhook",
    "A URL that events are posted to.",
    "webhook \"https://ntfy.example.com/doorward\" { token (credential)ntfy }",
)
.args(&[arg("url", Want::Page)])
.kids(&[once(&TOKEN)]);
pub static TOKEN: Spec = node("token", "The token sent along.", "token (credential)name")
    .args(&[arg("secret", Want::OwnSecret)]);
static NOTIFY_EMAIL: Spec =
    node("email", "An address that events are mailed to.", "email \"ops@example.com\"")
        .args(&[arg("address", Want::Email)]);
static NOTIFY_EVENTS: Spec =
    node("events", "Kinds of events; `config.*` names all of a family.", "events config.rejected")
        .args(&[several("kind", Want::Event)]);
static FORMAT: Spec = node("format", "The shape of the message.", "format ntfy")
    .args(&[arg("format", Want::Word(&["json", "ntfy", "slack", "matrix"]))]);
