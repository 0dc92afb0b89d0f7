//! Where secrets go. One that was used in one place and would be used in another is held: a
//! reference says nothing of the value, but sending the value elsewhere gives it away.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Reason};
use crate::blueprint::Blueprint;
use crate::blueprint::identity_source::Protocol;
use crate::blueprint::secret_ref::{SecretOrigin, SecretRef};
use crate::blueprint::settings::Email;
use crate::blueprint::source::Span;
use crate::model::smtp_server::Security;
use crate::secret::sha256_hex;

/// One place that uses a secret.
struct Use<'a> {
    /// `email.smtp.password`.
    field: String,
    /// The host that it is sent to, if any.
    host: Option<String>,
    secret: &'a SecretRef,
}

pub fn find(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let mut known = case.stored.secret_uses.clone();
    for (name, uses) in uses(case.old_files()) {
        known.entry(name).or_default().extend(uses);
    }
    for each in list(case.new_files()) {
        let Some(name) = name(&each.secret.origin) else { continue };
        let Some(before) = known.get(&name) else { continue };
        let place = renamed(case, &each);
        if before.contains(&place) {
            continue;
        }
        let shown = each.secret.origin.shown();
        let target =
            each.host.clone().map_or_else(|| each.field.clone(), |host| format!("host {host}"));
        let sentence = format!("secret {shown} → {target}: it was used elsewhere until now");
        reasons.push(reason(case, &name, &each, each.secret.span, sentence));
    }
}

fn reason(case: &Case<'_>, name: &str, each: &Use<'_>, at: Span, sentence: String) -> Reason {
    let target = each.host.as_deref().unwrap_or(&each.field);
    let object = each.field.clone();
    Reason::new("secret-moved", object, case.place(at), sentence)
        .confirmed_by("--allow", &format!("secret:{name}@{target}"))
}

/// Every secret reference and its uses, to be remembered with the generation.
#[must_use]
pub fn uses(blueprint: &Blueprint) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for each in list(blueprint) {
        if let Some(name) = name(&each.secret.origin) {
            all.entry(name).or_default().insert(each.place());
        }
    }
    all
}

impl Use<'_> {
    fn place(&self) -> String {
        format!("{} → {}", self.field, self.host.as_deref().unwrap_or("here"))
    }
}

/// The place under the names that objects had before.
fn renamed(case: &Case<'_>, each: &Use<'_>) -> String {
    use crate::reconcile::identity::Fate;
    let mut place = each.place();
    for object in case.matched {
        if let Fate::Rename { was, .. } = &object.fate {
            let (old, new) = (format!("{}:{was}.", object.kind.word()), &object.slug);
            if let Some(rest) = place.strip_prefix(&format!("{}:{new}.", object.kind.word())) {
                place = format!("{old}{rest}");
            }
        }
    }
    place
}

/// What tells one secret from another, without its value. Generated ones cannot move: they are
/// bound to their object; verifiers give nothing away.
fn name(origin: &SecretOrigin) -> Option<String> {
    match origin {
        SecretOrigin::Credential(name) => Some(format!("credential/{name}")),
        SecretOrigin::File(path) => Some(format!("file/{path}")),
        SecretOrigin::Env(name) => Some(format!("env/{name}")),
        SecretOrigin::Sealed(text) => {
            let digest = sha256_hex(text.as_bytes());
            Some(format!("sealed/{}", digest.get(..16).unwrap_or(&digest)))
        }
        SecretOrigin::Generated | SecretOrigin::Argon2id(_) | SecretOrigin::Literal(_) => None,
    }
}

fn list<'a>(blueprint: &'a Blueprint) -> Vec<Use<'a>> {
    let mut all = Vec::new();
    let mut add = |field: String, host: Option<String>, secret: Option<&'a SecretRef>| {
        if let Some(secret) = secret {
            all.push(Use { field, host, secret });
        }
    };
    add("server.master-key".to_owned(), None, blueprint.server.master_key.as_ref());
    if let Some(email) = &blueprint.email {
        add("email.smtp.password".to_owned(), mail_server(email), email.password.as_ref());
    }
    if let Some(duo) = &blueprint.settings.duo {
        let field = "settings.duo.secret-key".to_owned();
        add(field, Some(duo.api_host.clone()), duo.secret_key.as_ref());
    }
    if let Some(serve) = blueprint.traefik.as_ref().and_then(|traefik| traefik.serve.as_ref()) {
        add("traefik.serve.token".to_owned(), None, serve.token.as_ref());
    }
    for notify in &blueprint.notifies {
        let to = notify.webhook.as_ref().and_then(|url| host(&url.value));
        add(format!("notify:{}.token", notify.slug.value), to, notify.token.as_ref());
    }
    for user in &blueprint.users {
        let field = format!("user:{}.initial-password", user.name.value);
        add(field, None, user.initial_password.as_ref());
    }
    for source in &blueprint.sources {
        let (to, secret) = (secret_goes_to(&source.protocol), source.client.secret.as_ref());
        add(format!("source:{}.client-secret", source.slug.value), to, secret);
    }
    for app in &blueprint.apps {
        let slug = &app.slug.value;
        let oidc = app.oidc.as_ref().and_then(|oidc| oidc.client_secret.as_ref());
        add(format!("app:{slug}.oidc.client-secret"), None, oidc);
        if let Some(scim) = &app.scim {
            add(format!("app:{slug}.scim.token"), host(&scim.url.value), scim.token.as_ref());
        }
    }
    all
}

/// Where a source's secret is sent to. With OpenID Connect the issuer names the token endpoint.
fn secret_goes_to(protocol: &Protocol) -> Option<String> {
    match protocol {
        Protocol::Github { url: None } => Some("github.com".to_owned()),
        Protocol::Github { url: Some(url) } => host(&url.value),
        Protocol::Oidc { issuer } => host(&issuer.value),
        Protocol::Oauth2(endpoints) => host(&endpoints.token.value),
    }
}

/// The mail server. Without encryption everyone on the way is a destination too.
fn mail_server(email: &Email) -> Option<String> {
    let server = email.server()?;
    let open = server.security() == Security::Plain && !server.is_here();
    Some(server.authority() + if open { ", without encryption" } else { "" })
}

/// The authority of a URL. A URL without one is its own destination.
fn host(text: &str) -> Option<String> {
    let parsed = url::Url::parse(text).ok();
    let authority = parsed.as_ref().and_then(|url| {
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}{port}", url.host_str()?))
    });
    Some(authority.unwrap_or_else(|| text.to_owned()))
}
