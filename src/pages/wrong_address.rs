//! Hosts that lead nowhere: the page names the right address, and on this machine alone the app
//! that was probably meant.

use axum::body::Body;
use http::{Response, StatusCode, request};

use crate::blueprint::suggest::nearest;
use crate::model::host::is_localhost;
use crate::runtime::Runtime;
use crate::runtime::app::{App, Reach};
use crate::web::reply::{self, For};
use crate::web::server::Server;
use crate::web::templates::{AddressProblem, Declared, Meant, SourcePlace, WrongAddress};
use crate::web::visitor;

/// Answers a request whose host nothing is declared for.
#[must_use]
pub fn answer(
    server: &Server,
    runtime: &Runtime,
    parts: &request::Parts,
    asked: &str,
    host: &str,
) -> Response<Body> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let reason = match host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok() {
        true => AddressProblem::BareAddress,
        false => AddressProblem::UnknownHost,
    };
    // A proxy on this machine speaks for strangers: they learn of no app.
    let at_home = server.listening.loopback_only && !visitor::is_forwarded(&parts.headers);
    let page = WrongAddress {
        reason,
        asked: asked.to_owned(),
        meant: at_home.then(|| meant(runtime, host)).flatten(),
        right: format!("{}/", runtime.external),
        declared: server.listening.loopback_only.then(|| external_host_line(runtime)),
    };
    let wanted = For::app_host(StatusCode::MISDIRECTED_REQUEST, &parts.headers);
    reply::page(server, runtime, wanted, &page)
}

fn external_host_line(runtime: &Runtime) -> Declared {
    let at = runtime.blueprint.settings.external_host.span;
    let line = u32::try_from(runtime.sources.position(at).line).unwrap_or(u32::MAX);
    Declared {
        place: SourcePlace { file: runtime.sources.name(at.file).to_owned(), line },
        text: format!("external-host {}", runtime.sources.slice(at)),
    }
}

/// An address that may have been meant; the sign-in host, which the page names anyway, is no app's.
struct Candidate<'a> {
    /// The slug, where it is an app's.
    slug: Option<&'a str>,
    host: &'a str,
    meant: Option<Meant>,
}

fn candidates(runtime: &Runtime) -> Vec<Candidate<'_>> {
    let sign_in = Candidate { slug: None, host: &runtime.external.host, meant: None };
    let shown = runtime.apps.iter().filter(|app| !app.hidden);
    std::iter::once(sign_in).chain(shown.flat_map(addresses)).collect()
}

fn addresses(app: &App) -> impl Iterator<Item = Candidate<'_>> {
    app.addresses.iter().filter_map(|address| match &address.reach {
        Reach::Host { public, .. } => Some(Candidate {
            slug: Some(&app.slug),
            host: &public.host,
            meant: Some(Meant { app: app.title.clone(), url: format!("{public}/") }),
        }),
        // Which host of a domain was meant cannot be known.
        Reach::Domain { .. } => None,
    })
}

/// The app that was probably meant. A name that is not under `.localhost` may be that of a web site
/// which had it lead here, and is told nothing.
fn meant(runtime: &Runtime, host: &str) -> Option<Meant> {
    if !is_localhost(host) || host == "localhost" {
        return None;
    }
    let all = candidates(runtime);
    let exact = all.iter().find(|each| each.host == host);
    exact.or_else(|| by_label(&all, host)).or_else(|| by_slip(&all, host))?.meant.clone()
}

/// `wiki.localhost` for the one app whose host begins so, or that is called so.
fn by_label<'a, 'b>(all: &'a [Candidate<'b>], host: &str) -> Option<&'a Candidate<'b>> {
    let label = first_label(host);
    let mut fitting =
        all.iter().filter(|each| first_label(each.host) == label || each.slug == Some(label));
    let only = fitting.next();
    only.filter(|_| fitting.next().is_none())
}

fn by_slip<'a, 'b>(all: &'a [Candidate<'b>], host: &str) -> Option<&'a Candidate<'b>> {
    let label = first_label(host);
    let near = nearest(label, all.iter().map(|each| first_label(each.host)))?;
    let mut fitting = all.iter().filter(|each| first_label(each.host) == near);
    let only = fitting.next();
    only.filter(|_| fitting.next().is_none())
}

fn first_label(host: &str) -> &str {
    host.split('.').next().unwrap_or(host)
}
