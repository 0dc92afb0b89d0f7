//! By a refresh token, which is good once (RFC 6749 §6, RFC 9700 §4.14).

use std::time::Duration;

use serde_json::{Value, json};

use super::{Caller, How, Refreshed};
use crate::oidc::entitled::holds;
use crate::oidc::refusal::{ErrorCode, Refusal};
use crate::secret::TokenDigest;
use crate::store::{RefreshToken, Tx};
use crate::web::form::Form;

/// For so long a token may be brought again whose answer was lost: as long as nobody used what came
/// of it.
const LOST_ANSWER: Duration = Duration::from_secs(30);

pub async fn exchange(caller: &Caller<'_>, form: &Form) -> Result<Value, Refusal> {
    let server = caller.asked.server;
    let token = form.exact("refresh_token").filter(|token| token.len() <= 128);
    let token =
        token.ok_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "refresh_token is missing"))?;
    let digest = server.key.digest(token.as_bytes());
    let read = server.store.read().await?;
    let found = read.find_refresh_token(&digest).await?;
    let Some(found) = found else { return Err(unknown(caller)) };
    let grant = read.find_grant_and_proofs(&found.grant_id, server.clock.now()).await?;
    let Some((grant, proofs)) = grant else { return Err(unknown(caller)) };
    drop(read);
    if grant.app_uid != caller.app.uid {
        return Err(caller.refuse(digest, "other-client", told(&found)));
    }
    if found.key.is_some() && found.key != caller.key {
        return Err(caller.refuse(digest, "other-key", told(&found)));
    }
    let now = server.clock.now();
    match found.used_at {
        // Two hold it, whatever the rules say of its person at the moment.
        Some(at) if at.plus(LOST_ANSWER) < now => {
            return Err(reused(caller, server.store.begin().await?, digest, &found).await?);
        }
        None if found.expires_at <= now => {
            return Err(caller.refuse(digest, "expired", told(&found)));
        }
        _ => {}
    }
    let scopes = narrowed(&grant.scopes, form.exact("scope"))?;
    let id = grant.id.clone();
    let entitled = match holds(server, caller.asked.runtime, (grant, proofs)).await? {
        Ok(entitled) => entitled,
        Err(void) => return Err(caller.refuse_void(digest, &id, &void)),
    };
    if let Err(void) = entitled.judge(server).await {
        return Err(caller.refuse_void(digest, &id, &void));
    }
    let rotates = caller.client.rotates();
    let how = How { nonce: None, refreshed: Some(Refreshed { digest, rotates }) };
    let answer = caller.make(&entitled, &scopes, how).await?;
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    if !rotates {
        return answer.give(tx, &scopes, now).await;
    }
    let good = tx.consume_refresh_token(&digest, now).await?
        || tx.take_back_successors(&digest, LOST_ANSWER, now).await?;
    match good {
        true => answer.give(tx, &scopes, now).await,
        false => Err(reused(caller, tx, digest, &found).await?),
    }
}

/// Two hold it, and one of them stole it: neither keeps anything (RFC 9700 §4.14.2).
async fn reused(
    caller: &Caller<'_>,
    mut tx: Tx,
    digest: TokenDigest,
    token: &RefreshToken,
) -> Result<Refusal, Refusal> {
    let server = caller.asked.server;
    if tx.revoke_grant(&token.grant_id, "refresh-reused", server.clock.now()).await? {
        let about = json!({ "grant": token.grant_id, "for": "refresh-reused" });
        let app = format!("app:{}", caller.app.slug);
        server.journal.note("grant.revoked", None, Some(&app), about);
        tracing::warn!(
            app = caller.app.slug,
            grant = token.grant_id,
            "a refresh token came twice: all that hangs on it is worth nothing now"
        );
    }
    tx.commit().await?;
    Ok(caller.refuse(digest, "reused", told(token)))
}

/// As much as was granted, or less (RFC 6749 §6).
fn narrowed(granted: &[String], asked: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(asked) = asked else { return Ok(granted.to_vec()) };
    let asked: Vec<&str> = asked.split(' ').filter(|scope| !scope.is_empty()).collect();
    if asked.iter().any(|scope| !granted.iter().any(|known| known == scope)) {
        let why = "scope asks for more than was granted";
        return Err(Refusal::new(ErrorCode::InvalidScope, why));
    }
    let kept = granted.iter().filter(|scope| asked.contains(&scope.as_str()));
    Ok(kept.cloned().collect())
}

fn told(token: &RefreshToken) -> Value {
    json!({
        "grant": token.grant_id,
        "given": token.created_at.to_string(),
        "expired": token.expires_at.to_string(),
        "used": token.used_at.filter(|at| at.0 > 0).map(|at| at.to_string()),
    })
}

fn unknown(caller: &Caller<'_>) -> Refusal {
    let address = crate::web::visitor::address_key(caller.asked.client);
    let what = format!("refresh\0{}\0{address}", caller.app.uid);
    let what = caller.asked.server.key.digest(what.as_bytes());
    caller.refuse(what, "unknown", json!({ "what": "refresh token", "address": address }))
}
