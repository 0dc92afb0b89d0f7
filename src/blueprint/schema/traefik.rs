//! `traefik`.

use super::{Spec, Want, arg, many, must, need, node, once, prop, several};

pub static TRAEFIK: Spec = node(
    "traefik",
    "What is generated for Traefik.",
    "traefik { write \"/var/lib/traefik/dynamic/doorward.yml\"; entrypoints websecure }",
)
.kids(&[
    once(&WRITE),
    once(&SERVE),
    once(&REACH),
    once(&ENTRYPOINTS),
    once(&TLS),
    once(&FORWARD_AUTH),
    many(&MIDDLEWARE),
    many(&RAW),
]);

static WRITE: Spec = node(
    "write",
    "The file to write, in a directory that Traefik watches.",
    "write \"/var/lib/traefik/dynamic/doorward.yml\"",
)
.args(&[arg("file", Want::OutputFile)]);
static SERVE: Spec = node(
    "serve",
    "The path for Traefik's HTTP provider, and its token.",
    "serve \"/traefik/dynamic.json\" token=(credential)traefik-pull",
)
.args(&[arg("path", Want::UrlPath)])
.props(&[need("token", Want::OwnSecret)]);
static REACH: Spec = node(
    "reach-doorward-at",
    "Where Traefik reaches Doorward.",
    "reach-doorward-at \"http://127.0.0.1:9000\"",
)
.args(&[arg("url", Want::Upstream)]);
static ENTRYPOINTS: Spec =
    node("entrypoints", "Entry points of the routers.", "entrypoints websecure")
        .args(&[several("name", Want::Phrase)]);
static TLS: Spec = node("tls", "Routers have TLS.", "tls resolver=letsencrypt")
    .props(&[prop("resolver", Want::Phrase)]);
static FORWARD_AUTH: Spec =
    node("forward-auth", "The name of the middleware that asks Doorward.", "forward-auth doorward")
        .args(&[arg("name", Want::Slug)]);

static MIDDLEWARE: Spec = node(
    "middleware",
    "A middleware that apps may name.",
    "middleware lan-only { ip-allow \"10.0.0.0/8\" }",
)
.args(&[arg("name", Want::Slug)])
.kids(&[once(&HEADERS), once(&IP_ALLOW), once(&RATE_LIMIT)]);
static HEADERS: Spec = node(
    "headers",
    "Headers set on the request or the response.",
    "headers { response X-Content-Type-Options nosniff }",
)
.kids(&[many(&REQUEST), many(&RESPONSE)]);
static REQUEST: Spec = node("request", "A header that the app receives.", "request X-Site home")
    .args(&[arg("name", Want::Header), arg("value", Want::Text)]);
static RESPONSE: Spec = node(
    "response",
    "A header that the browser receives.",
    "response X-Content-Type-Options nosniff",
)
.args(&[arg("name", Want::Header), arg("value", Want::Text)]);
static IP_ALLOW: Spec =
    node("ip-allow", "Only these networks may pass.", "ip-allow \"10.0.0.0/8\"")
        .args(&[several("network", Want::Network)]);
static RATE_LIMIT: Spec =
    node("rate-limit", "Requests a second, and a burst.", "rate-limit average=100 burst=50").props(
        &[need("average", Want::Whole(1, 1_000_000)), prop("burst", Want::Whole(1, 1_000_000))],
    );
static RAW: Spec = node(
    "raw",
    "YAML that is merged into the file: middlewares, serversTransports and tls.",
    "raw \"http: { middlewares: { compress-all: { compress: {} } } }\"",
)
.args(&[arg("yaml", Want::Yaml)]);

/// `traefik` in an app.
pub static IN_APP: Spec = node(
    "traefik",
    "What the app's router has besides the login.",
    "traefik { middlewares secure-headers }",
)
.kids(&[must(&MIDDLEWARES)]);
static MIDDLEWARES: Spec =
    node("middlewares", "Middlewares, in order.", "middlewares secure-headers compress@file")
        .args(&[several("name", Want::Middleware)])
        .ordered();
