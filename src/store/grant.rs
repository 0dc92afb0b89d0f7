//! What a person let an app have, and what it was given for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use super::session::Proven;
use crate::clock::Millis;
use crate::secret::TokenDigest;

/// What a person let an app have.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    pub id: String,
    pub app_uid: String,
    pub user_id: String,
    /// The sign-in that it was given in.
    pub session_id: Option<String>,
    /// Whether it outlives that sign-in.
    pub offline: bool,
    pub scopes: Vec<String>,
    pub approved: Approved,
    pub created_at: Millis,
    pub expires_at: Millis,
    pub revoked: Option<Revoked>,
}

/// How it was given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// What had been proven by then.
    pub proven: Proven,
    /// The address that the person was at: rules about networks mean them, not the app's server.
    pub address: Option<String>,
    /// Claims asked for one by one (OIDC Core §5.5).
    pub claims: Option<serde_json::Value>,
    /// The key that the code is for, by its thumbprint (RFC 9449 §10).
    #[serde(default)]
    pub key: Option<String>,
}

/// That it was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    pub at: Millis,
    /// Such as `code-reused`.
    pub why: String,
}

/// An authorization code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    pub digest: TokenDigest,
    pub grant_id: String,
    pub redirect_uri: String,
    /// SHA-256 of the verifier, base64url (RFC 7636 §4.2).
    pub challenge: Option<String>,
    pub nonce: Option<String>,
    pub expires_at: Millis,
    pub used_at: Option<Millis>,
}

/// A refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub digest: TokenDigest,
    pub grant_id: String,
    /// The one that it took the place of.
    pub parent: Option<TokenDigest>,
    /// The key that it is bound to, by its thumbprint: where the client has nothing else to prove itself by.
    pub key: Option<String>,
    pub created_at: Millis,
    pub expires_at: Millis,
    pub used_at: Option<Millis>,
}

/// An access token that says nothing itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    pub digest: TokenDigest,
    pub grant_id: Option<String>,
    pub app_uid: String,
    pub scopes: Vec<String>,
    /// The key that it is bound to, by its thumbprint (RFC 9449 §6).
    pub key: Option<String>,
    pub created_at: Millis,
    pub expires_at: Millis,
    pub revoked_at: Option<Millis>,
}

impl Grant {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("grants", "id");
        let revoked = match (row.opt_time("revoked_at")?, row.opt_text("revoked_for")?) {
            (Some(at), Some(why)) => Some(Revoked { at, why }),
            (None, None) => None,
            _ => return Err(row.corrupt("revoked_for")),
        };
        Ok(Self {
            id: row.text("id")?,
            app_uid: row.text("app_uid")?,
            user_id: row.text("user_id")?,
            session_id: row.opt_text("session_id")?,
            offline: row.truth("offline")?,
            scopes: row.json("scopes")?,
            approved: row.json("approved")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            revoked,
        })
    }
}

impl Code {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("codes", "grant_id");
        Ok(Self {
            digest: row.digest("digest")?,
            grant_id: row.text("grant_id")?,
            redirect_uri: row.text("redirect_uri")?,
            challenge: row.opt_text("challenge")?,
            nonce: row.opt_text("nonce")?,
            expires_at: row.time("expires_at")?,
            used_at: row.opt_time("used_at")?,
        })
    }
}

impl RefreshToken {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("refresh_tokens", "grant_id");
        Ok(Self {
            digest: row.digest("digest")?,
            grant_id: row.text("grant_id")?,
            parent: row.opt_digest("parent")?,
            key: row.opt_text("bound_to")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            used_at: row.opt_time("used_at")?,
        })
    }
}

impl AccessToken {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("access_tokens", "app_uid");
        Ok(Self {
            digest: row.digest("digest")?,
            grant_id: row.opt_text("grant_id")?,
            app_uid: row.text("app_uid")?,
            scopes: row.json("scopes")?,
            key: row.opt_text("bound_to")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            revoked_at: row.opt_time("revoked_at")?,
        })
    }
}

impl Read {
    pub async fn find_grant(&self, id: &str) -> Result<Option<Grant>> {
        let row = self.one("SELECT * FROM grants WHERE id = $1", vec![id.into()]).await?;
        row.as_ref().map(Grant::from_row).transpose()
    }

    /// A grant, and what was proven in the sign-in that it was given in, if that goes on.
    pub async fn find_grant_and_proofs(
        &self,
        id: &str,
        now: Millis,
    ) -> Result<Option<(Grant, Option<Proven>)>> {
        let sql = "SELECT grants.*, sessions.proofs FROM grants \
            LEFT JOIN sessions ON sessions.id = grants.session_id \
            AND sessions.ended_at IS NULL AND sessions.expires_at > $2 \
            AND sessions.seen_at + sessions.idle_ms > $2 WHERE grants.id = $1";
        let Some(row) = self.one(sql, vec![id.into(), now.into()]).await? else { return Ok(None) };
        Ok(Some((Grant::from_row(&row)?, row.of("grants", "id").opt_json("proofs")?)))
    }

    /// What a person lets apps have beyond this moment, the newest first.
    pub async fn list_grants_of(&self, user_id: &str, now: Millis) -> Result<Vec<Grant>> {
        let sql = "SELECT * FROM grants WHERE user_id = $1 AND revoked_at IS NULL \
            AND expires_at > $2 ORDER BY created_at DESC, id";
        let rows = self.rows(sql, vec![user_id.into(), now.into()]).await?;
        rows.iter().map(Grant::from_row).collect()
    }

    /// What apps were given in one sign-in, whatever has become of it: an app may have made a session of
    /// its own from it.
    pub async fn list_grants_in(&self, session_id: &str) -> Result<Vec<Grant>> {
        let sql = "SELECT * FROM grants WHERE session_id = $1 ORDER BY created_at, id";
        let rows = self.rows(sql, vec![session_id.into()]).await?;
        rows.iter().map(Grant::from_row).collect()
    }

    /// A code, whatever has become of it.
    pub async fn find_code(&self, digest: &TokenDigest) -> Result<Option<Code>> {
        let row = self.one("SELECT * FROM codes WHERE digest = $1", vec![digest.into()]).await?;
        row.as_ref().map(Code::from_row).transpose()
    }

    /// A refresh token, whatever has become of it.
    pub async fn find_refresh_token(&self, digest: &TokenDigest) -> Result<Option<RefreshToken>> {
        let sql = "SELECT * FROM refresh_tokens WHERE digest = $1";
        let row = self.one(sql, vec![digest.into()]).await?;
        row.as_ref().map(RefreshToken::from_row).transpose()
    }

    /// An access token, whatever has become of it.
    pub async fn find_access_token(&self, digest: &TokenDigest) -> Result<Option<AccessToken>> {
        let sql = "SELECT * FROM access_tokens WHERE digest = $1";
        let row = self.one(sql, vec![digest.into()]).await?;
        row.as_ref().map(AccessToken::from_row).transpose()
    }

    /// Whether the signed token of this name was called back.
    pub async fn is_token_revoked(&self, id: &str) -> Result<bool> {
        let sql = "SELECT id FROM revoked_tokens WHERE id = $1";
        Ok(self.one(sql, vec![id.into()]).await?.is_some())
    }
}

impl Tx {
    pub async fn insert_grant(&mut self, grant: &Grant) -> Result<()> {
        let sql = "INSERT INTO grants (id, app_uid, user_id, session_id, offline, scopes, \
            approved, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let values = vec![
            (&grant.id).into(),
            (&grant.app_uid).into(),
            (&grant.user_id).into(),
            grant.session_id.as_ref().into(),
            grant.offline.into(),
            Value::json(&grant.scopes)?,
            Value::json(&grant.approved)?,
            grant.created_at.into(),
            grant.expires_at.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Takes a grant back, and with it everything that hangs on it. False if it was before.
    pub async fn revoke_grant(&mut self, id: &str, why: &str, now: Millis) -> Result<bool> {
        let sql = "UPDATE grants SET revoked_at = $3, revoked_for = $2 \
            WHERE id = $1 AND revoked_at IS NULL";
        self.change_one(sql, vec![id.into(), why.into(), now.into()]).await
    }

    /// Takes back what a person lets one app have, and says how many grants that were.
    pub async fn revoke_grants_of(
        &mut self,
        user_id: &str,
        app_uid: &str,
        why: &str,
        now: Millis,
    ) -> Result<u64> {
        let sql = "UPDATE grants SET revoked_at = $4, revoked_for = $3 \
            WHERE user_id = $1 AND app_uid = $2 AND revoked_at IS NULL AND expires_at > $4";
        self.change(sql, vec![user_id.into(), app_uid.into(), why.into(), now.into()]).await
    }

    /// Lets a grant live on: as long as what hangs on it may be good.
    pub async fn extend_grant(&mut self, id: &str, until: Millis) -> Result<()> {
        let sql = "UPDATE grants SET expires_at = $2 WHERE id = $1 AND expires_at < $2";
        self.change(sql, vec![id.into(), until.into()]).await.map(|_| ())
    }

    pub async fn insert_code(&mut self, code: &Code) -> Result<()> {
        let sql = "INSERT INTO codes (digest, grant_id, redirect_uri, challenge, nonce, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6)";
        let values = vec![
            (&code.digest).into(),
            (&code.grant_id).into(),
            (&code.redirect_uri).into(),
            code.challenge.as_ref().into(),
            code.nonce.as_ref().into(),
            code.expires_at.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Uses a code up. False if it is unknown, expired or used (RFC 6749 §4.1.2).
    pub async fn consume_code(&mut self, digest: &TokenDigest, now: Millis) -> Result<bool> {
        let sql = "UPDATE codes SET used_at = $2 \
            WHERE digest = $1 AND used_at IS NULL AND expires_at > $2";
        self.change_one(sql, vec![digest.into(), now.into()]).await
    }

    pub async fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<()> {
        let sql = "INSERT INTO refresh_tokens \
            (digest, grant_id, parent, bound_to, created_at, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6)";
        let values = vec![
            (&token.digest).into(),
            (&token.grant_id).into(),
            token.parent.as_ref().into(),
            token.key.as_ref().into(),
            token.created_at.into(),
            token.expires_at.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Uses a refresh token up. False if it is unknown, expired or used.
    pub async fn consume_refresh_token(
        &mut self,
        digest: &TokenDigest,
        now: Millis,
    ) -> Result<bool> {
        let sql = "UPDATE refresh_tokens SET used_at = $2 \
            WHERE digest = $1 AND used_at IS NULL AND expires_at > $2";
        self.change_one(sql, vec![digest.into(), now.into()]).await
    }

    /// The answer that bore its successors was lost: they count as used long ago, if nobody used one
    /// and the token was used no longer ago than `within`. False if somebody did, or it was.
    pub async fn take_back_successors(
        &mut self,
        digest: &TokenDigest,
        within: Duration,
        now: Millis,
    ) -> Result<bool> {
        let since = now.minus(within);
        let sql = "SELECT grant_id FROM refresh_tokens WHERE digest = $1 AND used_at >= $2 \
            AND NOT EXISTS (SELECT 1 FROM refresh_tokens AS later \
            WHERE later.parent = $1 AND later.used_at > 0)";
        if self.one(sql, vec![digest.into(), since.into()]).await?.is_none() {
            return Ok(false);
        }
        let sql = "UPDATE refresh_tokens SET used_at = 0 WHERE parent = $1 AND used_at IS NULL";
        self.change(sql, vec![digest.into()]).await?;
        Ok(true)
    }

    pub async fn insert_access_token(&mut self, token: &AccessToken) -> Result<()> {
        let sql = "INSERT INTO access_tokens \
            (digest, grant_id, app_uid, scopes, bound_to, created_at, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = vec![
            (&token.digest).into(),
            token.grant_id.as_ref().into(),
            (&token.app_uid).into(),
            Value::json(&token.scopes)?,
            token.key.as_ref().into(),
            token.created_at.into(),
            token.expires_at.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    pub async fn revoke_access_token(&mut self, digest: &TokenDigest, now: Millis) -> Result<bool> {
        let sql = "UPDATE access_tokens SET revoked_at = $2 \
            WHERE digest = $1 AND revoked_at IS NULL";
        self.change_one(sql, vec![digest.into(), now.into()]).await
    }

    /// Calls a signed token back until it would have run out.
    pub async fn revoke_token_id(&mut self, id: &str, expires_at: Millis) -> Result<()> {
        let sql = "INSERT INTO revoked_tokens (id, expires_at) VALUES ($1, $2) \
            ON CONFLICT (id) DO NOTHING";
        self.change(sql, vec![id.into(), expires_at.into()]).await.map(|_| ())
    }

    /// Deletes grants that ran out or were taken back before `before`, with all that hangs on them.
    pub async fn purge_grants(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM grants WHERE id IN (SELECT id FROM grants \
            WHERE expires_at < $1 OR revoked_at < $1 LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }

    /// Deletes codes and tokens that ran out before `before`, and called-back names with them.
    pub async fn purge_issued(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let mut purged = 0;
        for (table, key) in [
            ("codes", "digest"),
            ("device_codes", "digest"),
            ("refresh_tokens", "digest"),
            ("access_tokens", "digest"),
            ("revoked_tokens", "id"),
        ] {
            let sql = format!(
                "DELETE FROM {table} WHERE {key} IN \
                (SELECT {key} FROM {table} WHERE expires_at < $1 LIMIT $2)"
            );
            purged += self.change(sql, vec![before.into(), limit.into()]).await?;
        }
        Ok(purged)
    }
}
