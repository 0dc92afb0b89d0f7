//! Where requests are led: upstreams that come back, and addresses that do not fit together.

use url::Url;

use super::{View, host_of};
use crate::blueprint::app::{App, Reach};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::object::Kind;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    for app in &view.blueprint.apps {
        loops(view, app, out);
        reachable(view, app, out);
        launch(view, app, out);
    }
}

/// An upstream that is Doorward, or the app's own address.
fn loops(view: &View<'_>, app: &App, out: &mut Diagnostics) {
    let settings = &view.blueprint.settings;
    let reach = view.blueprint.traefik.as_ref().and_then(|each| each.reach_doorward_at.as_ref());
    for proxy in &app.proxies {
        let Some(to) = &proxy.to else { continue };
        let own = match &proxy.reach {
            Reach::Address(url) => authority(url.value.as_str()) == authority(to.value.as_str()),
            Reach::Domain { .. } => false,
        };
        let sign_in = host_of(settings.external_host.value.as_str()) == host_of(to.value.as_str());
        let doorward = reach
            .is_some_and(|reach| authority(reach.value.as_str()) == authority(to.value.as_str()));
        let label = if sign_in {
            "this is the sign-in host"
        } else if doorward {
            "this is where Doorward is reached"
        } else if own {
            "this is the app's own address"
        } else {
            continue;
        };
        let diagnostic = Diagnostic::error("blueprint::proxy-loop", "`to=` leads in a circle")
            .at(to.span, label)
            .help(
                "write where the application itself listens, such as to=\"http://10.0.20.30:3000\"",
            );
        view.report(out, Kind::App, &app.slug.value, diagnostic);
    }
}

/// Scheme, host and port.
fn authority(url: &str) -> Option<(String, u16)> {
    let url = Url::parse(url).ok()?;
    Some((url.host_str()?.to_lowercase(), url.port_or_known_default()?))
}

fn reachable(view: &View<'_>, app: &App, out: &mut Diagnostics) {
    let speaks = app.oidc.is_some() || app.ldap.is_some() || app.scim.is_some();
    if speaks || !app.proxies.is_empty() || app.launch_url.is_some() {
        return;
    }
    let diagnostic = Diagnostic::advice(
        "blueprint::app-without-way",
        format!("app `{}` cannot be reached or signed in to", app.slug.value),
    )
    .at(app.at, "no `proxy`, `oidc`, `ldap` or `launch-url`")
    .help("add for example proxy \"https://app.example.com\"");
    view.report(out, Kind::App, &app.slug.value, diagnostic);
}

fn launch(view: &View<'_>, app: &App, out: &mut Diagnostics) {
    let Some(launch) = &app.launch_url else { return };
    let Some(host) = host_of(&launch.value) else { return };
    let proxied: Vec<String> = super::claimed(app).into_iter().map(|(host, _)| host).collect();
    if !proxied.is_empty() && !proxied.iter().any(|pattern| super::covers(pattern, &host)) {
        let diagnostic = Diagnostic::advice(
            "blueprint::launch-elsewhere",
            format!("the portal leads to `{host}`, which is not an address of this app"),
        )
        .at(launch.span, "not one of its `proxy` addresses");
        view.report(out, Kind::App, &app.slug.value, diagnostic);
    }
    let callbacks = app.oidc.iter().flat_map(|oidc| &oidc.redirect_uris);
    let hosts: Vec<String> = callbacks.filter_map(|uri| host_of(&uri.value)).collect();
    if proxied.is_empty() && !hosts.is_empty() && !hosts.contains(&host) {
        let diagnostic = Diagnostic::advice(
            "blueprint::launch-elsewhere",
            format!("the portal leads to `{host}`, codes go to `{}`", hosts.join("`, `")),
        )
        .at(launch.span, "another host than in `redirect-uri`");
        view.report(out, Kind::App, &app.slug.value, diagnostic);
    }
}
