//! Which hosts the rule of a Traefik router matches, read well enough to find mistakes.

use regex::Regex;
use serde::Deserialize;

/// Deeper or wider rules are cut off; nobody writes them.
const DEEPEST: usize = 32;
const MOST_BRANCHES: usize = 256;

/// A host that nobody declares: a rule that matches it matches any.
const NOBODY: &str = "nobody.invalid";

/// A rule as its alternatives: one that fits is enough.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "String")]
pub struct Rule {
    text: String,
    branches: Vec<Branch>,
}

/// How much of the requests for a host a rule takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    Nothing,
    /// It also looks at paths, methods or headers.
    Part,
    Whole,
}

/// Conditions that must all hold.
#[derive(Clone, Debug, Default)]
struct Branch {
    hosts: Vec<Hosts>,
    /// None of these.
    other_than: Vec<Hosts>,
    narrowed: bool,
}

#[derive(Clone, Debug, Default)]
struct Hosts {
    names: Vec<String>,
    patterns: Vec<Regex>,
}

impl Rule {
    pub fn of(text: &str) -> Self {
        Self { text: text.to_owned(), branches: Reader { rest: text }.alternatives(0) }
    }

    /// The rule as Traefik tells it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The hosts that are named.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let hosts = self.branches.iter().flat_map(|branch| &branch.hosts);
        hosts.flat_map(|hosts| &hosts.names).map(String::as_str)
    }

    /// What it takes of the requests for a host. Some paths of every host, such as those of
    /// certificates, are no part of this host.
    pub fn share(&self, host: &str) -> Share {
        let covering = self.branches.iter().filter(|branch| branch.covers(host));
        let mut covering = covering.filter(|branch| !branch.narrowed || !branch.hosts.is_empty());
        match covering.next() {
            None => Share::Nothing,
            Some(branch) if !branch.narrowed => Share::Whole,
            Some(_) if covering.any(|branch| !branch.narrowed) => Share::Whole,
            Some(_) => Share::Part,
        }
    }

    /// Whether whoever asks may name any host.
    pub fn takes_any_host(&self) -> bool {
        self.branches.iter().any(|branch| branch.covers(NOBODY))
    }

    /// Whether it looks at something beside hosts in each of its alternatives.
    pub fn is_narrowed(&self) -> bool {
        self.branches.iter().all(|branch| branch.narrowed)
    }
}

impl From<String> for Rule {
    fn from(text: String) -> Self {
        Self::of(&text)
    }
}

impl Branch {
    fn covers(&self, host: &str) -> bool {
        self.hosts.iter().all(|hosts| hosts.have(host))
            && !self.other_than.iter().any(|hosts| hosts.have(host))
    }

    fn and(&self, other: &Self) -> Self {
        Self {
            hosts: [self.hosts.clone(), other.hosts.clone()].concat(),
            other_than: [self.other_than.clone(), other.other_than.clone()].concat(),
            narrowed: self.narrowed || other.narrowed,
        }
    }

    /// What none of these alternatives takes. Paths that are left out belong to another router,
    /// which is looked at by itself.
    fn none_of(branches: Vec<Self>) -> Self {
        let hosts_alone =
            |each: &Self| !each.narrowed && each.hosts.len() == 1 && each.other_than.is_empty();
        let other_than = branches.into_iter().filter(hosts_alone).flat_map(|each| each.hosts);
        Self { other_than: other_than.collect(), ..Self::default() }
    }

    /// What a call such as `` Host(`a`) `` asks for.
    fn of_call(name: &str, given: Vec<String>) -> Self {
        let hosts = |hosts: Hosts| Self { hosts: vec![hosts], ..Self::default() };
        match name {
            "Host" | "HostHeader" => {
                let names = given.iter().map(|text| text.to_ascii_lowercase()).collect();
                hosts(Hosts { names, ..Hosts::default() })
            }
            "HostRegexp" => {
                let patterns = given.iter().filter_map(|text| Regex::new(text).ok()).collect();
                hosts(Hosts { patterns, ..Hosts::default() })
            }
            "PathPrefix" if given.iter().any(|text| text.is_empty() || text == "/") => {
                Self::default()
            }
            "PathRegexp" if given.iter().any(|text| is_every_path(text)) => Self::default(),
            _ => Self { narrowed: true, ..Self::default() },
        }
    }
}

impl Hosts {
    fn have(&self, host: &str) -> bool {
        self.names.iter().any(|name| name == host)
            || self.patterns.iter().any(|pattern| pattern.is_match(host))
    }
}

fn is_every_path(pattern: &str) -> bool {
    Regex::new(pattern)
        .is_ok_and(|pattern| ["/", "/a/b-1.c"].iter().all(|path| pattern.is_match(path)))
}

/// The rest of a rule that is being read: `||` binds less than `&&`, and `!` most.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn alternatives(&mut self, depth: usize) -> Vec<Branch> {
        let mut branches = self.conjunction(depth);
        while self.eat("||") {
            branches.extend(self.conjunction(depth));
        }
        branches.truncate(MOST_BRANCHES);
        branches
    }

    fn conjunction(&mut self, depth: usize) -> Vec<Branch> {
        let mut branches = self.condition(depth);
        while self.eat("&&") {
            let more = self.condition(depth);
            let both = branches.iter().flat_map(|left| more.iter().map(|right| left.and(right)));
            branches = both.take(MOST_BRANCHES).collect();
        }
        branches
    }

    fn condition(&mut self, depth: usize) -> Vec<Branch> {
        if depth > DEEPEST {
            return Vec::new();
        }
        if self.eat("!") {
            return vec![Branch::none_of(self.condition(depth.saturating_add(1)))];
        }
        if self.eat("(") {
            let branches = self.alternatives(depth.saturating_add(1));
            self.eat(")");
            return branches;
        }
        let is_name = |letter: char| letter.is_ascii_alphanumeric();
        let (name, rest) = split_where(self.rest, |letter| !is_name(letter));
        self.rest = rest;
        if name.is_empty() || !self.eat("(") {
            Vec::new()
        } else {
            vec![Branch::of_call(name, self.texts())]
        }
    }

    /// The texts of a call, up to its closing parenthesis.
    fn texts(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        loop {
            let (_, rest) = split_where(self.rest, |letter| matches!(letter, '`' | '"' | ')'));
            self.rest = rest;
            if self.eat("`") {
                let (text, rest) = split_where(self.rest, |letter| letter == '`');
                texts.push(text.to_owned());
                self.rest = rest.get(1..).unwrap_or_default();
            } else if self.eat("\"") {
                texts.push(self.quoted());
            } else {
                self.eat(")");
                return texts;
            }
        }
    }

    fn quoted(&mut self) -> String {
        let mut text = String::new();
        let mut letters = self.rest.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '"' => break,
                '\\' => text.extend(letters.next()),
                _ => text.push(letter),
            }
        }
        self.rest = letters.as_str();
        text
    }

    fn eat(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_from_calls_in_any_quotes() {
        let rule = Rule::of("Host(`A.example.com`, \"b.example.com\") || Host(`c.example.com`)");
        let names: Vec<&str> = rule.names().collect();
        assert_eq!(names, ["a.example.com", "b.example.com", "c.example.com"]);
        assert_eq!(rule.share("b.example.com"), Share::Whole);
        assert_eq!(rule.share("d.example.com"), Share::Nothing);
        assert!(!rule.takes_any_host());
    }

    #[test]
    fn a_pattern_with_parentheses_is_read_whole() {
        let rule = Rule::of(r"HostRegexp(`^(a|b)\.example\.com$`) && PathPrefix(`/api`)");
        assert_eq!(rule.share("a.example.com"), Share::Part);
        assert_eq!(rule.share("c.example.com"), Share::Nothing);
        assert!(Rule::of(r#"HostRegexp("^a\\.b$")"#).share("a.b") == Share::Whole);
    }

    #[test]
    fn hosts_that_are_negated_are_left_out() {
        let rule = Rule::of("HostRegexp(`.+`) && !Host(`a`) && !(HostRegexp(`^b`) || Path(`/c`))");
        assert_eq!((rule.share("a"), rule.share("b1")), (Share::Nothing, Share::Nothing));
        assert_eq!(rule.share("c"), Share::Whole);
        assert!(rule.takes_any_host() && rule.names().next().is_none());
        assert_eq!(Rule::of("!(Host(`a`) && Path(`/x`))").share("a"), Share::Whole);
        assert_eq!(Rule::of("!!Host(`a`)").share("a"), Share::Whole);
    }

    #[test]
    fn what_is_negated_neither_matches_nor_narrows() {
        let rule = Rule::of("Host(`a`) && !PathPrefix(`/auth/`) && !(Host(`b`) || Path(`/c`))");
        assert_eq!(rule.names().collect::<Vec<_>>(), ["a"]);
        assert_eq!(rule.share("a"), Share::Whole);
    }

    #[test]
    fn alternatives_are_looked_at_one_by_one() {
        let rule = Rule::of("Host(`a`) && (Path(`/x`) || Method(`GET`)) || Host(`b`)");
        assert_eq!((rule.share("a"), rule.share("b")), (Share::Part, Share::Whole));
        let rule = Rule::of("Host(`a`) || PathPrefix(`/`)");
        assert!(rule.takes_any_host() && rule.share("c") == Share::Whole);
        assert_eq!(Rule::of("Host(`a`) && Host(`b`)").share("a"), Share::Nothing);
    }

    #[test]
    fn a_rule_without_hosts_takes_any() {
        for (text, share) in [
            ("PathPrefix(`/`)", Share::Whole),
            ("PathRegexp(`^/`)", Share::Whole),
            ("HostRegexp(`.+`)", Share::Whole),
            ("PathPrefix(`/.well-known/acme-challenge/`)", Share::Nothing),
            ("PathRegexp(`^/api`)", Share::Nothing),
        ] {
            let rule = Rule::of(text);
            assert!(rule.takes_any_host(), "{text}");
            assert_eq!(rule.share("x"), share, "{text}");
        }
    }

    #[test]
    fn a_damaged_rule_ends_somewhere() {
        for text in ["", "Host(`a", "Host(\"a\\", "((((", "&& ||", "!", "Host", "Host(`a`))) ||"] {
            Rule::of(text);
        }
        Rule::of(&"(".repeat(10_000));
        let wide = "(Path(`a`) || Path(`b`)) && ".repeat(40);
        assert!(Rule::of(&wide).branches.len() <= MOST_BRANCHES);
    }
}
