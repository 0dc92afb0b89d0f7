//! `access`: rules that can never decide, apps that nobody can enter, conditions without a path.

use super::{View, has_proxy};
use crate::blueprint::app::{App, Effect, Rule};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::object::Kind;
use crate::blueprint::source::{Name, Span};
use crate::model::subject::Subject;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    for app in &view.blueprint.apps {
        unreachable(view, app, out);
        nobody(view, app, out);
        if !has_proxy(app) {
            without_proxy(view, app, out);
        }
    }
}

fn unreachable(view: &View<'_>, app: &App, out: &mut Diagnostics) {
    for (at, rule) in app.access.rules.iter().enumerate() {
        let earlier: Vec<&Rule> = app.access.rules.iter().take(at).collect();
        let decided = |subject: &Subject| {
            earlier.iter().copied().find(|each| decides(view, each, rule, subject))
        };
        let by: Vec<Option<&Rule>> =
            rule.subjects.iter().map(|subject| decided(&subject.value)).collect();
        let all = !by.is_empty() && by.iter().all(Option::is_some);
        if let Some(first) = by.iter().flatten().next().filter(|_| all) {
            let diagnostic = whole_rule(view, first, rule);
            view.report(out, Kind::App, &app.slug.value, diagnostic);
            continue;
        }
        for (subject, by) in rule.subjects.iter().zip(by) {
            let Some(by) = by.filter(|by| by.effect != rule.effect) else { continue };
            let diagnostic = Diagnostic::warning(
                "blueprint::unreachable-subject",
                format!("`{}` can never match here", subject.value),
            )
            .at(subject.span, "decided already")
            .at(by.at, format!("by `{}`", said(view, by.at)))
            .help("first match wins: put the special cases above");
            view.report(out, Kind::App, &app.slug.value, diagnostic);
        }
    }
}

fn whole_rule(view: &View<'_>, by: &Rule, rule: &Rule) -> Diagnostic {
    let everyone = by.subjects.iter().any(|subject| subject.value == Subject::Everyone);
    let what = if everyone { "every request" } else { "these requests" };
    Diagnostic::error("blueprint::unreachable-rule", "this rule can never match")
        .at(rule.at, "unreachable")
        .at(by.at, format!("`{}` already decides {what}", said(view, by.at)))
        .help("first match wins: put the special cases above the catch-all")
}

/// The text of a rule with single spaces.
fn said(view: &View<'_>, span: Span) -> String {
    view.sources.slice(span).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `first` decides every request of `subject` that `second` could match.
fn decides(view: &View<'_>, first: &Rule, second: &Rule, subject: &Subject) -> bool {
    let subjects = first.subjects.iter().any(|each| includes(view, &each.value, subject));
    // An erroring condition keeps an `allow` from matching and makes a `deny` match.
    let errors_part = first.effect == Effect::Allow && second.effect == Effect::Deny;
    let conditional = !first.when.is_empty() || !first.unless.is_empty();
    subjects
        && path_includes(first, second)
        && first.method.as_ref().is_none_or(|method| second.method.as_ref() == Some(method))
        && all_in(&first.when, &second.when)
        && all_in(&first.unless, &second.unless)
        && !(errors_part && conditional)
}

fn path_includes(first: &Rule, second: &Rule) -> bool {
    let Some(first) = &first.path else { return true };
    let first = first.value.as_str();
    if matches!(first, "*" | "/*") {
        return true;
    }
    second.path.as_ref().is_some_and(|second| second.value.as_str() == first)
}

fn all_in(few: &[Name], many: &[Name]) -> bool {
    few.iter().all(|name| many.iter().any(|other| other.value == name.value))
}

/// Whether everybody that `small` names is named by `large` as well.
fn includes(view: &View<'_>, large: &Subject, small: &Subject) -> bool {
    match (large, small) {
        (large, small) if large == small => true,
        // Whether a service account is part of `everyone` is for its own front to say.
        (Subject::Everyone, small) => !matches!(small, Subject::ServiceAccount(_)),
        (Subject::Group(large), Subject::Group(small)) => {
            view.with_ancestors(small).contains(large.as_str())
        }
        (Subject::Group(large), Subject::User(name)) => {
            let user = view.blueprint.users.iter().find(|user| user.name.value == *name);
            let mut groups = user.iter().flat_map(|user| user.groups.iter());
            groups.any(|group| view.with_ancestors(&group.value).contains(large.as_str()))
        }
        _ => false,
    }
}

fn nobody(view: &View<'_>, app: &App, out: &mut Diagnostics) {
    let allows = app.access.rules.iter().any(|rule| rule.effect == Effect::Allow);
    let has_access =
        view.node(Kind::App, &app.slug.value).is_some_and(|node| node.kid("access").is_some());
    if allows || !has_access || view.is_broken(Kind::App, &app.slug.value) {
        return;
    }
    let diagnostic = Diagnostic::warning(
        "blueprint::nobody-may-enter",
        format!("nobody may use app `{}`", app.slug.value),
    )
    .at(app.access.at, "no `allow` in here")
    .help("what no rule allows is denied; add for example `allow group:users`");
    view.report(out, Kind::App, &app.slug.value, diagnostic);
}

fn without_proxy(view: &View<'_>, app: &App, out: &mut Diagnostics) {
    for rule in &app.access.rules {
        let path = rule.path.as_ref().map(|path| ("path", path.span));
        let method = rule.method.as_ref().map(|_| ("method", rule.at));
        for (word, span) in path.into_iter().chain(method) {
            let diagnostic = Diagnostic::error(
                "blueprint::path-without-proxy",
                format!("`{word}=` in an app without `proxy`"),
            )
            .at(span, "only requests through a reverse proxy have one")
            .help("an OpenID Connect or LDAP sign-in has no path: leave it out");
            view.report(out, Kind::App, &app.slug.value, diagnostic);
        }
    }
}
