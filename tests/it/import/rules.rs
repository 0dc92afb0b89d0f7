//! What imported rules decide, beside what Authelia's first match decides.

use std::fmt::Write;

use doorward::blueprint::diagnostic::Severity;
use doorward::blueprint::load::understand_sources;
use doorward::blueprint::read::Limits;
use doorward::blueprint::source::Sources;
use doorward::blueprint::validate::Mode;
use doorward::import::{Input, Wishes, authelia};
use doorward::runtime::expectations;
use proptest::prelude::*;
use regex::Regex;

use crate::support::understood::compiled;

/// One request.
#[derive(Clone, Debug)]
struct Asked {
    /// Name and groups; nobody without a sign-in.
    who: Option<(&'static str, &'static [&'static str])>,
    factor: bool,
    host: &'static str,
    path: &'static str,
    method: &'static str,
    from: &'static str,
}

const PEOPLE: [(&str, &[&str]); 4] =
    [("ada", &["admins", "family"]), ("bob", &["admins"]), ("cleo", &["family"]), ("dan", &[])];

fn imported(configuration: &str) -> String {
    let input = Input { name: "configuration.yml".to_owned(), text: configuration.to_owned() };
    let imported = authelia::import(&[input], &Wishes::default()).expect("a configuration");
    imported.document.text()
}

/// How each request comes out: whether one of these outcomes is what was decided.
fn outcome_is(blueprint: &str, asked: &[Asked], outcome: &str) -> Vec<bool> {
    let mut text = blueprint.to_owned();
    for group in ["admins", "family"] {
        if !blueprint.contains(&format!("group {group}")) || !declares(blueprint, group) {
            let _ = writeln!(text, "group {group}");
        }
    }
    for (name, groups) in PEOPLE {
        let groups =
            if groups.is_empty() { String::new() } else { format!("in {}", groups.join(" ")) };
        let _ = writeln!(text, "persona {name} {{ {groups} }}");
    }
    for (at, each) in asked.iter().enumerate() {
        let (name, factor) = match each.who {
            Some((name, _)) if each.factor => (name, "{ mfa totp { minutes 1 } }"),
            Some((name, _)) => (name, "{ mfa none }"),
            None => ("anonymous", ""),
        };
        let _ = writeln!(
            text,
            "test \"{at}.\" {{ expect {outcome} {name} \"https://{}{}\" from=\"{}\" method={} {factor} }}",
            each.host, each.path, each.from, each.method
        );
    }
    let sources = Sources::single("a.kdl", &text);
    let loaded = understand_sources(sources, &Limits::default(), Mode::default());
    let wrong = loaded.diagnostics.iter().find(|each| each.severity == Severity::Error);
    assert!(loaded.blueprint.is_some(), "{text}\n{wrong:?}");
    let report = expectations::run(&compiled(loaded), None);
    assert_eq!(report.tests.len(), asked.len());
    let mut results = report.tests;
    results
        .sort_by_key(|each| each.title.trim_end_matches('.').parse::<usize>().expect("a number"));
    results.iter().map(|each| each.failed == 0).collect()
}

fn declares(blueprint: &str, group: &str) -> bool {
    let line = format!("group {group}");
    blueprint.lines().any(|each| each == line || each.starts_with(&format!("{line} ")))
}

const TABLE: &str = r"
session: {cookies: [{domain: hill.example, authelia_url: 'https://auth.hill.example'}]}
access_control:
  default_policy: deny
  networks: [{name: lan, networks: ['10.20.0.0/16']}]
  rules:
    - {domain: open.hill.example, resources: ['^/public/.*$'], policy: bypass}
    - {domain: open.hill.example, policy: one_factor}
    - {domain: strict.hill.example, policy: two_factor}
    - {domain: mixed.hill.example, resources: ['^/admin([/?].*)?$'], subject: 'group:admins', policy: two_factor}
    - {domain: mixed.hill.example, resources: ['^/admin([/?].*)?$'], policy: deny}
    - {domain: mixed.hill.example, subject: ['group:family', 'user:dan'], policy: one_factor}
    - {domain: both.hill.example, subject: [['group:admins', 'group:family']], policy: one_factor}
    - {domain: lan.hill.example, networks: lan, policy: one_factor}
    - {domain: lan.hill.example, policy: two_factor}
    - {domain: front.hill.example, resources: ['^/secret/.*$'], subject: 'group:admins', policy: one_factor}
    - {domain: front.hill.example, policy: bypass}
    - {domain: read.hill.example, methods: [GET, HEAD], policy: bypass}
    - {domain: read.hill.example, subject: 'group:admins', policy: one_factor}
    - {domain: '*.lab.hill.example', subject: 'group:admins', policy: one_factor}
    - {domain: shut.hill.example, policy: deny}
    - {domain: '*.hill.example', subject: 'user:bob', policy: one_factor}
";

/// Who, with a second factor, host, path, method, from, and what is decided.
const ROWS: [(&str, bool, &str, &str, &str, &str, &str); 40] = [
    ("anonymous", false, "open", "/public/x", "GET", "203.0.113.1", "allow"),
    ("anonymous", false, "open", "/private", "GET", "203.0.113.1", "login"),
    ("dan", false, "open", "/private", "GET", "203.0.113.1", "allow"),
    ("anonymous", false, "strict", "/", "GET", "203.0.113.1", "login"),
    ("dan", false, "strict", "/", "GET", "203.0.113.1", "step-up"),
    ("dan", true, "strict", "/", "GET", "203.0.113.1", "allow"),
    ("bob", false, "mixed", "/admin", "GET", "203.0.113.1", "deny"),
    ("bob", true, "mixed", "/admin", "GET", "203.0.113.1", "allow"),
    ("bob", true, "mixed", "/admin/x", "POST", "203.0.113.1", "allow"),
    ("cleo", true, "mixed", "/admin/x", "GET", "203.0.113.1", "deny"),
    ("cleo", false, "mixed", "/", "GET", "203.0.113.1", "allow"),
    ("dan", false, "mixed", "/", "GET", "203.0.113.1", "allow"),
    ("bob", false, "mixed", "/", "GET", "203.0.113.1", "allow"),
    ("anonymous", false, "mixed", "/", "GET", "203.0.113.1", "login"),
    ("ada", false, "both", "/", "GET", "203.0.113.1", "allow"),
    ("bob", false, "both", "/", "GET", "203.0.113.1", "allow"),
    ("cleo", false, "both", "/", "GET", "203.0.113.1", "deny"),
    ("dan", true, "both", "/", "GET", "203.0.113.1", "deny"),
    ("dan", false, "lan", "/", "GET", "10.20.3.4", "allow"),
    ("dan", false, "lan", "/", "GET", "203.0.113.1", "deny"),
    ("dan", true, "lan", "/", "GET", "203.0.113.1", "allow"),
    ("anonymous", false, "front", "/", "GET", "203.0.113.1", "allow"),
    ("anonymous", false, "front", "/secret/x", "GET", "203.0.113.1", "login"),
    ("bob", false, "front", "/secret/x", "GET", "203.0.113.1", "allow"),
    ("cleo", false, "front", "/secret/x", "GET", "203.0.113.1", "allow"),
    ("anonymous", false, "read", "/", "GET", "203.0.113.1", "allow"),
    ("anonymous", false, "read", "/", "POST", "203.0.113.1", "login"),
    ("bob", false, "read", "/", "POST", "203.0.113.1", "allow"),
    ("cleo", false, "read", "/", "POST", "203.0.113.1", "deny"),
    ("cleo", false, "read", "/", "HEAD", "203.0.113.1", "allow"),
    ("ada", false, "a.lab", "/", "GET", "203.0.113.1", "allow"),
    ("cleo", false, "a.lab", "/", "GET", "203.0.113.1", "deny"),
    ("anonymous", false, "b.lab", "/", "GET", "203.0.113.1", "login"),
    ("ada", true, "shut", "/", "GET", "203.0.113.1", "deny"),
    ("bob", true, "shut", "/", "GET", "203.0.113.1", "deny"),
    ("bob", true, "mixed", "/admin/", "GET", "203.0.113.1", "allow"),
    ("dan", true, "mixed", "/admin/", "GET", "203.0.113.1", "deny"),
    ("ada", false, "mixed", "/administration", "GET", "203.0.113.1", "allow"),
    ("dan", false, "open", "/public/x", "GET", "203.0.113.1", "allow"),
    ("dan", true, "lan", "/", "GET", "10.20.3.4", "allow"),
];

fn person(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    PEOPLE.into_iter().find(|(known, _)| *known == name)
}

fn host(label: &str) -> &'static str {
    format!("{label}.hill.example").leak()
}

#[test]
fn imported_rules_decide_as_the_table_says() {
    let blueprint = imported(TABLE);
    for outcome in ["allow", "deny", "login", "step-up"] {
        let rows: Vec<_> = ROWS.iter().filter(|row| row.6 == outcome).collect();
        let asked: Vec<Asked> = rows
            .iter()
            .map(|row| Asked {
                who: person(row.0),
                factor: row.1,
                host: host(row.2),
                path: row.3,
                method: row.4,
                from: row.5,
            })
            .collect();
        let held = outcome_is(&blueprint, &asked, outcome);
        for (row, held) in rows.iter().zip(held) {
            assert!(held, "{row:?}\n{blueprint}");
        }
    }
}

/// A rule of Authelia's, as its documentation describes it.
#[derive(Clone, Debug)]
struct Rule {
    host: &'static str,
    policy: &'static str,
    subjects: Vec<Vec<&'static str>>,
    resources: Vec<&'static str>,
    methods: Vec<&'static str>,
    lan: bool,
}

impl Rule {
    fn yaml(&self) -> String {
        let list = |words: &[&str]| {
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ")
        };
        let mut text = format!("    - domain: '{}'\n      policy: {}\n", self.host, self.policy);
        if !self.subjects.is_empty() {
            let subjects: Vec<String> =
                self.subjects.iter().map(|all| format!("[{}]", list(all))).collect();
            let _ = writeln!(text, "      subject: [{}]", subjects.join(", "));
        }
        for (key, words) in [("resources", &self.resources), ("methods", &self.methods)] {
            if !words.is_empty() {
                let _ = writeln!(text, "      {key}: [{}]", list(words));
            }
        }
        if self.lan {
            text += "      networks: ['10.20.0.0/16']\n";
        }
        text
    }

    fn is_about(&self, asked: &Asked) -> bool {
        let host = match self.host.strip_prefix('*') {
            Some(end) => asked.host.ends_with(end),
            None => asked.host == self.host,
        };
        let resource = self.resources.is_empty()
            || self
                .resources
                .iter()
                .any(|each| Regex::new(each).expect("a regex").is_match(asked.path));
        let method = self.methods.is_empty() || self.methods.contains(&asked.method);
        let network = !self.lan || asked.from.starts_with("10.20.");
        host && resource && method && network && self.is_about_person(asked)
    }

    fn is_about_person(&self, asked: &Asked) -> bool {
        let Some((name, groups)) = asked.who else { return true };
        let is = |subject: &&str| match subject.split_once(':') {
            Some(("user", user)) => user == name,
            Some((_, group)) => groups.contains(&group),
            None => false,
        };
        self.subjects.is_empty() || self.subjects.iter().any(|all| all.iter().all(is))
    }
}

/// Whether Authelia lets a request through: the first rule that is about it decides.
fn passes(rules: &[Rule], default: &str, asked: &Asked) -> bool {
    let first = rules.iter().find(|rule| rule.is_about(asked));
    // Whom a rule with subjects is about is known after a login alone.
    let asks_who = first.is_some_and(|rule| !rule.subjects.is_empty()) && asked.who.is_none();
    match first.map_or(default, |rule| rule.policy) {
        "bypass" => !asks_who,
        "one_factor" => asked.who.is_some(),
        "two_factor" => asked.who.is_some() && asked.factor,
        _ => false,
    }
}

fn rule() -> impl Strategy<Value = Rule> {
    let hosts =
        prop::sample::select(vec!["one.hill.example", "two.hill.example", "*.hill.example"]);
    let policies = prop::sample::select(vec!["bypass", "one_factor", "two_factor", "deny"]);
    let subject =
        prop::sample::select(vec!["group:admins", "group:family", "user:dan", "user:ada"]);
    let subjects = prop::collection::vec(prop::collection::vec(subject, 1..3), 0..3);
    let resource = prop::sample::select(vec![
        "^/api([/?].*)?$",
        "^/a.*$",
        "^/(x|api)/deep$",
        "^/[a-z]+$",
        "\\.png$",
    ]);
    let resources = prop::collection::vec(resource, 0..3);
    let methods = prop::collection::vec(prop::sample::select(vec!["GET", "POST"]), 0..2);
    let lan = prop::bool::weighted(0.2);
    (hosts, policies, subjects, resources, methods, lan).prop_map(
        |(host, policy, subjects, resources, methods, lan)| {
            // Authelia refuses a bypass for some people.
            let subjects = if policy == "bypass" { Vec::new() } else { subjects };
            Rule { host, policy, subjects, resources, methods, lan }
        },
    )
}

fn requests() -> Vec<Asked> {
    let mut asked = Vec::new();
    for host in ["one.hill.example", "two.hill.example"] {
        for path in ["/", "/api", "/api/deep", "/x/deep", "/api/a.png", "/other"] {
            for (method, from) in
                [("GET", "203.0.113.1"), ("POST", "203.0.113.1"), ("GET", "10.20.0.7")]
            {
                asked.push(Asked { who: None, factor: false, host, path, method, from });
                for who in PEOPLE {
                    for factor in [false, true] {
                        asked.push(Asked { who: Some(who), factor, host, path, method, from });
                    }
                }
            }
        }
    }
    asked
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// Whatever the rules are, nobody passes who did not.
    #[test]
    fn nobody_gains_by_an_import(
        rules in prop::collection::vec(rule(), 1..6),
        default in prop::sample::select(vec!["deny", "one_factor", "two_factor"]),
    ) {
        let yaml: String = rules.iter().map(Rule::yaml).collect();
        let text = format!(
            "session: {{cookies: [{{domain: hill.example, authelia_url: 'https://auth.hill.example'}}]}}\n\
             access_control:\n  default_policy: {default}\n  rules:\n{yaml}"
        );
        let blueprint = imported(&text);
        // Hosts that are public have no app, and whoever asks for another is not let in.
        let mut asked = requests();
        asked.retain(|each| blueprint.contains(&format!("https://{}", each.host)));
        let passed = outcome_is(&blueprint, &asked, "allow");
        let carries = rules.iter().all(|rule| !rule.resources.contains(&"^/[a-z]+$") && rule.policy != "bypass");
        for (each, passed) in asked.iter().zip(passed) {
            let before = passes(&rules, default, each);
            prop_assert!(!passed || before, "{each:?} passes now\n{text}\n{blueprint}");
            prop_assert!(
                passed || !before || !carries,
                "{each:?} passed before\n{text}\n{blueprint}"
            );
        }
    }
}
