//! Identity of declared things: kind and slug to a uid that survives renames and removal.

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;

/// Something that a blueprint declares or declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub uid: String,
    pub kind: String,
    pub slug: String,
    /// Slugs it had before.
    pub aliases: Vec<String>,
    /// File and line of its declaration.
    pub declared_at: String,
    pub protect: bool,
    pub created_at: Millis,
    pub tombstoned_at: Option<Millis>,
}

/// Something that is declared for the first time.
#[derive(Clone, Copy, Debug)]
pub struct NewObject<'a> {
    pub uid: &'a str,
    pub kind: &'a str,
    pub slug: &'a str,
    pub declared_at: &'a str,
    pub protect: bool,
}

impl Object {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("objects", "uid");
        Ok(Self {
            uid: row.text("uid")?,
            kind: row.text("kind")?,
            slug: row.text("slug")?,
            aliases: row.json("aliases")?,
            declared_at: row.text("declared_at")?,
            protect: row.truth("protect")?,
            created_at: row.time("created_at")?,
            tombstoned_at: row.opt_time("tombstoned_at")?,
        })
    }
}

impl Read {
    pub async fn find_object(&self, uid: &str) -> Result<Option<Object>> {
        let row = self.one("SELECT * FROM objects WHERE uid = $1", vec![uid.into()]).await?;
        row.as_ref().map(Object::from_row).transpose()
    }

    pub async fn find_live_object(&self, kind: &str, slug: &str) -> Result<Option<Object>> {
        let sql = "SELECT * FROM objects WHERE kind = $1 AND slug = $2 AND tombstoned_at IS NULL";
        let row = self.one(sql, vec![kind.into(), slug.into()]).await?;
        row.as_ref().map(Object::from_row).transpose()
    }

    /// The one of this name that was removed last.
    pub async fn find_tombstoned_object(&self, kind: &str, slug: &str) -> Result<Option<Object>> {
        let sql = "SELECT * FROM objects \
            WHERE kind = $1 AND slug = $2 AND tombstoned_at IS NOT NULL \
            ORDER BY tombstoned_at DESC, uid DESC LIMIT 1";
        let row = self.one(sql, vec![kind.into(), slug.into()]).await?;
        row.as_ref().map(Object::from_row).transpose()
    }

    pub async fn list_live_objects(&self) -> Result<Vec<Object>> {
        let sql = "SELECT * FROM objects WHERE tombstoned_at IS NULL ORDER BY kind, slug";
        self.rows(sql, vec![]).await?.iter().map(Object::from_row).collect()
    }

    pub async fn list_tombstoned_objects(&self) -> Result<Vec<Object>> {
        let sql = "SELECT * FROM objects WHERE tombstoned_at IS NOT NULL \
            ORDER BY kind, slug, tombstoned_at DESC";
        self.rows(sql, vec![]).await?.iter().map(Object::from_row).collect()
    }
}

impl Tx {
    pub async fn insert_object(&mut self, object: NewObject<'_>, now: Millis) -> Result<()> {
        let sql = "INSERT INTO objects \
            (uid, kind, slug, aliases, declared_at, protect, created_at) \
            VALUES ($1, $2, $3, '[]', $4, $5, $6)";
        let values = vec![
            object.uid.into(),
            object.kind.into(),
            object.slug.into(),
            object.declared_at.into(),
            object.protect.into(),
            now.into(),
        ];
        self.change(sql, values).await.map(|_| ())
    }

    /// Records where it is declared now and whether it is protected.
    pub async fn put_object_place(
        &mut self,
        uid: &str,
        declared_at: &str,
        protect: bool,
    ) -> Result<bool> {
        let sql = "UPDATE objects SET declared_at = $2, protect = $3 WHERE uid = $1";
        self.change_one(sql, vec![uid.into(), declared_at.into(), protect.into()]).await
    }

    /// Gives a living object another slug; the old one becomes an alias.
    pub async fn rename_object(&mut self, uid: &str, slug: &str) -> Result<bool> {
        let Some(object) = self.find_object(uid).await? else { return Ok(false) };
        let mut aliases = object.aliases;
        aliases.retain(|alias| alias != slug && *alias != object.slug);
        aliases.push(object.slug);
        let sql = "UPDATE objects SET slug = $2, aliases = $3 \
            WHERE uid = $1 AND tombstoned_at IS NULL";
        self.change_one(sql, vec![uid.into(), slug.into(), Value::json(&aliases)?]).await
    }

    /// Marks a living object as removed; its data stays until it is purged.
    pub async fn tombstone_object(&mut self, uid: &str, now: Millis) -> Result<bool> {
        let sql = "UPDATE objects SET tombstoned_at = $2 WHERE uid = $1 AND tombstoned_at IS NULL";
        self.change_one(sql, vec![uid.into(), now.into()]).await
    }

    /// Brings a removed object back under its uid.
    pub async fn revive_object(&mut self, uid: &str) -> Result<bool> {
        let sql = "UPDATE objects SET tombstoned_at = NULL \
            WHERE uid = $1 AND tombstoned_at IS NOT NULL";
        self.change_one(sql, vec![uid.into()]).await
    }

    /// Deletes objects removed before `before` with their secrets and app sessions, and says which.
    pub async fn purge_tombstones(&mut self, before: Millis, limit: i64) -> Result<Vec<Object>> {
        let sql = "DELETE FROM objects WHERE uid IN \
            (SELECT uid FROM objects WHERE tombstoned_at < $1 ORDER BY tombstoned_at LIMIT $2) \
            RETURNING *";
        let rows = self.rows(sql, vec![before.into(), limit.into()]).await?;
        let purged: Vec<_> = rows.iter().map(Object::from_row).collect::<Result<_>>()?;
        for object in &purged {
            for sql in [
                "DELETE FROM secrets WHERE owner_uid = $1",
                "DELETE FROM app_sessions WHERE app_uid = $1",
                "DELETE FROM tickets WHERE app_uid = $1",
            ] {
                self.change(sql, vec![object.uid.as_str().into()]).await?;
            }
        }
        Ok(purged)
    }
}
