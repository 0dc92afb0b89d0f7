//! Invitations to make an account.

use std::collections::BTreeMap;

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::secret::TokenDigest;

/// An invitation to go through one flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: String,
    pub digest: TokenDigest,
    pub flow: String,
    /// For whoever made it.
    pub note: String,
    pub made_by: String,
    /// The groups that whoever comes by it is put into.
    pub groups: Vec<String>,
    /// What is filled in and cannot be changed.
    pub fields: BTreeMap<String, String>,
    pub uses_left: u64,
    pub created_at: Millis,
    pub expires_at: Millis,
}

impl Invitation {
    /// Whether somebody may still come by it.
    #[must_use]
    pub fn is_usable(&self, now: Millis) -> bool {
        self.uses_left > 0 && now < self.expires_at
    }

    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("invitations", "id");
        Ok(Self {
            id: row.text("id")?,
            digest: row.digest("digest")?,
            flow: row.text("flow")?,
            note: row.text("note")?,
            made_by: row.text("made_by")?,
            groups: row.json("groups")?,
            fields: row.json("fields")?,
            uses_left: row.count("uses_left")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
        })
    }
}

impl Read {
    /// An invitation by what was sent out, usable or not.
    pub async fn find_invitation(&self, digest: &TokenDigest) -> Result<Option<Invitation>> {
        let row = self.one("SELECT * FROM invitations WHERE digest = $1", vec![digest.into()]);
        row.await?.as_ref().map(Invitation::from_row).transpose()
    }

    /// All that are kept, the newest first.
    pub async fn list_invitations(&self) -> Result<Vec<Invitation>> {
        let sql = "SELECT * FROM invitations ORDER BY created_at DESC, id";
        self.rows(sql, vec![]).await?.iter().map(Invitation::from_row).collect()
    }
}

impl Tx {
    pub async fn insert_invitation(&mut self, invitation: &Invitation) -> Result<()> {
        let sql = "INSERT INTO invitations (id, digest, flow, note, made_by, groups, fields, \
            uses_left, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let values = vec![
            (&invitation.id).into(),
            (&invitation.digest).into(),
            (&invitation.flow).into(),
            (&invitation.note).into(),
            (&invitation.made_by).into(),
            Value::json(&invitation.groups)?,
            Value::json(&invitation.fields)?,
            i64::try_from(invitation.uses_left).unwrap_or(i64::MAX).into(),
            invitation.created_at.into(),
            invitation.expires_at.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Uses an invitation once. `None` if it has run out.
    pub async fn use_invitation(&mut self, id: &str, now: Millis) -> Result<Option<Invitation>> {
        let sql = "UPDATE invitations SET uses_left = uses_left - 1 \
            WHERE id = $1 AND uses_left > 0 AND expires_at > $2 RETURNING *";
        let row = self.one(sql, vec![id.into(), now.into()]).await?;
        row.as_ref().map(Invitation::from_row).transpose()
    }

    /// Takes an invitation back.
    pub async fn delete_invitation(&mut self, id: &str) -> Result<bool> {
        self.change_one("DELETE FROM invitations WHERE id = $1", vec![id.into()]).await
    }

    /// Deletes what ran out.
    pub async fn purge_invitations(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM invitations WHERE id IN \
            (SELECT id FROM invitations WHERE expires_at < $1 LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }
}
