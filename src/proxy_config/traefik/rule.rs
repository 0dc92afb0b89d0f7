//! Traefik's rule language: `Host`, `HostRegexp`, `PathPrefix`.
//!
//! Hosts arrive validated. They are quoted all the same, so that none can end a string and go on
//! with a matcher of its own.

/// A rule and the priority at which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    pub text: String,
    pub priority: usize,
    /// The name to ask a certificate for where the rule does not tell it.
    pub wildcard: Option<String>,
}

/// Matches one host.
#[must_use]
pub fn host(name: &str) -> HostRule {
    let text = format!("Host({})", literal(name));
    // The priority that Traefik would compute, so that somebody's longer rule still wins.
    let priority = text.len();
    HostRule { text, priority, wildcard: None }
}

/// Matches the hosts of a pattern such as `*.lab.example.com`.
#[must_use]
pub fn pattern(pattern: &str) -> HostRule {
    if !pattern.contains('*') {
        return host(pattern);
    }
    let text = format!("HostRegexp({})", literal(&expression(pattern)));
    // Below the shortest possible `Host` rule, which an exact host has elsewhere by default;
    // among patterns the more specific one has more labels.
    let priority = pattern.split('.').count().min(LARGEST_PATTERN_PRIORITY);
    let rest = pattern.strip_prefix("*.").filter(|rest| !rest.contains('*'));
    HostRule { text, priority, wildcard: rest.map(|rest| format!("*.{rest}")) }
}

/// Adds that the path begins with one of these, and with none of those.
#[must_use]
pub fn with_paths(rule: &str, begins: &[&str], except: &[&str]) -> String {
    let mut parts = vec![rule.to_owned()];
    let any: Vec<String> = begins.iter().map(|path| path_prefix(path)).collect();
    if !any.is_empty() {
        parts.push(format!("({})", any.join(" || ")));
    }
    parts.extend(except.iter().map(|path| format!("!{}", path_prefix(path))));
    parts.join(" && ")
}

const LARGEST_PATTERN_PRIORITY: usize = 8;

fn path_prefix(path: &str) -> String {
    format!("PathPrefix({})", literal(path))
}

/// A leading `*` is one or more whole labels, any other `*` stays within its label.
fn expression(pattern: &str) -> String {
    let (begin, rest) = match pattern.strip_prefix("*.") {
        Some(rest) => (r"([0-9a-z_-]+\.)+", rest),
        None => ("", pattern),
    };
    let labels: Vec<String> = rest.split('.').map(label).collect();
    format!("^{begin}{}$", labels.join(r"\."))
}

fn label(label: &str) -> String {
    if label == "*" {
        return "[0-9a-z_-]+".to_owned();
    }
    let mut out = String::new();
    for c in label.chars() {
        match c {
            '*' => out.push_str("[0-9a-z_-]*"),
            '-' | '_' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c => out.extend(['\\', c]),
        }
    }
    out
}

/// A string of the rule language, which has Go's literals.
fn literal(value: &str) -> String {
    let raw = |c: char| c != '`' && (c == ' ' || c.is_ascii_graphic());
    if value.chars().all(raw) {
        return format!("`{value}`");
    }
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            other => out.push_str(&format!("\\U{:08x}", u32::from(other))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> HostRule {
        pattern(text)
    }

    #[test]
    fn a_pattern_stands_below_every_exact_host() {
        assert!(rule("*.a.b.c.d.e.f.g.h.i.example.com").priority < host("a").priority);
        assert!(rule("*.lab.example.com").priority > rule("*.example.com").priority);
    }

    #[test]
    fn a_pattern_covers_whole_labels_and_its_dots_are_dots() {
        let text = rule("*.lab.example.com").text;
        assert_eq!(text, r"HostRegexp(`^([0-9a-z_-]+\.)+lab\.example\.com$`)");
        let inner = text.trim_start_matches("HostRegexp(`").trim_end_matches("`)");
        let regex = regex::Regex::new(inner).unwrap();
        for host in ["nas.lab.example.com", "a.b.lab.example.com"] {
            assert!(regex.is_match(host), "{host}");
        }
        for host in
            ["lab.example.com", "nas.labxexample.com", "evillab.example.com", ".lab.example.com"]
        {
            assert!(!regex.is_match(host), "{host}");
        }
        assert!(!regex.is_match("nas.lab.example.com.evil.net"));
    }

    #[test]
    fn a_star_within_a_name_stays_within_its_label() {
        assert_eq!(
            rule("app-*.example.com").text,
            r"HostRegexp(`^app-[0-9a-z_-]*\.example\.com$`)"
        );
        assert_eq!(rule("a.*.example.com").text, r"HostRegexp(`^a\.[0-9a-z_-]+\.example\.com$`)");
        assert_eq!(rule("nas.example.com").text, "Host(`nas.example.com`)");
    }

    #[test]
    fn a_host_cannot_leave_its_string() {
        assert_eq!(host("a`) || Host(`b").text, r#"Host("a`) || Host(`b")"#);
        assert_eq!(host("a`\"\\\n").text, r#"Host("a`\"\\\U0000000a")"#);
        assert_eq!(rule("*.a)b").text, r"HostRegexp(`^([0-9a-z_-]+\.)+a\)b$`)");
    }

    #[test]
    fn paths_are_added_with_their_exceptions() {
        let text = with_paths("Host(`a`)", &["/.doorward/", "/x/"], &["/x/auth/"]);
        let expected = "Host(`a`) && (PathPrefix(`/.doorward/`) || PathPrefix(`/x/`)) \
                        && !PathPrefix(`/x/auth/`)";
        assert_eq!(text, expected);
    }
}
