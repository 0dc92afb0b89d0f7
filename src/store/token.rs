//! App passwords and API tokens: the keyed digest of a secret, whose it is and where it is good.

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::model::scope::Scope;
use crate::secret::TokenDigest;

/// How a token is presented, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Stands where a program asks for user name and password.
    AppPassword,
    /// Stands in `Authorization: Bearer`.
    ApiToken,
}

impl TokenKind {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AppPassword => "app-password",
            Self::ApiToken => "api-token",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::AppPassword, Self::ApiToken].into_iter().find(|kind| kind.word() == word)
    }
}

/// A token. Its text is known to nobody but its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: String,
    pub digest: TokenDigest,
    pub user_id: String,
    pub kind: TokenKind,
    pub name: String,
    /// Uids of the apps that it opens.
    pub apps: Vec<String>,
    /// What else it may do here.
    pub scopes: Vec<Scope>,
    pub created_at: Millis,
    pub expires_at: Option<Millis>,
    pub used_at: Option<Millis>,
    pub revoked_at: Option<Millis>,
}

impl Token {
    /// Whether it is worth anything at this moment.
    #[must_use]
    pub fn is_live(&self, now: Millis) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("tokens", "id");
        Ok(Self {
            id: row.text("id")?,
            digest: row.digest("digest")?,
            user_id: row.text("user_id")?,
            kind: row.word("kind", TokenKind::from_word)?,
            name: row.text("name")?,
            apps: row.json("apps")?,
            scopes: row.json("scopes")?,
            created_at: row.time("created_at")?,
            expires_at: row.opt_time("expires_at")?,
            used_at: row.opt_time("used_at")?,
            revoked_at: row.opt_time("revoked_at")?,
        })
    }
}

impl Read {
    /// The token of a digest, whatever has become of it.
    pub async fn find_token(&self, digest: &TokenDigest) -> Result<Option<Token>> {
        let row = self.one("SELECT * FROM tokens WHERE digest = $1", vec![digest.into()]).await?;
        row.as_ref().map(Token::from_row).transpose()
    }

    /// A person's tokens that are not revoked, expired ones included, the newest first.
    pub async fn list_tokens_of(&self, user_id: &str) -> Result<Vec<Token>> {
        let sql = "SELECT * FROM tokens WHERE user_id = $1 AND revoked_at IS NULL \
            ORDER BY created_at DESC, id";
        self.rows(sql, vec![user_id.into()]).await?.iter().map(Token::from_row).collect()
    }

    /// Everybody's tokens that are not revoked.
    pub async fn list_tokens(&self) -> Result<Vec<Token>> {
        let sql = "SELECT * FROM tokens WHERE revoked_at IS NULL \
            ORDER BY user_id, created_at DESC, id";
        self.rows(sql, vec![]).await?.iter().map(Token::from_row).collect()
    }

    /// Ids of tokens revoked since `since`: how other nodes' revocations are noticed.
    pub async fn list_tokens_revoked_since(&self, since: Millis) -> Result<Vec<String>> {
        let sql = "SELECT id FROM tokens WHERE revoked_at >= $1 ORDER BY revoked_at, id";
        let rows = self.rows(sql, vec![since.into()]).await?;
        rows.iter().map(|row| row.of("tokens", "id").text("id")).collect()
    }

    /// How many tokens of a person are worth something.
    pub async fn count_live_tokens_of(&self, user_id: &str, now: Millis) -> Result<u64> {
        let sql = "SELECT COUNT(*) AS count FROM tokens WHERE user_id = $1 \
            AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";
        self.get(sql, vec![user_id.into(), now.into()])
            .await?
            .of("tokens", "user_id")
            .count("count")
    }
}

impl Tx {
    /// Keeps a new token. False if its owner is disabled or gone.
    pub async fn insert_token(&mut self, token: &Token) -> Result<bool> {
        let sql = "INSERT INTO tokens (id, digest, user_id, kind, name, apps, scopes, created_at, expires_at) \
            SELECT $1, $2, id, $4, $5, $6, $7, CAST($8 AS BIGINT), CAST($9 AS BIGINT) FROM users \
            WHERE id = $3 AND NOT disabled";
        let values = vec![
            (&token.id).into(),
            (&token.digest).into(),
            (&token.user_id).into(),
            token.kind.word().into(),
            (&token.name).into(),
            Value::json(&token.apps)?,
            Value::json(&token.scopes)?,
            token.created_at.into(),
            token.expires_at.into(),
        ];
        self.change_one(sql, values).await
    }

    /// Revokes a token for good; with `user_id`, only that person's. `None` if there is no such one
    /// or it was revoked before.
    pub async fn revoke_token(
        &mut self,
        id: &str,
        user_id: Option<&str>,
        now: Millis,
    ) -> Result<Option<Token>> {
        let sql = "UPDATE tokens SET revoked_at = $3 WHERE id = $1 AND revoked_at IS NULL \
            AND (CAST($2 AS TEXT) IS NULL OR user_id = $2) RETURNING *";
        let row = self.one(sql, vec![id.into(), user_id.into(), now.into()]).await?;
        row.as_ref().map(Token::from_row).transpose()
    }

    /// Writes when tokens were last used, many at once; times never go back.
    pub async fn touch_tokens(&mut self, used: &[(String, Millis)]) -> Result<()> {
        let mut used = used.to_vec();
        // One order on every node, so that two of them never wait for each other.
        used.sort();
        for (id, at) in &used {
            let sql = "UPDATE tokens SET used_at = $2 \
                WHERE id = $1 AND (used_at IS NULL OR used_at < $2)";
            self.change(sql, vec![id.into(), (*at).into()]).await?;
        }
        Ok(())
    }

    /// Deletes tokens that were revoked or ran out before `before`.
    pub async fn purge_tokens(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM tokens WHERE id IN (SELECT id FROM tokens \
            WHERE revoked_at < $1 OR expires_at < $1 LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }
}
