//! `access_control`: an app for each host, with the rules that are about it.

use std::collections::{BTreeMap, BTreeSet};

use super::hosts::{About, Domains, Reach, is_host};
use super::{AutheliaError, Import};
use crate::import::document::Part;
use crate::import::globs;
use crate::import::kdl::Line;
use crate::import::rules::{self, Lines, Outcome, Rule, Who};
use crate::import::yaml::{Node, Place};
use crate::model::network::Network;
use crate::model::user_name;

/// Methods of HTTP that rules may name.
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

/// Rules of all apps, at most: each app has the rules that are about it.
pub(super) const MOST_PAIRS: usize = 20_000;

/// Networks that have a name.
pub(super) type Networks = BTreeMap<String, Vec<String>>;

impl Import<'_> {
    pub(super) fn access(
        &mut self,
        access: Option<&Node>,
        definitions: Option<&Node>,
        place: &Place,
    ) -> Result<(), AutheliaError> {
        self.networks = named_networks(access, definitions);
        let Some(access) = access else { return Ok(()) };
        let default = self.default_policy(access, place);
        let mut read = Vec::new();
        for node in access.list("rules") {
            let domains = Domains::of(node);
            if domains.names_nothing() {
                let why = "it names no domain, so it is about nothing";
                self.report.not_carried(&node.place, "this rule", why);
                node.take_all();
                continue;
            }
            read.push((self.rule(node), domains));
        }
        self.apps_for(&read, &default)
    }

    fn default_policy(&mut self, access: &Node, place: &Place) -> Rule {
        let node = access.get("default_policy");
        let at = node.map_or(place, |node| &node.place);
        let outcome = node.and_then(Node::text).map_or(Some(Outcome::Deny), Outcome::parse);
        let outcome = outcome.unwrap_or_else(|| {
            self.report.changed(
                at,
                "`default_policy`",
                "this is no policy of Authelia's: taken as deny",
            );
            Outcome::Deny
        });
        if outcome != Outcome::Deny {
            self.report.changed(
                at,
                "`default_policy` for hosts that no rule names",
                "which hosts there are has to be said: name each with --host",
            );
        }
        Rule::everything(outcome, at)
    }

    fn apps_for(&mut self, read: &[(Rule, Domains)], default: &Rule) -> Result<(), AutheliaError> {
        let mut reaches: BTreeSet<Reach> =
            read.iter().flat_map(|(_, domains)| domains.reaches()).collect();
        for host in &self.wishes.hosts {
            if is_host(host) {
                reaches.insert(Reach::Host(host.to_lowercase()));
            }
        }
        for (rule, domains) in read {
            for text in domains.open() {
                self.report.changed(
                    &rule.at,
                    format!("`{text}`"),
                    "it is kept for hosts that are named elsewhere; name others with --host",
                );
            }
        }
        if pairs(&reaches, read) > MOST_PAIRS {
            let place = default.at.clone();
            return Err(AutheliaError::TooMany(place, read.len(), reaches.len()));
        }
        let sign_in = self.sign_in_host().to_owned();
        for reach in reaches {
            let first =
                read.iter().find(|(_, domains)| domains.reaches().any(|each| each == reach));
            let at = first.map_or(&default.at, |(rule, _)| &rule.at).clone();
            if let Some(why) = unreachable(&reach, &sign_in) {
                self.report.not_carried(&at, format!("`{}`", reach.shown()), why);
                continue;
            }
            self.app(&reach, read, default, &at);
        }
        Ok(())
    }

    fn app(&mut self, reach: &Reach, read: &[(Rule, Domains)], default: &Rule, at: &Place) {
        let shown = reach.shown();
        let about = read.iter().filter_map(|(rule, domains)| match domains.about(reach) {
            About::Yes => Some(rule.clone()),
            About::No => None,
            About::Unclear(why) => {
                let mut rule = rule.clone();
                rule.unclear.push(why);
                Some(rule)
            }
        });
        let about: Vec<Rule> = about.chain([default.clone()]).collect();
        let lines = rules::lines(about, &shown, &mut self.report);
        if let Some(at) = &lines.public {
            let why = "all of it is public: leave the middleware off its router";
            self.report.not_carried(at, format!("`{shown}`"), why);
            return;
        }
        if lines.asks_factor && !self.asks_factor {
            self.second_factor(at);
        }
        let line = self.app_line(reach, lines);
        self.document.push(Part::Apps, line, at, format!("app `{shown}`"));
    }

    fn app_line(&mut self, reach: &Reach, lines: Lines) -> Line {
        let (name, proxy) = match reach {
            Reach::Host(host) => (host, Line::new("proxy").text(&format!("https://{host}"))),
            Reach::Below(domain) => {
                let hosts = Line::new("hosts").text(&reach.shown());
                (domain, Line::new("proxy-domain").text(domain).kid(hosts))
            }
        };
        let label = name.split('.').next().unwrap_or(name);
        let slug = self.apps.fresh(label);
        let title = match reach {
            Reach::Host(_) => titled(label),
            Reach::Below(_) => reach.shown(),
        };
        let mut proxy = proxy.kids(lines.bypass);
        if !lines.protect_only.is_empty() {
            let only = lines.protect_only.iter();
            proxy.push(only.fold(Line::new("protect-only"), |line, path| line.text(path)));
        }
        let app = Line::new("app").word(&slug).text(&title);
        let app = if matches!(reach, Reach::Below(_)) { app.word("hidden") } else { app };
        app.kid(proxy).kid(Line::new("access").kids(lines.access))
    }

    /// One rule in our words.
    fn rule(&mut self, node: &Node) -> Rule {
        let outcome = node.get("policy").and_then(Node::text).and_then(Outcome::parse);
        let outcome = outcome.unwrap_or_else(|| {
            let why = "it has no policy of Authelia's: taken as deny";
            self.report.changed(&node.place, "this rule", why);
            Outcome::Deny
        });
        self.conditions(node, Rule::everything(outcome, &node.place))
    }

    /// Adds the conditions of a rule. One that cannot be said is widened to no condition at all, and
    /// the rule knows that it is unclear.
    pub(super) fn conditions(&mut self, node: &Node, mut rule: Rule) -> Rule {
        self.subjects(node, &mut rule);
        self.resources(node, &mut rule);
        methods(node, &mut rule);
        self.of_networks(node, &mut rule);
        if let Some(query) = node.get("query") {
            query.take_all();
            let why = "it asks for a query, and queries take no part in rules here";
            rule.unclear.push(why.to_owned());
        }
        rule
    }

    fn resources(&mut self, node: &Node, rule: &mut Rule) {
        let mut all = false;
        for item in node.list("resources") {
            let text = item.raw().unwrap_or_default();
            match globs::paths(text) {
                Ok(paths) => {
                    if paths.wider_by_query && rule.outcome != Outcome::Deny {
                        let why = "it is also about these addresses with a query, which takes no part in rules here";
                        self.report.changed(&item.place, format!("`{text}`"), why);
                    }
                    all |= paths.globs.iter().any(|path| path == "*" || path == "/*");
                    rule.paths.extend(paths.globs);
                }
                Err(why) => {
                    rule.unclear.push(format!("of `{text}`: {why}"));
                    all = true;
                }
            }
        }
        if all {
            rule.paths.clear();
        }
    }

    fn of_networks(&mut self, node: &Node, rule: &mut Rule) {
        let wanted = node.list("networks");
        if wanted.is_empty() {
            return;
        }
        let mut all: Vec<String> = Vec::new();
        let mut names = Vec::new();
        for item in &wanted {
            let text = item.raw().unwrap_or_default();
            match self.networks.get(text) {
                Some(named) => all.extend(named.iter().cloned()),
                None => all.push(text.to_owned()),
            }
            names.push(text.to_owned());
        }
        if let Some(bad) = all.iter().find(|text| Network::parse(text).is_err()) {
            rule.unclear.push(format!("`{bad}` is no network"));
            return;
        }
        let wanted = format!("network {}", all.join(" "));
        let known = self.policies.has(&wanted);
        if !known {
            let like = match names.as_slice() {
                [one] if self.networks.contains_key(one) => one,
                _ => "network",
            };
            let policy = self.policies.named(&wanted, like);
            let line = all.iter().fold(Line::new("network"), |line, text| line.text(text));
            let line = Line::new("policy").word(&policy).kid(line);
            self.document.push(Part::Policies, line, &node.place, "these networks");
        }
        rule.network = Some(self.policies.name(&wanted));
    }

    /// The people of a rule: alternatives, each of which may ask for several things at once.
    fn subjects(&mut self, node: &Node, rule: &mut Rule) {
        let mut all = false;
        for item in node.list("subject") {
            let parts: Vec<&str> =
                item.items().iter().map(|part| part.raw().unwrap_or_default()).collect();
            match self.who(&parts, &item.place) {
                Ok(who) => rule.who.push(who),
                Err(why) => {
                    rule.unclear.push(why);
                    all = true;
                }
            }
        }
        if all {
            rule.who.clear();
        }
    }

    fn who(&mut self, parts: &[&str], at: &Place) -> Result<Who, String> {
        let mut subject: Option<String> = None;
        let mut user: Option<&str> = None;
        let mut when = Vec::new();
        for part in parts {
            match part.split_once(':') {
                Some(("user", name)) if user_name::is_valid(name) => match user {
                    // Nobody is two people, and still the rule makes strangers sign in.
                    Some(known) if known != name => when.push(self.is_user(name, at)),
                    _ => user = Some(name),
                },
                Some(("group", name)) if !name.is_empty() => {
                    if subject.is_none() {
                        subject = Some(name.to_owned());
                    } else {
                        when.push(self.in_group(name, at));
                    }
                }
                _ => return Err(format!("`{part}` is no subject that is known here")),
            }
        }
        let who = match (user, subject) {
            (None, None) => return Err("an empty subject".to_owned()),
            (Some(user), group) => {
                when.extend(group.map(|group| self.in_group(&group, at)));
                match self.users.contains(user) {
                    true => Who { subject: format!("user:{user}"), when },
                    false => {
                        when.push(self.is_user(user, at));
                        Who { subject: "everyone".to_owned(), when }
                    }
                }
            }
            (None, Some(group)) => {
                Who { subject: format!("group:{}", self.group(&group, at)), when }
            }
        };
        Ok(who)
    }
}

fn methods(node: &Node, rule: &mut Rule) {
    let mut all = false;
    for item in node.list("methods") {
        let method = item.raw().unwrap_or_default().to_uppercase();
        if METHODS.contains(&method.as_str()) {
            rule.methods.push(method);
        } else {
            rule.unclear.push(format!("`{method}` is no method that is known here"));
            all = true;
        }
    }
    if all {
        rule.methods.clear();
    }
}

fn named_networks(access: Option<&Node>, definitions: Option<&Node>) -> Networks {
    let mut networks = Networks::new();
    let texts = |node: &Node| {
        node.items().iter().filter_map(|item| item.raw().map(str::to_owned)).collect()
    };
    for node in access.map(|node| node.list("networks")).unwrap_or_default() {
        let name = node.text_at("name").unwrap_or_default().to_owned();
        networks.insert(name, node.get("networks").map(texts).unwrap_or_default());
    }
    for (name, _, node) in
        definitions.and_then(|node| node.get("network")).map(Node::entries).unwrap_or_default()
    {
        networks.insert(name.to_owned(), texts(node));
    }
    networks
}

/// How often a rule is about a host, as far as that is counted.
fn pairs(reaches: &BTreeSet<Reach>, read: &[(Rule, Domains)]) -> usize {
    let all =
        reaches.iter().flat_map(|reach| read.iter().map(move |(_, domains)| (reach, domains)));
    all.filter(|(reach, domains)| domains.about(reach) != About::No).take(MOST_PAIRS + 1).count()
}

/// Why a host cannot be an app beside the sign-in host.
fn unreachable(reach: &Reach, sign_in: &str) -> Option<&'static str> {
    match reach {
        Reach::Host(host) if host == sign_in => {
            Some("this is the sign-in host, which needs no rules here")
        }
        Reach::Below(domain) if sign_in == domain || sign_in.ends_with(&format!(".{domain}")) => {
            Some(
                "the sign-in host lies in it, so that it cannot be one app; its rules are kept for \
                    the hosts that are named: name each other one with --host",
            )
        }
        _ => None,
    }
}

fn titled(label: &str) -> String {
    let mut letters = label.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
