//! The sign-in host, whom forwarded headers are believed from, how long sessions last, what a
//! password must have, and the rules of reconciling.

use std::time::Duration;

use super::power::former;
use super::{Case, Reason};
use crate::blueprint::object::Kind;
use crate::blueprint::settings::{DriftRule, Server, SessionLimits, TestRule};
use crate::blueprint::source::Span;
use crate::blueprint::tree::Node;

pub fn find(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    external_host(case, reasons);
    trusted_proxies(case, reasons);
    sessions(case, reasons);
    app_sessions(case, reasons);
    passwords(case, reasons);
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

fn sessions(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let (old, new) = (case.old_files().settings.session, case.new_files().settings.session);
    if let Some(sentence) = longer(old, new) {
        reasons.push(settings(case, "longer-session", "session", sentence));
    }
    let lifetime = |side: &crate::blueprint::Blueprint| side.settings.default_token_lifetime;
    if lifetime(case.new_files()) > lifetime(case.old_files()) {
        let sentence = "tokens would last longer".to_owned();
        reasons.push(settings(case, "longer-session", "default-token-lifetime", sentence));
    }
}

/// Apps with limits of their own, now or before; the others follow the settings.
fn app_sessions(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    for app in &case.new_files().apps {
        let slug = app.slug.value.as_str();
        let was = former(case, Kind::App, slug);
        let Some(old) = case.old_files().apps.iter().find(|old| old.slug.value == was) else {
            continue;
        };
        if old.session.is_none() && app.session.is_none() {
            continue;
        }
        let before = old.session.unwrap_or(case.old_files().settings.session);
        let after = app.session.unwrap_or(case.new_files().settings.session);
        if let Some(sentence) = longer(before, after) {
            let (object, place) = (format!("app {slug}"), case.place(app.at));
            let sentence = format!("at app {slug}, {sentence}");
            reasons.push(
                Reason::new("longer-session", object, place, sentence)
                    .confirmed_by("--allow", &format!("app:{slug}.session")),
            );
        }
    }
}

fn longer(old: SessionLimits, new: SessionLimits) -> Option<String> {
    let limits = [("idle", old.idle, new.idle), ("absolute", old.absolute, new.absolute)];
    let grown = limits.iter().filter(|(_, old, new)| new > old);
    let named: Vec<String> = grown
        .map(|(word, old, new)| format!("{word} {} → {}", lasting(*old), lasting(*new)))
        .collect();
    (!named.is_empty()).then(|| format!("sessions would last longer: {}", named.join(", ")))
}

/// `days=14`, in the largest unit that fits.
fn lasting(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [("days", 86_400), ("hours", 3600), ("minutes", 60)];
    let fitting = units.iter().find(|(_, size)| seconds > 0 && seconds.is_multiple_of(*size));
    match fitting {
        Some((unit, size)) => format!("{unit}={}", seconds / size),
        None => format!("seconds={seconds}"),
    }
}

fn passwords(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let (old, new) = (case.old_files().settings.password, case.new_files().settings.password);
    if new.min_length < old.min_length || new.min_score < old.min_score {
        let sentence = format!(
            "new passwords could be weaker: min-length {} min-score {} → min-length {} min-score {}",
            old.min_length, old.min_score, new.min_length, new.min_score
        );
        reasons.push(settings(case, "weaker-password", "password", sentence));
    }
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
