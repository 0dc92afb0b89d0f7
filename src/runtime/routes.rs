//! From a host to the app behind it.

use std::collections::HashMap;

use crate::model::host::HostPattern;

/// An app and one of its addresses, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub app: usize,
    pub address: usize,
}

/// Exact hosts first, then the most specific pattern, by whole labels.
#[derive(Debug, Default)]
pub struct Routes {
    hosts: HashMap<String, Vec<(u16, Route)>>,
    patterns: Vec<(HostPattern, Route)>,
}

impl Routes {
    pub fn add_host(&mut self, host: &str, port: u16, route: Route) {
        self.hosts.entry(host.to_owned()).or_default().push((port, route));
    }

    pub fn add_pattern(&mut self, pattern: HostPattern, route: Route) {
        self.patterns.push((pattern, route));
        self.patterns
            .sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.as_str().split('.').count()));
    }

    /// The route of a canonical host. Where one host has several ports, the port chooses.
    #[must_use]
    pub fn find(&self, host: &str, port: Option<u16>) -> Option<Route> {
        if let Some(candidates) = self.hosts.get(host) {
            let exact = candidates.iter().find(|(declared, _)| Some(*declared) == port);
            return match (exact, candidates.as_slice()) {
                (Some((_, route)), _) | (None, [(_, route)]) => Some(*route),
                (None, _) if port.is_none() => by_default_port(candidates),
                (None, _) => None,
            };
        }
        self.patterns.iter().find(|(pattern, _)| pattern.matches(host)).map(|(_, route)| *route)
    }
}

fn by_default_port(candidates: &[(u16, Route)]) -> Option<Route> {
    let standard = candidates.iter().find(|(port, _)| matches!(port, 80 | 443));
    standard.map(|(_, route)| *route)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn route(app: usize) -> Route {
        Route { app, address: 0 }
    }

    #[test]
    fn an_exact_host_comes_before_a_pattern_and_the_narrower_pattern_first() {
        let mut routes = Routes::default();
        routes.add_pattern(HostPattern::parse("*.example.com").expect("a pattern"), route(1));
        routes.add_pattern(HostPattern::parse("*.lab.example.com").expect("a pattern"), route(2));
        routes.add_host("a.lab.example.com", 443, route(3));
        assert_eq!(routes.find("a.lab.example.com", Some(443)), Some(route(3)));
        assert_eq!(routes.find("b.lab.example.com", None), Some(route(2)));
        assert_eq!(routes.find("b.example.com", None), Some(route(1)));
        assert_eq!(routes.find("badexample.com", None), None);
    }

    #[test]
    fn the_port_chooses_between_apps_on_one_host() {
        let mut routes = Routes::default();
        routes.add_host("example.com", 443, route(1));
        routes.add_host("example.com", 8443, route(2));
        assert_eq!(routes.find("example.com", None), Some(route(1)));
        assert_eq!(routes.find("example.com", Some(8443)), Some(route(2)));
        assert_eq!(routes.find("example.com", Some(1)), None);
    }
}
