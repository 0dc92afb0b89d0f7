//! Rules of which the first match decides, as the lines of one app.
//!
//! Their outcomes have an order of strictness, and whatever cannot be said exactly becomes stricter,
//! never looser: a criterion that does not carry closes what it may have been about.

use super::carried::Report;
use super::globs;
use super::kdl::Line;
use super::yaml::Place;

/// What a rule comes to, the loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Bypass,
    OneFactor,
    TwoFactor,
    Deny,
}

impl Outcome {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "bypass" => Some(Self::Bypass),
            "one_factor" => Some(Self::OneFactor),
            "two_factor" => Some(Self::TwoFactor),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }
}

/// People that a rule is about: a subject of ours, and the policies that must hold besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub subject: String,
    pub when: Vec<String>,
}

/// A rule in our words. An empty list is no condition.
#[derive(Clone, Debug)]
pub struct Rule {
    pub outcome: Outcome,
    pub at: Place,
    /// Any of these.
    pub who: Vec<Who>,
    /// Path patterns, any of them.
    pub paths: Vec<String>,
    pub methods: Vec<String>,
    /// The policy about the network.
    pub network: Option<String>,
    /// What it asks for as well and cannot be said here.
    pub unclear: Vec<String>,
}

/// What the rules of one app come to.
#[derive(Debug, Default)]
pub struct Lines {
    pub bypass: Vec<Line>,
    pub protect_only: Vec<String>,
    pub access: Vec<Line>,
    /// Nothing of it is behind a login.
    pub public: Option<Place>,
    /// The policy `second-factor` is used.
    pub asks_factor: bool,
}

/// The name of the policy that asks whether a second factor was proven.
pub const SECOND_FACTOR: &str = "second-factor";

impl Rule {
    /// A rule without conditions.
    pub fn everything(outcome: Outcome, at: &Place) -> Self {
        Self {
            outcome,
            at: at.clone(),
            who: Vec::new(),
            paths: Vec::new(),
            methods: Vec::new(),
            network: None,
            unclear: Vec::new(),
        }
    }

    fn is_about_all(&self) -> bool {
        self.who.is_empty()
            && self.paths.is_empty()
            && self.methods.is_empty()
            && self.network.is_none()
            && self.unclear.is_empty()
    }

    /// Whether one request may meet both.
    fn overlaps(&self, other: &Self) -> bool {
        let any = |one: &[String], other: &[String], same: fn(&str, &str) -> bool| {
            one.is_empty()
                || other.is_empty()
                || one.iter().any(|a| other.iter().any(|b| same(a, b)))
        };
        any(&self.paths, &other.paths, overlap_folded)
            && any(&self.methods, &other.methods, |a, b| a == b)
    }
}

/// As [`globs::overlap`], where a pattern for what is below a path is also about the path itself.
fn overlap_folded(one: &str, other: &str) -> bool {
    let directory = |glob: &str| glob.strip_suffix("/*").map(str::to_owned);
    globs::overlap(one, other)
        || directory(one).is_some_and(|one| globs::overlap(&one, other))
        || directory(other).is_some_and(|other| globs::overlap(one, &other))
}

/// The lines for the rules that are about an app, in their order; the last one has no condition.
pub fn lines(rules: Vec<Rule>, app: &str, report: &mut Report) -> Lines {
    let rules = reachable(clear(reachable(rules), app, report));
    let mut lines = Lines::default();
    let mut kept: Vec<Rule> = Vec::new();
    for rule in rules {
        if rule.outcome != Outcome::Bypass {
            kept.push(rule);
            continue;
        }
        match opened(&rule, &kept) {
            Opened::Wholly => {
                lines.public = Some(rule.at.clone());
                return lines;
            }
            Opened::Paths(bypass) => lines.bypass.extend(bypass),
            Opened::But(paths) => {
                lines.protect_only = paths;
                kept.push(Rule { outcome: Outcome::OneFactor, ..rule });
            }
            Opened::Not(why) => {
                report.changed(&rule.at, format!("`policy: bypass` for {app}"), why);
                kept.push(Rule { outcome: Outcome::OneFactor, ..rule });
            }
        }
    }
    write(&kept, &mut lines);
    lines
}

/// The rules up to the first one that is about everything.
fn reachable(rules: Vec<Rule>) -> Vec<Rule> {
    let last = rules.iter().position(Rule::is_about_all);
    rules.into_iter().take(last.map_or(usize::MAX, |at| at + 1)).collect()
}

/// Rules without unclear conditions. One that has any is left out where what follows is at least
/// as strict, and denies otherwise.
fn clear(rules: Vec<Rule>, app: &str, report: &mut Report) -> Vec<Rule> {
    let loosest_after: Vec<Outcome> = (0..rules.len())
        .map(|at| rules.iter().skip(at + 1).map(|rule| rule.outcome).min())
        .map(|outcome| outcome.unwrap_or(Outcome::Deny))
        .collect();
    let mut kept = Vec::new();
    for (mut rule, loosest) in rules.into_iter().zip(loosest_after) {
        if rule.unclear.is_empty() {
            kept.push(rule);
            continue;
        }
        let why = rule.unclear.join("; ");
        let what = format!("this rule, for {app}");
        if loosest >= rule.outcome {
            report.not_carried(&rule.at, what, format!("{why}. Nobody gains by that"));
            continue;
        }
        let closed = "what it may be about is denied instead, since a later rule would let more in";
        report.changed(&rule.at, what, format!("{why}; {closed}"));
        rule.outcome = Outcome::Deny;
        rule.unclear.clear();
        kept.push(rule);
    }
    kept
}

/// How far a rule that asks for no login can be said.
enum Opened {
    /// The whole app.
    Wholly,
    Paths(Vec<Line>),
    /// All but these paths.
    But(Vec<String>),
    /// People sign in first.
    Not(&'static str),
}

fn opened(rule: &Rule, before: &[Rule]) -> Opened {
    if rule.network.is_some() {
        return Opened::Not("no login is left out by network here: people sign in first");
    }
    if !rule.who.is_empty() {
        return Opened::Not("who it is about is known only after a login");
    }
    let clash = before.iter().any(|earlier| earlier.overlaps(rule));
    if rule.is_about_all() && before.is_empty() {
        return Opened::Wholly;
    }
    if rule.is_about_all() && before.iter().all(|earlier| !earlier.paths.is_empty()) {
        let paths = before.iter().flat_map(|earlier| earlier.paths.iter().cloned());
        let mut paths: Vec<String> = paths.collect();
        paths.sort();
        paths.dedup();
        return Opened::But(paths);
    }
    if clash || rule.is_about_all() {
        return Opened::Not(
            "a rule above it is about some of the same addresses: people sign in first",
        );
    }
    Opened::Paths(bypass_lines(rule))
}

fn bypass_lines(rule: &Rule) -> Vec<Line> {
    let paths: Vec<&str> = match rule.paths.is_empty() {
        true => vec!["/*"],
        false => rule.paths.iter().map(String::as_str).collect(),
    };
    let line = paths.iter().fold(Line::new("bypass"), |line, path| line.text(path));
    let reason = format!("as in line {} of {}", rule.at.line, rule.at.file);
    match rule.methods.is_empty() {
        true => vec![line.prop("reason", &reason)],
        false => {
            let each = rule.methods.iter();
            each.map(|method| line.clone().prop("reason", &reason).prop("method", method)).collect()
        }
    }
}

fn write(rules: &[Rule], lines: &mut Lines) {
    let grants = |rule: &&Rule| rule.outcome != Outcome::Deny;
    let factor = |rule: &Rule| rule.outcome == Outcome::TwoFactor;
    let some = rules.iter().filter(grants).any(factor);
    let all = rules.iter().filter(grants).all(factor);
    if some && all {
        lines.access.push(Line::new("require").word("mfa"));
    }
    for rule in rules {
        if some && !all && factor(rule) {
            // Whoever has no second factor must not fall through to a looser rule below.
            lines.asks_factor = true;
            lines.access.extend(each("deny", rule, Some(SECOND_FACTOR)));
        }
        let effect = if rule.outcome == Outcome::Deny { "deny" } else { "allow" };
        let silent = rules.len() > 1 && rule.outcome == Outcome::Deny && rule.is_about_all();
        if !silent {
            lines.access.extend(each(effect, rule, None));
        }
    }
}

/// A line for each path, method and set of people.
fn each(effect: &'static str, rule: &Rule, unless: Option<&str>) -> Vec<Line> {
    let everyone = Who { subject: "everyone".to_owned(), when: Vec::new() };
    let mut groups: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for who in rule.who.iter().chain(rule.who.is_empty().then_some(&everyone)) {
        match groups.iter_mut().find(|(when, _)| *when == who.when) {
            Some((_, subjects)) => subjects.push(who.subject.clone()),
            None => groups.push((who.when.clone(), vec![who.subject.clone()])),
        }
    }
    let paths: Vec<Option<&str>> = optional(&rule.paths);
    let methods: Vec<Option<&str>> = optional(&rule.methods);
    let mut lines = Vec::new();
    for (when, subjects) in &groups {
        for path in &paths {
            for method in &methods {
                let mut line =
                    Line::new(effect).from(&rule.at).names(subjects.iter().map(String::as_str));
                line = path.iter().fold(line, |line, path| line.prop("path", path));
                line = method.iter().fold(line, |line, method| line.prop("method", method));
                let policies = when.iter().chain(&rule.network);
                for policy in policies {
                    line.push(Line::new("if").word(policy));
                }
                line =
                    unless.iter().fold(line, |line, name| line.kid(Line::new("unless").word(name)));
                lines.push(line);
            }
        }
    }
    lines
}

fn optional(texts: &[String]) -> Vec<Option<&str>> {
    if texts.is_empty() {
        vec![None]
    } else {
        texts.iter().map(|text| Some(text.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: usize) -> Place {
        Place { file: "a.yml".into(), line, column: 1 }
    }

    fn rule(outcome: &str, paths: &[&str], group: &str) -> Rule {
        let who = Who { subject: format!("group:{group}"), when: Vec::new() };
        Rule {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            who: if group.is_empty() { Vec::new() } else { vec![who] },
            ..Rule::everything(Outcome::parse(outcome).unwrap(), &place(7))
        }
    }

    fn said(rules: Vec<Rule>) -> (String, Lines, Report) {
        let mut report = Report::default();
        let lines = lines(rules, "app.example.com", &mut report);
        let text = lines.access.iter().chain(&lines.bypass).map(Line::render).collect();
        (text, lines, report)
    }

    #[test]
    fn one_kind_of_grant_is_a_requirement_of_the_app() {
        let (text, ..) = said(vec![rule("two_factor", &[], "a"), rule("deny", &[], "")]);
        assert_eq!(text, "require mfa\nallow group:a\n");
    }

    #[test]
    fn a_mixed_app_asks_rule_by_rule() {
        let (text, lines, _) =
            said(vec![rule("two_factor", &["/admin/*"], "a"), rule("one_factor", &[], "")]);
        assert!(lines.asks_factor);
        let expected = "deny group:a path=\"/admin/*\" {\n    unless second-factor\n}\n\
                        allow group:a path=\"/admin/*\"\nallow everyone\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_needs_no_login_is_a_bypass_unless_a_rule_above_forbids_it() {
        let (text, ..) = said(vec![rule("bypass", &["/api/*"], ""), rule("one_factor", &[], "")]);
        assert_eq!(text, "allow everyone\nbypass \"/api/*\" reason=\"as in line 7 of a.yml\"\n");
        let (text, _, report) = said(vec![
            rule("deny", &["/api/secret"], ""),
            rule("bypass", &["/api/*"], ""),
            rule("deny", &[], ""),
        ]);
        assert_eq!(text, "deny everyone path=\"/api/secret\"\nallow everyone path=\"/api/*\"\n");
        assert!(report.text().contains("changed"));
    }

    #[test]
    fn all_but_some_paths_may_be_open() {
        let (text, lines, _) =
            said(vec![rule("one_factor", &["/admin/*"], "a"), rule("bypass", &[], "")]);
        assert_eq!(lines.protect_only, ["/admin/*"]);
        assert_eq!(text, "allow group:a path=\"/admin/*\"\nallow everyone\n");
        let (_, lines, _) = said(vec![rule("bypass", &[], ""), rule("deny", &[], "")]);
        assert!(lines.public.is_some());
    }

    #[test]
    fn an_unclear_rule_never_opens_what_it_closed() {
        let unclear =
            |outcome| Rule { unclear: vec!["a query".to_owned()], ..rule(outcome, &[], "") };
        let (text, _, report) = said(vec![unclear("two_factor"), rule("one_factor", &[], "")]);
        assert_eq!(text, "deny everyone\n", "{}", report.text());
        let (text, _, report) = said(vec![unclear("one_factor"), rule("two_factor", &[], "")]);
        assert_eq!(text, "require mfa\nallow everyone\n", "{}", report.text());
        assert!(report.text().contains("not carried"));
        let (text, ..) = said(vec![unclear("deny"), rule("one_factor", &[], "")]);
        assert_eq!(text, "deny everyone\n");
    }

    #[test]
    fn what_stands_below_everything_is_not_reached() {
        let (text, ..) = said(vec![
            rule("one_factor", &[], "a"),
            rule("deny", &[], ""),
            rule("bypass", &[], ""),
        ]);
        assert_eq!(text, "allow group:a\n");
    }
}
