//! Console roles that are new, and ways to take over an account that has one.

use std::collections::BTreeSet;

use super::prune::uid_after;
use super::{Case, Reason};
use crate::blueprint::object::Kind;
use crate::blueprint::people::{ConsoleRole, User};
use crate::blueprint::secret_ref::SecretOrigin;
use crate::blueprint::source::Name;
use crate::reconcile::identity::Fate;
use crate::reconcile::power::{Account, role_word};

pub fn find(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    groups(case, reasons);
    users(case, reasons);
    service_accounts(case, reasons);
    sources(case, reasons);
    run_time_members(case, reasons);
}

/// The name under which something was known before.
pub fn former<'a>(case: &'a Case<'_>, kind: Kind, slug: &'a str) -> &'a str {
    let each = case.matched.iter().find(|each| each.kind == kind && each.slug == slug);
    match each.map(|each| &each.fate) {
        Some(Fate::Rename { was, .. }) => was,
        _ => slug,
    }
}

fn gained(kind: &str, slug: &str, place: String, role: ConsoleRole) -> Reason {
    let name = format!("{kind} {slug}");
    let sentence = format!("{name} would get the console role `{}`", role_word(role));
    Reason::new("console-role", name, place, sentence)
        .confirmed_by("--allow", &format!("{kind}:{slug}.console"))
}

fn groups(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    for group in &case.new_files().groups {
        let slug = group.slug.value.as_str();
        let new = case.after.role([slug]);
        let old = case.before.role([former(case, Kind::Group, slug)]);
        if new > old {
            reasons.push(gained("group", slug, case.place(group.at), new));
        }
    }
}

fn users(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    for user in &case.new_files().users {
        let name = user.name.value.as_str();
        let stored = uid_after(case.matched, name).and_then(|uid| case.stored.user(&uid));
        let old = old_user(case, name);
        let after = Account { declared: Some(user), stored };
        let before = Account { declared: old, stored };
        let role = case.after.account_role(&after);
        let was = if old.is_some() { case.before.account_role(&before) } else { ConsoleRole::None };
        if role > was {
            reasons.push(gained("user", name, case.place(user.at), role));
        }
        if let Some(old) = old.filter(|_| role.max(was) != ConsoleRole::None) {
            takeover(case, old, &after, reasons);
        } else if let Some(old) = old {
            brought_password(case, old, &after, reasons);
        }
    }
}

/// A hash in the files is a password that whoever wrote it knows: for somebody who is there already.
fn brought_password(case: &Case<'_>, old: &User, after: &Account<'_>, reasons: &mut Vec<Reason>) {
    let (Some(new), name) = (after.declared, after.name()) else { return };
    let hash = |user: &User| match user.initial_password.as_ref().map(|secret| &secret.origin) {
        Some(SecretOrigin::Argon2id(hash)) => Some(hash.clone()),
        _ => None,
    };
    let applied = after.stored.is_some_and(|user| user.initial_password_applied);
    if applied || hash(new).is_none() || hash(old) == hash(new) {
        return;
    }
    let sentence =
        format!("user {name} could be signed in to by a password whose hash is in the files");
    reasons.push(
        Reason::new("password-hash", format!("user {name}"), case.place(new.at), sentence)
            .confirmed_by("--allow", &format!("user:{name}.initial-password")),
    );
}

fn old_user<'a>(case: &'a Case<'_>, name: &str) -> Option<&'a User> {
    let was = former(case, Kind::User, name);
    case.old_files().users.iter().find(|user| user.name.value == was)
}

/// An address or a first password with which somebody else could become this person.
fn takeover(case: &Case<'_>, old: &User, after: &Account<'_>, reasons: &mut Vec<Reason>) {
    let (Some(new), name) = (after.declared, after.name()) else { return };
    let email = |user: &User| user.email.as_ref().map(|email| email.value.clone());
    if email(old) != email(new) {
        let show = |email: Option<String>| email.unwrap_or_else(|| "none".to_owned());
        let sentence = format!(
            "the e-mail address of user {name}, who has a console role, would change: {} → {}",
            show(email(old)),
            show(email(new))
        );
        reasons.push(
            Reason::new("console-email", format!("user {name}"), case.place(new.at), sentence)
                .confirmed_by("--allow", &format!("user:{name}.email")),
        );
    }
    let origin = |user: &User| user.initial_password.as_ref().map(|secret| secret.origin.clone());
    let applied = after.stored.is_some_and(|user| user.initial_password_applied);
    if !applied && new.initial_password.is_some() && origin(old) != origin(new) {
        let sentence =
            format!("user {name}, who has a console role, would get another first password");
        reasons.push(
            Reason::new("console-password", format!("user {name}"), case.place(new.at), sentence)
                .confirmed_by("--allow", &format!("user:{name}.initial-password")),
        );
    }
    if old.disabled && !new.disabled {
        let sentence = format!("user {name}, who has a console role, would be enabled again");
        reasons.push(
            Reason::new("console-enabled", format!("user {name}"), case.place(new.at), sentence)
                .confirmed_by("--allow", &format!("user:{name}.disabled")),
        );
    }
}

fn service_accounts(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    for account in &case.new_files().service_accounts {
        let name = account.name.value.as_str();
        let was = former(case, Kind::ServiceAccount, name);
        let old = case.old_files().service_accounts.iter().find(|old| old.name.value == was);
        let before = old.map(|old| case.before.role(texts(&old.groups))).unwrap_or_default();
        let role = case.after.role(texts(&account.groups));
        if role > before {
            reasons.push(gained("service-account", name, case.place(account.at), role));
        }
    }
}

/// Another provider that puts people into a group with a role.
fn sources(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    for source in &case.new_files().sources {
        let slug = source.slug.value.as_str();
        let was = former(case, Kind::Source, slug);
        let old = case.old_files().sources.iter().find(|old| old.slug.value == was);
        let before =
            old.map(|old| case.before.role(old.groups.iter().flat_map(|g| texts(&g.groups))));
        let role = case.after.role(source.groups.iter().flat_map(|grant| texts(&grant.groups)));
        if role > before.unwrap_or_default() {
            reasons.push(gained("source", slug, case.place(source.at), role));
        }
    }
}

fn texts(names: &[Name]) -> impl Iterator<Item = &str> {
    names.iter().map(|name| name.value.as_str())
}

/// People whom no file names, and whose run-time membership would come to mean a role.
fn run_time_members(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let declared: BTreeSet<&str> = case
        .matched
        .iter()
        .filter(|each| each.kind == Kind::User)
        .filter_map(|each| match &each.fate {
            Fate::Keep { uid } | Fate::Rename { uid, .. } | Fate::Revive { uid } => {
                Some(uid.as_str())
            }
            _ => None,
        })
        .collect();
    for user in case.stored.users.iter().filter(|user| !declared.contains(user.id.as_str())) {
        let account = Account { declared: None, stored: Some(user) };
        let (old, new) = (case.before.account_role(&account), case.after.account_role(&account));
        if new > old && !user.disabled {
            reasons.push(gained("user", &user.username, String::new(), new));
        }
    }
}
