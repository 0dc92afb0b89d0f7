//! Brings a store to this version's schema, once, and refuses one that is ahead or altered.

use super::db::row::Row;
use super::db::{Db, Tx};
use super::error::{Result, StoreError};
use crate::clock::Millis;
use crate::secret::sha256_hex;

/// Whether a store was made just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    Created,
    Opened,
}

/// A step of the schema. Once released, its text never changes.
struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "0001_start", sql: include_str!("migrations/0001_start.sql") },
    Migration {
        number: 2,
        name: "0002_reputation",
        sql: include_str!("migrations/0002_reputation.sql"),
    },
    Migration {
        number: 3,
        name: "0003_token_scopes",
        sql: include_str!("migrations/0003_token_scopes.sql"),
    },
    Migration { number: 4, name: "0004_oidc", sql: include_str!("migrations/0004_oidc.sql") },
    Migration {
        number: 5,
        name: "0005_bound_tokens",
        sql: include_str!("migrations/0005_bound_tokens.sql"),
    },
    Migration {
        number: 6,
        name: "0006_device_codes",
        sql: include_str!("migrations/0006_device_codes.sql"),
    },
    Migration { number: 7, name: "0007_logouts", sql: include_str!("migrations/0007_logouts.sql") },
    Migration {
        number: 8,
        name: "0008_connections",
        sql: include_str!("migrations/0008_connections.sql"),
    },
    Migration {
        number: 9,
        name: "0009_posix_numbers",
        sql: include_str!("migrations/0009_posix_numbers.sql"),
    },
];

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS migrations (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)";

/// Whether a store may be made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    Allowed,
    Refused,
}

/// Runs what is missing in one transaction: all of it or nothing.
pub async fn migrate(db: &Db, making: Making, now: Millis) -> Result<Opening> {
    let mut tx = db.begin().await?;
    tx.lock_schema().await?;
    tx.script(LEDGER).await?;
    let applied = list_applied(&tx).await?;
    if applied.is_empty() && making == Making::Refused {
        return Err(StoreError::Missing { place: db.place().to_owned() });
    }
    finish(&mut tx, db.place(), now).await?;
    tx.commit().await?;
    Ok(if applied.is_empty() { Opening::Created } else { Opening::Opened })
}

/// The number of the last step that was taken.
pub async fn reached(tx: &Tx) -> Result<i64> {
    Ok(list_applied(tx).await?.last().map_or(0, |last| last.number))
}

/// Makes an empty store as it was after the step `schema`.
pub async fn begin_at(tx: &mut Tx, place: &str, schema: i64, now: Millis) -> Result<()> {
    let known = MIGRATIONS.last().map_or(0, |last| last.number);
    if schema > known {
        return Err(StoreError::Newer { place: place.to_owned(), found: schema, known });
    }
    tx.lock_schema().await?;
    tx.script(LEDGER).await?;
    if !list_applied(tx).await?.is_empty() {
        return Err(StoreError::NotEmpty { place: place.to_owned() });
    }
    for migration in MIGRATIONS.iter().take_while(|each| each.number <= schema) {
        tx.script(migration.sql).await?;
        record(tx, migration, now).await?;
    }
    Ok(())
}

/// Whether a table is there after the step `schema`.
pub fn is_made(table: &str, schema: i64) -> bool {
    let made = format!("CREATE TABLE {table} (");
    MIGRATIONS.iter().any(|each| each.number <= schema && each.sql.contains(&made))
}

/// Takes the steps that are left.
pub async fn finish(tx: &mut Tx, place: &str, now: Millis) -> Result<()> {
    let applied = list_applied(tx).await?;
    check(place, &applied)?;
    for migration in MIGRATIONS.iter().skip(applied.len()) {
        tx.script(migration.sql).await?;
        record(tx, migration, now).await?;
    }
    Ok(())
}

/// The text of every step.
#[cfg(test)]
pub fn texts() -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().map(|migration| migration.sql)
}

struct Applied {
    number: i64,
    name: String,
    digest: String,
}

async fn list_applied(tx: &Tx) -> Result<Vec<Applied>> {
    let sql = "SELECT number, name, digest FROM migrations ORDER BY number";
    let rows = tx.rows(sql, vec![]).await?;
    let read = |row: &Row| {
        let row = row.of("migrations", "number");
        Ok(Applied {
            number: row.int("number")?,
            name: row.text("name")?,
            digest: row.text("digest")?,
        })
    };
    rows.iter().map(read).collect()
}

fn check(place: &str, applied: &[Applied]) -> Result<()> {
    let known = MIGRATIONS.last().map_or(0, |last| last.number);
    let found = applied.last().map_or(0, |last| last.number);
    let place = place.to_owned();
    if found > known {
        return Err(StoreError::Newer { place, found, known });
    }
    for (ours, theirs) in MIGRATIONS.iter().zip(applied) {
        if ours.number != theirs.number || sha256_hex(ours.sql.as_bytes()) != theirs.digest {
            return Err(StoreError::Altered { place, migration: theirs.name.clone() });
        }
    }
    Ok(())
}

async fn record(tx: &mut Tx, migration: &Migration, now: Millis) -> Result<()> {
    let sql = "INSERT INTO migrations (number, name, digest, applied_at) VALUES ($1, $2, $3, $4)";
    let digest = sha256_hex(migration.sql.as_bytes());
    let values = vec![migration.number.into(), migration.name.into(), digest.into(), now.into()];
    tx.change(sql, values).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_gaps() {
        for (at, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number, at as i64 + 1);
            assert!(migration.name.starts_with(&format!("{:04}_", migration.number)));
        }
    }
}
