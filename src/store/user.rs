//! People: what blueprints say of them and what belongs to themselves.

use std::collections::BTreeMap;

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::model::fold::fold;
use crate::secret::Secret;

/// Attributes by name; each has a list of values.
pub type Attributes = BTreeMap<String, Vec<String>>;

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: String,
    pub username: String,
    /// The username as it is compared; pages of lists begin after one.
    pub username_key: String,
    pub name: String,
    pub email: Option<String>,
    /// Whether a blueprint owns name, e-mail, attributes and `disabled`.
    pub declared: bool,
    pub disabled: bool,
    /// Written by blueprints: policies may rest on these.
    pub attributes: Attributes,
    /// Written at run time, by the person or a source.
    pub own_attributes: Attributes,
    /// The language that the person chose for pages and mail.
    pub language: Option<String>,
    pub password_hash: Option<Secret>,
    pub password_set_at: Option<Millis>,
    pub must_change: bool,
    pub initial_password_applied: bool,
    pub created_at: Millis,
    pub signed_in_at: Option<Millis>,
}

/// What a blueprint says of a person: exactly the fields that git owns.
#[derive(Clone, Copy, Debug)]
pub struct DeclaredUser<'a> {
    pub id: &'a str,
    pub username: &'a str,
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub disabled: bool,
    pub attributes: &'a Attributes,
}

/// Somebody made at run time.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    pub id: &'a str,
    pub username: &'a str,
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub own_attributes: &'a Attributes,
}

/// A password to be set: its hash, and whether the person must choose another at sign-in.
#[derive(Clone, Copy, Debug)]
pub struct NewPassword<'a> {
    pub hash: &'a Secret,
    pub must_change: bool,
}

impl User {
    /// How a message greets them.
    #[must_use]
    pub fn called(&self) -> &str {
        if self.name.is_empty() { &self.username } else { &self.name }
    }

    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("users", "id");
        Ok(Self {
            id: row.text("id")?,
            username: row.text("username")?,
            username_key: row.text("username_key")?,
            name: row.text("name")?,
            email: row.opt_text("email")?,
            declared: row.truth("declared")?,
            disabled: row.truth("disabled")?,
            attributes: row.json("attributes")?,
            own_attributes: row.json("own_attributes")?,
            language: row.opt_text("language")?,
            password_hash: row.opt_secret("password_hash")?,
            password_set_at: row.opt_time("password_set_at")?,
            must_change: row.truth("must_change")?,
            initial_password_applied: row.truth("initial_password_applied")?,
            created_at: row.time("created_at")?,
            signed_in_at: row.opt_time("signed_in_at")?,
        })
    }
}

impl Read {
    pub async fn find_user(&self, id: &str) -> Result<Option<User>> {
        let row = self.one("SELECT * FROM users WHERE id = $1", vec![id.into()]).await?;
        row.as_ref().map(User::from_row).transpose()
    }

    pub async fn find_user_by_username(&self, username: &str) -> Result<Option<User>> {
        let sql = "SELECT * FROM users WHERE username_key = $1";
        let row = self.one(sql, vec![fold(username).into()]).await?;
        row.as_ref().map(User::from_row).transpose()
    }

    /// Finds whom a login names, by username or e-mail address; a username wins.
    pub async fn find_user_by_login(&self, login: &str) -> Result<Option<User>> {
        let sql = "SELECT * FROM users WHERE username_key = $1 OR email_key = $1 \
            ORDER BY CASE WHEN username_key = $1 THEN 0 ELSE 1 END, disabled, id LIMIT 1";
        let row = self.one(sql, vec![fold(login).into()]).await?;
        row.as_ref().map(User::from_row).transpose()
    }

    /// Whose verified address this is, among accounts that are not disabled.
    pub async fn find_user_by_email(&self, email: &str) -> Result<Option<User>> {
        let sql = "SELECT * FROM users WHERE email_key = $1 AND NOT disabled";
        let row = self.one(sql, vec![fold(email).into()]).await?;
        row.as_ref().map(User::from_row).transpose()
    }

    /// Ids of accounts that somebody changed since `since`, as events tell it: their groups, name,
    /// address, or whether they may sign in.
    pub async fn list_accounts_changed_since(&self, since: Millis) -> Result<Vec<String>> {
        let sql = "SELECT data FROM events WHERE at >= $1 AND kind IN ('membership.added', \
            'membership.removed', 'profile.changed', 'address.changed', 'user.disabled', \
            'user.enabled', 'user.deleted', 'connection.added', 'connection.changed', \
            'connection.removed')";
        let user = |row: &Row| {
            let data: serde_json::Value = row.of("events", "data").json("data")?;
            let id = data.get("user").and_then(serde_json::Value::as_str);
            Ok(id.map(str::to_owned))
        };
        let rows = self.rows(sql, vec![since.into()]).await?;
        rows.iter().filter_map(|row| user(row).transpose()).collect()
    }

    /// Whether somebody came, went or changed since `since`, as events tell it.
    pub async fn has_directory_changed_since(&self, since: Millis) -> Result<bool> {
        let sql = "SELECT at FROM events WHERE at >= $1 AND kind IN ('user.enrolled', \
            'membership.added', 'membership.removed', 'profile.changed', 'address.changed', \
            'user.disabled', 'user.enabled', 'user.deleted', 'connection.added', \
            'connection.changed', 'connection.removed') LIMIT 1";
        Ok(self.one(sql, vec![since.into()]).await?.is_some())
    }

    /// A page of people by username, after the key of the last one seen (`""` at first).
    pub async fn list_users(&self, after_key: &str, limit: i64) -> Result<Vec<User>> {
        let sql = "SELECT * FROM users WHERE username_key > $1 ORDER BY username_key LIMIT $2";
        let rows = self.rows(sql, vec![after_key.into(), limit.into()]).await?;
        rows.iter().map(User::from_row).collect()
    }
}

impl Tx {
    /// Writes what git owns; password, own attributes and the rest stay as they are.
    pub async fn put_declared_user(&mut self, user: DeclaredUser<'_>, now: Millis) -> Result<()> {
        let sql = "INSERT INTO users \
            (id, username, username_key, name, email, email_key, declared, disabled, \
            attributes, own_attributes, must_change, initial_password_applied, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, TRUE, $7, $8, '{}', FALSE, FALSE, $9) \
            ON CONFLICT (id) DO UPDATE SET username = excluded.username, \
            username_key = excluded.username_key, name = excluded.name, \
            email = excluded.email, email_key = excluded.email_key, declared = TRUE, \
            disabled = excluded.disabled, attributes = excluded.attributes";
        let values = vec![
            user.id.into(),
            user.username.into(),
            fold(user.username).into(),
            user.name.into(),
            user.email.into(),
            user.email.map(fold).into(),
            user.disabled.into(),
            Value::json(user.attributes)?,
            now.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Makes somebody who belongs to the run time alone.
    pub async fn insert_user(&mut self, user: NewUser<'_>, now: Millis) -> Result<()> {
        let sql = "INSERT INTO users \
            (id, username, username_key, name, email, email_key, declared, disabled, \
            attributes, own_attributes, must_change, initial_password_applied, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, FALSE, FALSE, '{}', $7, FALSE, FALSE, $8)";
        let values = vec![
            user.id.into(),
            user.username.into(),
            fold(user.username).into(),
            user.name.into(),
            user.email.into(),
            user.email.map(fold).into(),
            Value::json(user.own_attributes)?,
            now.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Writes what somebody who belongs to the run time filled in. What blueprints own stays.
    pub async fn put_own(
        &mut self,
        id: &str,
        name: Option<&str>,
        own_attributes: &Attributes,
    ) -> Result<bool> {
        let sql = "UPDATE users SET own_attributes = $3, \
            name = CASE WHEN declared THEN name ELSE COALESCE(CAST($2 AS TEXT), name) END \
            WHERE id = $1 AND NOT disabled";
        let values = vec![id.into(), name.into(), Value::json(own_attributes)?];
        self.change_one(sql, values).await
    }

    /// Sets the name that somebody goes by. False if a blueprint owns it.
    pub async fn rename_user(&mut self, id: &str, name: &str) -> Result<bool> {
        let sql = "UPDATE users SET name = $2 WHERE id = $1 AND NOT declared AND NOT disabled";
        self.change_one(sql, vec![id.into(), name.into()]).await
    }

    /// Closes an account, or opens it again. False if a blueprint owns it.
    pub async fn set_disabled(&mut self, id: &str, disabled: bool) -> Result<bool> {
        let sql = "UPDATE users SET disabled = $2 WHERE id = $1 AND NOT declared";
        self.change_one(sql, vec![id.into(), disabled.into()]).await
    }

    /// Sets the language of somebody's pages and mail; without one the browser's is taken.
    pub async fn set_language(&mut self, id: &str, language: Option<&str>) -> Result<bool> {
        let sql = "UPDATE users SET language = $2 WHERE id = $1 AND NOT disabled";
        self.change_one(sql, vec![id.into(), language.into()]).await
    }

    /// Sets an address that was verified. False if a blueprint owns it.
    pub async fn set_verified_email(&mut self, id: &str, email: &str) -> Result<bool> {
        let sql = "UPDATE users SET email = $2, email_key = $3 \
            WHERE id = $1 AND NOT declared AND NOT disabled";
        self.change_one(sql, vec![id.into(), email.into(), fold(email).into()]).await
    }

    /// Sets hash, time and `must_change` in one statement.
    pub async fn set_password(
        &mut self,
        id: &str,
        password: NewPassword<'_>,
        now: Millis,
    ) -> Result<bool> {
        let sql = "UPDATE users SET password_hash = $2, must_change = $3, password_set_at = $4 \
            WHERE id = $1";
        let values = vec![id.into(), password.hash.into(), password.must_change.into(), now.into()];
        self.change_one(sql, values).await
    }

    /// Sets a password in place of the one that was set at `known`. False if that is no longer the
    /// password, or the account is disabled.
    pub async fn replace_password(
        &mut self,
        id: &str,
        known: Option<Millis>,
        password: NewPassword<'_>,
        now: Millis,
    ) -> Result<bool> {
        let sql = "UPDATE users SET password_hash = $2, must_change = $3, password_set_at = $4 \
            WHERE id = $1 AND password_set_at IS NOT DISTINCT FROM CAST($5 AS BIGINT) \
            AND NOT disabled";
        let must_change = password.must_change.into();
        let values = vec![id.into(), password.hash.into(), must_change, now.into(), known.into()];
        self.change_one(sql, values).await
    }

    /// Notes a sign-in that began when the password was the one set at `known`. False if it is so
    /// no longer, or the account is disabled. Until the commit nobody changes either.
    pub async fn note_sign_in(
        &mut self,
        id: &str,
        known: Option<Millis>,
        now: Millis,
    ) -> Result<bool> {
        let sql = "UPDATE users SET signed_in_at = $3 WHERE id = $1 \
            AND password_set_at IS NOT DISTINCT FROM CAST($2 AS BIGINT) AND NOT disabled";
        self.change_one(sql, vec![id.into(), known.into(), now.into()]).await
    }

    /// Until the commit nobody else changes this account or what belongs to it. False if it is
    /// disabled or gone.
    pub async fn hold_account(&mut self, id: &str) -> Result<bool> {
        let sql = "UPDATE users SET signed_in_at = signed_in_at WHERE id = $1 AND NOT disabled";
        self.change_one(sql, vec![id.into()]).await
    }

    /// Sets a blueprint's initial password: once in an account's life, and never over another.
    pub async fn apply_initial_password(
        &mut self,
        id: &str,
        password: NewPassword<'_>,
        now: Millis,
    ) -> Result<bool> {
        let sql = "UPDATE users SET password_hash = $2, must_change = $3, password_set_at = $4, \
            initial_password_applied = TRUE \
            WHERE id = $1 AND NOT initial_password_applied AND password_hash IS NULL";
        let values = vec![id.into(), password.hash.into(), password.must_change.into(), now.into()];
        self.change_one(sql, values).await
    }

    /// Replaces the hash of an unchanged password by a stronger one.
    pub async fn upgrade_password_hash(
        &mut self,
        id: &str,
        old: &Secret,
        new: &Secret,
    ) -> Result<bool> {
        let sql = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
        self.change_one(sql, vec![id.into(), old.into(), new.into()]).await
    }

    /// Leaves somebody removed from the blueprints to the run time, disabled (blueprints.md 4.4).
    pub async fn release_user(&mut self, id: &str) -> Result<bool> {
        let sql = "UPDATE users SET declared = FALSE, disabled = TRUE WHERE id = $1";
        self.change_one(sql, vec![id.into()]).await
    }

    /// Deletes an account with all that hangs on it.
    pub async fn purge_user(&mut self, id: &str) -> Result<bool> {
        self.change_one("DELETE FROM users WHERE id = $1", vec![id.into()]).await
    }
}
