//! `oidc`: callbacks, scopes, claims.

use std::collections::BTreeMap;
use std::time::Duration;

use super::View;
use crate::blueprint::app::App;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::object::Kind;
use crate::blueprint::oidc::{ClientAuth, Grant, Oidc, Subject};
use crate::blueprint::source::{Span, Spanned};

/// Claims that carry the protocol itself (RFC 9068 §2.2, OIDC Core §2).
const PROTOCOL: [&str; 19] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "nonce",
    "acr",
    "amr",
    "azp",
    "auth_time",
    "sid",
    "at_hash",
    "c_hash",
    "s_hash",
    "client_id",
    "scope",
    "cnf",
];

/// Claims that scopes give (OIDC Core §5.1).
const STANDARD: [&str; 7] =
    ["name", "email", "email_verified", "preferred_username", "groups", "picture", "locale"];

/// As long as an ID token or an access token may live.
const LONGEST_TOKEN: Duration = Duration::from_secs(86_400);

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    let mut clients: BTreeMap<&str, Span> = BTreeMap::new();
    for app in &view.blueprint.apps {
        let Some(oidc) = &app.oidc else { continue };
        let mut found = Vec::new();
        redirects(view, app, oidc, &mut found);
        scopes(oidc, &mut found);
        claims(oidc, &mut found);
        client(oidc, &mut found);
        grants(oidc, &mut found);
        subject(view, oidc, &mut found);
        lifetimes(oidc, &mut found);
        let id = oidc.client_id.as_ref().unwrap_or(&app.slug);
        if let Some(earlier) = clients.insert(&id.value, id.span) {
            found.push(twice(id, earlier, "client-id", "a client-id belongs to one app"));
        }
        for diagnostic in found {
            view.report(out, Kind::App, &app.slug.value, diagnostic);
        }
    }
}

fn redirects(view: &View<'_>, app: &App, oidc: &Oidc, found: &mut Vec<Diagnostic>) {
    let node = view.node(Kind::App, &app.slug.value).and_then(|node| node.kid("oidc"));
    let written = node.is_some_and(|node| {
        node.kid("redirect-uri").is_some()
            || node.kids.iter().any(|kid| kid.name.text.contains("redirect"))
    });
    if oidc.redirect_uris.is_empty() && !written && oidc.may(Grant::AuthorizationCode) {
        found.push(
            Diagnostic::error("blueprint::no-redirect-uri", "`oidc` needs `redirect-uri`")
                .at(oidc.at, "no redirect-uri: no code could ever be delivered")
                .help(
                    "add the callback of the application, for example\n    \
                     redirect-uri \"https://app.example.com/callback\"",
                ),
        );
    }
    duplicates(&oidc.redirect_uris, "redirect-uri", "delete one of the two", found);
    duplicates(
        &oidc.post_logout_redirect_uris,
        "post-logout-redirect-uri",
        "delete one of the two",
        found,
    );
}

fn duplicates(list: &[Spanned<String>], word: &str, help: &str, found: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for each in list {
        if let Some(earlier) = seen.insert(&each.value, each.span) {
            found.push(twice(each, earlier, word, help));
        }
    }
}

fn twice(each: &Spanned<String>, earlier: Span, word: &str, help: &str) -> Diagnostic {
    Diagnostic::error("blueprint::given-twice", format!("{word} `{}` is given twice", each.value))
        .at(each.span, "second one")
        .at(earlier, "first one")
        .help(help)
}

fn scopes(oidc: &Oidc, found: &mut Vec<Diagnostic>) {
    duplicates(&oidc.scopes, "scope", "delete one of the two", found);
    let has = |name: &str| oidc.scopes.iter().any(|scope| scope.value == name);
    if let Some(first) = oidc.scopes.first().filter(|_| !has("openid")) {
        found.push(
            Diagnostic::warning("blueprint::no-openid-scope", "`scopes` without `openid`")
                .at(first.span, "no ID token would be given")
                .help("write `scopes openid …`"),
        );
    }
    if oidc.refresh_token.is_some() && !has("offline_access") {
        let place = oidc.scopes.first().map_or(oidc.at, |scope| scope.span);
        found.push(
            Diagnostic::advice(
                "blueprint::no-offline-access",
                "`refresh-token` without the scope `offline_access`",
            )
            .at(place, "refresh tokens end with the sign-in that they came from")
            .help("add offline_access to `scopes` if the app is to go on when nobody is signed in"),
        );
    }
}

fn claims(oidc: &Oidc, found: &mut Vec<Diagnostic>) {
    let names: Vec<Spanned<String>> = oidc.claims.iter().map(|claim| claim.name.clone()).collect();
    duplicates(&names, "claim", "a claim has one value", found);
    for name in names {
        let claim = name.value.as_str();
        if PROTOCOL.contains(&claim) {
            found.push(
                Diagnostic::error(
                    "blueprint::reserved-claim",
                    format!("the claim `{claim}` belongs to the protocol"),
                )
                .at(name.span, "cannot be replaced")
                .help("pick another name"),
            );
        } else if STANDARD.contains(&claim) {
            found.push(
                Diagnostic::warning(
                    "blueprint::shadowed-claim",
                    format!("`{claim}` replaces the claim that its scope gives"),
                )
                .at(name.span, "applications take it for the verified one")
                .help("pick another name unless that is what you mean"),
            );
        }
    }
}

fn client(oidc: &Oidc, found: &mut Vec<Diagnostic>) {
    if let Some(secret) = oidc.client_secret.as_ref().filter(|_| oidc.public) {
        found.push(
            Diagnostic::error("blueprint::public-secret", "a public client has no secret")
                .at(secret.span, "everybody who has the application could read it")
                .help("leave `client-secret` or `public` out"),
        );
    }
}

fn grants(oidc: &Oidc, found: &mut Vec<Diagnostic>) {
    let asks = oidc.grants.iter().find(|grant| grant.value == Grant::ClientCredentials);
    match (asks, &oidc.acts_as) {
        (Some(grant), None) => found.push(
            Diagnostic::error(
                "blueprint::nobody-to-act-as",
                "`client-credentials` without `acts-as`",
            )
            .at(grant.span, "the rules of the app could judge nobody")
            .help("name the service account that it is: `acts-as gitea-ci`"),
        ),
        (None, Some(account)) => found.push(
            Diagnostic::warning(
                "blueprint::idle-acts-as",
                "`acts-as` without `client-credentials`",
            )
            .at(account.span, "it never asks for itself")
            .help("write `grants authorization-code client-credentials`"),
        ),
        _ => {}
    }
    if let Some(grant) = asks.filter(|_| oidc.public) {
        found.push(
            Diagnostic::error("blueprint::public-grant", "a public client cannot ask for itself")
                .at(grant.span, "it has nothing to prove who it is by (RFC 6749 §4.4)")
                .help("leave `public` out, and it is given a secret"),
        );
    }
    if let (true, Some(method)) = (oidc.public, oidc.client_auth.first()) {
        let word = match method.value {
            ClientAuth::Basic => "basic",
            ClientAuth::Post => "post",
        };
        found.push(
            Diagnostic::error("blueprint::public-secret", "a public client has no secret")
                .at(method.span, format!("`{word}` proves by a secret"))
                .help("leave `client-auth` or `public` out"),
        );
    }
}

/// Two people with one subject would be one person to the app.
fn subject(view: &View<'_>, oidc: &Oidc, found: &mut Vec<Diagnostic>) {
    let Subject::Attribute { key } = &oidc.subject else { return };
    let Some(key) = key else {
        found.push(
            Diagnostic::error("blueprint::no-subject-key", "`subject attribute` without `key=`")
                .at(oidc.at, "which attribute?")
                .help("write `subject attribute key=old-sub`"),
        );
        return;
    };
    let mut known: BTreeMap<&str, Span> = BTreeMap::new();
    for user in &view.blueprint.users {
        let lines = user.attributes.iter().filter(|(name, _)| name.value == key.value);
        for (name, values) in lines {
            let Some(value) = values.first() else { continue };
            if let Some(earlier) = known.insert(value, name.span) {
                found.push(
                    Diagnostic::error(
                        "blueprint::shared-subject",
                        format!("two people have the same `{}`", key.value),
                    )
                    .at(name.span, "and would be one person to this app")
                    .at(earlier, "the other one")
                    .at(key.span, "read here"),
                );
            }
        }
    }
}

/// What is in somebody's hands cannot be called back everywhere, and so it is short.
fn lifetimes(oidc: &Oidc, found: &mut Vec<Diagnostic>) {
    let long = oidc.access_token.lasts.into_iter().chain(oidc.id_token);
    if long.max().is_some_and(|lasts| lasts > LONGEST_TOKEN) {
        found.push(
            Diagnostic::error("blueprint::long-token", "a token lives for a day at most")
                .at(oidc.at, "a longer one would outlive the key that it is checked with")
                .help("use `refresh-token` for an app that goes on for longer"),
        );
    }
}
