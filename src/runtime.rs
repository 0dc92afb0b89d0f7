//! A blueprint compiled into the immutable view that requests are answered from.
//!
//! A request takes one `Arc<Runtime>` and sees nothing else. It knows no store and no HTTP.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use crate::access::condition::Policy;
use crate::access::groups::{GroupSet, Groups};
use crate::access::person::Attributes;
use crate::blueprint::Blueprint;
use crate::blueprint::flow::{Flow, Purpose, Stage, StageKind};
use crate::blueprint::people::{ConsoleRole, Group, Membership};
use crate::blueprint::settings::Brand;
use crate::blueprint::source::Sources;
use crate::factor::duo::Duo;
use crate::model::network::Network;

pub mod app;
pub mod client;
pub mod compile;
pub mod expectations;
pub mod health;
pub mod identity_source;
pub mod ldap;
pub mod origin;
pub mod routes;

use crate::model::web_url::Origin;
use app::{Address, App};
use client::Client;
use identity_source::IdentitySource;
use ldap::Directory;
use origin::Addressing;
use routes::Routes;

/// Everything that was decided in files, ready to be asked.
#[derive(Debug)]
pub struct Runtime {
    /// Which compilation of this process it is: what is remembered by it ends with it.
    pub epoch: u64,
    /// The generation it was made from; 0 before the first one is stored.
    pub generation: i64,
    pub source_digest: String,
    pub model_digest: String,
    pub revision: Option<String>,
    pub blueprint: Blueprint,
    pub sources: Sources,
    pub addressing: Addressing,
    /// The sign-in host, as people reach it.
    pub external: Origin,
    /// The authority that proxies use to ask for decisions.
    pub reach_at: Option<String>,
    pub trusted_proxies: Vec<Network>,
    pub groups: Groups,
    pub policies: HashMap<String, Arc<Policy>>,
    pub apps: Vec<App>,
    pub routes: Routes,
    pub flows: HashMap<String, Arc<Flow>>,
    /// Other providers that people sign in with.
    pub identity_sources: Vec<IdentitySource>,
    /// What LDAP clients ask.
    pub directory: Option<Directory>,
    /// Texts that files name, such as terms, by that name.
    pub texts: BTreeMap<String, Arc<str>>,
    /// Where the list of passwords from breaches lies, if files name one.
    pub breached_list: Option<PathBuf>,
    /// The account with Duo, if its key is there.
    pub duo: Option<Duo>,
    /// Where each file lies, if it was read from a disk.
    pub paths: Vec<PathBuf>,
    /// Declared people by name.
    pub declared: HashMap<String, DeclaredPerson>,
}

/// What the files say of a user or service account.
#[derive(Clone, Debug, Default)]
pub struct DeclaredPerson {
    pub groups: Vec<String>,
    pub attributes: Attributes,
    pub name: Option<String>,
    pub email: Option<String>,
    pub disabled: bool,
    pub place: String,
}

/// The app and address that a host leads to.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    pub app: &'a App,
    pub address: &'a Address,
}

impl Runtime {
    /// The destination of a canonical host as it was received.
    #[must_use]
    pub fn destination(&self, host: &str, port: Option<u16>) -> Option<Destination<'_>> {
        let declared = self.addressing.declared(host);
        // Under `--dev` every host shares one port, which then says nothing.
        let port = if self.addressing.dev { None } else { port };
        let route = self.routes.find(declared, port)?;
        let app = self.apps.get(route.app)?;
        Some(Destination { app, address: app.addresses.get(route.address)? })
    }

    #[must_use]
    pub fn app(&self, slug: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.slug == slug)
    }

    /// The app whose client has this name, and the client.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<(&App, &Client)> {
        self.apps.iter().find_map(|app| {
            let client = app.client.as_ref().filter(|client| client.id == id)?;
            Some((app, client))
        })
    }

    #[must_use]
    pub fn identity_source(&self, slug: &str) -> Option<&IdentitySource> {
        self.identity_sources.iter().find(|source| source.slug == slug)
    }

    /// Whether a flow makes accounts for people of sources alone: it is no default, no sign-in links to it,
    /// and it asks for no invitation.
    #[must_use]
    pub fn is_for_sources_alone(&self, flow: &Flow) -> bool {
        let slug = &flow.slug.value;
        let named = self.identity_sources.iter().any(|it| it.enroll.as_ref() == Some(slug));
        let default = self.default_flow(Purpose::Enrollment);
        let links = |stage: &Stage| match &stage.kind {
            StageKind::Identification(asked) => asked.links.iter().any(|it| it.value == *slug),
            _ => false,
        };
        let invites =
            |stage: &Stage| matches!(stage.kind, StageKind::Invitation { required: true });
        named
            && default.is_none_or(|default| default.slug.value != *slug)
            && !self.flows.values().any(|other| other.stages.iter().any(links))
            && !flow.stages.iter().any(invites)
    }

    #[must_use]
    pub fn app_by_uid(&self, uid: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.uid == uid)
    }

    /// Declared people in a group with `console admin`.
    pub fn administrators(&self) -> impl Iterator<Item = &str> {
        let admin =
            self.blueprint.groups.iter().filter(|group| group.console == ConsoleRole::Admin);
        let mut groups = GroupSet::default();
        admin
            .filter_map(|group| self.groups.id(&group.slug.value))
            .for_each(|id| groups.insert(id));
        self.blueprint.users.iter().map(|user| user.name.value.as_str()).filter(move |name| {
            let person = self.declared.get(*name);
            let direct = person.into_iter().flat_map(|person| &person.groups).map(String::as_str);
            self.groups.expand(direct).meets(&groups)
        })
    }

    /// The highest console role of a group and of those that it is in.
    #[must_use]
    pub fn console_role(&self, group: &str) -> ConsoleRole {
        let all = self.groups.expand([group]);
        let role = |group: &Group| {
            let id = self.groups.id(&group.slug.value)?;
            all.contains(id).then_some(group.console)
        };
        self.blueprint.groups.iter().filter_map(role).max().unwrap_or_default()
    }

    /// The highest console role that somebody in these groups has.
    #[must_use]
    pub fn role_in(&self, groups: &[String]) -> ConsoleRole {
        groups.iter().map(|group| self.console_role(group)).max().unwrap_or_default()
    }

    /// Whether people may be put into a group at run time. Who may rule is said in files alone.
    #[must_use]
    pub fn may_be_joined(&self, group: &str) -> bool {
        let found = self.blueprint.groups.iter().find(|each| each.slug.value == group);
        found.is_some_and(|found| found.membership == Membership::Runtime)
            && self.console_role(group) != ConsoleRole::Admin
    }

    /// Whether the peer may speak for clients.
    #[must_use]
    pub fn trusts(&self, peer: std::net::IpAddr) -> bool {
        let peer = crate::access::target::plain(peer);
        self.trusted_proxies.iter().any(|network| network.contains(peer))
    }

    /// The flow that signs people in: the app's own, else the default one. Whoever came by
    /// another one is not signed in there.
    #[must_use]
    pub fn authentication_flow(&self, app: Option<&App>) -> Option<&Arc<Flow>> {
        match app.and_then(|app| app.authentication.as_deref()) {
            Some(own) => self.flows.get(own),
            None => self.default_flow(Purpose::Authentication),
        }
    }

    /// The flow that somebody who may enter an app goes through first.
    #[must_use]
    pub fn authorization_flow(&self, app: &App) -> Option<&Arc<Flow>> {
        match app.authorization.as_deref() {
            Some(own) => self.flows.get(own),
            None => self.default_flow(Purpose::Consent),
        }
    }

    /// The brand of a host as it was received, or of the sign-in host.
    #[must_use]
    pub fn brand(&self, host: Option<&str>) -> Option<&Brand> {
        let own = self.blueprint.settings.external_host.value.origin().host;
        let host = host.map_or(own.as_str(), |host| self.addressing.declared(host));
        Brand::of_host(&self.blueprint.brands, host)
    }

    /// A text that files name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(AsRef::as_ref)
    }

    /// The flow for a purpose, where nothing more particular is declared.
    #[must_use]
    pub fn default_flow(&self, purpose: Purpose) -> Option<&Arc<Flow>> {
        self.flows.get(self.blueprint.settings.default_flows.name(purpose))
    }
}
