//! Invitations are made here and nowhere else: what one gives is checked before it is sent out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::blueprint::flow::{FieldKind, Flow, Purpose, StageKind};
use crate::blueprint::people::ConsoleRole;
use crate::clock::Millis;
use crate::ids::{NoRandomness, Rng};
use crate::mail::message::Message;
use crate::mail::post::{Addressee, Post, PostError, Queued};
use crate::model::user_name;
use crate::runtime::Runtime;
use crate::secret::{MasterKey, Secret};
use crate::store::{Invitation, StoreError, Tx};

/// How long an invitation is good if nobody says.
pub const LASTS: Duration = Duration::from_secs(7 * 86_400);
/// No longer, and for no more people.
pub const LONGEST: Duration = Duration::from_secs(365 * 86_400);
pub const MOST_USES: u64 = 1000;

/// An invitation to be made.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Left out: the flow for enrollment that the settings name, or the built-in one.
    pub flow: Option<String>,
    pub groups: Vec<String>,
    /// `username`, `email` and other fields of the flow's forms: filled in and fixed.
    pub fields: BTreeMap<String, String>,
    pub uses: u64,
    pub lasts: Duration,
    pub note: String,
    pub by: String,
}

/// Why an invitation is not made.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    #[error("there is no flow `{name}` for enrollment; there are: {known}")]
    NoFlow { name: String, known: String },
    #[error("flow `{0}` asks for no invitation: add the stage `invitation` to it")]
    NotAsked(String),
    #[error("nobody can be put into the group `{group}` by an invitation: {why}")]
    Group { group: String, why: &'static str },
    #[error("no form of flow `{flow}` has a field `{field}`; there are: {known}")]
    NoField { flow: String, field: String, known: String },
    #[error("{0}")]
    Value(String),
    #[error("no file says how mail is sent: declare `email`, or do not ask for mail")]
    NoMail,
    #[error("an invitation is mailed to the address in its field `email`, and there is none")]
    NoAddress,
    #[error(
        "the link cannot be mailed to {0}: it gets too much mail already, or nothing can be sent there"
    )]
    NotMailed(String),
    #[error(transparent)]
    Post(#[from] PostError),
}

/// An invitation as people and scripts are told of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Told<'a> {
    pub id: &'a str,
    pub flow: &'a str,
    pub note: &'a str,
    pub by: &'a str,
    pub groups: &'a [String],
    pub fields: &'a BTreeMap<String, String>,
    pub uses_left: u64,
    pub created: String,
    pub expires: String,
    pub usable: bool,
}

impl<'a> Told<'a> {
    #[must_use]
    pub fn of(invitation: &'a Invitation, now: Millis) -> Self {
        Self {
            id: &invitation.id,
            flow: &invitation.flow,
            note: &invitation.note,
            by: &invitation.made_by,
            groups: &invitation.groups,
            fields: &invitation.fields,
            uses_left: invitation.uses_left,
            created: invitation.created_at.to_string(),
            expires: invitation.expires_at.to_string(),
            usable: invitation.is_usable(now),
        }
    }
}

/// Makes an invitation in the caller's transaction. The text is in no other place.
///
/// # Errors
/// If the flow takes no invitations, or it would give what nobody may give.
pub async fn make(
    tx: &mut Tx,
    runtime: &Runtime,
    (key, rng): (&MasterKey, &Rng),
    wanted: Wanted,
    now: Millis,
) -> Result<(Secret, Invitation), InvitationError> {
    let flow = find_flow(runtime, wanted.flow.as_deref())?;
    for group in &wanted.groups {
        check_group(runtime, group)?;
    }
    check_fields(flow, &wanted.fields)?;
    let uses_left = match wanted.fields.contains_key("username") {
        true => 1,
        false => wanted.uses.clamp(1, MOST_USES),
    };
    let token = rng.token()?;
    let invitation = Invitation {
        id: rng.id("inv", now)?,
        digest: key.digest(token.as_bytes()),
        flow: flow.slug.value.clone(),
        note: wanted.note,
        made_by: wanted.by,
        groups: wanted.groups,
        fields: wanted.fields,
        uses_left,
        created_at: now,
        expires_at: now.plus(wanted.lasts.min(LONGEST)),
    };
    tx.insert_invitation(&invitation).await?;
    Ok((Secret::new(token), invitation))
}

/// The address that an invitation is sent out as.
#[must_use]
pub fn address(external: &str, invitation: &Invitation, token: &Secret) -> String {
    format!("{external}/enroll?flow={}&invitation={}", invitation.flow, token.reveal())
}

/// Mails the link to the address that the invitation is for, in the caller's transaction. Ring after
/// the commit.
///
/// # Errors
/// If it has no address, or nothing can be sent there.
pub async fn mail(
    post: &Post,
    runtime: &Runtime,
    tx: &mut Tx,
    (invitation, url): (&Invitation, &str),
    now: Millis,
) -> Result<(), InvitationError> {
    let Some(to) = invitation.fields.get("email") else { return Err(InvitationError::NoAddress) };
    let minutes = invitation.expires_at.since(now).as_secs() / 60;
    let message = Message::Invitation {
        inviter: inviter(runtime),
        url: url.to_owned(),
        minutes: u32::try_from(minutes).unwrap_or(u32::MAX),
    };
    let addressee = Addressee { address: to, language: None };
    match post.queue(runtime, tx, addressee, &message).await? {
        Queued::Yes => Ok(()),
        Queued::NotConfigured => Err(InvitationError::NoMail),
        Queued::BadAddress | Queued::TooMany | Queued::Full => {
            Err(InvitationError::NotMailed(to.clone()))
        }
    }
}

/// Invitations come from the place, not from whoever made them.
fn inviter(runtime: &Runtime) -> String {
    let title = runtime.brand(None).and_then(|brand| brand.title.clone());
    title.unwrap_or_else(|| runtime.external.host.as_str().to_owned())
}

/// What an event says of a new invitation.
#[must_use]
pub fn noted(invitation: &Invitation) -> serde_json::Value {
    serde_json::json!({
        "groups": invitation.groups, "uses": invitation.uses_left, "note": invitation.note,
    })
}

fn find_flow<'r>(runtime: &'r Runtime, name: Option<&str>) -> Result<&'r Flow, InvitationError> {
    let found = match name {
        Some(name) => runtime.flows.get(name),
        None => runtime.default_flow(Purpose::Enrollment),
    };
    let Some(flow) = found.filter(|flow| flow.purpose == Purpose::Enrollment) else {
        let flows = runtime.flows.values().filter(|flow| flow.purpose == Purpose::Enrollment);
        let mut known: Vec<&str> = flows.map(|flow| flow.slug.value.as_str()).collect();
        known.sort_unstable();
        let name = name.unwrap_or("enrollment").to_owned();
        return Err(InvitationError::NoFlow { name, known: known.join(", ") });
    };
    let asks = flow.stages.iter().any(|each| matches!(each.kind, StageKind::Invitation { .. }));
    match asks {
        true => Ok(flow),
        false => Err(InvitationError::NotAsked(flow.slug.value.clone())),
    }
}

fn check_group(runtime: &Runtime, group: &str) -> Result<(), InvitationError> {
    let declared = runtime.blueprint.groups.iter().any(|each| each.slug.value == group);
    let why = if !declared {
        "no file declares it"
    } else if runtime.console_role(group) != ConsoleRole::None {
        "it opens the admin console"
    } else if !runtime.may_be_joined(group) {
        "its members are declared in the files alone"
    } else {
        return Ok(());
    };
    Err(InvitationError::Group { group: group.to_owned(), why })
}

/// Fields that a form of the flow has, with values that it would take.
fn check_fields(flow: &Flow, fields: &BTreeMap<String, String>) -> Result<(), InvitationError> {
    let known = known_fields(flow);
    for (name, value) in fields {
        if !known.contains(&name.as_str()) {
            return Err(InvitationError::NoField {
                flow: flow.slug.value.clone(),
                field: name.clone(),
                known: known.join(", "),
            });
        }
        let fits = match name.as_str() {
            "username" => user_name::is_valid(value),
            "email" => crate::mail::letter::address(value).is_some(),
            _ => value.len() <= 254 && !value.chars().any(char::is_control),
        };
        if !fits {
            let message = format!("`{value}` cannot stand in the field `{name}`");
            return Err(InvitationError::Value(message));
        }
    }
    Ok(())
}

fn known_fields(flow: &Flow) -> Vec<&str> {
    let prompts = flow.stages.iter().filter_map(|stage| match &stage.kind {
        StageKind::Prompt { fields } => Some(fields),
        _ => None,
    });
    let name = |field: &crate::blueprint::flow::Field| match field.kind {
        FieldKind::Username => Some("username"),
        FieldKind::Email => Some("email"),
        _ => None,
    };
    let fields = prompts.flatten().filter(|field| field.kind != FieldKind::NewPassword);
    fields.map(|field| name(field).unwrap_or(&field.name.value)).collect()
}
