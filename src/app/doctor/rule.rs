//! Which hosts the rule of a Traefik router matches, read well enough to find mistakes.

use regex::Regex;

/// The hosts of a rule, and whether it looks at anything else.
#[derive(Debug, Default)]
pub struct Rule {
    pub hosts: Vec<String>,
    patterns: Vec<Regex>,
    /// It also looks at paths, methods or headers, so it takes only some of the requests.
    pub narrowed: bool,
    /// It says nothing about hosts.
    pub any_host: bool,
}

/// `!Name(`…`)`; a parenthesis in quotes does not end it.
const CALL: &str = r#"(!?)\s*([A-Za-z]+)\(((?:`[^`]*`|"(?:[^"\\]|\\.)*"|[^)`"])*)\)"#;
const TEXT: &str = r#"`([^`]*)`|"((?:[^"\\]|\\.)*)""#;

impl Rule {
    pub fn of(text: &str) -> Self {
        let mut rule = Self::default();
        let (Ok(calls), Ok(texts)) = (Regex::new(CALL), Regex::new(TEXT)) else { return rule };
        let mut about_hosts = false;
        for call in calls.captures_iter(text) {
            let part = |at: usize| call.get(at).map_or("", |found| found.as_str());
            let negated = part(1) == "!";
            let given = texts.captures_iter(part(3));
            let given = given.filter_map(|text| text.get(1).or_else(|| text.get(2)));
            match part(2) {
                "Host" | "HostHeader" if !negated => {
                    about_hosts = true;
                    rule.hosts.extend(given.map(|text| text.as_str().to_ascii_lowercase()));
                }
                "HostRegexp" if !negated => {
                    about_hosts = true;
                    rule.patterns.extend(given.filter_map(|text| Regex::new(text.as_str()).ok()));
                }
                // What is left out belongs to another router, which is looked at by itself.
                "Host" | "HostHeader" | "HostRegexp" => {}
                _ => rule.narrowed |= !negated,
            }
        }
        rule.any_host = !about_hosts;
        rule
    }

    pub fn covers(&self, host: &str) -> bool {
        self.any_host
            || self.hosts.iter().any(|known| known == host)
            || self.patterns.iter().any(|pattern| pattern.is_match(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_from_calls_in_any_quotes() {
        let rule = Rule::of("Host(`A.example.com`, \"b.example.com\") || Host(`c.example.com`)");
        assert_eq!(rule.hosts, ["a.example.com", "b.example.com", "c.example.com"]);
        assert!(rule.covers("b.example.com") && !rule.covers("d.example.com"));
        assert!(!rule.narrowed && !rule.any_host);
    }

    #[test]
    fn a_pattern_with_parentheses_is_read_whole() {
        let rule = Rule::of(r"HostRegexp(`^(a|b)\.example\.com$`) && PathPrefix(`/api`)");
        assert!(rule.covers("a.example.com") && !rule.covers("c.example.com"));
        assert!(rule.narrowed);
    }

    #[test]
    fn what_is_negated_neither_matches_nor_narrows() {
        let rule = Rule::of("Host(`a`) && !PathPrefix(`/auth/`) && !Host(`b`)");
        assert_eq!(rule.hosts, ["a"]);
        assert!(!rule.narrowed);
    }

    #[test]
    fn a_rule_without_hosts_covers_all() {
        let rule = Rule::of("PathPrefix(`/.well-known/acme-challenge/`)");
        assert!(rule.any_host && rule.narrowed && rule.covers("x"));
    }
}
