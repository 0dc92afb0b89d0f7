//! LDAP: the front, the binds of apps, what a bind can and cannot ask.

use std::collections::{BTreeSet, HashMap};

use super::View;
use crate::blueprint::app::App;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::flow::{Flow, StageKind};
use crate::blueprint::object::Kind;
use crate::blueprint::people::{AttributeLines, ServiceAccount, TokenPurpose};
use crate::blueprint::policy::{Condition, Part};
use crate::blueprint::source::{Name, Span, Spanned};
use crate::model::posix_number::{GIVEN_OUT, LOWEST};
use crate::model::subject::Subject;

/// Branches of the directory, of any profile.
const BRANCHES: [&str; 6] =
    ["people", "users", "groups", "own-groups", "virtual-groups", "services"];

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    front(view, out);
    numbers(view, out);
    for app in view.blueprint.apps.iter().filter(|app| app.ldap.is_some()) {
        without_front(view, app, out);
        name_of_branch(view, app, out);
        account(view, app, out);
        bind_flow(view, app, out);
    }
}

fn front(view: &View<'_>, out: &mut Diagnostics) {
    let Some(ldap) = &view.blueprint.ldap else { return };
    for listen in ldap.listen.iter().filter(|listen| !listen.value.get().ip().is_loopback()) {
        out.push(
            Diagnostic::warning(
                "blueprint::ldap-in-clear",
                "passwords go over the network in clear text",
            )
            .at(listen.span, "not a loopback address")
            .help("use `listen-tls`, or listen on 127.0.0.1"),
        );
    }
    let tls = ldap.tls.is_some() || view.blueprint.server.tls.is_some();
    if let Some(listen) = ldap.listen_tls.first().filter(|_| !tls) {
        let message = "`listen-tls` without a certificate";
        let diagnostic = if view.mode.dev {
            Diagnostic::advice("blueprint::ldap-without-certificate", message)
                .at(listen.span, "a certificate is made for development")
        } else {
            Diagnostic::warning("blueprint::ldap-without-certificate", message)
                .at(listen.span, "neither `ldap` nor `server` names one")
        };
        let help = "add tls cert=\"/path/cert.pem\" key=\"/path/key.pem\"";
        out.push(diagnostic.help(help));
    }
    if ldap.listen.is_empty() && ldap.listen_tls.is_empty() {
        out.push(
            Diagnostic::warning("blueprint::ldap-without-listener", "`ldap` listens nowhere")
                .at(ldap.at, "neither `listen` nor `listen-tls`")
                .help("add listen \"127.0.0.1:3389\""),
        );
    }
}

fn without_front(view: &View<'_>, app: &App, out: &mut Diagnostics) {
    let Some(ldap) = app.ldap.as_ref().filter(|_| view.blueprint.ldap.is_none()) else { return };
    let diagnostic = Diagnostic::error(
        "blueprint::no-ldap-front",
        format!("app `{}` signs in with LDAP, which nobody serves", app.slug.value),
    )
    .at(ldap.at, "there is no `ldap` at the top level")
    .help("add\n    ldap { listen \"127.0.0.1:3389\"; base-dn \"dc=example,dc=com\" }");
    view.report(out, Kind::App, &app.slug.value, diagnostic);
}

/// An app's part of the directory is `ou=APP` beside the branches.
fn name_of_branch(view: &View<'_>, app: &App, out: &mut Diagnostics) {
    let slug = &app.slug.value;
    if !BRANCHES.contains(&slug.as_str()) {
        return;
    }
    let message = format!("`ou={slug}` is a branch of the directory, and no app's part of it");
    let diagnostic = Diagnostic::error("blueprint::ldap-branch", message)
        .at(app.slug.span, "an app with `ldap` has a part of its own by this name")
        .help(format!("give it another name, and `formerly={slug}`"));
    view.report(out, Kind::App, slug, diagnostic);
}

/// Hosts give files away by these numbers: nobody has one of the system, one of ours, or somebody else's.
fn numbers(view: &View<'_>, out: &mut Diagnostics) {
    if view.blueprint.ldap.is_none() {
        return;
    }
    let people = view.blueprint.users.iter().map(|user| &user.attributes);
    let groups = view.blueprint.groups.iter().map(|group| &group.attributes);
    people.clone().chain(groups.clone()).for_each(|lines| twice(lines, out));
    people.clone().for_each(|lines| own_group(lines, out));
    let mut known = HashMap::new();
    unique(people, "uidNumber", &mut known, out);
    unique(groups, "gidNumber", &mut known, out);
}

/// LDAP has one spelling of a name.
fn twice(lines: &AttributeLines, out: &mut Diagnostics) {
    for (at, (key, _)) in lines.iter().enumerate() {
        let same = |(other, _): &&(Spanned<String>, Vec<String>)| {
            other.value != key.value && other.value.eq_ignore_ascii_case(&key.value)
        };
        if let Some((earlier, _)) = lines.iter().take(at).find(same) {
            out.push(
                Diagnostic::error("blueprint::attribute-twice", "two attributes are one in LDAP")
                    .at(key.span, "differs in capitals alone")
                    .at(earlier.span, "the other")
                    .help("keep one of them"),
            );
        }
    }
}

/// A person's group on hosts is their own: another would be given away by a line of theirs.
fn own_group(lines: &AttributeLines, out: &mut Diagnostics) {
    for (key, _) in lines.iter().filter(|(key, _)| key.value.eq_ignore_ascii_case("gidNumber")) {
        out.push(
            Diagnostic::error(
                "blueprint::posix-number",
                "people have a group of their own on hosts",
            )
            .at(key.span, "another group's number would make them its members")
            .help("leave it out, and put them into groups with `in`"),
        );
    }
}

/// One row of numbers: a person's own group has the person's.
fn unique<'a>(
    all: impl Iterator<Item = &'a AttributeLines>,
    name: &str,
    known: &mut HashMap<i64, Span>,
    out: &mut Diagnostics,
) {
    for (key, values) in all.flatten().filter(|(key, _)| key.value.eq_ignore_ascii_case(name)) {
        let number = values.first().and_then(|value| value.parse().ok());
        let may_be = |number: &i64| *number >= LOWEST && !GIVEN_OUT.contains(number);
        let Some(number) = number.filter(may_be).filter(|_| values.len() == 1) else {
            let message = format!(
                "`{name}` is one number from {LOWEST} on, and not one that is given out here"
            );
            let (first, last) = (GIVEN_OUT.start(), GIVEN_OUT.end());
            out.push(
                Diagnostic::error("blueprint::posix-number", message)
                    .at(key.span, "hosts know people and groups by it")
                    .help(format!("leave it out, or choose one outside of {first} to {last}")),
            );
            continue;
        };
        if let Some(earlier) = known.insert(number, key.span) {
            let message = format!("two have the number {number}");
            out.push(
                Diagnostic::error("blueprint::posix-number", message)
                    .at(
                        key.span,
                        "hosts would take one for the other, or its group for the other's",
                    )
                    .at(earlier, "the other")
                    .help("give each a number of its own, or leave it out"),
            );
        }
    }
}

/// An account that may not search finds nobody.
fn cannot_search(view: &View<'_>, app: &App, account: &ServiceAccount, out: &mut Diagnostics) {
    let Some(ldap) = &view.blueprint.ldap else { return };
    let name = &account.name.value;
    let direct = account.groups.iter();
    let groups: BTreeSet<&str> =
        direct.flat_map(|group| view.with_ancestors(&group.value)).collect();
    let may = ldap.search.iter().any(|subject| match &subject.value {
        Subject::Everyone => true,
        Subject::Group(group) => groups.contains(group.as_str()),
        Subject::ServiceAccount(known) => known == name,
        Subject::User(_) => false,
    });
    if may {
        return;
    }
    let message = format!("service account `{name}` finds nobody: it may not search");
    let diagnostic = Diagnostic::warning("blueprint::ldap-cannot-search", message)
        .at(account.at, "binds, and sees nothing")
        .help(format!("ldap {{ search service-account:{name} }}"));
    view.report(out, Kind::App, &app.slug.value, diagnostic);
}

fn account(view: &View<'_>, app: &App, out: &mut Diagnostics) {
    let Some(name) = app.ldap.as_ref().and_then(|ldap| ldap.bind_as.as_ref()) else { return };
    let accounts = &view.blueprint.service_accounts;
    let Some(account) = accounts.iter().find(|each| each.name.value == name.value) else { return };
    if account.tokens.iter().any(|token| token.purpose == TokenPurpose::LdapBind) {
        return cannot_search(view, app, account, out);
    }
    let diagnostic = Diagnostic::error(
        "blueprint::no-bind-token",
        format!("service account `{}` has no token for binding", name.value),
    )
    .at(name.span, "could never bind")
    .at(account.at, "declared here")
    .help("add `token ldap-bind` to it");
    view.report(out, Kind::App, &app.slug.value, diagnostic);
}

fn bind_flow(view: &View<'_>, app: &App, out: &mut Diagnostics) {
    let named = app.ldap.as_ref().and_then(|ldap| ldap.flow.as_ref());
    let flow = named
        .and_then(|name| view.blueprint.flows.iter().find(|flow| flow.slug.value == name.value));
    let code = flow.is_some_and(takes_code);
    for require in app.access.requires.iter().filter(|_| !code) {
        let diagnostic = Diagnostic::error(
            "blueprint::require-over-ldap",
            "a bind cannot be asked for a second factor",
        )
        .at(require.at, "could never be met")
        .help("use a flow with `authenticator-validate { … code-in-password }`, or leave `require` out");
        view.report(out, Kind::App, &app.slug.value, diagnostic);
    }
    if let Some((name, flow)) = named.zip(flow) {
        stages(view, name, flow, out);
        networks(view, flow, out);
    }
}

fn takes_code(flow: &Flow) -> bool {
    flow.stages.iter().any(|stage| match &stage.kind {
        StageKind::AuthenticatorValidate(validate) => validate.code_in_password,
        _ => false,
    })
}

/// A bind carries a name and a password; nothing else can be asked.
fn stages(view: &View<'_>, used: &Name, flow: &Flow, out: &mut Diagnostics) {
    for stage in &flow.stages {
        let fits = match &stage.kind {
            StageKind::Identification(_)
            | StageKind::Password { .. }
            | StageKind::Deny { .. }
            | StageKind::Login { .. } => true,
            StageKind::AuthenticatorValidate(validate) => validate.code_in_password,
            _ => false,
        };
        if fits {
            continue;
        }
        let diagnostic = Diagnostic::error(
            "blueprint::stage-over-ldap",
            format!("flow `{}` asks for more than a bind can give", flow.slug.value),
        )
        .at(stage.at, "needs a browser")
        .at(used.span, "used for LDAP here")
        .help("a bind carries a name, a password and, with `code-in-password`, a code");
        view.report(out, Kind::Flow, &flow.slug.value, diagnostic);
    }
}

fn networks(view: &View<'_>, flow: &Flow, out: &mut Diagnostics) {
    let closure = view.policy_closure();
    for name in flow.stages.iter().flat_map(|stage| stage.when.iter().chain(&stage.unless)) {
        let all = closure.get(name.value.as_str()).into_iter().flatten();
        let network = all.filter_map(|slug| {
            view.blueprint.policies.iter().find(|policy| policy.slug.value == **slug)
        });
        if !network.into_iter().any(|policy| asks_network(&policy.parts)) {
            continue;
        }
        let diagnostic = Diagnostic::warning(
            "blueprint::network-over-ldap",
            "over LDAP `network` is the address of the application",
        )
        .at(name.span, "not the address of the person")
        .help("leave the condition out of flows for LDAP, or mean the application's address");
        view.report(out, Kind::Flow, &flow.slug.value, diagnostic);
    }
}

fn asks_network(parts: &[Part]) -> bool {
    parts.iter().any(|part| match &part.condition {
        Condition::Network(_) => true,
        Condition::Any(inner) | Condition::Not(inner) => asks_network(inner),
        _ => false,
    })
}
