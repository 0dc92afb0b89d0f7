//! The sign-in host, whom forwarded headers are believed from, and the rules of reconciling.

use super::{Case, Reason};
use crate::blueprint::settings::{DriftRule, Server, TestRule};
use crate::blueprint::source::Span;
use crate::blueprint::tree::Node;

pub fn find(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    external_host(case, reasons);
    trusted_proxies(case, reasons);
    reconcile(case, reasons);
}

fn settings(case: &Case<'_>, code: &'static str, field: &str, sentence: String) -> Reason {
    let at = case.place(case.new_files().settings.at);
    Reason::new(code, "settings".to_owned(), at, sentence)
        .confirmed_by("--allow", &format!("settings.{field}"))
}

fn external_host(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let old = case.old_files().settings.external_host.value.as_str();
    let new = case.new_files().settings.external_host.value.as_str();
    if old != new {
        let sentence = format!("the sign-in host would change: {old} → {new}");
        reasons.push(settings(case, "external-host", "external-host", sentence));
    }
}

fn trusted_proxies(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let old = networks(case.old_files().singles.iter());
    let new = networks(case.new_files().singles.iter());
    let inside = |net: &ipnet::IpNet| old.iter().any(|known| known.contains(net));
    let wider: Vec<String> =
        new.iter().filter(|net| !inside(net)).map(ToString::to_string).collect();
    if wider.is_empty() {
        return;
    }
    let sentence = format!("forwarded headers would be believed from {}, too", wider.join(", "));
    let at = server_place(&case.new_files().server).map(|at| case.place(at)).unwrap_or_default();
    reasons.push(
        Reason::new("trusted-proxies", "server".to_owned(), at, sentence)
            .confirmed_by("--allow", "server.trusted-proxies"),
    );
}

fn server_place(server: &Server) -> Option<Span> {
    server.trusted_proxies.first().map(|network| network.span).or(server.at)
}

/// The networks of `server { trusted-proxies }`, as written.
fn networks<'a>(singles: impl Iterator<Item = &'a Node>) -> Vec<ipnet::IpNet> {
    let servers = singles.filter(|node| node.is("server"));
    let lists = servers.flat_map(|server| server.kids_named("trusted-proxies"));
    let texts = lists.flat_map(|list| &list.args).filter_map(|value| value.text());
    let network = |text: &str| {
        let address = || text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from).ok();
        text.parse::<ipnet::IpNet>().ok().or_else(address)
    };
    texts.filter_map(network).collect()
}

fn reconcile(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let (old, new) = (case.old_files().settings.reconcile, case.new_files().settings.reconcile);
    let mut weaker = |field: &str, sentence: String| {
        let field = format!("reconcile.{field}");
        reasons.push(settings(case, "weaker-reconcile", &field, sentence));
    };
    if old.tests == TestRule::Gate && new.tests == TestRule::Warn {
        weaker("tests", "failing tests would only warn".to_owned());
    }
    if new.prune_count > old.prune_count || new.prune_percent > old.prune_percent {
        let sentence = format!(
            "the prune guard would let more through: percent={} count={} → percent={} count={}",
            old.prune_percent, old.prune_count, new.prune_percent, new.prune_count
        );
        weaker("prune-guard", sentence);
    }
    if new.keep_tombstones < old.keep_tombstones {
        weaker("keep-tombstones", "removed objects would be purged sooner".to_owned());
    }
    if old.drift == DriftRule::Enforce && new.drift == DriftRule::Report {
        weaker("drift", "drift would be reported and no longer undone".to_owned());
    }
}
