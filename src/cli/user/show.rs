//! `doorward user show`.

use serde_json::json;

use super::Named;
use crate::clock::{Clock, Millis};
use crate::factor::held::Held;
use crate::runtime::Runtime;
use crate::store::{Connection, Membership, Owner, Session, Token, User};
use crate::web::agent;

/// What is known of one person.
struct Person {
    user: User,
    /// Where files declare them.
    place: Option<String>,
    /// Files disable an account without the store.
    is_disabled: bool,
    memberships: Vec<Membership>,
    held: Held,
    connections: Vec<Connection>,
    sessions: Vec<Session>,
    tokens: Vec<Token>,
}

pub async fn print(of: &Named, json: bool) -> anyhow::Result<u8> {
    let (opened, user) = of.find().await?;
    let runtime = opened.last_good().await?;
    let now = Clock::machine().now();
    let read = opened.stored.store.read().await?;
    let declared = |runtime: &Runtime| runtime.declared.get(&user.username).cloned();
    let declared = runtime.as_ref().and_then(declared).filter(|_| user.declared);
    let person = Person {
        place: declared.as_ref().map(|person| person.place.clone()),
        is_disabled: user.disabled || declared.is_some_and(|person| person.disabled),
        memberships: read.list_memberships_of(&user.id).await?,
        held: Held::of(&read, &user.id).await?,
        connections: read.list_connections_of(&user.id).await?,
        sessions: read.list_live_sessions_of(&user.id, now).await?,
        tokens: read.list_tokens_of(&user.id).await?,
        user,
    };
    match json {
        true => crate::cli::print_json(&person.json(now))?,
        false => crate::cli::print(&person.text(now))?,
    }
    Ok(0)
}

impl Person {
    fn json(&self, now: Millis) -> serde_json::Value {
        let user = &self.user;
        let at = |at: Option<Millis>| at.map(|at| at.to_string());
        json!({
            "name": user.username,
            "title": user.name,
            "email": user.email,
            "declared": user.declared,
            "place": self.place,
            "disabled": self.is_disabled,
            "language": user.language,
            "created": user.created_at.to_string(),
            "signed-in": at(user.signed_in_at),
            "password-set": at(user.password_set_at),
            "must-change": user.must_change,
            "groups": self.memberships.iter().map(|each| json!({
                "group": each.group, "by": each.owner.word(),
            })).collect::<Vec<_>>(),
            "factors": self.held.factors.iter().map(|factor| json!({
                "kind": factor.kind.word(), "name": factor.name,
                "added": factor.created_at.to_string(), "used": at(factor.used_at),
            })).collect::<Vec<_>>(),
            "recovery-codes": self.held.recovery_codes,
            "connections": self.connections.iter().map(|each| json!({
                "source": each.source, "issuer": each.issuer, "subject": each.subject,
                "there": each.shown_as, "groups": each.groups,
                "added": each.created_at.to_string(), "used": each.used_at.to_string(),
            })).collect::<Vec<_>>(),
            "sessions": self.sessions.iter().map(|session| json!({
                "id": session.id, "device": agent::device(&session.agent),
                "address": session.address, "seen": session.seen_at.to_string(),
            })).collect::<Vec<_>>(),
            "tokens": self.tokens.iter().map(|token| json!({
                "id": token.id, "kind": token.kind.word(), "name": token.name,
                "usable": token.is_live(now),
            })).collect::<Vec<_>>(),
        })
    }

    fn text(&self, now: Millis) -> String {
        let user = &self.user;
        let mut lines = vec![
            ("user", format!("{}  {}", user.username, user.name).trim_end().to_owned()),
            ("declared", self.place.clone().unwrap_or_else(|| "in no file".to_owned())),
            ("may sign in", if self.is_disabled { "no: disabled" } else { "yes" }.to_owned()),
            ("address", user.email.clone().unwrap_or_else(|| "none".to_owned())),
            ("password", self.password()),
            ("last sign-in", user.signed_in_at.map_or_else(|| "never".to_owned(), Millis::minute)),
        ];
        let group = |each: &Membership| match each.owner {
            Owner::Git => each.group.clone(),
            Owner::Runtime => format!("{}*", each.group),
        };
        lines.extend(list("groups", self.memberships.iter().map(group)));
        let factor = |factor: &crate::store::Factor| {
            let used = factor.used_at.map_or_else(|| "never used".to_owned(), Millis::minute);
            format!("{} ({}), {used}", factor.name, factor.kind.word())
        };
        lines.extend(list("factors", self.held.factors.iter().map(factor)));
        if !self.held.factors.is_empty() {
            lines.push(("recovery codes", self.held.recovery_codes.to_string()));
        }
        let connection = |each: &Connection| {
            let groups = each.groups.join(", ");
            let groups = if groups.is_empty() { groups } else { format!(", gives {groups}") };
            format!("{} ({}), used {}{groups}", each.source, each.shown_as, each.used_at.minute())
        };
        lines.extend(list("connections", self.connections.iter().map(connection)));
        let session = |each: &Session| {
            let device = agent::device(&each.agent);
            format!("{device}, {}, seen {}", each.address, each.seen_at.minute())
        };
        lines.extend(list("sessions", self.sessions.iter().map(session)));
        let token = |token: &Token| {
            let end = if token.is_live(now) { "" } else { ", expired" };
            format!("{} ({}){end}", token.name, token.kind.word())
        };
        lines.extend(list("tokens", self.tokens.iter().map(token)));
        lines.iter().map(|(name, value)| format!("{name:<15} {value}\n")).collect()
    }

    fn password(&self) -> String {
        match self.user.password_set_at {
            None => "none yet".to_owned(),
            Some(at) if self.user.must_change => format!("set {}, must be changed", at.minute()),
            Some(at) => format!("set {}", at.minute()),
        }
    }
}

/// A value to a line, under a name that stands once.
fn list(name: &'static str, values: impl Iterator<Item = String>) -> Vec<(&'static str, String)> {
    let mut lines: Vec<_> = values.map(|value| ("", value)).collect();
    match lines.first_mut() {
        Some(first) => first.0 = name,
        None => lines.push((name, "none".to_owned())),
    }
    lines
}
