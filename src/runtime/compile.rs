//! From the typed blueprint to the runtime. The blueprint has passed every check, so what fails
//! here is a fault of ours; it is still an error, never a gap in the rules.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::app::{App, Reach};
use super::origin::Addressing;
use super::routes::{Route, Routes};
use super::{DeclaredPerson, Runtime};
use crate::access::condition::Policy;
use crate::access::groups::Groups;
use crate::blueprint::app as declared;
use crate::blueprint::people::AttributeLines;
use crate::blueprint::source::{Name, Sources, Span, Spanned};
use crate::blueprint::{Blueprint, object::Kind};
use crate::expression::catalogue::Context;
use crate::expression::program::Program;
use crate::factor::duo::Duo;
use crate::model::host::HostPattern;
use crate::secret::Secret;

/// Applications and their addresses.
mod apps;
/// The clients that apps are.
mod clients;
mod identity_sources;
/// The directory that LDAP clients ask.
mod ldap;
/// Policies, each after those that it uses.
mod policies;
/// Rules, and how they are told.
mod rules;

pub use rules::{duration_words, rule_text};

static EPOCH: AtomicU64 = AtomicU64::new(1);

/// What is known beside the files.
pub struct Inputs<'a> {
    pub generation: i64,
    pub source_digest: String,
    pub model_digest: String,
    pub revision: Option<String>,
    pub addressing: Addressing,
    /// The uid of a declared object; the store gives them out.
    pub uids: &'a dyn Fn(Kind, &str) -> Option<String>,
    /// Flows that every installation has.
    pub builtin_flows: &'a [crate::blueprint::flow::Flow],
    /// Texts that files name, by that name.
    pub texts: BTreeMap<String, Arc<str>>,
    /// Where the list of passwords from breaches lies.
    pub breached_list: Option<PathBuf>,
    /// The account with Duo, if its key is there.
    pub duo: Option<Duo>,
    /// Our secrets at other providers, by the name of the source.
    pub source_secrets: HashMap<String, Secret>,
    /// Where each file lies, if it was read from a disk.
    pub paths: Vec<PathBuf>,
}

/// A checked blueprint that does not compile all the same.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct CompileError {
    pub place: String,
    pub reason: String,
}

/// Compiles a checked blueprint.
///
/// # Errors
/// If something passed the checks that cannot be compiled.
pub fn compile(
    blueprint: Blueprint,
    sources: Sources,
    inputs: Inputs<'_>,
) -> Result<Runtime, CompileError> {
    let groups = groups(&blueprint);
    let compiler =
        Compiler { blueprint: &blueprint, sources: &sources, groups: &groups, inputs: &inputs };
    let policies = compiler.policies()?;
    let apps = compiler.apps(&policies)?;
    let directory = compiler.directory();
    let identity_sources = compiler.identity_sources()?;
    let routes = routes(&apps, &blueprint);
    let external = inputs.addressing.public(&blueprint.settings.external_host.value.origin());
    let flows = inputs.builtin_flows.iter().chain(&blueprint.flows);
    let flows = flows.map(|flow| (flow.slug.value.clone(), Arc::new(flow.clone()))).collect();
    let reach_at = blueprint.traefik.as_ref().and_then(|t| t.reach_doorward_at.as_ref());
    let trusted = blueprint.server.trusted_proxies.iter().map(|each| each.value).collect();
    let declared = declared_people(&blueprint, &sources);
    Ok(Runtime {
        epoch: EPOCH.fetch_add(1, Ordering::Relaxed),
        generation: inputs.generation,
        source_digest: inputs.source_digest,
        model_digest: inputs.model_digest,
        revision: inputs.revision,
        addressing: inputs.addressing,
        external,
        reach_at: reach_at.map(|url| url.value.origin().authority().into_owned()),
        trusted_proxies: trusted,
        groups,
        policies,
        apps,
        routes,
        flows,
        identity_sources,
        directory,
        texts: inputs.texts,
        breached_list: inputs.breached_list,
        duo: inputs.duo,
        paths: inputs.paths,
        declared,
        blueprint,
        sources,
    })
}

fn groups(blueprint: &Blueprint) -> Groups {
    Groups::new(blueprint.groups.iter().map(|group| {
        let within = group.within.iter().map(|name| name.value.as_str()).collect();
        (group.slug.value.as_str(), within)
    }))
}

fn declared_people(blueprint: &Blueprint, sources: &Sources) -> HashMap<String, DeclaredPerson> {
    let names = |groups: &[Name]| groups.iter().map(|name| name.value.clone()).collect();
    let users = blueprint.users.iter().map(|user| {
        let person = DeclaredPerson {
            groups: names(&user.groups),
            attributes: attribute_map(&user.attributes),
            name: user.title.clone(),
            email: user.email.as_ref().map(|email| email.value.clone()),
            disabled: user.disabled,
            place: sources.place(user.at),
        };
        (user.name.value.clone(), person)
    });
    users.collect()
}

/// Attributes as rules see them; a key written twice has all its values.
#[must_use]
pub fn attribute_map(lines: &AttributeLines) -> crate::access::person::Attributes {
    let mut map = crate::access::person::Attributes::new();
    for (key, values) in lines {
        map.entry(key.value.clone()).or_default().extend(values.iter().cloned());
    }
    map
}

fn routes(apps: &[App], blueprint: &Blueprint) -> Routes {
    let mut routes = Routes::default();
    for (app, declared) in apps.iter().zip(&blueprint.apps) {
        for (number, (address, proxy)) in app.addresses.iter().zip(&declared.proxies).enumerate() {
            let route = Route { app: app.index, address: number };
            match (&address.reach, &proxy.reach) {
                (Reach::Host { declared, .. }, _) => {
                    routes.add_host(&declared.host, declared.port, route);
                }
                (Reach::Domain { domain, .. }, declared::Reach::Domain { hosts, .. }) => {
                    for pattern in hosts {
                        routes.add_pattern(pattern.value.clone(), route);
                    }
                    if hosts.is_empty() {
                        add_whole_domain(&mut routes, domain, route);
                    }
                }
                (Reach::Domain { .. }, declared::Reach::Address(_)) => {}
            }
        }
    }
    routes
}

fn add_whole_domain(routes: &mut Routes, domain: &str, route: Route) {
    for pattern in [domain.to_owned(), format!("*.{domain}")] {
        if let Ok(pattern) = HostPattern::parse(&pattern) {
            routes.add_pattern(pattern, route);
        }
    }
}

type Policies = HashMap<String, Arc<Policy>>;

struct Compiler<'a> {
    blueprint: &'a Blueprint,
    sources: &'a Sources,
    groups: &'a Groups,
    inputs: &'a Inputs<'a>,
}

impl Compiler<'_> {
    fn fault(&self, at: Span, reason: impl ToString) -> CompileError {
        CompileError { place: self.sources.place(at), reason: reason.to_string() }
    }

    fn program(&self, text: &Spanned<String>, context: Context) -> Result<Program, CompileError> {
        Program::compile(&text.value, context).map_err(|problems| {
            let first = problems.into_iter().next();
            self.fault(text.span, first.map_or_else(String::new, |problem| problem.message))
        })
    }
}
