//! By a code (RFC 6749 §4.1.3, RFC 7636 §4.6).

use serde_json::{Value, json};

use super::{Caller, How};
use crate::oidc::digest_of;
use crate::oidc::entitled::holds;
use crate::oidc::refusal::{ErrorCode, Refusal};
use crate::secret::TokenDigest;
use crate::store::{Code, Grant, Tx};
use crate::web::form::Form;

pub async fn exchange(caller: &Caller<'_>, form: &Form) -> Result<Value, Refusal> {
    let server = caller.asked.server;
    let code = form.exact("code").filter(|code| code.len() <= 128);
    let code = code.ok_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "code is missing"))?;
    let digest = server.key.digest(code.as_bytes());
    let read = server.store.read().await?;
    let Some(found) = read.find_code(&digest).await? else { return Err(unknown(caller)) };
    let grant = read.find_grant_and_proofs(&found.grant_id, server.clock.now()).await?;
    let Some((grant, proofs)) = grant else { return Err(unknown(caller)) };
    drop(read);
    if let Err(fault) = fits(caller, &found, &grant, form) {
        // The code stays good: whoever it belongs to may still bring it.
        return Err(caller.refuse(digest, fault, told(&found)));
    }
    if found.used_at.is_some() {
        return Err(reused(caller, server.store.begin().await?, digest, &found).await?);
    }
    if found.expires_at <= server.clock.now() {
        return Err(caller.refuse(digest, "expired", told(&found)));
    }
    let id = grant.id.clone();
    let scopes = grant.scopes.clone();
    let entitled = match holds(server, caller.asked.runtime, (grant, proofs)).await? {
        Ok(entitled) => entitled,
        Err(void) => return Err(caller.refuse_void(digest, &id, &void)),
    };
    if let Err(void) = entitled.judge(server).await {
        return Err(caller.refuse_void(digest, &id, &void));
    }
    let how = How { nonce: found.nonce.as_deref(), refreshed: None };
    let answer = caller.make(&entitled, &scopes, how).await?;
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    if !tx.consume_code(&digest, now).await? {
        return Err(reused(caller, tx, digest, &found).await?);
    }
    answer.give(tx, &scopes, now).await
}

/// Somebody brought it before: neither of the two keeps anything (RFC 6749 §4.1.2).
async fn reused(
    caller: &Caller<'_>,
    mut tx: Tx,
    digest: TokenDigest,
    code: &Code,
) -> Result<Refusal, Refusal> {
    let server = caller.asked.server;
    if tx.revoke_grant(&code.grant_id, "code-reused", server.clock.now()).await? {
        let about = json!({ "grant": code.grant_id, "for": "code-reused" });
        let app = format!("app:{}", caller.app.slug);
        server.journal.note("grant.revoked", None, Some(&app), about);
    }
    tx.commit().await?;
    Ok(caller.refuse(digest, "reused", told(code)))
}

/// Whether a code was given to this client, for this address, to whoever began the sign-in.
fn fits(caller: &Caller<'_>, code: &Code, grant: &Grant, form: &Form) -> Result<(), &'static str> {
    if grant.app_uid != caller.app.uid {
        return Err("other-client");
    }
    if form.exact("redirect_uri") != Some(code.redirect_uri.as_str()) {
        return Err("other-redirect");
    }
    // A challenge asks for its verifier, and a verifier for its challenge (`security.md` 15).
    let answered = match (&code.challenge, form.exact("code_verifier")) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            is_verifier(verifier) && *challenge == digest_of(verifier)
        }
        _ => false,
    };
    if !answered {
        return Err("verifier");
    }
    match &grant.approved.key {
        Some(key) if caller.key() != Some(key) => Err("other-key"),
        _ => Ok(()),
    }
}

/// RFC 7636 §4.1.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn told(code: &Code) -> Value {
    json!({
        "grant": code.grant_id,
        "expired": code.expires_at.to_string(),
        "used": code.used_at.map(|at| at.to_string()),
    })
}

/// Nothing is known of it, so that all of them are one thing.
fn unknown(caller: &Caller<'_>) -> Refusal {
    let address = crate::web::visitor::address_key(caller.asked.client);
    let what = format!("code\0{}\0{address}", caller.app.uid);
    let what = caller.asked.server.key.digest(what.as_bytes());
    caller.refuse(what, "unknown", json!({ "what": "code", "address": address }))
}
