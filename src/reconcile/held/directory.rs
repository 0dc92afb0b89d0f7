//! The directory: who would read all of it, what hosts would take for somebody's, and what would go in clear
//! (`security.md` R5).

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::power::former;
use super::{Case, Reason};
use crate::access::person::{Attributes, Person, PersonKind, Proofs};
use crate::blueprint::Blueprint;
use crate::blueprint::object::Kind;
use crate::blueprint::people::{AttributeLines, ServiceAccount, TokenPurpose};
use crate::blueprint::source::{Name, Span};
use crate::runtime::Runtime;

/// What hosts let people in by, and give files away by.
const OF_HOSTS: [&str; 10] = [
    "uidNumber",
    "gidNumber",
    "homeDirectory",
    "loginShell",
    "sshPublicKey",
    "userCertificate",
    "altSecurityIdentities",
    "krbPrincipalName",
    "host",
    "authorizedService",
];

pub fn find(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    searchers(case, reasons);
    in_clear(case, reasons);
    on_hosts(case, reasons);
}

/// A listener that others reach, and that speaks in clear.
fn in_clear(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let open = |files: &Blueprint| -> BTreeSet<SocketAddr> {
        let all = files.ldap.iter().flat_map(|ldap| &ldap.listen).map(|at| at.value.get());
        all.filter(|at| !at.ip().is_loopback()).collect()
    };
    let (before, after) = (open(case.old_files()), open(case.new_files()));
    let new: Vec<String> = after.difference(&before).map(ToString::to_string).collect();
    if new.is_empty() {
        return;
    }
    let place = case.new_files().ldap.as_ref().map(|ldap| case.place(ldap.at)).unwrap_or_default();
    let sentence = format!("passwords would go over the network in clear at {}", new.join(", "));
    reasons.push(
        Reason::new("ldap-in-clear", "ldap".to_owned(), place, sentence)
            .confirmed_by("--allow", "ldap.listen"),
    );
}

fn searchers(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let (old, new) = (case.old_files(), case.new_files());
    let people = new.users.iter().map(|user| {
        let name = user.name.value.as_str();
        let was = former(case, Kind::User, name);
        let before = old.users.iter().find(|old| old.name.value == was);
        ((PersonKind::User, name, &user.groups), before.map(|old| (was, &old.groups)))
    });
    let programs = new.service_accounts.iter().filter(|it| binds(it)).map(|account| {
        let name = account.name.value.as_str();
        let was = former(case, Kind::ServiceAccount, name);
        let before = old.service_accounts.iter().find(|old| old.name.value == was && binds(old));
        ((PersonKind::ServiceAccount, name, &account.groups), before.map(|old| (was, &old.groups)))
    });
    // Whoever is in a group at run time, too.
    let groups = new.groups.iter().filter(|group| {
        let name = group.slug.value.as_str();
        let was = former(case, Kind::Group, name);
        let known = old.groups.iter().any(|old| old.slug.value == was);
        let may = |runtime, name: &str| may_search(runtime, PersonKind::User, "", &[name]);
        may(case.after.runtime, name) && !(known && may(case.before.runtime, was))
    });
    let groups: Vec<String> = groups.map(|group| format!("group:{}", group.slug.value)).collect();
    let gained: Vec<String> = people
        .chain(programs)
        .filter(|((kind, name, groups), before)| {
            let could = before.is_some_and(|(was, groups)| {
                may_search(case.before.runtime, *kind, was, &names(groups))
            });
            !could && may_search(case.after.runtime, *kind, name, &names(groups))
        })
        .map(|((_, name, _), _)| name.to_owned())
        .chain(groups)
        .collect();
    if gained.is_empty() {
        return;
    }
    let place = new.ldap.as_ref().map(|ldap| case.place(ldap.at)).unwrap_or_default();
    let sentence =
        format!("the whole directory could be searched over LDAP by {}", gained.join(", "));
    reasons.push(
        Reason::new("ldap-search", "ldap".to_owned(), place, sentence)
            .confirmed_by("--allow", "ldap.search"),
    );
}

fn binds(account: &ServiceAccount) -> bool {
    account.tokens.iter().any(|token| token.purpose == TokenPurpose::LdapBind)
}

fn names(groups: &[Name]) -> Vec<&str> {
    groups.iter().map(|name| name.value.as_str()).collect()
}

fn may_search(runtime: &Runtime, kind: PersonKind, username: &str, groups: &[&str]) -> bool {
    let Some(directory) = &runtime.directory else { return false };
    let groups = runtime.groups.expand(groups.iter().copied());
    directory.may_search(&Person {
        username,
        kind,
        name: None,
        email: None,
        groups: &groups,
        group_names: &[],
        attributes: &Attributes::new(),
        proofs: &Proofs::default(),
        disabled: false,
    })
}

fn on_hosts(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    if case.after.runtime.directory.is_none() {
        return;
    }
    let (old, new) = (case.old_files(), case.new_files());
    for user in &new.users {
        let was = former(case, Kind::User, &user.name.value);
        if let Some(old) = old.users.iter().find(|old| old.name.value == was) {
            let subject = format!("user:{}", user.name.value);
            changed(case, &subject, user.at, (&old.attributes, &user.attributes), reasons);
        }
    }
    for group in &new.groups {
        let was = former(case, Kind::Group, &group.slug.value);
        if let Some(old) = old.groups.iter().find(|old| old.slug.value == was) {
            let subject = format!("group:{}", group.slug.value);
            changed(case, &subject, group.at, (&old.attributes, &group.attributes), reasons);
        }
    }
}

fn changed(
    case: &Case<'_>,
    subject: &str,
    at: Span,
    (old, new): (&AttributeLines, &AttributeLines),
    reasons: &mut Vec<Reason>,
) {
    for name in OF_HOSTS {
        let of = |lines: &AttributeLines| -> Vec<String> {
            let all = lines.iter().filter(|(key, _)| key.value.eq_ignore_ascii_case(name));
            all.flat_map(|(_, values)| values.clone()).collect()
        };
        let (was, is) = (of(old), of(new));
        if was == is {
            continue;
        }
        let is = if is.is_empty() { "what is given out here".to_owned() } else { is.join(", ") };
        let sentence = format!(
            "hosts let people in and give files away by {name}, and that of {subject} would be {is}"
        );
        reasons.push(
            Reason::new("posix", subject.replace(':', " "), case.place(at), sentence)
                .confirmed_by("--allow", &format!("{subject}.{name}")),
        );
    }
}
