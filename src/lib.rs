//! Doorward: a declarative identity provider.
//!
//! The order below is the direction of knowledge: a module may use those above it and
//! never those below (`tests/it/tidy.rs` holds it).

/// The only source of time; tests hold the hands.
pub mod clock;
/// Prefixed, time-ordered identifiers and random tokens.
pub mod ids;
/// JSON Web Signatures and their keys: made, read, checked.
pub mod jose;
/// Requests of ours to others.
pub mod outbound;
/// Saying a thing that repeats ever more seldom.
pub mod repeats;
/// Values that cannot be printed, the master key, sealing and keyed digests.
pub mod secret;
/// Files written for others: whole or not at all, and only where the host allows.
pub mod written_file;

/// The only place that grants: canonical request, policies, rules, one decision.
pub mod access;
/// CEL: parsed, type-checked against a catalogue, compiled and evaluated.
pub mod expression;
/// What things are: factors, subjects, hosts, globs, sessions. No I/O, no wire, no SQL.
pub mod model;

/// KDL text to a typed `Blueprint`, and every complaint with its span.
pub mod blueprint;
/// Configuration of other providers, written as blueprints.
pub mod import;
/// People's data, secrets, sessions, generations and events on SQLite or Postgres.
pub mod store;

/// Second factors: what an account holds, how one is made, and how a proof is checked.
pub mod factor;
/// Events on their way into the store.
pub mod journal;
/// Configuration for reverse proxies, made from a blueprint: Traefik, nginx, Caddy, Envoy.
pub mod proxy_config;
/// The difference between a blueprint and the store, and the one transaction that closes it.
pub mod reconcile;

/// A blueprint compiled into the immutable view that requests are answered from.
pub mod runtime;
/// Sessions and their people in memory, in step with the store.
pub mod session;
/// Keys that tokens are signed with, in memory, in step with the store.
pub mod signing;
/// App passwords and API tokens in memory, in step with the store.
pub mod token;

/// The public keys of clients, where they keep them themselves.
pub mod client_keys;
/// The secrets of clients in memory.
pub mod client_secret;
/// Sign-in as a row of stages with one dispatcher. No HTTP.
pub mod flow;
/// Signing in through other providers: where browsers are sent, and what comes back.
pub mod identity_source;
/// Mail: typed messages, the outbox, and the conversation with a mail server.
pub mod mail;
/// Cookies, forms, CSRF, pages and their templates.
pub mod web;

/// What stands between a sign-in and an app.
pub mod entry;
/// The front for reverse proxies that ask before they pass a request on.
pub mod forward_auth;
/// The directory that LDAP clients ask and bind to.
pub mod ldap;
/// The OpenID provider: authorization requests, codes, tokens and what they open.
pub mod oidc;
/// The pages of the sign-in host: sign-in, the portal, set-up links, stand-ins.
pub mod pages;

/// The API of the sign-in host, for programs that bring a token.
pub mod api;

/// Everything a request may need, built once from settings and runtime.
pub mod app;
/// The command line.
pub mod cli;
