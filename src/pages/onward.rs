//! Where a flow leads, if it is into an app: through the reverse proxy, or by a code.

use axum::body::Body;
use http::Response;

use super::authorize;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::blueprint::app::IdentityHeaders;
use crate::blueprint::flow::{Flow, StageKind};
use crate::clock::Millis;
use crate::entry::Entry;
use crate::forward_auth::handover::{START, Start};
use crate::oidc;
use crate::oidc::authorize::{Invited, Told, shares};
use crate::oidc::device::Device;
use crate::runtime::app::{Address, App};
use crate::session::SignIn;
use crate::web::reply;
use std::sync::Arc;

/// The consent flow of those that must always be asked about.
const EXPLICIT: &str = "builtin.explicit-consent";

const IDENTITY: [&str; 4] = ["username", "name", "email", "groups"];

/// The way into an app.
pub enum Onward<'v> {
    Proxied(Start<'v>),
    Client(Box<Invited<'v>>),
    Device(Box<Device<'v>>),
}

impl<'v> Onward<'v> {
    /// What a path of this host leads to.
    pub fn of(visit: &'v Visit<'_>, next: &str) -> Option<Self> {
        let (path, query) = next.split_once('?')?;
        match path {
            START => Start::read(&visit.runtime, query).map(Self::Proxied),
            oidc::AUTHORIZE => Invited::of_query(visit.server, &visit.runtime, query)
                .map(Box::new)
                .map(Self::Client),
            oidc::DEVICE => Device::of_query(visit.server, &visit.runtime, query)
                .map(Box::new)
                .map(Self::Device),
            _ => None,
        }
    }

    pub fn app(&self) -> &'v App {
        match self {
            Self::Proxied(start) => start.app(),
            Self::Client(invited) => invited.app,
            Self::Device(device) => device.app,
        }
    }

    /// The host that it leads to, which chooses the look.
    pub fn host(&self) -> Option<String> {
        match self {
            Self::Proxied(start) => Some(start.host().to_owned()),
            Self::Client(invited) => invited.host(),
            Self::Device(_) => None,
        }
    }

    /// Whom the app thinks it is.
    pub fn login_hint(&self) -> Option<&str> {
        match self {
            Self::Proxied(_) | Self::Device(_) => None,
            Self::Client(invited) => invited.login_hint(),
        }
    }

    /// The languages that the app says its person reads, the best first.
    pub fn languages(&self) -> &[String] {
        match self {
            Self::Proxied(_) | Self::Device(_) => &[],
            Self::Client(invited) => invited.ui_locales(),
        }
    }

    /// What stands before somebody who is signed in.
    pub async fn entry(&self, visit: &Visit<'_>, sign_in: &SignIn) -> Result<Entry, Trouble> {
        let (server, runtime, client) = (visit.server, &visit.runtime, visit.client);
        match self {
            Self::Proxied(start) => Ok(start.entry(server, runtime, client, sign_in).await),
            Self::Client(invited) => Ok(invited.entry(server, runtime, client, sign_in).await?),
            Self::Device(device) => Ok(device.entry(server, runtime, client, sign_in).await),
        }
    }

    /// What the app is told of whoever enters it, in the words of the page.
    pub fn shares(&self) -> Vec<&'static str> {
        match self {
            Self::Proxied(start) => told_by_headers(start.app()),
            Self::Client(invited) => invited.shares(),
            Self::Device(device) => shares(device.app, device.scopes()),
        }
    }

    /// The flow that somebody who may enter goes through first.
    pub fn authorization_flow(&self, visit: &'v Visit<'_>) -> Option<&'v Arc<Flow>> {
        let runtime = &visit.runtime;
        let Self::Client(invited) = self else { return runtime.authorization_flow(self.app()) };
        let own = invited.client.consent.as_deref().and_then(|name| runtime.flows.get(name));
        let flow = own.or_else(|| runtime.authorization_flow(invited.app));
        let asks = |flow: &&Arc<Flow>| {
            flow.stages.iter().any(|stage| matches!(stage.kind, StageKind::Consent { .. }))
        };
        match invited.consent_since() {
            Some(_) => flow.filter(asks).or_else(|| runtime.flows.get(EXPLICIT)),
            None => flow,
        }
    }

    /// Since when consent must have been given, where an earlier one is not enough.
    pub fn consent_since(&self) -> Option<Millis> {
        match self {
            Self::Proxied(_) | Self::Device(_) => None,
            Self::Client(invited) => invited.consent_since(),
        }
    }

    /// The person does not let the app know who they are.
    pub fn refused(&self, visit: &Visit<'_>) -> Response<Body> {
        match self {
            Self::Proxied(_) | Self::Device(_) => reply::see_other("/"),
            Self::Client(invited) => {
                let why = "the person does not want the app to know who they are";
                let answer = invited.refuse(&visit.runtime, Told::AccessDenied, why);
                authorize::deliver(visit, &answer)
            }
        }
    }
}

fn told_by_headers(app: &App) -> Vec<&'static str> {
    let told = |address: &&Address| address.identity != IdentityHeaders::None;
    let mut words = Vec::new();
    if app.addresses.iter().any(|address| told(&address)) {
        words.extend(IDENTITY);
    }
    if app.addresses.iter().any(|address| !address.headers.is_empty()) {
        words.push("more");
    }
    words
}
