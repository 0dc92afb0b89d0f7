//! What objects mean to each other: one file per subject. Every check only adds complaints.

mod access;
mod addresses;
mod bypass;
mod complete;
mod cycles;
mod email;
mod enrollment;
mod expectations;
mod flow_proof;
mod flows;
mod headers;
mod hosts;
mod identity_sources;
mod ldap;
mod network;
mod not_served;
mod oidc;
mod people;
mod policies;
mod runtime_written;
mod secrets;
mod settings;
mod traefik;
mod unused;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Blueprint;
use super::app::{App, Reach};
use super::diagnostic::{Diagnostic, Diagnostics};
use super::names::Names;
use super::object::Kind;
use super::source::{Sources, Span};
use super::tree::Node;
use super::validate::{Mode, text_of, with_origin};

/// Everything that a check may look at.
pub struct View<'a> {
    pub blueprint: &'a Blueprint,
    pub nodes: &'a [Node],
    pub sources: &'a Sources,
    pub names: &'a Names,
    pub mode: Mode,
    /// Top-level nodes with an error in them, by number.
    pub broken: HashSet<usize>,
}

/// Runs every check.
pub fn check(view: &View<'_>, out: &mut Diagnostics) {
    settings::check(view, out);
    secrets::check(view, out);
    email::check(view, out);
    enrollment::check(view, out);
    people::check(view, out);
    cycles::check(view, out);
    network::check(view, out);
    policies::check(view, out);
    access::check(view, out);
    bypass::check(view, out);
    hosts::check(view, out);
    addresses::check(view, out);
    headers::check(view, out);
    oidc::check(view, out);
    ldap::check(view, out);
    flows::check(view, out);
    identity_sources::check(view, out);
    flow_proof::check(view, out);
    runtime_written::check(view, out);
    traefik::check(view, out);
    expectations::check(view, out);
    complete::check(view, out);
    // With errors about, what is unused is often what a mistyped name meant.
    if !out.has_errors() && view.mode.is_whole() {
        unused::check(view, out);
        not_served::check(view, out);
    }
}

impl<'a> View<'a> {
    /// The node of an object.
    fn node(&self, kind: Kind, slug: &str) -> Option<&'a Node> {
        self.position(kind, slug).and_then(|at| self.nodes.get(at))
    }

    /// Whether the object has been complained about, so that what follows from it is not said.
    fn is_broken(&self, kind: Kind, slug: &str) -> bool {
        self.position(kind, slug).is_some_and(|at| self.broken.contains(&at))
    }

    fn position(&self, kind: Kind, slug: &str) -> Option<usize> {
        let named = |node: &Node| {
            node.is(kind.word())
                && node.args.first().and_then(text_of).is_some_and(|text| text == slug)
        };
        self.nodes.iter().position(named)
    }

    /// Reports something about an object, with the template line that it comes from.
    fn report(&self, out: &mut Diagnostics, kind: Kind, slug: &str, diagnostic: Diagnostic) {
        let place = self.node(kind, slug).map(|node| innermost(node, diagnostic.span()));
        out.push(match place {
            Some(node) => with_origin(diagnostic, node),
            None => diagnostic,
        });
    }

    /// The top-level nodes of this name.
    fn all(&self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.nodes.iter().filter(move |node| node.is(name))
    }

    /// A group and every group that its members belong to through it.
    fn with_ancestors(&self, group: &str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = vec![group];
        while let Some(slug) = open.pop() {
            let Some(group) = self.blueprint.groups.iter().find(|each| each.slug.value == slug)
            else {
                continue;
            };
            if found.insert(group.slug.value.as_str()) {
                open.extend(group.within.iter().map(|name| name.value.as_str()));
            }
        }
        found
    }

    /// The policies that each policy uses, itself included.
    fn policy_closure(&self) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        let direct: BTreeMap<&str, Vec<&str>> = self
            .blueprint
            .policies
            .iter()
            .map(|policy| (policy.slug.value.as_str(), policies::used_by(&policy.parts)))
            .collect();
        let reach = |start: &'a str| {
            let mut found = BTreeSet::new();
            let mut open = vec![start];
            while let Some(slug) = open.pop() {
                if found.insert(slug) {
                    open.extend(direct.get(slug).into_iter().flatten().copied());
                }
            }
            found
        };
        direct.keys().map(|slug| (*slug, reach(slug))).collect()
    }
}

/// The smallest node around a place.
fn innermost(node: &Node, span: Span) -> &Node {
    let holds = |kid: &&Node| {
        kid.span.file == span.file && kid.span.start <= span.start && span.end <= kid.span.end
    };
    match node.kids.iter().find(holds) {
        Some(kid) => innermost(kid, span),
        None => node,
    }
}

/// Whether an app stands behind a reverse proxy.
fn has_proxy(app: &App) -> bool {
    !app.proxies.is_empty()
}

/// The hosts and patterns that an app claims, where they are written.
fn claimed(app: &App) -> Vec<(String, Span)> {
    let mut claimed = Vec::new();
    for proxy in &app.proxies {
        match &proxy.reach {
            Reach::Address(url) => {
                claimed.extend(host_of(url.value.as_str()).map(|host| (host, url.span)));
            }
            Reach::Domain { hosts, .. } => {
                let written = |pattern: &str| pattern.to_lowercase();
                claimed.extend(hosts.iter().map(|each| (written(each.value.as_str()), each.span)));
            }
        }
    }
    claimed
}

/// The host of a URL, in small letters.
fn host_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(|host| host.trim_end_matches('.').to_lowercase())
}

/// Whether a host, or a pattern with a leading `*`, takes in a host.
fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => host.len() > end.len() && host.ends_with(end),
        None => pattern == host,
    }
}

#[cfg(test)]
mod tests;
