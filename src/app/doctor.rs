//! Looks for the usual mistakes around the server: proxies, names, clocks, files.
//!
//! It only looks: it changes nothing, sends no secret and needs neither server nor network. Each
//! examination is a pure function over facts; the asking is done here.

/// What the outside sees: the sign-in host and the application that was named.
pub mod address;
/// HTTP requests that never follow, never linger and read no environment.
pub mod ask;
/// The addresses that a service of Traefik leads to.
mod backend;
/// What the files say about proxies and addresses.
pub mod declared;
/// Whether the files are in force.
pub mod files;
/// What an examination found.
pub mod finding;
/// The file that is generated for Traefik.
pub mod generated;
/// Other providers that people sign in with.
mod identity_sources;
/// The listener and its decision endpoints.
pub mod listener;
/// A person's own middleware file.
pub mod middleware;
/// Who may read the state.
pub mod permissions;
/// One router of Traefik.
pub mod router;
/// Routers and middlewares, as Traefik itself tells them.
pub mod routers;
/// Which hosts the rule of a router matches.
mod rule;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod sample_routers;
/// Routers past every declared host.
mod side_door;
/// The address of an application.
pub mod site;
/// Lists from Traefik's API.
mod traefik_api;

/// The answer of an application's address to somebody who is not signed in.
pub mod visit;

use std::path::PathBuf;

use self::ask::Asker;
use self::finding::{Finding, Report};
use super::options::Options;
use super::places::Places;
use crate::blueprint::Blueprint;
use crate::blueprint::load;
use crate::blueprint::source::{Sources, Span};
use crate::clock::Millis;
use crate::model::web_url::WebUrl;

/// What the person who asks has said.
#[derive(Debug, Default)]
pub struct Wanted {
    /// An address to visit: the sign-in host or an application.
    pub url: Option<WebUrl>,
    /// Where Traefik's API is.
    pub traefik_api: Option<WebUrl>,
    /// A middleware file that the person wrote.
    pub middleware: Option<PathBuf>,
    /// What the running server says of itself; `None` if none runs.
    pub status: Option<serde_json::Value>,
}

/// The files, understood, with what is needed to speak about them.
pub(crate) struct Case<'a> {
    pub blueprint: &'a Blueprint,
    pub sources: &'a Sources,
    pub options: &'a Options,
    pub places: &'a Places,
}

impl Case<'_> {
    /// `home.kdl:9`.
    pub fn place(&self, span: Span) -> String {
        self.sources.place(span)
    }
}

/// Makes every examination that can be made.
///
/// # Errors
/// If no HTTP client can be made at all.
pub async fn examine(
    options: &Options,
    places: &Places,
    wanted: &Wanted,
    now: Millis,
) -> Result<Report, ask::AskError> {
    let asker = Asker::new()?;
    let loaded = load::load(&options.roots, options.mode());
    let mut found = files::judge(&files::look(options, places, &loaded, wanted.status.clone()));
    found.extend(permissions::judge(&permissions::look(places, loaded.blueprint.as_ref())));
    let sources = &loaded.sources;
    match &loaded.blueprint {
        Some(blueprint) => {
            let case = Case { blueprint, sources, options, places };
            found.extend(examine_case(&case, &asker, wanted, now).await);
        }
        None => found.push(
            Finding::warning("files", "nothing else could be looked at")
                .why("addresses, proxies and middlewares are only known from files without errors")
                .change("doorward check"),
        ),
    }
    Ok(Report { findings: found })
}

async fn examine_case(
    case: &Case<'_>,
    asker: &Asker,
    wanted: &Wanted,
    now: Millis,
) -> Vec<Finding> {
    let running = wanted.status.is_some();
    let mut found = declared::judge(case);
    found.extend(generated::look(case, wanted.status.as_ref()));
    if let Some(path) = &wanted.middleware {
        found.extend(middleware::look(case, path));
    }
    // All wait for others: together they take as long as the slowest.
    let (listening, outside, routed, visited, others) = tokio::join!(
        listener::look(case, asker, running),
        address::look(case, asker, now),
        routers::look(case, asker, wanted.traefik_api.as_ref()),
        visit::look(case, asker, wanted.url.as_ref()),
        identity_sources::look(case),
    );
    for each in [listening, outside, routed, visited, others] {
        found.extend(each);
    }
    found
}
