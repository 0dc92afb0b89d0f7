//! By a code that a person typed for a device (RFC 8628 §3.4).

use std::time::Duration;

use serde_json::{Value, json};

use super::{Caller, How};
use crate::oidc::device::WAIT;
use crate::oidc::entitled::holds;
use crate::oidc::refusal::{ErrorCode, Refusal};
use crate::secret::TokenDigest;
use crate::store::{DeviceCode, Tx};
use crate::web::form::Form;

/// Nobody is made to wait longer than this between two questions.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

pub async fn exchange(caller: &Caller<'_>, form: &Form) -> Result<Value, Refusal> {
    let server = caller.asked.server;
    let code = form.exact("device_code").filter(|code| code.len() <= 128);
    let missing = || Refusal::new(ErrorCode::InvalidRequest, "device_code is missing");
    let code = code.ok_or_else(missing)?;
    let digest = server.key.digest(code.as_bytes());
    let read = server.store.read().await?;
    let Some(found) = read.find_device_code(&digest).await? else { return Err(unknown(caller)) };
    drop(read);
    if found.app_uid != caller.app.uid {
        return Err(caller.refuse(digest, "other-client", told(&found)));
    }
    let now = server.clock.now();
    if found.used_at.is_some() {
        return Err(reused(caller, server.store.begin().await?, &found).await?);
    }
    if found.refused_at.is_some() {
        let refused = caller.refuse(digest, "person-refused", told(&found));
        return Err(Refusal { code: ErrorCode::AccessDenied, ..refused });
    }
    if found.expires_at <= now {
        let expired = caller.refuse(digest, "expired", told(&found));
        return Err(Refusal { code: ErrorCode::ExpiredToken, ..expired });
    }
    let Some(grant_id) = &found.grant_id else { return Err(pending(caller, &found).await?) };
    let read = server.store.read().await?;
    let grant = read.find_grant_and_proofs(grant_id, server.clock.now()).await?;
    drop(read);
    let Some(grant) = grant else { return Err(unknown(caller)) };
    let scopes = grant.0.scopes.clone();
    let entitled = match holds(server, caller.asked.runtime, grant).await? {
        Ok(entitled) => entitled,
        Err(void) => return Err(caller.refuse_void(digest, grant_id, &void)),
    };
    if let Err(void) = entitled.judge(server).await {
        return Err(caller.refuse_void(digest, grant_id, &void));
    }
    let answer = caller.make(&entitled, &scopes, How::default()).await?;
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    if !tx.consume_device_code(&digest, now).await? {
        return Err(reused(caller, tx, &found).await?);
    }
    answer.give(tx, &scopes, now).await
}

/// Nobody typed it yet. A device that asks too often waits longer (RFC 8628 §3.5).
async fn pending(caller: &Caller<'_>, found: &DeviceCode) -> Result<Refusal, Refusal> {
    let server = caller.asked.server;
    let now = server.clock.now();
    // A network may shorten the way by a moment.
    let too_soon = now.since(found.asked_at) + Duration::from_millis(500) < found.wait;
    let wait = if too_soon { (found.wait + WAIT).min(LONGEST_WAIT) } else { found.wait };
    let mut tx = server.store.begin().await?;
    tx.note_device_asked(&found.digest, wait, now).await?;
    tx.commit().await?;
    Ok(match too_soon {
        true => Refusal::new(ErrorCode::PollSlower, "the device asks too often"),
        false => Refusal::new(ErrorCode::AuthorizationPending, "nobody has typed the code yet"),
    })
}

/// Two hold it: neither keeps anything.
async fn reused(caller: &Caller<'_>, mut tx: Tx, found: &DeviceCode) -> Result<Refusal, Refusal> {
    let server = caller.asked.server;
    if let Some(grant) = &found.grant_id
        && tx.revoke_grant(grant, "device-code-reused", server.clock.now()).await?
    {
        let about = json!({ "grant": grant, "for": "device-code-reused" });
        let app = format!("app:{}", caller.app.slug);
        server.journal.note("grant.revoked", None, Some(&app), about);
    }
    tx.commit().await?;
    Ok(caller.refuse(found.digest, "reused", told(found)))
}

fn told(code: &DeviceCode) -> Value {
    json!({
        "grant": code.grant_id,
        "device": code.address,
        "expired": code.expires_at.to_string(),
        "refused": code.refused_at.map(|at| at.to_string()),
        "used": code.used_at.map(|at| at.to_string()),
    })
}

fn unknown(caller: &Caller<'_>) -> Refusal {
    let address = crate::web::visitor::address_key(caller.asked.client);
    let what = format!("device\0{}\0{address}", caller.app.uid);
    let what: TokenDigest = caller.asked.server.key.digest(what.as_bytes());
    caller.refuse(what, "unknown", json!({ "what": "device code", "address": address }))
}
