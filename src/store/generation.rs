//! Generations: accepted blueprints with their sources, and which of them is in force.

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;

/// An accepted set of blueprint files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    pub line: GenerationLine,
    /// The files themselves, as JSON.
    pub sources: String,
}

/// A generation as histories list it, without its sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationLine {
    pub number: i64,
    pub source_digest: String,
    pub model_digest: String,
    pub revision: Option<String>,
    pub applied_at: Millis,
    pub applied_by: String,
    pub summary: serde_json::Value,
}

/// A generation to be stored; its number is given by the store.
#[derive(Clone, Copy, Debug)]
pub struct NewGeneration<'a> {
    pub source_digest: &'a str,
    pub model_digest: &'a str,
    pub revision: Option<&'a str>,
    pub sources: &'a str,
    pub applied_by: &'a str,
    pub summary: &'a serde_json::Value,
}

impl Generation {
    fn from_row(row: &Row) -> Result<Self> {
        let sources = row.of("generations", "number").text("sources")?;
        Ok(Self { line: GenerationLine::from_row(row)?, sources })
    }
}

impl GenerationLine {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("generations", "number");
        Ok(Self {
            number: row.int("number")?,
            source_digest: row.text("source_digest")?,
            model_digest: row.text("model_digest")?,
            revision: row.opt_text("revision")?,
            applied_at: row.time("applied_at")?,
            applied_by: row.text("applied_by")?,
            summary: row.json("summary")?,
        })
    }
}

impl Read {
    /// The number in force; the cheap question that other nodes ask every two seconds.
    pub async fn find_active_number(&self) -> Result<Option<i64>> {
        let row = self.get("SELECT one, generation FROM active", vec![]).await?;
        row.of("active", "one").opt_int("generation")
    }

    /// The generation in force with its sources.
    pub async fn find_active_generation(&self) -> Result<Option<Generation>> {
        let sql = "SELECT generations.* FROM generations \
            JOIN active ON active.generation = generations.number";
        self.one(sql, vec![]).await?.as_ref().map(Generation::from_row).transpose()
    }

    pub async fn find_generation(&self, number: i64) -> Result<Option<Generation>> {
        let sql = "SELECT * FROM generations WHERE number = $1";
        self.one(sql, vec![number.into()]).await?.as_ref().map(Generation::from_row).transpose()
    }

    /// The newest generation made of exactly these files (security.md R18).
    pub async fn find_generation_by_source(&self, digest: &str) -> Result<Option<GenerationLine>> {
        let sql = "SELECT number, source_digest, model_digest, revision, applied_at, applied_by, \
            summary FROM generations WHERE source_digest = $1 ORDER BY number DESC LIMIT 1";
        self.one(sql, vec![digest.into()]).await?.as_ref().map(GenerationLine::from_row).transpose()
    }

    /// The newest generations, without sources.
    pub async fn list_generations(&self, limit: i64) -> Result<Vec<GenerationLine>> {
        let sql = "SELECT number, source_digest, model_digest, revision, applied_at, applied_by, \
            summary FROM generations ORDER BY number DESC LIMIT $1";
        self.rows(sql, vec![limit.into()]).await?.iter().map(GenerationLine::from_row).collect()
    }
}

impl Tx {
    /// Stores a generation and tells its number; it is not in force yet.
    pub async fn insert_generation(
        &mut self,
        generation: NewGeneration<'_>,
        now: Millis,
    ) -> Result<i64> {
        let sql = "INSERT INTO generations (number, source_digest, model_digest, revision, \
            sources, applied_at, applied_by, summary) \
            SELECT COALESCE(MAX(number), CAST(0 AS BIGINT)) + 1, \
            CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), \
            CAST($5 AS BIGINT), CAST($6 AS TEXT), CAST($7 AS TEXT) FROM generations \
            RETURNING number";
        let values = vec![
            generation.source_digest.into(),
            generation.model_digest.into(),
            generation.revision.into(),
            generation.sources.into(),
            now.into(),
            generation.applied_by.into(),
            Value::json(generation.summary)?,
        ];
        self.get(sql, values).await?.of("generations", "number").int("number")
    }

    /// Puts `new` in force if `expected` still is. False if another was faster.
    #[must_use = "false means that another generation came first: roll back"]
    pub async fn activate(&mut self, expected: Option<i64>, new: i64) -> Result<bool> {
        let sql = "UPDATE active SET generation = $2 \
            WHERE one = 1 AND generation IS NOT DISTINCT FROM CAST($1 AS BIGINT)";
        self.change_one(sql, vec![expected.into(), new.into()]).await
    }

    /// Replaces the sources of a generation by files that mean the same: comments, moves.
    pub async fn refresh_generation(
        &mut self,
        number: i64,
        source_digest: &str,
        revision: Option<&str>,
        sources: &str,
    ) -> Result<bool> {
        let sql = "UPDATE generations SET source_digest = $2, revision = $3, sources = $4 \
            WHERE number = $1";
        let values = vec![number.into(), source_digest.into(), revision.into(), sources.into()];
        self.change_one(sql, values).await
    }

    /// Deletes generations beyond the newest `keep`, but not the one in force nor any in which
    /// a login is in progress.
    pub async fn purge_generations(&mut self, keep: i64, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM generations WHERE number IN (SELECT number FROM generations \
            WHERE number NOT IN (SELECT number FROM generations ORDER BY number DESC LIMIT $1) \
            AND number NOT IN (SELECT generation FROM active WHERE generation IS NOT NULL) \
            AND number NOT IN (SELECT generation FROM flow_states) ORDER BY number LIMIT $2)";
        self.change(sql, vec![keep.into(), limit.into()]).await
    }
}
