//! `oidc` in an app: the client that it is, and what it is told.

use super::{CelContext, CelWant, Lasts, Spec, Want, arg, many, node, once, prop, several};
use crate::blueprint::object::Kind;

pub static OIDC: Spec = node(
    "oidc",
    "The app signs people in with OpenID Connect.",
    "oidc { redirect-uri \"https://git.example.com/callback\"; scopes openid profile email }",
)
.switches(&["public"])
.kids(&[
    once(&CLIENT_ID),
    once(&CLIENT_SECRET),
    once(&CLIENT_AUTH),
    once(&GRANTS),
    once(&ACTS_AS),
    once(&PROFILE),
    once(&PKCE),
    once(&PUSHED_REQUESTS),
    once(&SIGNED_REQUESTS),
    once(&DPOP),
    once(&JWKS),
    once(&JWKS_URI),
    many(&MAY_REACH),
    many(&REDIRECT_URI),
    many(&POST_LOGOUT_REDIRECT_URI),
    once(&BACK_CHANNEL_LOGOUT_URI),
    once(&FRONT_CHANNEL_LOGOUT_URI),
    once(&SCOPES),
    many(&CLAIM),
    once(&SUBJECT),
    once(&SIGNING),
    once(&ID_TOKEN),
    once(&ACCESS_TOKEN),
    once(&REFRESH_TOKEN),
    once(&CONSENT),
]);

static CLIENT_ID: Spec =
    node("client-id", "Its name; its slug if not given.", "client-id wiki-prod")
        .args(&[arg("id", Want::Phrase)]);
static CLIENT_SECRET: Spec = node(
    "client-secret",
    "Its secret; made if not given.",
    "client-secret generated deliver=\"/run/doorward/gitea-oidc\"",
)
.args(&[arg("secret", Want::ClientSecret)])
.props(&[prop("rotate", Want::Whole(0, i64::MAX)), prop("deliver", Want::OutputFile)]);
static CLIENT_AUTH: Spec = node(
    "client-auth",
    "How it proves who it is at the token endpoint; `basic` or `post` if not given.",
    "client-auth private-key-jwt",
)
.args(&[several("method", Want::Word(&["basic", "post", "secret-jwt", "private-key-jwt"]))]);
static GRANTS: Spec = node(
    "grants",
    "How it comes by tokens; by `authorization-code` if not given.",
    "grants authorization-code client-credentials",
)
.args(&[several(
    "grant",
    Want::Word(&["authorization-code", "client-credentials", "device-code"]),
)]);
static ACTS_AS: Spec = node(
    "acts-as",
    "The service account that it is when it asks for itself, with `grants client-credentials`.",
    "acts-as gitea-ci",
)
.args(&[arg("account", Want::Ref(Kind::ServiceAccount))]);
static PROFILE: Spec = node(
    "profile",
    "A set of rules that it keeps: `fapi2` is the FAPI 2.0 Security Profile. It proves itself by a key, \
     pushes its requests, and its tokens are bound to a key.",
    "profile fapi2",
)
.args(&[arg("name", Want::Word(&["fapi2"]))]);
static SIGNED_REQUESTS: Spec = node(
    "signed-requests",
    "Whether it must sign its requests with one of its keys (RFC 9101); it may if not given.",
    "signed-requests required",
)
.args(&[arg("rule", Want::Word(&["required", "optional"]))]);
static DPOP: Spec = node(
    "dpop",
    "Whether its tokens must be bound to a key of whoever asks for them (RFC 9449); they are whenever \
     it shows one if not given.",
    "dpop required",
)
.args(&[arg("rule", Want::Word(&["required", "optional"]))]);
static JWKS: Spec = node(
    "jwks",
    "Its public keys, as a JSON Web Key Set.",
    "jwks #\"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}\"#",
)
.args(&[arg("keys", Want::KeySet)]);
static JWKS_URI: Spec = node(
    "jwks-uri",
    "Where its public keys are; they are asked for when they are needed.",
    "jwks-uri \"https://git.example.com/jwks.json\"",
)
.args(&[arg("url", Want::Page)]);
static MAY_REACH: Spec = node(
    "may-reach",
    "A host and port of the private network that may be called for this app, with http as well. Without it \
     nothing but public addresses is.",
    "may-reach \"git.lan:3000\"",
)
.args(&[several("authority", Want::Authority)]);
static PKCE: Spec = node(
    "pkce",
    "Whether it must prove that it began the sign-in itself (RFC 7636); `required` if not given.",
    "pkce optional",
)
.args(&[arg("rule", Want::Word(&["required", "optional"]))]);
static PUSHED_REQUESTS: Spec = node(
    "pushed-requests",
    "Whether it must hand its requests in itself, before it sends people here (RFC 9126).",
    "pushed-requests required",
)
.args(&[arg("rule", Want::Word(&["required", "optional"]))]);
static REDIRECT_URI: Spec = node(
    "redirect-uri",
    "Where codes are delivered; compared as an exact text.",
    "redirect-uri \"https://git.example.com/callback\"",
)
.args(&[arg("uri", Want::Redirect)]);
static POST_LOGOUT_REDIRECT_URI: Spec = node(
    "post-logout-redirect-uri",
    "Where people may be sent after signing out.",
    "post-logout-redirect-uri \"https://git.example.com/\"",
)
.args(&[arg("uri", Want::Redirect)]);
static BACK_CHANNEL_LOGOUT_URI: Spec = node(
    "back-channel-logout-uri",
    "Where Doorward tells the app that somebody's sign-in has ended.",
    "back-channel-logout-uri \"https://git.example.com/logged-out\"",
)
.args(&[arg("url", Want::Page)]);
static FRONT_CHANNEL_LOGOUT_URI: Spec = node(
    "front-channel-logout-uri",
    "What the browser of somebody who signs out opens in a frame, so that the app forgets it.",
    "front-channel-logout-uri \"https://git.example.com/sign-out\"",
)
.args(&[arg("url", Want::Page)]);
static SCOPES: Spec = node("scopes", "What the app may ask for.", "scopes openid profile email")
    .args(&[several("scope", Want::Phrase)]);
static CLAIM: Spec = node(
    "claim",
    "A claim, worked out from who is signed in.",
    "claim gitea_role \"'admins' in user.groups ? 'admin' : 'user'\"",
)
.args(&[
    arg("name", Want::Key),
    arg("expression", Want::Cel(CelContext::Claim, CelWant::Anything)),
]);
static SUBJECT: Spec = node(
    "subject",
    "What the app knows a person by (`sub`): the same everywhere, another for each `sector`, or an \
     attribute that keeps what another provider called them.",
    "subject attribute key=old-sub",
)
.args(&[arg("kind", Want::Word(&["public", "pairwise", "attribute"]))])
.props(&[prop("sector", Want::Host), prop("key", Want::Key)]);
static SIGNING: Spec = node(
    "signing",
    "How its tokens are signed; `RS256` if not given, which every application understands.",
    "signing ES256",
)
.args(&[arg("algorithm", Want::Word(&["RS256", "PS256", "ES256", "EdDSA"]))]);
static ID_TOKEN: Spec = node(
    "id-token",
    "How long ID tokens are good; as long as access tokens if not given.",
    "id-token minutes=10",
)
.lasts(Lasts::Must);
static ACCESS_TOKEN: Spec = node(
    "access-token",
    "How long access tokens live, what they look like, and whom they are for (`aud`).",
    "access-token minutes=15 format=opaque",
)
.props(&[prop("format", Want::Word(&["jwt", "opaque"])), prop("audience", Want::Phrase)])
.lasts(Lasts::May);
static REFRESH_TOKEN: Spec = node(
    "refresh-token",
    "It is given refresh tokens, and each is good for so long.",
    "refresh-token days=30",
)
.lasts(Lasts::Must);
static CONSENT: Spec =
    node("consent", "The flow that asks for consent.", "consent builtin.consent")
        .args(&[arg("flow", Want::Ref(Kind::Flow))]);
