//! Authelia's files as blueprints.
//!
//! A file is told by what stands in it: `users` is the users database, anything else a part of the
//! configuration. Each part of the configuration has a file here.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::carried::Report;
use super::document::Document;
use super::kdl::Line;
use super::names::Names;
use super::yaml::{Node, Place, YamlError, parse};
use super::{Imported, Input, Wishes, checked};

mod access;
mod clients;
mod flow;
mod hosts;
mod people;
mod reasons;
mod settings;

pub(super) use hosts::is_host;

/// What the parts share.
struct Import<'a> {
    wishes: &'a Wishes,
    document: Document,
    report: Report,
    groups: Names,
    /// Where each group was named first.
    group_places: BTreeMap<String, Place>,
    policies: Names,
    apps: Names,
    networks: access::Networks,
    /// Names of the people that are declared.
    users: BTreeSet<String>,
    /// Scheme and host where people sign in.
    external_host: String,
    /// `second-factor` is asked for by a rule.
    asks_factor: bool,
}

/// Why files are not taken for Authelia's.
#[derive(Debug, thiserror::Error)]
pub enum AutheliaError {
    #[error(transparent)]
    Yaml(#[from] YamlError),
    #[error(
        "{0}: this is no configuration of Authelia\n  help: name configuration.yml, users_database.yml or both; \
         a blueprint of authentik is read by `doorward import authentik`"
    )]
    OtherKind(Place),
    #[error("{0}: a second users database\n  help: put the people of both into one file")]
    SecondUsers(Place),
    #[error(
        "{0}: {1} rules, each about up to {2} hosts, are more than {most}\n  help: import the rules \
         for some hosts at a time",
        most = access::MOST_PAIRS
    )]
    TooMany(Place, usize, usize),
}

/// The keys of which one is in every part of a configuration.
const KEYS: [&str; 17] = [
    "access_control",
    "authentication_backend",
    "definitions",
    "duo_api",
    "identity_providers",
    "identity_validation",
    "log",
    "notifier",
    "ntp",
    "password_policy",
    "regulation",
    "server",
    "session",
    "storage",
    "telemetry",
    "totp",
    "webauthn",
];

/// Writes what the files say as a blueprint.
///
/// # Errors
/// If one of them is no YAML, or no file of Authelia's.
pub fn import(inputs: &[Input], wishes: &Wishes) -> Result<Imported, AutheliaError> {
    let mut configuration: Vec<Rc<Node>> = Vec::new();
    let mut users: Option<Rc<Node>> = None;
    for input in inputs {
        let root = parse(&input.name, &input.text)?;
        let is_users = root.peek("users").is_some_and(Node::is_map);
        if is_users && users.is_some() {
            return Err(AutheliaError::SecondUsers(root.place.clone()));
        }
        match (is_users, KEYS.iter().any(|key| root.peek(key).is_some())) {
            (true, _) => users = Some(root),
            (false, true) => configuration.push(root),
            (false, false) => return Err(AutheliaError::OtherKind(root.place.clone())),
        }
    }
    let mut import = Import {
        wishes,
        document: Document::default(),
        report: Report::default(),
        groups: Names::default(),
        group_places: BTreeMap::new(),
        policies: Names::default(),
        apps: Names::default(),
        networks: access::Networks::new(),
        users: BTreeSet::new(),
        external_host: String::new(),
        asks_factor: false,
    };
    import.policies.fresh(super::rules::SECOND_FACTOR);
    if let Some(users) = &users {
        import.people(users);
    }
    import.configuration(&Parts(configuration.clone()))?;
    let first = configuration.first().or(users.as_ref()).map(|root| root.place.clone());
    if let Some(place) = first {
        import.declare(&place);
    }
    for root in configuration.iter().chain(&users) {
        import.report.left(root, &[], reasons::why);
    }
    Ok(checked(import.document, import.report))
}

/// The configuration, which may stand in several files.
struct Parts(Vec<Rc<Node>>);

impl Parts {
    /// The section of a name, in the first file that has it.
    fn section(&self, name: &str) -> Option<&Node> {
        self.0.iter().find_map(|root| root.get(name))
    }

    /// Where the first file begins.
    fn place(&self) -> Option<Place> {
        self.0.first().map(|root| root.place.clone())
    }
}

impl Import<'_> {
    fn configuration(&mut self, parts: &Parts) -> Result<(), AutheliaError> {
        let Some(place) = parts.place() else { return Ok(()) };
        self.settings(parts, &place);
        self.access(parts.section("access_control"), parts.section("definitions"), &place)?;
        let providers = parts.section("identity_providers");
        if let Some(oidc) = providers.and_then(|node| node.get("oidc")) {
            self.clients(oidc);
        }
        Ok(())
    }

    /// The name of a group, which is declared in the end.
    fn group(&mut self, theirs: &str, at: &Place) -> String {
        self.group_places.entry(theirs.to_owned()).or_insert_with(|| at.clone());
        self.groups.name(theirs)
    }

    /// A policy that asks for one person, whom no file declares.
    fn is_user(&mut self, name: &str, at: &Place) -> String {
        let wanted = format!("user {name}");
        let known = self.policies.has(&wanted);
        let policy = self.policies.name(&wanted);
        if !known {
            let cel = Line::new("cel").text(&format!("user.username == '{name}'"));
            let line = Line::new("policy").word(&policy).kid(cel);
            self.document.push(super::document::Part::Policies, line, at, "this subject");
        }
        policy
    }

    /// A policy that asks for membership of one group.
    fn in_group(&mut self, group: &str, at: &Place) -> String {
        let group = self.group(group, at);
        let wanted = format!("in group {group}");
        let known = self.policies.has(&wanted);
        let policy = self.policies.name(&wanted);
        if !known {
            let line = Line::new("policy").word(&policy).kid(Line::new("group").word(&group));
            self.document.push(super::document::Part::Policies, line, at, "this subject");
        }
        policy
    }
}
