//! `/api/v1/invitations`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use super::{Call, json};
use crate::flow::invitations::{self, InvitationError, MOST_USES, Told, Wanted};
use crate::web::reply;

/// No call of ours is longer.
const LONGEST: usize = 16 * 1024;
/// How long one may take to arrive as a whole.
const WITHIN: Duration = Duration::from_secs(10);
const LONGEST_NOTE: usize = 200;

/// An invitation as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Asked {
    flow: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    /// `username`, `email` and other fields of the flow's forms: filled in and fixed.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    #[serde(default = "one")]
    uses: u64,
    #[serde(default = "a_week")]
    days: u64,
    #[serde(default)]
    note: String,
    /// Mail the link to the address in `fields`.
    #[serde(default)]
    mail: bool,
}

/// A new one, with what is told this once.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    invitation: Told<'a>,
    url: &'a str,
}

fn one() -> u64 {
    1
}

fn a_week() -> u64 {
    invitations::LASTS.as_secs() / 86_400
}

pub async fn list(call: &Call<'_>) -> Result<Response<Body>, Problem> {
    let all = call.server.store.read().await?.list_invitations().await?;
    let now = call.server.clock.now();
    let all: Vec<_> = all.iter().map(|each| Told::of(each, now)).collect();
    Ok(json(StatusCode::OK, &all))
}

pub async fn make(
    call: &Call<'_>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let asked = read(headers, body).await?;
    let mail = asked.mail;
    let wanted = wanted(asked, call)?;
    let (server, runtime) = (call.server, &call.runtime);
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    let by = (&*server.key, &server.rng);
    let (token, invitation) = invitations::make(&mut tx, runtime, by, wanted, now).await?;
    let url = invitations::address(&runtime.external.to_string(), &invitation, &token);
    if mail {
        invitations::mail(&server.post, runtime, &mut tx, (&invitation, &url), now).await?;
    }
    tx.commit().await?;
    server.post.ring();
    let data = invitations::noted(&invitation);
    server.journal.note("invitation.made", Some(&call.by), Some(&invitation.id), data);
    let made = Made { invitation: Told::of(&invitation, now), url: &url };
    Ok(json(StatusCode::CREATED, &made))
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Asked, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::NotJson);
    }
    let whole = tokio::time::timeout(WITHIN, Limited::new(body, LONGEST).collect()).await;
    let Ok(Ok(whole)) = whole else { return Err(Problem::TooLong) };
    serde_json::from_slice(&whole.to_bytes())
        .map_err(|error| Problem::Unreadable(error.to_string()))
}

fn wanted(asked: Asked, call: &Call<'_>) -> Result<Wanted, Problem> {
    let longest = invitations::LONGEST.as_secs() / 86_400;
    if !(1..=longest).contains(&asked.days) {
        return Err(Problem::Refused(format!("`days` is a number from 1 to {longest}")));
    }
    if !(1..=MOST_USES).contains(&asked.uses) {
        return Err(Problem::Refused(format!("`uses` is a number from 1 to {MOST_USES}")));
    }
    if asked.note.chars().count() > LONGEST_NOTE || asked.note.chars().any(char::is_control) {
        return Err(Problem::Refused(format!("`note` is one line of {LONGEST_NOTE} characters")));
    }
    Ok(Wanted {
        flow: asked.flow,
        groups: asked.groups,
        fields: asked.fields,
        uses: asked.uses,
        lasts: Duration::from_secs(asked.days.saturating_mul(86_400)),
        note: asked.note,
        by: call.by.clone(),
    })
}

pub async fn revoke(call: &Call<'_>, id: &str) -> Result<Response<Body>, Problem> {
    let server = call.server;
    let mut tx = server.store.begin().await?;
    if !tx.delete_invitation(id).await? {
        return Err(Problem::NotFound("there is no such invitation".to_owned()));
    }
    tx.commit().await?;
    let data = serde_json::json!({});
    server.journal.note("invitation.revoked", Some(&call.by), Some(id), data);
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

impl From<InvitationError> for Problem {
    fn from(error: InvitationError) -> Self {
        match error {
            InvitationError::Store(error) => Self::Store(error),
            error => Self::Refused(error.to_string()),
        }
    }
}
