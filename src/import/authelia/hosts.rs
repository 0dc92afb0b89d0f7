//! Which hosts there are, and which rule is about which of them.

use std::collections::BTreeSet;

use regex::Regex;

use crate::import::globs;
use crate::import::yaml::Node;
use crate::model::host::Host;

/// A host, or all below a domain that nothing else names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    Host(String),
    /// `example.com` of `*.example.com`.
    Below(String),
}

impl Reach {
    pub fn shown(&self) -> String {
        match self {
            Self::Host(host) => host.clone(),
            Self::Below(domain) => format!("*.{domain}"),
        }
    }
}

/// Whether a rule is about a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Yes,
    No,
    /// It may be about some hosts and not about others.
    Unclear(String),
}

/// The domains of one rule.
#[derive(Debug, Default)]
pub struct Domains {
    exact: BTreeSet<String>,
    below: BTreeSet<String>,
    regexes: Vec<(String, Option<Regex>)>,
    /// Patterns such as `{user}.example.com`.
    odd: Vec<String>,
    nothing: bool,
}

impl Domains {
    /// Reads `domain` and `domain_regex` of a rule; without either it is about no host.
    pub fn of(rule: &Node) -> Self {
        let mut domains = Self::default();
        for item in rule.list("domain") {
            let text = item.raw().unwrap_or_default().to_lowercase();
            match text.strip_prefix("*.") {
                Some(domain) if is_host(domain) => domains.below.insert(domain.to_owned()),
                None if is_host(&text) => domains.exact.insert(text),
                _ => {
                    domains.odd.push(text);
                    false
                }
            };
        }
        for item in rule.list("domain_regex") {
            let text = item.raw().unwrap_or_default();
            match globs::texts(text) {
                Some(hosts) if hosts.iter().all(|host| is_host(host)) => {
                    domains.exact.extend(hosts)
                }
                _ => domains.regexes.push((text.to_owned(), regex(text))),
            }
        }
        domains.nothing = domains.exact.is_empty()
            && domains.below.is_empty()
            && domains.regexes.is_empty()
            && domains.odd.is_empty();
        domains
    }

    pub fn names_nothing(&self) -> bool {
        self.nothing
    }

    /// The hosts and domains that are named.
    pub fn reaches(&self) -> impl Iterator<Item = Reach> {
        let exact = self.exact.iter().cloned().map(Reach::Host);
        exact.chain(self.below.iter().cloned().map(Reach::Below))
    }

    /// Texts that name hosts which cannot be listed.
    pub fn open(&self) -> impl Iterator<Item = &str> {
        let regexes = self.regexes.iter().map(|(text, _)| text.as_str());
        regexes.chain(self.odd.iter().map(String::as_str))
    }

    pub fn about(&self, reach: &Reach) -> About {
        let below = |name: &str| {
            self.below.iter().any(|domain| {
                name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
            })
        };
        let sure = match reach {
            Reach::Host(host) => self.exact.contains(host) || below(host),
            Reach::Below(domain) => self.below.contains(domain) || below(domain),
        };
        if sure {
            return About::Yes;
        }
        let unclear = |text: &str| {
            About::Unclear(format!("which hosts `{text}` is about cannot be said here"))
        };
        for (text, regex) in &self.regexes {
            match (reach, regex) {
                (Reach::Host(host), Some(regex)) if regex.is_match(host) => {
                    let named = regex.capture_names().flatten().next().is_some();
                    return if named { unclear(text) } else { About::Yes };
                }
                (Reach::Host(_), Some(_)) => {}
                _ => return unclear(text),
            }
        }
        match self.odd.iter().find(|odd| may_be(odd, reach)) {
            Some(odd) => unclear(odd),
            None => About::No,
        }
    }
}

/// Whether `{user}.example.com` may be this host.
fn may_be(odd: &str, reach: &Reach) -> bool {
    let Some((_, rest)) = odd.split_once('}') else { return true };
    match reach {
        Reach::Host(host) => host.ends_with(rest),
        Reach::Below(domain) => {
            let rest = rest.trim_start_matches('.');
            rest == domain || rest.ends_with(&format!(".{domain}"))
        }
    }
}

fn regex(text: &str) -> Option<Regex> {
    regex::RegexBuilder::new(text).case_insensitive(true).size_limit(1 << 18).build().ok()
}

pub fn is_host(text: &str) -> bool {
    Host::parse(text).is_ok() && !text.contains(['*', '{', ':', '/'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::yaml::parse;

    fn about(rule: &str, reach: Reach) -> About {
        Domains::of(&parse("a.yml", rule).unwrap()).about(&reach)
    }

    fn host(name: &str) -> Reach {
        Reach::Host(name.to_owned())
    }

    #[test]
    fn rules_are_about_the_hosts_that_they_name() {
        for (rule, name, expected) in [
            ("domain: git.example.com", "git.example.com", true),
            ("domain: Git.Example.com", "git.example.com", true),
            ("domain: git.example.com", "wiki.example.com", false),
            ("domain: '*.example.com'", "a.b.example.com", true),
            ("domain: '*.example.com'", "example.com", false),
            ("domain: '*.example.com'", "badexample.com", false),
            ("domain_regex: '^(a|b)\\.example\\.com$'", "b.example.com", true),
            ("domain_regex: '^app-.*$'", "app-1.example.com", true),
            ("domain_regex: '^app-.*$'", "x.example.com", false),
        ] {
            let found = about(rule, host(name));
            assert_eq!(found == About::Yes, expected, "{rule} {name}");
            assert!(!matches!(found, About::Unclear(_)), "{rule}");
        }
    }

    #[test]
    fn what_is_open_is_unclear() {
        let below = Reach::Below("lab.example.com".to_owned());
        for (rule, reach) in [
            ("domain_regex: '^app-.*$'", below.clone()),
            ("domain: '{user}.example.com'", host("x.example.com")),
            ("domain_regex: '^(?P<User>\\w+)\\.example\\.com$'", host("x.example.com")),
            ("domain_regex: '('", host("x.example.com")),
        ] {
            assert!(matches!(about(rule, reach), About::Unclear(_)), "{rule}");
        }
        assert_eq!(about("domain: '*.example.com'", below), About::Yes);
        assert_eq!(about("domain: '{user}.other.org'", host("x.example.com")), About::No);
    }
}
