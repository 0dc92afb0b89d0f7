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
    many(&MAY_REACH),
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
    once(&FIELDS),
]);

static GITHUB: Spec = node(
    "github",
    "GitHub, or a GitHub Enterprise Server.",
    "github { client-id abc; client-secret (credential)github }",
)
.kids(&[once(&URL), must(&CLIENT_ID), must(&CLIENT_SECRET), once(&SCOPES)]);

static URL: Spec = node(
    "url",
    "Where a GitHub Enterprise Server is; github.com if not given.",
    "url \"https://github.example.org\"",
)
.args(&[arg("url", Want::Endpoint)]);
static FIELDS: Spec = node(
    "fields",
    "The names under which `userinfo` says things; those of OpenID Connect if not given.",
    "fields subject=id username=login email=mail email-verified=verified",
)
.props(&[
    prop("subject", Want::Key),
    prop("username", Want::Key),
    prop("name", Want::Key),
    prop("email", Want::Key),
    prop("email-verified", Want::Key),
    prop("groups", Want::Key),
]);

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

static LINK: Spec = node(
    "link",
    "Whether an account that exists may be connected: by whoever proves to be its person (`ask`, as if nothing were \
     given), by an address that both sides have verified as well (`verified-email`), or not at all.",
    "link ask",
)
        .args(&[arg("rule", Want::Word(&["never", "ask", "verified-email"]))]);
static ENROLL: Spec =
    node("enroll", "The flow for people without an account.", "enroll enrollment")
        .args(&[arg("flow", Want::Ref(Kind::Flow))]);
static MAY_REACH: Spec = node(
    "may-reach",
    "A host and port of the private network that may be called for this source, with http as well. Without it \
     nothing but public addresses is.",
    "may-reach \"id.lan:8443\"",
)
.args(&[several("authority", Want::Authority)]);
static FOR_DOMAIN: Spec =
    node("for-domain", "E-mail domains whose people are sent here.", "for-domain \"example.org\"")
        .args(&[several("domain", Want::Domain)]);
static IN: Spec = node(
    "in",
    "Groups that whoever signs in through it is in, always or when an expression holds about what it says of them.",
    "in users if=\"'staff' in user.groups\"",
)
.args(&[several("group", Want::Ref(Kind::Group))])
.props(&[prop("if", Want::Cel(CelContext::Source, CelWant::Truth))]);
