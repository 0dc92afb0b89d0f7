//! authentik's blueprints as ours.
//!
//! Their entries are objects of a database, with tags that look other objects up. Entries of all files
//! are read together; what a tag cannot tell without that database is told as not carried.

use std::collections::{BTreeMap, HashMap};

use super::authelia::is_host;
use super::carried::Report;
use super::document::{Document, Part};
use super::kdl::Line;
use super::names::Names;
use super::yaml::{Node, Place, YamlError, parse};
use super::{Imported, Input, Wishes, checked};

mod apps;
mod bindings;
mod entries;
mod flows;
mod people;
mod providers;
mod reasons;
mod sources;

use entries::{Entries, Entry};

/// What the parts share.
struct Import<'a> {
    wishes: &'a Wishes,
    entries: &'a Entries<'a>,
    document: Document,
    report: Report,
    groups: Names,
    apps: Names,
    policies: Names,
    flows: Names,
    sources: Names,
    /// What opens a group besides.
    admins: Vec<String>,
    /// Lines of `group` by their name of ours.
    declared: BTreeMap<String, (Line, Place)>,
    /// The flow that people sign in by.
    authentication: Option<String>,
    base_dn: Option<(Line, Place)>,
    /// Policies bound to an entry, stages of a flow, groups that a person is in.
    policies_of: HashMap<usize, Vec<usize>>,
    stages_of: HashMap<usize, Vec<usize>>,
    groups_of: HashMap<usize, Vec<usize>>,
}

/// Why files are not taken for authentik's.
#[derive(Debug, thiserror::Error)]
pub enum AuthentikError {
    #[error(transparent)]
    Yaml(#[from] YamlError),
    #[error(
        "{0}: this is no blueprint of authentik\n  help: a blueprint has `version: 1` and a list of `entries`; \
         Authelia's files are read by `doorward import authelia`"
    )]
    OtherKind(Place),
    #[error("{0}: version {1} of blueprints is not known\n  help: version 1 is read")]
    Version(Place, String),
}

/// Writes what the files say as a blueprint of ours.
///
/// # Errors
/// If one of them is no YAML, or no blueprint of authentik's.
pub fn import(inputs: &[Input], wishes: &Wishes) -> Result<Imported, AuthentikError> {
    let mut roots = Vec::new();
    for input in inputs {
        let root = parse(&input.name, &input.text)?;
        if !root.peek("entries").is_some_and(Node::is_list) {
            return Err(AuthentikError::OtherKind(root.place.clone()));
        }
        if let Some(version) = root.get("version").and_then(Node::raw).filter(|text| *text != "1") {
            return Err(AuthentikError::Version(root.place.clone(), version.to_owned()));
        }
        roots.push(root);
    }
    let mut report = Report::default();
    let entries = Entries::of(&roots, &mut report);
    let mut import = Import::new(wishes, &entries, report);
    if let Some(first) = roots.first() {
        import.all(&first.place);
    }
    for root in &roots {
        root.get("metadata").into_iter().for_each(Node::take_all);
        root.get("context").into_iter().for_each(Node::take_all);
    }
    entries.left(&mut import.report);
    for root in &roots {
        let heads = ["entries.attrs.", "entries.identifiers.", "entries."];
        import.report.left(root, &heads, reasons::why);
    }
    Ok(checked(import.document, import.report))
}

impl<'a> Import<'a> {
    fn new(wishes: &'a Wishes, entries: &'a Entries<'a>, report: Report) -> Self {
        Self {
            wishes,
            entries,
            document: Document::default(),
            report,
            groups: Names::default(),
            apps: Names::default(),
            policies: Names::default(),
            flows: Names::default(),
            sources: Names::default(),
            admins: Vec::new(),
            declared: BTreeMap::new(),
            authentication: None,
            base_dn: None,
            policies_of: entries.by_target("authentik_policies.policybinding", "target"),
            stages_of: entries.by_target("authentik_flows.flowstagebinding", "target"),
            groups_of: entries.by_target("authentik_core.group", "users"),
        }
    }

    fn all(&mut self, place: &Place) {
        self.people();
        self.sources();
        self.flows();
        self.brands();
        self.apps();
        self.groups(place);
        self.settings(place);
    }

    /// Entries bound to another one, in their order.
    fn bound(&self, all: &HashMap<usize, Vec<usize>>, to: usize) -> Vec<&'a Entry<'a>> {
        let numbers = all.get(&to).into_iter().flatten();
        let mut bound: Vec<(i64, &Entry<'_>)> = Vec::new();
        for entry in numbers.filter_map(|number| self.entries.number(*number)) {
            entry.get("target");
            let order = entry.get("order").and_then(|node| node.raw()?.parse().ok());
            bound.push((order.unwrap_or(0), entry));
        }
        bound.sort_by_key(|(order, _)| *order);
        bound.into_iter().map(|(_, entry)| entry).collect()
    }

    fn settings(&mut self, place: &Place) {
        let guess = "https://auth.example.com".to_owned();
        if self.wishes.external_host.is_none() {
            let why = format!(
                "blueprints do not say where people sign in: {guess} is a guess, name it with --external-host"
            );
            self.report.to_do(place, "the sign-in host", why);
        }
        let host = self.wishes.external_host.clone().unwrap_or(guess);
        let mut settings = Line::new("settings").kid(Line::new("external-host").text(&host));
        if let Some(flow) = &self.authentication {
            let line = Line::new("authentication").word(flow);
            settings.push(Line::new("default-flows").kid(line));
        }
        self.document.push(Part::Settings, settings, place, "settings");
        let server = Line::new("server").kid(Line::new("trusted-proxies").text("127.0.0.1/32"));
        self.document.push(Part::Settings, server, place, "the reverse proxy");
        let why = "`trusted-proxies` names this machine: write the address that your reverse proxy asks from";
        self.report.to_do(place, "the reverse proxy", why);
        if let Some((line, at)) = self.base_dn.take() {
            self.document.push(Part::Settings, line, &at, "the LDAP front");
        }
    }

    fn brands(&mut self) {
        for entry in self.entries.of_model("authentik_brands.brand") {
            let domain = self.text(entry, "domain").unwrap_or_default();
            entry.get("default");
            let mut brand = Line::new("brand").word(&super::names::slug(&domain));
            let fits = is_host(&domain) && domain.contains('.');
            if fits {
                brand.push(Line::new("domain").text(&domain));
            }
            if let Some(title) =
                self.text(entry, "branding_title").filter(|text| !text.trim().is_empty())
            {
                brand.push(Line::new("title").text(&title));
            }
            if brand.has_kids() {
                self.document.push(
                    Part::Settings,
                    brand,
                    &entry.place,
                    format!("brand `{domain}`"),
                );
            } else {
                self.report.not_carried(
                    &entry.place,
                    format!("brand `{domain}`"),
                    "it says nothing that a brand holds here",
                );
                entry.take_all();
            }
        }
    }
}
