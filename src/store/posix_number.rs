//! The numbers that POSIX knows people and groups by (`uidNumber`, `gidNumber`): one row of numbers for
//! both, so that a person's own group has the person's number.

use std::collections::HashMap;

use super::db::{Read, Tx};
use super::error::Result;
use crate::model::posix_number::GIVEN_OUT;

impl Read {
    /// Every number, by its owner.
    pub async fn list_posix_numbers(&self) -> Result<HashMap<String, i64>> {
        let rows = self.rows("SELECT owner, number FROM posix_numbers", vec![]).await?;
        rows.iter()
            .map(|row| {
                let row = row.of("posix_numbers", "owner");
                Ok((row.text("owner")?, row.int("number")?))
            })
            .collect()
    }
}

impl Tx {
    /// Gives a number to each of these that has none. Where another node is at it too, some stay
    /// without: ask again.
    pub async fn number(&mut self, owners: &[&str]) -> Result<()> {
        let sql = "SELECT COALESCE(MAX(number), $1) AS number FROM posix_numbers";
        let last = self.one(sql, vec![(GIVEN_OUT.start() - 1).into()]).await?;
        let mut next = match last {
            Some(row) => row.of("posix_numbers", "number").int("number")?,
            None => GIVEN_OUT.start() - 1,
        };
        for owner in owners {
            next = next.saturating_add(1);
            let sql = "INSERT INTO posix_numbers (number, owner) VALUES ($1, $2) \
                ON CONFLICT DO NOTHING";
            self.change(sql, vec![next.into(), (*owner).into()]).await?;
        }
        Ok(())
    }
}
