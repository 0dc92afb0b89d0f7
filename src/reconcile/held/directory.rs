//! The directory: who would read all of it, and whose number in POSIX would be another's (`security.md` R5).

use super::power::former;
use super::{Case, Reason};
use crate::access::person::{Attributes, Person, PersonKind, Proofs};
use crate::blueprint::object::Kind;
use crate::blueprint::people::AttributeLines;
use crate::blueprint::source::{Name, Span};
use crate::runtime::Runtime;

/// What hosts give files away by.
const NUMBERS: [&str; 2] = ["uidNumber", "gidNumber"];

pub fn find(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    searchers(case, reasons);
    numbers(case, reasons);
}

fn searchers(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let (old, new) = (case.old_files(), case.new_files());
    let people = new.users.iter().map(|user| {
        let name = user.name.value.as_str();
        let was = former(case, Kind::User, name);
        let before = old.users.iter().find(|old| old.name.value == was);
        ((PersonKind::User, name, &user.groups), before.map(|old| (was, &old.groups)))
    });
    let programs = new.service_accounts.iter().map(|account| {
        let name = account.name.value.as_str();
        let was = former(case, Kind::ServiceAccount, name);
        let before = old.service_accounts.iter().find(|old| old.name.value == was);
        ((PersonKind::ServiceAccount, name, &account.groups), before.map(|old| (was, &old.groups)))
    });
    let gained: Vec<String> = people
        .chain(programs)
        .filter(|((kind, name, groups), before)| {
            let could = before
                .is_some_and(|(was, groups)| may_search(case.before.runtime, *kind, was, groups));
            !could && may_search(case.after.runtime, *kind, name, groups)
        })
        .map(|((_, name, _), _)| name.to_owned())
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

fn may_search(runtime: &Runtime, kind: PersonKind, username: &str, groups: &[Name]) -> bool {
    let Some(directory) = &runtime.directory else { return false };
    let groups = runtime.groups.expand(groups.iter().map(|name| name.value.as_str()));
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

fn numbers(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    if case.after.runtime.directory.is_none() {
        return;
    }
    let (old, new) = (case.old_files(), case.new_files());
    for user in &new.users {
        let was = former(case, Kind::User, &user.name.value);
        if let Some(old) = old.users.iter().find(|old| old.name.value == was) {
            let subject = format!("user:{}", user.name.value);
            renumbered(case, &subject, user.at, (&old.attributes, &user.attributes), reasons);
        }
    }
    for group in &new.groups {
        let was = former(case, Kind::Group, &group.slug.value);
        if let Some(old) = old.groups.iter().find(|old| old.slug.value == was) {
            let subject = format!("group:{}", group.slug.value);
            renumbered(case, &subject, group.at, (&old.attributes, &group.attributes), reasons);
        }
    }
}

fn renumbered(
    case: &Case<'_>,
    subject: &str,
    at: Span,
    (old, new): (&AttributeLines, &AttributeLines),
    reasons: &mut Vec<Reason>,
) {
    for name in NUMBERS {
        let of = |lines: &AttributeLines| {
            let line = lines.iter().find(|(key, _)| key.value.eq_ignore_ascii_case(name));
            line.and_then(|(_, values)| values.first().cloned())
        };
        let (was, is) = (of(old), of(new));
        if was == is {
            continue;
        }
        let is = is.unwrap_or_else(|| "one that is given out here".to_owned());
        let sentence = format!(
            "files on hosts are given away by numbers, and {name} of {subject} would be {is}"
        );
        reasons.push(
            Reason::new("posix-number", subject.replace(':', " "), case.place(at), sentence)
                .confirmed_by("--allow", &format!("{subject}.{name}")),
        );
    }
}
