//! Users and groups: two people with one name or one address, member lists of console groups.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use super::View;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::object::Kind;
use crate::blueprint::people::ConsoleRole;
use crate::blueprint::source::Span;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    names(view, out);
    emails(view, out);
    consoles(view, out);
    personas(view, out);
}

fn names(view: &View<'_>, out: &mut Diagnostics) {
    let mut seen: BTreeMap<String, (&str, Span)> = BTreeMap::new();
    let users = view.blueprint.users.iter().map(|user| (Kind::User, &user.name));
    let accounts =
        view.blueprint.service_accounts.iter().map(|account| (Kind::ServiceAccount, &account.name));
    for (kind, name) in users.chain(accounts) {
        let folded = folded(&name.value);
        let Some((other, span)) = seen.get(&folded).copied() else {
            seen.insert(folded, (name.value.as_str(), name.span));
            continue;
        };
        // The same name of the same kind has been reported as declared twice.
        if other == name.value
            && view
                .node(kind, other)
                .is_some_and(|node| node.args.first().is_some_and(|first| first.span == span))
        {
            continue;
        }
        let diagnostic = Diagnostic::error(
            "blueprint::names-alike",
            format!("`{}` and `{other}` are the same name to somebody who signs in", name.value),
        )
        .at(name.span, "second one")
        .at(span, "first one")
        .help("names are compared without case, across users and service accounts");
        view.report(out, kind, &name.value, diagnostic);
    }
}

/// How names are compared at sign-in.
fn folded(name: &str) -> String {
    name.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

fn emails(view: &View<'_>, out: &mut Diagnostics) {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for user in &view.blueprint.users {
        let Some(email) = &user.email else { continue };
        let Some(earlier) = seen.insert(email.value.to_lowercase(), email.span) else { continue };
        if earlier == email.span {
            continue;
        }
        let diagnostic = Diagnostic::error(
            "blueprint::email-twice",
            format!("two people have the address `{}`", email.value),
        )
        .at(email.span, "second one")
        .at(earlier, "first one")
        .help("an address belongs to one account: mail links prove who somebody is");
        view.report(out, Kind::User, &user.name.value, diagnostic);
    }
}

/// A group with `console admin` is always declared (`blueprints.md` 4.2).
fn consoles(view: &View<'_>, out: &mut Diagnostics) {
    for group in &view.blueprint.groups {
        let node = view.node(Kind::Group, &group.slug.value);
        let Some(membership) = node.and_then(|node| node.kid("membership")) else { continue };
        let runtime = membership.args.first().and_then(|value| value.text()) == Some("runtime");
        if group.console != ConsoleRole::Admin || !runtime {
            continue;
        }
        let diagnostic = Diagnostic::error(
            "blueprint::console-membership",
            format!("group `{}` opens the admin console", group.slug.value),
        )
        .at(membership.line, "its members cannot be added at run time")
        .help("write `membership declared`");
        view.report(out, Kind::Group, &group.slug.value, diagnostic);
    }
}

fn personas(view: &View<'_>, out: &mut Diagnostics) {
    for persona in view.blueprint.personas.iter().filter(|each| each.name.value == "anonymous") {
        out.push(
            Diagnostic::error("blueprint::reserved-name", "`anonymous` is a reserved name")
                .at(persona.name.span, "means nobody is signed in")
                .help("pick another name"),
        );
    }
}
