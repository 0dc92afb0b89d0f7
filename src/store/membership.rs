//! Who belongs to which group, and who says so.

use super::db::row::Row;
use super::db::{Read, Tx};
use super::error::Result;

/// Who put a person into a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Git,
    Runtime,
}

/// One person in one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub user_id: String,
    pub group: String,
    pub owner: Owner,
}

impl Owner {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Runtime => "runtime",
        }
    }

    fn read(word: &str) -> Option<Self> {
        match word {
            "git" => Some(Self::Git),
            "runtime" => Some(Self::Runtime),
            _ => None,
        }
    }
}

impl Membership {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("memberships", "user_id");
        Ok(Self {
            user_id: row.text("user_id")?,
            group: row.text("group_slug")?,
            owner: row.word("owner", Owner::read)?,
        })
    }
}

impl Read {
    pub async fn list_memberships(&self) -> Result<Vec<Membership>> {
        let sql = "SELECT * FROM memberships ORDER BY user_id, group_slug, owner";
        self.rows(sql, vec![]).await?.iter().map(Membership::from_row).collect()
    }

    pub async fn list_memberships_of(&self, user_id: &str) -> Result<Vec<Membership>> {
        let sql = "SELECT * FROM memberships WHERE user_id = $1 ORDER BY group_slug, owner";
        self.rows(sql, vec![user_id.into()]).await?.iter().map(Membership::from_row).collect()
    }
}

impl Tx {
    /// Makes `groups` the exact list that git gives a person; the run time's stay.
    pub async fn replace_git_memberships(
        &mut self,
        user_id: &str,
        groups: &[String],
    ) -> Result<()> {
        let sql = "DELETE FROM memberships WHERE user_id = $1 AND owner = 'git'";
        self.change(sql, vec![user_id.into()]).await?;
        for group in groups {
            self.put_membership(user_id, group, Owner::Git).await?;
        }
        Ok(())
    }

    pub async fn put_membership(&mut self, user_id: &str, group: &str, owner: Owner) -> Result<()> {
        let sql = "INSERT INTO memberships (user_id, group_slug, owner) VALUES ($1, $2, $3) \
            ON CONFLICT (user_id, group_slug, owner) DO NOTHING";
        self.change(sql, vec![user_id.into(), group.into(), owner.word().into()]).await.map(|_| ())
    }

    pub async fn delete_membership(
        &mut self,
        user_id: &str,
        group: &str,
        owner: Owner,
    ) -> Result<bool> {
        let sql = "DELETE FROM memberships WHERE user_id = $1 AND group_slug = $2 AND owner = $3";
        self.change_one(sql, vec![user_id.into(), group.into(), owner.word().into()]).await
    }

    /// Takes members along when a group gets another slug.
    pub async fn rename_group(&mut self, old: &str, new: &str) -> Result<()> {
        let sql = "INSERT INTO memberships (user_id, group_slug, owner) \
            SELECT user_id, $2, owner FROM memberships WHERE group_slug = $1 \
            ON CONFLICT (user_id, group_slug, owner) DO NOTHING";
        self.change(sql, vec![old.into(), new.into()]).await?;
        self.delete_group(old).await
    }

    /// Forgets every member of a group.
    pub async fn delete_group(&mut self, group: &str) -> Result<()> {
        let sql = "DELETE FROM memberships WHERE group_slug = $1";
        self.change(sql, vec![group.into()]).await.map(|_| ())
    }
}
