//! `app`: how it is reached, how it speaks, who may use it.

use super::settings::{SESSION, TOKEN};
use super::{
    CelContext, CelWant, Lasts, Spec, Want, arg, many, maybe, must, node, oidc, once, prop,
    several, text, traefik,
};
use crate::blueprint::object::Kind;

pub static APP: Spec = node(
    "app",
    "An application: how it is reached, how it speaks, who may use it.",
    "app grafana \"Grafana\" { proxy \"https://grafana.example.com\"; access { allow group:users } }",
)
.args(&[arg("slug", Want::Slug), maybe("title", Want::Title)])
.switches(&["hidden", "protect"])
.props(&[
    prop("category", Want::Text),
    prop("icon", Want::Asset),
    prop("formerly", Want::Formerly(Kind::App)),
])
.kids(&[
    once(&LAUNCH_URL),
    many(&PROXY),
    many(&PROXY_DOMAIN),
    once(&AUTHENTICATION),
    once(&AUTHORIZATION),
    once(&SESSION),
    once(&oidc::OIDC),
    once(&LDAP),
    once(&SCIM),
    once(&traefik::IN_APP),
    must(&ACCESS),
    many(&text::USE),
]);

static LAUNCH_URL: Spec =
    node("launch-url", "Where the portal leads.", "launch-url \"https://git.example.com/\"")
        .args(&[arg("url", Want::Page)]);
static AUTHENTICATION: Spec = node(
    "authentication",
    "The flow for signing in to this app.",
    "authentication builtin.authentication",
)
.args(&[arg("flow", Want::Ref(Kind::Flow))]);
static AUTHORIZATION: Spec = node(
    "authorization",
    "The flow that asks before this app learns who somebody is.",
    "authorization builtin.consent",
)
.args(&[arg("flow", Want::Ref(Kind::Flow))]);

static PROXY: Spec = node(
    "proxy",
    "An address behind a reverse proxy that asks Doorward first.",
    "proxy \"https://grafana.example.com\" to=\"http://10.0.20.30:3000\"",
)
.args(&[arg("url", Want::AppAddress)])
.props(&[prop("to", Want::Upstream)])
.kids(&[
    many(&BYPASS),
    once(&PROTECT_ONLY),
    many(&HEADER),
    once(&IDENTITY_HEADERS),
    once(&PREFLIGHT),
]);
static PROXY_DOMAIN: Spec = node(
    "proxy-domain",
    "Hosts below a domain that share one cookie.",
    "proxy-domain \"lab.example.com\" { hosts \"*.lab.example.com\" }",
)
.args(&[arg("domain", Want::Host)])
.props(&[prop("to", Want::Upstream)])
.kids(&[must(&HOSTS), many(&BYPASS), many(&HEADER), once(&IDENTITY_HEADERS), once(&PREFLIGHT)]);
static HOSTS: Spec = node(
    "hosts",
    "Hosts of this domain; `*` at the beginning stands for one label or more.",
    "hosts \"*.lab.example.com\"",
)
.args(&[several("pattern", Want::HostPattern)]);
static BYPASS: Spec = node(
    "bypass",
    "Paths that anybody may reach without signing in; `reason=` tells the reader why.",
    "bypass \"/public/*\" reason=\"dashboards shared by link\"",
)
.args(&[several("path", Want::Glob)])
.props(&[prop("reason", Want::Phrase), prop("method", Want::Method)]);
static PROTECT_ONLY: Spec = node(
    "protect-only",
    "Only these paths are behind the login.",
    "protect-only \"/admin\" \"/admin/*\"",
)
.args(&[several("path", Want::Glob)]);
static HEADER: Spec = node(
    "header",
    "A header for the app, worked out from who is signed in.",
    "header X-WEBAUTH-USER \"user.username\"",
)
.args(&[
    arg("name", Want::Header),
    arg("expression", Want::Cel(CelContext::Header, CelWant::Text)),
]);
static IDENTITY_HEADERS: Spec = node(
    "identity-headers",
    "Under which names the app is told who is signed in.",
    "identity-headers remote",
)
.args(&[arg("names", Want::Word(&["remote", "authentik", "none"]))]);
static PREFLIGHT: Spec =
    node("preflight", "Whether CORS preflights pass without a login.", "preflight allow")
        .args(&[arg("rule", Want::Word(&["allow", "deny"]))]);

static ACCESS: Spec = node(
    "access",
    "Requirements, then rules of which the first match decides; at the end nobody may enter.",
    "access { require mfa within hours=12; allow group:admins }",
)
.kids(&[many(&REQUIRE), many(&ALLOW), many(&DENY)])
.ordered();
static REQUIRE: Spec =
    node("require", "A second factor that must have been proven.", "require mfa within hours=12")
        .args(&[arg("factor", Want::Word(&["mfa", "webauthn", "totp"]))])
        .switches(&["within"])
        .lasts(Lasts::With("within"));
static ALLOW: Spec = node(
    "allow",
    "Lets these subjects in, if the conditions hold.",
    "allow group:admins group:users path=\"/api/*\" if=on-lan",
)
.args(&[several("subject", Want::Subject)])
.props(RULE_PROPS)
.conditional();
static DENY: Spec = node(
    "deny",
    "Keeps these subjects out, if the conditions hold.",
    "deny group:guests path=\"/admin/*\"",
)
.args(&[several("subject", Want::Subject)])
.props(RULE_PROPS)
.conditional();

const RULE_PROPS: &[super::PropSpec] = &[
    prop("path", Want::Glob),
    prop("method", Want::Method),
    prop("if", Want::Ref(Kind::Policy)),
    prop("unless", Want::Ref(Kind::Policy)),
];

static LDAP: Spec = node(
    "ldap",
    "The app signs people in with LDAP binds.",
    "ldap { bind-as proxmox-bind; flow ldap-bind }",
)
.kids(&[once(&BIND_AS), once(&FLOW), once(&super::settings::PROFILE)]);
static BIND_AS: Spec =
    node("bind-as", "The service account that the app searches with.", "bind-as proxmox-bind")
        .args(&[arg("account", Want::Ref(Kind::ServiceAccount))]);
static FLOW: Spec = node("flow", "The flow that a bind goes through.", "flow ldap-bind")
    .args(&[arg("flow", Want::Ref(Kind::Flow))]);

static SCIM: Spec = node(
    "scim",
    "People and groups are written to the app.",
    "scim \"https://wiki.example.com/scim/v2\" { token (credential)wiki-scim-token }",
)
.args(&[arg("url", Want::Endpoint)])
.kids(&[must(&TOKEN), once(&SYNC), once(&ON_REMOVE)]);
static SYNC: Spec =
    node("sync", "Who is written; all who may enter if not said.", "sync group:users")
        .args(&[several("subject", Want::Subject)]);
static ON_REMOVE: Spec =
    node("on-remove", "What becomes of an account that is gone here.", "on-remove deactivate")
        .args(&[arg("rule", Want::Word(&["deactivate", "delete", "keep"]))]);
