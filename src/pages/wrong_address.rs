//! Hosts that lead nowhere: the page names the right address.

use axum::body::Body;
use http::{Response, StatusCode};

use crate::runtime::Runtime;
use crate::web::reply::{self, For};
use crate::web::server::Server;
use crate::web::templates::{AddressProblem, Declared, SourcePlace, WrongAddress};

/// Answers a request whose host nothing is declared for.
#[must_use]
pub fn answer(server: &Server, runtime: &Runtime, asked: &str, host: &str) -> Response<Body> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let reason = match host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok() {
        true => AddressProblem::BareAddress,
        false => AddressProblem::UnknownHost,
    };
    let page = WrongAddress {
        reason,
        asked: asked.to_owned(),
        right: format!("{}/", runtime.external),
        declared: server.listening.loopback_only.then(|| external_host_line(runtime)),
    };
    reply::page(server, runtime, For::app_host(StatusCode::MISDIRECTED_REQUEST), &page)
}

fn external_host_line(runtime: &Runtime) -> Declared {
    let at = runtime.blueprint.settings.external_host.span;
    let line = u32::try_from(runtime.sources.position(at).line).unwrap_or(u32::MAX);
    Declared {
        place: SourcePlace { file: runtime.sources.name(at.file).to_owned(), line },
        text: format!("external-host {}", runtime.sources.slice(at)),
    }
}
