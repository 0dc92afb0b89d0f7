//! From the typed blueprint to the runtime. The blueprint has passed every check, so what fails
//! here is a fault of ours; it is still an error, never a gap in the rules.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderName;
use regex::Regex;

use super::app::{Address, App, Reach};
use super::origin::Addressing;
use super::routes::{Route, Routes};
use super::{DeclaredPerson, Runtime};
use crate::access::condition::{Condition, Part, Policy};
use crate::access::groups::Groups;
use crate::access::path::Strictness;
use crate::access::rule::{AppAccess, Bypass, Effect, Gate, Requirement, Rule, Subjects};
use crate::blueprint::app as declared;
use crate::blueprint::people::AttributeLines;
use crate::blueprint::policy as written;
use crate::blueprint::source::{Name, Sources, Span, Spanned};
use crate::blueprint::{Blueprint, object::Kind};
use crate::expression::catalogue::Context;
use crate::expression::program::Program;
use crate::model::host::HostPattern;
use crate::model::subject::Subject;
use crate::model::web_url::Origin;

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

    /// Compiles every policy after those that it uses.
    fn policies(&self) -> Result<Policies, CompileError> {
        let mut done = Policies::new();
        let mut left: Vec<&written::Policy> = self.blueprint.policies.iter().collect();
        while !left.is_empty() {
            let (ready, waiting): (Vec<_>, Vec<_>) = left.iter().partition(|policy| {
                uses(&policy.parts).iter().all(|name| done.contains_key(*name))
            });
            if ready.is_empty() {
                let stuck = waiting
                    .first()
                    .map_or_else(Span::default, |policy: &&written::Policy| policy.at);
                return Err(self.fault(stuck, "a policy uses itself or one that is unknown"));
            }
            for policy in ready {
                let parts = self.parts(&policy.parts, &done)?;
                let slug = policy.slug.value.clone();
                let place = self.sources.place(policy.at);
                done.insert(slug.clone(), Arc::new(Policy { slug, place, parts }));
            }
            left = waiting;
        }
        Ok(done)
    }

    fn parts(&self, parts: &[written::Part], done: &Policies) -> Result<Vec<Part>, CompileError> {
        parts.iter().map(|part| self.part(part, done)).collect()
    }

    fn part(&self, part: &written::Part, done: &Policies) -> Result<Part, CompileError> {
        let condition = match &part.condition {
            written::Condition::Mfa { kinds, within } => {
                Condition::Mfa { kinds: kinds.clone(), within: *within }
            }
            written::Condition::Network(networks) => Condition::Network(networks.clone()),
            written::Condition::Time(window) => Condition::Time(window.clone()),
            written::Condition::Cel(text) => {
                Condition::Cel(Box::new(self.program(text, Context::Policy)?))
            }
            written::Condition::Attribute { key, test } => self.attribute(key, test, part.at)?,
            written::Condition::Reputation { min } => Condition::Reputation { min: *min },
            written::Condition::Group(names) => Condition::Group(self.direct_groups(names)),
            written::Condition::Use(name) => Condition::Use(self.policy(name, done)?),
            written::Condition::Any(parts) => Condition::Any(self.parts(parts, done)?),
            written::Condition::Not(parts) => Condition::Not(self.parts(parts, done)?),
        };
        Ok(Part { condition, place: self.sources.place(part.at) })
    }

    fn program(&self, text: &Spanned<String>, context: Context) -> Result<Program, CompileError> {
        Program::compile(&text.value, context).map_err(|problems| {
            let first = problems.into_iter().next();
            self.fault(text.span, first.map_or_else(String::new, |problem| problem.message))
        })
    }

    fn attribute(
        &self,
        key: &str,
        test: &written::AttributeTest,
        at: Span,
    ) -> Result<Condition, CompileError> {
        let key = key.to_owned();
        Ok(match test {
            written::AttributeTest::Equals(value) => {
                Condition::Equals { key, value: value.clone() }
            }
            written::AttributeTest::Matches(pattern) => {
                let whole = format!("^(?:{})$", pattern.value);
                Condition::Matches {
                    key,
                    pattern: Regex::new(&whole).map_err(|e| self.fault(at, e))?,
                }
            }
        })
    }

    fn direct_groups(&self, names: &[Name]) -> crate::access::groups::GroupSet {
        let mut set = crate::access::groups::GroupSet::default();
        names.iter().filter_map(|name| self.groups.id(&name.value)).for_each(|id| set.insert(id));
        set
    }

    fn policy(&self, name: &Name, done: &Policies) -> Result<Arc<Policy>, CompileError> {
        let found = done.get(&name.value).cloned();
        found.ok_or_else(|| self.fault(name.span, format!("unknown policy `{}`", name.value)))
    }

    fn apps(&self, policies: &Policies) -> Result<Vec<App>, CompileError> {
        let apps = self.blueprint.apps.iter().enumerate();
        apps.map(|(index, app)| self.app(index, app, policies)).collect()
    }

    fn app(
        &self,
        index: usize,
        app: &declared::App,
        policies: &Policies,
    ) -> Result<App, CompileError> {
        let slug = &app.slug.value;
        let access = self.access(app, policies)?;
        let looks_at_paths = looks_at_paths(app, &access);
        let addresses = app.proxies.iter().map(|proxy| self.address(proxy, looks_at_paths));
        let addresses: Vec<Address> = addresses.collect::<Result<_, _>>()?;
        let claims = app.oidc.iter().flat_map(|oidc| &oidc.claims);
        Ok(App {
            index,
            uid: (self.inputs.uids)(Kind::App, slug).unwrap_or_else(|| format!("app:{slug}")),
            slug: slug.clone(),
            title: app.title.clone().unwrap_or_else(|| slug.clone()),
            category: app.category.clone(),
            icon: app.icon.as_ref().map(|icon| icon.value.clone()),
            hidden: app.hidden,
            launch_url: self.launch_url(app, &addresses),
            access,
            addresses,
            authentication: app.authentication.as_ref().map(|name| name.value.clone()),
            claims: claims.map(|claim| self.claim(claim)).collect::<Result<_, _>>()?,
            place: self.sources.place(app.at),
        })
    }

    fn claim(&self, claim: &declared::HeaderLine) -> Result<(String, Program), CompileError> {
        Ok((claim.name.value.clone(), self.program(&claim.value, Context::Claim)?))
    }

    fn launch_url(&self, app: &declared::App, addresses: &[Address]) -> Option<String> {
        let proxied = addresses.iter().find_map(|address| match &address.reach {
            Reach::Host { public, .. } => Some(format!("{public}/")),
            Reach::Domain { .. } => None,
        });
        match &app.launch_url {
            // On a development server the proxied address is the one that answers.
            Some(_) if self.inputs.addressing.dev && proxied.is_some() => proxied,
            Some(url) => Some(url.value.clone()),
            None => proxied,
        }
    }

    fn address(&self, proxy: &declared::Proxy, strict: bool) -> Result<Address, CompileError> {
        let reach = self.reach(&proxy.reach);
        let headers = proxy.headers.iter().map(|header| self.header(header));
        let headers: Vec<_> = headers.collect::<Result<_, _>>()?;
        let (cookie, nonce_cookie) = cookie_names(&reach);
        Ok(Address {
            gate: Gate {
                bypass: proxy.bypass.iter().map(|bypass| self.bypass(bypass)).collect(),
                protect_only: proxy.protect_only.iter().map(|glob| glob.value.clone()).collect(),
                protect_place: self.sources.place(proxy.at),
                strictness: if strict { Strictness::Strict } else { Strictness::Lenient },
            },
            identity: proxy.identity_headers,
            headers,
            answers_preflight: proxy.preflight == declared::Preflight::Allow,
            cookie,
            nonce_cookie,
            reach,
        })
    }

    fn reach(&self, reach: &declared::Reach) -> Reach {
        let addressing = &self.inputs.addressing;
        match reach {
            declared::Reach::Address(url) => {
                let declared = url.value.origin();
                Reach::Host { public: addressing.public(&declared), declared }
            }
            declared::Reach::Domain { domain, .. } => {
                let external = self.blueprint.settings.external_host.value.origin();
                let origin = Origin { host: domain.value.as_str().to_owned(), ..external };
                let public = addressing.public(&origin);
                Reach::Domain { domain: origin.host, secure: public.secure, port: public.port }
            }
        }
    }

    fn header(&self, line: &declared::HeaderLine) -> Result<(HeaderName, Program), CompileError> {
        let name = HeaderName::try_from(line.name.value.as_str());
        let name = name.map_err(|error| self.fault(line.name.span, error))?;
        Ok((name, self.program(&line.value, Context::Claim)?))
    }

    fn bypass(&self, bypass: &declared::Bypass) -> Bypass {
        Bypass {
            paths: bypass.paths.iter().map(|glob| glob.value.clone()).collect(),
            methods: bypass.methods.clone(),
            place: self.sources.place(bypass.at),
        }
    }

    fn access(&self, app: &declared::App, policies: &Policies) -> Result<AppAccess, CompileError> {
        let rules = app.access.rules.iter().map(|rule| self.rule(rule, policies));
        Ok(AppAccess {
            app: app.slug.value.clone(),
            requires: app.access.requires.iter().map(|need| self.requirement(need)).collect(),
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    fn requirement(&self, need: &declared::Requirement) -> Requirement {
        let (word, kinds) = match need.factor {
            declared::RequiredFactor::Mfa => ("mfa", Vec::new()),
            declared::RequiredFactor::One(factor) => (factor.word(), vec![factor]),
        };
        let within = need.within.map(|limit| format!(" within {}", duration_words(limit)));
        Requirement {
            kinds,
            within: need.within,
            text: format!("require {word}{}", within.unwrap_or_default()),
            place: self.sources.place(need.at),
        }
    }

    fn rule(&self, rule: &declared::Rule, policies: &Policies) -> Result<Rule, CompileError> {
        let all = |names: &[Name]| -> Result<Vec<_>, _> {
            names.iter().map(|name| self.policy(name, policies)).collect()
        };
        Ok(Rule {
            effect: match rule.effect {
                declared::Effect::Allow => Effect::Allow,
                declared::Effect::Deny => Effect::Deny,
            },
            subjects: self.subjects(rule),
            path: rule.path.as_ref().map(|glob| glob.value.clone()),
            method: rule.method.clone(),
            when: all(&rule.when)?,
            unless: all(&rule.unless)?,
            text: rule_text(rule),
            place: self.sources.place(rule.at),
        })
    }

    fn subjects(&self, rule: &declared::Rule) -> Subjects {
        let mut subjects = Subjects::default();
        for subject in &rule.subjects {
            match &subject.value {
                Subject::Everyone => subjects.everyone = true,
                Subject::Group(name) => {
                    if let Some(id) = self.groups.id(name) {
                        subjects.groups.insert(id);
                    }
                }
                Subject::User(name) => subjects.users.push(name.clone()),
                Subject::ServiceAccount(name) => subjects.service_accounts.push(name.clone()),
            }
        }
        subjects
    }
}

/// Whether anything about this app depends on the path of a request.
fn looks_at_paths(app: &declared::App, access: &AppAccess) -> bool {
    let in_gate =
        |proxy: &declared::Proxy| !proxy.bypass.is_empty() || !proxy.protect_only.is_empty();
    app.proxies.iter().any(in_gate) || access.rules.iter().any(Rule::reads_path)
}

fn uses(parts: &[written::Part]) -> Vec<&str> {
    fn of(part: &written::Part) -> Vec<&str> {
        match &part.condition {
            written::Condition::Use(name) => vec![name.value.as_str()],
            written::Condition::Any(parts) | written::Condition::Not(parts) => uses(parts),
            _ => Vec::new(),
        }
    }
    parts.iter().flat_map(of).collect()
}

/// Cookies do not know ports, so the port stands in the name; `__Host-` needs https.
fn cookie_names(reach: &Reach) -> (String, String) {
    match reach {
        Reach::Host { public, .. } => {
            let prefix = if public.secure { "__Host-" } else { "" };
            let port = match (public.secure, public.port) {
                (true, 443) | (false, 80) => String::new(),
                (_, port) => format!("-{port}"),
            };
            (format!("{prefix}doorward-app{port}"), format!("{prefix}doorward-nonce{port}"))
        }
        Reach::Domain { secure, .. } => {
            let (domain, host) = if *secure { ("__Secure-", "__Host-") } else { ("", "") };
            (format!("{domain}doorward-domain"), format!("{host}doorward-nonce"))
        }
    }
}

/// A rule in the words of a blueprint.
#[must_use]
pub fn rule_text(rule: &declared::Rule) -> String {
    let mut text = String::from(match rule.effect {
        declared::Effect::Allow => "allow",
        declared::Effect::Deny => "deny",
    });
    for subject in &rule.subjects {
        text += &format!(" {}", subject.value);
    }
    if let Some(path) = &rule.path {
        text += &format!(" path=\"{}\"", path.value.as_str());
    }
    if let Some(method) = &rule.method {
        text += &format!(" method={method}");
    }
    rule.when.iter().for_each(|name| text += &format!(" if={}", name.value));
    rule.unless.iter().for_each(|name| text += &format!(" unless={}", name.value));
    text
}

/// A duration in the units of a blueprint: `hours=12`.
#[must_use]
pub fn duration_words(span: std::time::Duration) -> String {
    let seconds = span.as_secs();
    let units = [("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1)];
    let fitting = units.iter().find(|(_, size)| seconds > 0 && seconds.is_multiple_of(*size));
    fitting.map_or_else(
        || format!("seconds={seconds}"),
        |(name, size)| format!("{name}={}", seconds / size),
    )
}
