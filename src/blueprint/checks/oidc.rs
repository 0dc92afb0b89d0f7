//! `oidc`: callbacks, scopes, claims, keys, profiles.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::View;
use crate::blueprint::app::App;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::object::Kind;
use crate::blueprint::oidc::{ClientAuth, Grant, Oidc, Rule, Subject};
use crate::blueprint::secret_ref::SecretOrigin;
use crate::blueprint::source::{Span, Spanned};
use crate::jose::Algorithm;

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
pub(super) const LONGEST_TOKEN: Duration = Duration::from_secs(86_400);

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    let mut clients: BTreeMap<&str, Span> = BTreeMap::new();
    for app in &view.blueprint.apps {
        let Some(oidc) = &app.oidc else { continue };
        let mut found = Vec::new();
        redirects(view, app, oidc, &mut found);
        scopes(oidc, &mut found);
        claims(oidc, &mut found);
        client(oidc, &mut found);
        keys(oidc, &mut found);
        calls(oidc, &mut found);
        fapi(oidc, &mut found);
        front_channel(oidc, &mut found);
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
    let for_people = oidc.may(Grant::AuthorizationCode) || oidc.may(Grant::DeviceCode);
    if let Some(first) = oidc.scopes.first().filter(|_| for_people && !has("openid")) {
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
        let word = method.value.word();
        let by = if method.value.is_by_secret() { "a secret" } else { "a key" };
        found.push(
            Diagnostic::error("blueprint::public-secret", "a public client has no secret")
                .at(method.span, format!("`{word}` proves by {by}"))
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

/// What a client proves itself by must be known here.
fn keys(oidc: &Oidc, found: &mut Vec<Diagnostic>) {
    let by = |wanted: ClientAuth| oidc.client_auth.iter().find(|each| each.value == wanted);
    if let (Some(keys), Some(uri)) = (&oidc.jwks, &oidc.jwks_uri) {
        found.push(
            Diagnostic::error("blueprint::given-twice", "`jwks` and `jwks-uri` are both given")
                .at(uri.span, "second one")
                .at(keys.span, "first one")
                .help("the keys stand here or are asked for: leave one out"),
        );
    }
    let has_keys = oidc.jwks.is_some() || oidc.jwks_uri.is_some();
    let signs = oidc.signed_requests.as_ref().filter(|rule| rule.value == Rule::Required);
    let needs = by(ClientAuth::PrivateKeyJwt)
        .map(|method| (method.span, "it is known by its key, and none is given"))
        .or_else(|| signs.map(|rule| (rule.span, "signed with which key?")))
        .or_else(|| {
            let profile = oidc.profile.as_ref().filter(|_| !oidc.public)?;
            Some((profile.span, "it is known by its key, and none is given"))
        });
    if let Some((at, label)) = needs.filter(|_| !has_keys) {
        found.push(
            Diagnostic::error(
                "blueprint::no-keys",
                "the public keys of the application are missing",
            )
            .at(at, label)
            .help(
                "add `jwks` with its public keys, or where they are:\n    \
                     jwks-uri \"https://app.example.com/jwks.json\"",
            ),
        );
    }
    let hashed = oidc.client_secret.as_ref();
    let hashed = hashed.filter(|secret| matches!(secret.origin, SecretOrigin::Argon2id(_)));
    if let (Some(method), Some(secret)) = (by(ClientAuth::SecretJwt), hashed) {
        found.push(
            Diagnostic::error("blueprint::hashed-secret", "`secret-jwt` needs the secret itself")
                .at(method.span, "a signature is checked with it")
                .at(secret.span, "only its hash is known")
                .help("use `private-key-jwt`, or give the secret by (file), (env) or (credential)"),
        );
    }
}

/// What is called for an app: by https, or at a place of the private network that is named.
fn calls(oidc: &Oidc, found: &mut Vec<Diagnostic>) {
    for uri in oidc.called() {
        let Ok(url) = Url::parse(&uri.value) else { continue };
        if url.scheme() == "https" || oidc.may_reach(&url) {
            continue;
        }
        let authority = crate::model::web_url::authority_of(&url).unwrap_or_default();
        found.push(
            Diagnostic::error(
                "blueprint::http-call",
                format!("`{}` would be called without https", uri.value),
            )
            .at(uri.span, "anybody on the way could answer")
            .help(format!(
                "write https://, or name a place in your own network that may be called so:\n    \
                     may-reach \"{authority}\""
            )),
        );
    }
}

/// FAPI 2.0 Security Profile §5.3.2.
fn fapi(oidc: &Oidc, found: &mut Vec<Diagnostic>) {
    let Some(profile) = oidc.profile.as_ref().filter(|_| oidc.is_fapi()) else { return };
    let mut against = |span: Span, what: &str, help: &str| {
        found.push(
            Diagnostic::error(
                "blueprint::against-profile",
                format!("`fapi2` does not allow {what}"),
            )
            .at(span, "against the profile")
            .at(profile.span, "asked for here")
            .help(help.to_owned()),
        );
    };
    if oidc.public {
        against(oidc.at, "public clients", "leave `public` out, and give its keys by `jwks`");
    }
    if let Some(secret) = &oidc.client_secret {
        against(secret.span, "a `client-secret`", "leave it out: the app proves itself by a key");
    }
    for method in oidc.client_auth.iter().filter(|method| method.value.is_by_secret()) {
        let what = format!("`client-auth {}`", method.value.word());
        against(method.span, &what, "write `client-auth private-key-jwt`, or leave it out");
    }
    let rules =
        [("pkce", &oidc.pkce), ("pushed-requests", &oidc.pushed_requests), ("dpop", &oidc.dpop)];
    for (name, rule) in rules {
        if let Some(rule) = rule.as_ref().filter(|rule| rule.value == Rule::Optional) {
            against(
                rule.span,
                &format!("`{name} optional`"),
                "leave it out: the profile asks for it",
            );
        }
    }
    if let Some(signing) = oidc.signing.as_ref().filter(|signing| signing.value == Algorithm::Rs256)
    {
        against(
            signing.span,
            "RS256",
            "write `signing PS256`, `ES256` or `EdDSA`, or leave it out",
        );
    }
    for uri in oidc.redirect_uris.iter().filter(|uri| !uri.value.starts_with("https://")) {
        against(uri.span, "a redirect-uri without https", "write https://");
    }
}

/// A frame of another origin would be somebody else's (OIDC Front-Channel Logout §2).
fn front_channel(oidc: &Oidc, found: &mut Vec<Diagnostic>) {
    let Some(uri) = &oidc.front_channel_logout_uri else { return };
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    let own = origin(&uri.value);
    if own.is_none() || oidc.redirect_uris.iter().any(|each| origin(&each.value) == own) {
        return;
    }
    found.push(
        Diagnostic::error(
            "blueprint::foreign-frame",
            "`front-channel-logout-uri` is on another host than every `redirect-uri`",
        )
        .at(uri.span, "scheme, host and port must be those of a redirect-uri")
        .help("name the page of the application itself"),
    );
}
