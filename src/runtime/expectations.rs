//! `test` blocks, judged against a compiled runtime. The clock and the address are part of each
//! expectation, so results never depend on when or where they run.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use super::Runtime;
use super::app::{Address, App, Reach};
use super::compile::attribute_map;
use crate::access::condition::Reputation;
use crate::access::person::{Attributes, Person, PersonKind, Proofs};
use crate::access::{self, By, Decision, Query, Target};
use crate::blueprint::expectation::{Expectation, Outcome, Persona, Proven, TestTarget};
use crate::blueprint::source::Span;
use crate::clock::Millis;
use crate::expression::facts;

/// 2026-01-07T12:00:00Z, a Wednesday.
const DEFAULT_MOMENT: Millis = Millis(1_767_787_200_000);
const DEFAULT_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));

/// How the expectations of a blueprint came out.
#[derive(Debug, Default)]
pub struct Report {
    pub passed: usize,
    pub failures: Vec<Failure>,
    pub tests: Vec<TestResult>,
    /// Access rules in all, and those that never decided.
    pub rules: usize,
    pub undecided: Vec<String>,
}

#[derive(Debug)]
pub struct TestResult {
    pub title: String,
    pub passed: usize,
    pub failed: usize,
}

/// An expectation that does not hold.
#[derive(Debug)]
pub struct Failure {
    pub at: Span,
    pub test: String,
    pub message: String,
    /// The line that decided, with its place.
    pub decided_by: Option<String>,
}

/// Judges all tests, or those whose title holds `filter`.
#[must_use]
pub fn run(runtime: &Runtime, filter: Option<&str>) -> Report {
    let mut report = Report::default();
    let mut deciding = HashSet::new();
    for test in &runtime.blueprint.tests {
        if filter.is_some_and(|part| !test.title.value.contains(part)) {
            continue;
        }
        let before = report.failures.len();
        for expectation in &test.expectations {
            match judge(runtime, expectation, &mut deciding) {
                Ok(()) => report.passed += 1,
                Err(failure) => {
                    report.failures.push(Failure { test: test.title.value.clone(), ..failure });
                }
            }
        }
        let failed = report.failures.len() - before;
        let passed = test.expectations.len() - failed;
        report.tests.push(TestResult { title: test.title.value.clone(), passed, failed });
    }
    let all =
        runtime.apps.iter().flat_map(|app| app.access.rules.iter().map(move |rule| (app, rule)));
    for (app, rule) in all {
        report.rules += 1;
        if !deciding.contains(&(app.index, rule.place.clone())) {
            report.undecided.push(format!("{} in app {}: {}", rule.place, app.slug, rule.text));
        }
    }
    report
}

type Deciding = HashSet<(usize, String)>;

fn judge(runtime: &Runtime, wanted: &Expectation, deciding: &mut Deciding) -> Result<(), Failure> {
    let fail = |message: String, by: Option<String>| {
        Err(Failure { at: wanted.at, test: String::new(), message, decided_by: by })
    };
    let Some((app, address, path, host)) = destination(runtime, &wanted.target.value) else {
        return fail("no app answers there".to_owned(), None);
    };
    let identity = Invented::new(runtime, wanted);
    let person = identity.as_ref().map(Invented::person);
    if wanted.outcome == Outcome::Claim {
        return claim(app, person.as_ref(), wanted);
    }
    let Ok(path) = access::path::canonical(
        &path,
        address.map_or_else(Default::default, |a| a.gate.strictness),
    ) else {
        return fail(format!("`{path}` is a path that no request may have"), None);
    };
    let target = Target {
        host: Cow::Owned(host),
        path,
        method: Cow::Borrowed(wanted.method.as_deref().unwrap_or("GET")),
        client: access::target::Client::Known(wanted.from.unwrap_or(DEFAULT_ADDRESS)),
    };
    let verdict = access::decide(
        &Query {
            access: &app.access,
            gate: address.map(|address| &address.gate),
            target: &target,
            person: person.as_ref(),
            now: moment(wanted),
            reputation: Reputation::Score(0),
        },
        None,
    );
    if let By::Rule(rule) = verdict.by {
        deciding.insert((app.index, rule.place.clone()));
    }
    let by = match verdict.by.place() {
        Some(place) => format!("{place}  {}", verdict.by.text()),
        None => verdict.by.text().to_owned(),
    };
    if !matches(wanted.outcome, verdict.decision) {
        let expected = outcome_word(wanted.outcome);
        let found = verdict.decision.word();
        return fail(format!("expected {expected}, found {found}"), Some(by));
    }
    match &wanted.by {
        Some(text) if !verdict.by.text().contains(&text.value) => {
            fail(format!("expected `{}` to decide", text.value), Some(by))
        }
        _ => Ok(()),
    }
}

fn moment(wanted: &Expectation) -> Millis {
    wanted.at_time.unwrap_or(DEFAULT_MOMENT)
}

fn matches(wanted: Outcome, found: Decision<'_>) -> bool {
    matches!(
        (wanted, found),
        (Outcome::Allow, Decision::Allow)
            | (Outcome::Deny, Decision::Deny)
            | (Outcome::Login, Decision::Login)
            | (Outcome::StepUp, Decision::StepUp(_))
    )
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "allow",
        Outcome::Deny => "deny",
        Outcome::Login => "login",
        Outcome::StepUp => "step-up",
        Outcome::Claim => "claim",
    }
}

type Found<'a> = (&'a App, Option<&'a Address>, String, String);

fn destination<'a>(runtime: &'a Runtime, target: &TestTarget) -> Option<Found<'a>> {
    match target {
        TestTarget::App(slug) => {
            let app = runtime.app(slug)?;
            let host = app.addresses.first().map(|address| match &address.reach {
                Reach::Host { declared, .. } => declared.host.clone(),
                Reach::Domain { domain, .. } => domain.clone(),
            });
            Some((app, None, "/".to_owned(), host.unwrap_or_default()))
        }
        TestTarget::Url(text) => {
            let url = url::Url::parse(text).ok()?;
            let host = url.host_str()?.to_owned();
            let route = runtime.routes.find(&host, url.port_or_known_default())?;
            let app = runtime.apps.get(route.app)?;
            Some((app, app.addresses.get(route.address), raw_path(text).to_owned(), host))
        }
    }
}

/// The path as written: a URL parser would have resolved `..` in it.
fn raw_path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or("/")
}

fn claim(app: &App, person: Option<&Person<'_>>, wanted: &Expectation) -> Result<(), Failure> {
    let fail = |message: String| {
        Err(Failure { at: wanted.at, test: String::new(), message, decided_by: None })
    };
    let Some((name, value)) = &wanted.claim else {
        return fail("`expect claim` needs `name` and `value`".to_owned());
    };
    let Some((_, program)) = app.claims.iter().find(|(known, _)| known == name) else {
        return fail(format!("app `{}` declares no claim `{name}`", app.slug));
    };
    let mfa: Vec<&str> = person.iter().flat_map(|person| person.proofs.words()).collect();
    let asked = facts::Facts {
        user: person.map(|person| person.for_expressions(&mfa)),
        app: Some(facts::AppFacts { slug: &app.slug, ..Default::default() }),
        now: moment(wanted),
        ..Default::default()
    };
    match program.json(&asked) {
        Ok(serde_json::Value::String(found)) if found == *value => Ok(()),
        Ok(found) => {
            let text = found.to_string();
            if text == *value {
                return Ok(());
            }
            fail(format!("claim `{name}` is {text}, not `{value}`"))
        }
        Err(error) => fail(format!("claim `{name}` could not be computed: {error}")),
    }
}

/// A persona, ready to be judged.
struct Invented<'a> {
    persona: &'a Persona,
    groups: access::groups::GroupSet,
    group_names: Vec<String>,
    attributes: Attributes,
    proofs: Proofs,
}

impl<'a> Invented<'a> {
    fn new(runtime: &'a Runtime, wanted: &Expectation) -> Option<Self> {
        let persona =
            runtime.blueprint.personas.iter().find(|p| p.name.value == wanted.who.value)?;
        let groups = runtime.groups.expand(persona.groups.iter().map(|name| name.value.as_str()));
        Some(Self {
            group_names: runtime.groups.names_in(&groups).map(str::to_owned).collect(),
            attributes: attribute_map(&persona.attributes),
            proofs: proofs(wanted.mfa.as_ref().or(persona.mfa.as_ref()), moment(wanted)),
            groups,
            persona,
        })
    }

    fn person(&self) -> Person<'_> {
        Person {
            username: &self.persona.name.value,
            kind: PersonKind::User,
            name: None,
            email: None,
            groups: &self.groups,
            group_names: &self.group_names,
            attributes: &self.attributes,
            proofs: &self.proofs,
            disabled: false,
        }
    }
}

/// A user-verified passkey counts as any second factor, and so does everything else.
fn proofs(mfa: Option<&Proven>, now: Millis) -> Proofs {
    let mut proofs = Proofs::default();
    if let Some(Proven { factor: Some(factor), ago }) = mfa {
        proofs.add(*factor, now.minus(*ago));
    }
    proofs
}
