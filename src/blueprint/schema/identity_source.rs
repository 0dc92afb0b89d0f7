//! `source`.

use super::{CelContext, CelWant, Spec, Want, arg, many, maybe, must, node, once, prop, several};
use crate::blueprint::object::Kind;

pub static SOURCE: Spec = node(
    "source",
    "Another provider that people sign in with.",
    "source github \"GitHub\" { github { client-id abc; client-secret (credential)github } }",
)
.args(&[arg("slug", Want::Slug), maybe("title", Want::Title)])
.props(&[prop("formerly", Want::Formerly(Kind::Source))])
.kids(&[
    once(&OIDC),
    once(&OAUTH2),
    once(&GITHUB),
    once(&LINK),
    once(&ENROLL),
    once(&FOR_DOMAIN),
    many(&IN),
]);

static OIDC: Spec = node(
    "oidc",
    "An OpenID Connect provider, found through its issuer.",
    "oidc { issuer \"https://id.example.org\"; client-id doorward; client-secret (credential)id }",
)
.kids(&[must(&ISSUER), must(&CLIENT_ID), must(&CLIENT_SECRET), once(&SCOPES)]);

static OAUTH2: Spec = node(
    "oauth2",
    "An OAuth 2.0 provider without OpenID Connect.",
    "oauth2 { authorize \"https://o.example.org/a\"; token \"https://o.example.org/t\"; \
     userinfo \"https://o.example.org/u\"; client-id doorward; client-secret (credential)o }",
)
.kids(&[
    must(&AUTHORIZE),
    must(&TOKEN),
    must(&USERINFO),
    must(&CLIENT_ID),
    must(&CLIENT_SECRET),
    once(&SCOPES),
]);

static GITHUB: Spec =
    node("github", "GitHub.", "github { client-id abc; client-secret (credential)github }")
        .kids(&[must(&CLIENT_ID), must(&CLIENT_SECRET)]);

static ISSUER: Spec = node("issuer", "The issuer.", "issuer \"https://id.example.org\"")
    .args(&[arg("url", Want::Endpoint)]);
static AUTHORIZE: Spec =
    node("authorize", "The authorization endpoint.", "authorize \"https://o.example.org/a\"")
        .args(&[arg("url", Want::Endpoint)]);
static TOKEN: Spec = node("token", "The token endpoint.", "token \"https://o.example.org/t\"")
    .args(&[arg("url", Want::Endpoint)]);
static USERINFO: Spec = node(
    "userinfo",
    "Where facts about a person are read.",
    "userinfo \"https://o.example.org/u\"",
)
.args(&[arg("url", Want::Endpoint)]);
static CLIENT_ID: Spec =
    node("client-id", "Our name there.", "client-id doorward").args(&[arg("id", Want::Phrase)]);
static CLIENT_SECRET: Spec =
    node("client-secret", "Our secret there.", "client-secret (credential)github")
        .args(&[arg("secret", Want::Secret)]);
static SCOPES: Spec = node("scopes", "What is asked for.", "scopes openid profile email")
    .args(&[several("scope", Want::Phrase)]);

static LINK: Spec =
    node("link", "Whether a first sign-in may join an account that exists.", "link ask")
        .args(&[arg("rule", Want::Word(&["never", "ask", "verified-email"]))]);
static ENROLL: Spec =
    node("enroll", "The flow for people without an account.", "enroll enrollment")
        .args(&[arg("flow", Want::Ref(Kind::Flow))]);
static FOR_DOMAIN: Spec =
    node("for-domain", "E-mail domains whose people are sent here.", "for-domain \"example.org\"")
        .args(&[several("domain", Want::Domain)]);
static IN: Spec = node(
    "in",
    "Groups given, always or when an expression holds.",
    "in users if=\"'staff' in user.groups\"",
)
.args(&[several("group", Want::Ref(Kind::Group))])
.props(&[prop("if", Want::Cel(CelContext::Source, CelWant::Truth))]);
