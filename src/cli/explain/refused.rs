//! `doorward explain --ref`: what the store knows of a token or code that was refused.

use std::fmt::Write as _;

use anyhow::bail;
use serde_json::{Value, json};

use crate::cli::{Installation, Opened, block_on, print, print_json};
use crate::store::{Event, EventFilter, Grant};

/// Tells about the refusal of this name.
pub fn run(at: &Installation, name: &str, as_json: bool) -> anyhow::Result<u8> {
    block_on(tell(at, name, as_json))
}

async fn tell(at: &Installation, name: &str, as_json: bool) -> anyhow::Result<u8> {
    let opened = Opened::at(at).await?;
    let read = opened.stored.store.read().await?;
    let Some(event) = read.find_event(name).await? else {
        bail!(
            "nothing is kept under `{name}`: a reference is the text behind `ref` in the answer, such as \
             evt_01K…; one of a moment ago may still be on its way into the store"
        );
    };
    let grant = match event.data.get("grant").and_then(Value::as_str) {
        Some(id) => read.find_grant(id).await?,
        None => None,
    };
    let who = match &grant {
        Some(grant) => read.find_user(&grant.user_id).await?.map(|user| user.username),
        None => None,
    };
    let history = match &grant {
        Some(grant) => about(&read, &event, &grant.id).await?,
        None => Vec::new(),
    };
    if as_json {
        print_json(&as_value(&event, grant.as_ref(), who.as_deref(), &history))?;
    } else {
        print(&as_text(&event, grant.as_ref(), who.as_deref(), &history))?;
    }
    Ok(0)
}

/// What else happened with a grant, the oldest first.
async fn about(
    read: &crate::store::Read,
    event: &Event,
    grant: &str,
) -> anyhow::Result<Vec<Event>> {
    let subject = event.subject.as_deref();
    let mut found = Vec::new();
    for kind in ["grant.given", "grant.revoked", "token.refused"] {
        let filter = EventFilter { kind: Some(kind), subject, ..EventFilter::default() };
        let all = read.list_events(filter, 1000).await?;
        let of_grant =
            |event: &Event| event.data.get("grant").and_then(Value::as_str) == Some(grant);
        found.extend(all.into_iter().filter(of_grant));
    }
    // What is given is refused before it is revoked, also within one millisecond.
    let rank = |event: &Event| match event.kind.as_str() {
        "grant.given" => 0,
        "token.refused" => 1,
        _ => 2,
    };
    found.sort_by_key(|event| (event.at, rank(event)));
    Ok(found)
}

fn as_text(event: &Event, grant: Option<&Grant>, who: Option<&str>, history: &[Event]) -> String {
    let mut text = format!("{}   {}\n", event.id, event.at);
    let reason = event.data.get("reason").and_then(Value::as_str).unwrap_or(&event.kind);
    let _ = writeln!(text, "refused: {}\n", sentence(reason));
    if let Some(subject) = &event.subject {
        let _ = writeln!(text, "  for        {subject}");
    }
    for (name, value) in event.data.as_object().into_iter().flatten() {
        if name != "reason" && !value.is_null() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = writeln!(text, "  {name:<10} {value}");
        }
    }
    if let Some(grant) = grant {
        let offline = if grant.offline { ", also when they are not there" } else { "" };
        let scopes = grant.scopes.join(" ");
        let who = who.unwrap_or("somebody who is gone");
        let _ = writeln!(text, "\nit hangs on what {who} let the app have: {scopes}{offline}");
        let _ = writeln!(text, "  given      {}", grant.created_at);
        match &grant.revoked {
            Some(revoked) => {
                let _ = writeln!(text, "  taken back {} ({})", revoked.at, revoked.why);
            }
            None => {
                let _ = writeln!(text, "  good until {}", grant.expires_at);
            }
        }
    }
    if !history.is_empty() {
        text += "\nwhat happened with it\n";
        for event in history {
            let more = ["reason", "for"].iter().find_map(|name| event.data.get(*name)?.as_str());
            let _ = writeln!(text, "  {}  {}  {}", event.at, event.kind, more.unwrap_or(""));
        }
    }
    text
}

/// A reason as a sentence that says what to do.
fn sentence(reason: &str) -> String {
    let known = match reason {
        "expired" => {
            "it had expired: codes are good for a minute, tokens for as long as the app's oidc block says"
        }
        "reused" => {
            "it had been used before, so that somebody may have stolen it: everything that was given for it is worth nothing now, and the person has to sign in again"
        }
        "revoked" => "what it hangs on had been taken back",
        "other-client" => "it was given to another client",
        "other-redirect" => {
            "redirect_uri was not the one that the code was sent to: both requests of the app must name the same"
        }
        "verifier" => {
            "code_verifier did not fit the code_challenge (RFC 7636), or one of the two was missing"
        }
        "session-ended" => {
            "the person had signed out, or their session had run out; with the scope offline_access it would have lived on"
        }
        "account-disabled" => "the account is disabled or gone",
        "app-gone" => "the app is declared no more",
        "rules" => "the rules of the app do not let this person in any more: see `by`",
        "proof-needed" => "the rules of the app ask for another proof: see `need`",
        "unknown" => "nothing like it was ever given here, or it is long gone",
        "wrong-secret" => {
            "the client-secret was another one: compare it with `doorward secret show`"
        }
        "no-secret" => "the client brought no secret, and it is not declared `public`",
        "public-with-secret" => "the client brought a secret, and it is declared `public`",
        "other-method" => {
            "the client proved itself in a way that its `client-auth` line does not allow"
        }
        "other-key" => "it is bound to another key than the one of the DPoP proof",
        "person-refused" => "the person refused to let the device in",
        "keys-unknown" => {
            "the keys of the client could not be had from its `jwks-uri`: the log says why"
        }
        "assertion-type" => "the assertion is of a type that no client signs",
        "assertion-subject" => {
            "`iss` and `sub` of the assertion were not both the client-id (RFC 7523 section 3)"
        }
        "assertion-audience" => {
            "`aud` of the assertion was not this provider: write the issuer there"
        }
        "assertion-without-exp" => "the assertion does not say until when it is good: add `exp`",
        "assertion-without-jti" => {
            "the assertion has no name, so that it could be used twice: add `jti`"
        }
        "assertion-time" => "`nbf` or `iat` of the assertion is no time: write seconds since 1970",
        "assertion-expired" => "the assertion had expired: compare the clocks of both machines",
        "assertion-early" => {
            "the assertion is from the future: compare the clocks of both machines"
        }
        "assertion-too-long" => "the assertion would be good for too long: make it a minute or so",
        "assertion-reused" => "the assertion had been used before: each is good once",
        "assertion-signature" => {
            "no declared key of the client had signed the assertion: compare `jwks` with what the app has"
        }
        "unknown-client" => "no app with this client-id is declared",
        other => return other.to_owned(),
    };
    known.to_owned()
}

fn as_value(event: &Event, grant: Option<&Grant>, who: Option<&str>, history: &[Event]) -> Value {
    let line = |event: &Event| {
        json!({ "id": event.id, "at": event.at.to_string(), "kind": event.kind,
            "subject": event.subject, "data": event.data })
    };
    let grant = grant.map(|grant| {
        json!({
            "id": grant.id, "user": who, "scopes": grant.scopes, "offline": grant.offline,
            "given": grant.created_at.to_string(), "good-until": grant.expires_at.to_string(),
            "revoked": grant.revoked.as_ref().map(|revoked| revoked.at.to_string()),
            "revoked-for": grant.revoked.as_ref().map(|revoked| &revoked.why),
        })
    });
    let history: Vec<_> = history.iter().map(line).collect();
    json!({ "schema": "doorward.refused/1", "event": line(event), "grant": grant, "history": history })
}
