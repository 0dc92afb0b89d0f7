//! Who owns which host: apps beside each other, and beside the sign-in host (`security.md` R2).

use std::collections::BTreeMap;

use super::{View, claimed, covers, host_of};
use crate::blueprint::app::{App, Reach};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::object::Kind;
use crate::blueprint::source::Span;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    taken(view, out);
    for app in &view.blueprint.apps {
        sign_in_host(view, app, out);
        for proxy in &app.proxies {
            if let Reach::Domain { domain, hosts } = &proxy.reach {
                let name = domain.value.as_str();
                for diagnostic in domain_problems(view, name, domain.span) {
                    view.report(out, Kind::App, &app.slug.value, diagnostic);
                }
                for host in hosts.iter().filter(|host| !is_below(host.value.as_str(), name)) {
                    let diagnostic = Diagnostic::error(
                        "blueprint::host-outside-domain",
                        format!("`{}` is not below `{name}`", host.value.as_str()),
                    )
                    .at(host.span, "the cookie would not reach it")
                    .help(format!("write for example \"*.{name}\""));
                    view.report(out, Kind::App, &app.slug.value, diagnostic);
                }
            }
        }
    }
}

fn taken(view: &View<'_>, out: &mut Diagnostics) {
    let mut owners: BTreeMap<String, (&App, Span)> = BTreeMap::new();
    for app in &view.blueprint.apps {
        for (host, span) in claimed(app) {
            let Some((owner, earlier)) = owners.get(&host).copied() else {
                owners.insert(host, (app, span));
                continue;
            };
            let message = if owner.slug.value == app.slug.value {
                format!("app `{}` claims `{host}` twice", app.slug.value)
            } else {
                format!("`{host}` belongs to app `{}` already", owner.slug.value)
            };
            let diagnostic = Diagnostic::error("blueprint::host-taken", message)
                .at(span, "claimed again")
                .at(earlier, "first claimed here")
                .help("a host belongs to one app: use `path=` in `access` to tell its parts apart");
            view.report(out, Kind::App, &app.slug.value, diagnostic);
        }
    }
}

/// Nothing may take in the sign-in host, whatever its port.
fn sign_in_host(view: &View<'_>, app: &App, out: &mut Diagnostics) {
    let sign_in = &view.blueprint.settings.external_host;
    let Some(host) = host_of(sign_in.value.as_str()) else { return };
    let claims = claimed(app).into_iter().filter(|(claim, _)| covers(claim, &host));
    let redirects = app
        .oidc
        .iter()
        .flat_map(|oidc| oidc.redirect_uris.iter().chain(&oidc.post_logout_redirect_uris))
        .filter_map(|uri| Some((host_of(&uri.value)?, uri.span)))
        .filter(|(claim, _)| *claim == host);
    for (claim, span) in claims.chain(redirects) {
        let diagnostic = Diagnostic::error(
            "blueprint::covers-sign-in",
            format!("`{claim}` takes in the sign-in host"),
        )
        .at(span, "an app here could pretend to be the sign-in page")
        .at(sign_in.span, "the sign-in host")
        .help("give the app a host of its own");
        view.report(out, Kind::App, &app.slug.value, diagnostic);
    }
}

fn domain_problems(view: &View<'_>, domain: &str, span: Span) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let sign_in = &view.blueprint.settings.external_host;
    let host = host_of(sign_in.value.as_str()).unwrap_or_default();
    let error = |code, message: String| Diagnostic::error(code, message);
    if host == domain || host.ends_with(&format!(".{domain}")) {
        found.push(
            error(
                "blueprint::covers-sign-in",
                format!("`{domain}` holds the sign-in host `{host}`"),
            )
            .at(span, "its cookie would be sent there")
            .at(sign_in.span, "the sign-in host")
            .help(format!("use a domain of their own for these apps, such as \"lab.{domain}\"")),
        );
    }
    if is_public_suffix(domain) {
        found.push(
            error("blueprint::public-suffix", format!("`{domain}` belongs to everybody"))
                .at(span, "browsers refuse cookies for it")
                .help("name a domain that you own"),
        );
    }
    if domain.parse::<std::net::IpAddr>().is_ok() {
        found.push(
            error("blueprint::public-suffix", format!("`{domain}` is an address, not a domain"))
                .at(span, "nothing can lie below it")
                .help("use `proxy` for a single address"),
        );
    }
    found
}

/// `localhost` and names that anybody may register under.
pub(super) fn is_public_suffix(domain: &str) -> bool {
    domain == "localhost" || psl::suffix_str(domain) == Some(domain)
}

fn is_below(pattern: &str, domain: &str) -> bool {
    let host = pattern.strip_prefix("*.").unwrap_or(pattern).to_lowercase();
    host == domain || host.ends_with(&format!(".{domain}"))
}
