//! Identity headers on a 2xx (`forward-auth.md` 5).
//!
//! Every name that any app declares is on every 2xx, empty when it has no value here: a proxy that
//! copies what it finds must never find the client's own (`security.md` 3).

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use http::{HeaderMap, HeaderValue};

use super::ForwardAuth;
use super::decision::Request;
use super::reader::Dialect;
use crate::blueprint::app::IdentityHeaders;
use crate::clock::Millis;
use crate::expression::{AppFacts, Facts};
use crate::proxy_config::identity_headers as sets;
use crate::runtime::Runtime;
use crate::session::live::Remembered;
use crate::session::{Profile, Standing};
use crate::web::cookies;
use crate::web::credential::Credential;

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What a session or token was told last, its person, and what that person is worth at the moment.
pub type Who<'a> = (&'a ArcSwapOption<Remembered>, &'a Arc<Profile>, &'a Arc<Standing>);

/// The empty headers of every 2xx, made once for each runtime and family of endpoints.
#[derive(Debug, Default)]
pub struct Names([ArcSwapOption<Empty>; 2]);

#[derive(Debug)]
struct Empty {
    epoch: u64,
    headers: HeaderMap,
}

impl Names {
    fn empty(&self, runtime: &Runtime, family: IdentityHeaders) -> HeaderMap {
        let slot = usize::from(family == IdentityHeaders::Authentik);
        let Some(slot) = self.0.get(slot) else { return HeaderMap::new() };
        match &*slot.load() {
            Some(known) if known.epoch == runtime.epoch => known.headers.clone(),
            _ => {
                let mut headers = HeaderMap::new();
                let all = sets::of_blueprint(&runtime.blueprint);
                let family = sets::set(IdentityHeaders::Unsaid, family).iter().copied();
                for name in all.iter().map(String::as_str).chain(family) {
                    set(&mut headers, name, "");
                }
                let made = Empty { epoch: runtime.epoch, headers: headers.clone() };
                slot.store(Some(Arc::new(made)));
                headers
            }
        }
    }
}

/// All headers of a 2xx.
#[must_use]
pub fn headers(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    who: Option<Who<'_>>,
    now: Millis,
) -> HeaderMap {
    let mut headers = match who {
        None => front.names.empty(runtime, request.reader.identity),
        Some(who) => remembered(front, runtime, request, who, now),
    };
    repeat(&mut headers, request);
    headers
}

/// What the proxy deletes from the client's request and the application should have all the same.
fn repeat(headers: &mut HeaderMap, request: &Request<'_>) {
    if let Some(kept) = cookies::without_ours(request.headers) {
        headers.insert(COOKIE, kept);
    }
    if let Ok(host) = HeaderValue::from_str(request.authority) {
        headers.insert(FORWARDED_HOST, host);
    }
    repeat_authorization(headers, request);
}

/// The client's own `Authorization`, unless it is a credential of ours: that one ends here
/// (`security.md` R15).
fn repeat_authorization(headers: &mut HeaderMap, request: &Request<'_>) {
    if Credential::of(request.headers).is_some() {
        headers.remove(AUTHORIZATION);
        if let Dialect::Envoy { .. } = request.reader.dialect {
            // Envoy replaces what it is told and keeps what it is not told of.
            headers.insert(AUTHORIZATION, HeaderValue::from_static(""));
        }
    } else if let Some(authorization) = request.headers.get(AUTHORIZATION) {
        headers.insert(AUTHORIZATION, authorization.clone());
    }
}

/// The identity headers of a session or token, from memory if nothing they depend on has changed.
fn remembered(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    who: Who<'_>,
    now: Millis,
) -> HeaderMap {
    let (last, profile, standing) = who;
    let address = std::ptr::from_ref(request.address).addr();
    let lasting =
        request.address.headers.is_empty() && request.reader.identity == IdentityHeaders::Remote;
    if lasting
        && let Some(known) = &*last.load()
        && known.epoch == runtime.epoch
        && known.address == address
        && Arc::ptr_eq(&known.profile, profile)
    {
        return known.headers.clone();
    }
    let headers = identity(front, runtime, request, profile, standing, now);
    if lasting {
        let (profile, headers) = (Arc::clone(profile), headers.clone());
        let known = Remembered { epoch: runtime.epoch, address, profile, headers };
        last.store(Some(Arc::new(known)));
    }
    headers
}

fn identity(
    front: &ForwardAuth,
    runtime: &Runtime,
    request: &Request<'_>,
    profile: &Profile,
    standing: &Standing,
    now: Millis,
) -> HeaderMap {
    let mut headers = front.names.empty(runtime, request.reader.identity);
    for name in sets::set(request.address.identity, request.reader.identity) {
        set(&mut headers, name, &value(name, request, profile, standing));
    }
    let proofs = crate::access::person::Proofs::default();
    let person = standing.person(&profile.user.username, &proofs);
    let facts = Facts {
        user: Some(person.for_expressions(&[])),
        app: Some(AppFacts { slug: &request.app.slug, ..Default::default() }),
        now,
        ..Default::default()
    };
    for (name, program) in &request.address.headers {
        let text = program.text(&facts).unwrap_or_else(|error| {
            tracing::warn!(app = %request.app.slug, header = %name, %error, "a header has no value");
            String::new()
        });
        set(&mut headers, name.as_str(), &text);
    }
    headers
}

fn value(name: &str, request: &Request<'_>, profile: &Profile, standing: &Standing) -> String {
    match name {
        "Remote-User" | "X-authentik-username" => profile.user.username.clone(),
        "Remote-Groups" => standing.group_names.join(","),
        "X-authentik-groups" => standing.group_names.join("|"),
        "Remote-Name" | "X-authentik-name" => standing.name.clone(),
        "Remote-Email" | "X-authentik-email" => standing.email.clone().unwrap_or_default(),
        "X-authentik-uid" => profile.user.id.clone(),
        "X-authentik-meta-outpost" => "doorward".to_owned(),
        "X-authentik-meta-provider" | "X-authentik-meta-app" => request.app.slug.clone(),
        "X-authentik-meta-version" => concat!("doorward/", env!("CARGO_PKG_VERSION")).to_owned(),
        // Entitlements, tokens and keys: nothing to tell.
        _ => String::new(),
    }
}

/// Sets a header. A value never holds a line break: what is not visible ASCII is percent-encoded.
fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    let plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'%';
    let value = if value.bytes().all(plain) {
        HeaderValue::from_str(value)
    } else {
        let encoded: String = value
            .bytes()
            .map(|byte| match plain(byte) {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            })
            .collect();
        HeaderValue::from_str(&encoded)
    };
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_holds_a_second_header() {
        let mut headers = HeaderMap::new();
        set(&mut headers, "Remote-Name", "Zoë\r\nRemote-User: admin");
        assert_eq!(headers.len(), 1);
        let value = headers.get("remote-name").expect("the header");
        assert_eq!(value, "Zo%C3%AB%0D%0ARemote-User: admin");
    }
}
