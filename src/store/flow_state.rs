//! Logins and other flows in progress, keyed by their browser's cookie.

use super::db::row::Row;
use super::db::value::Value;
use super::db::{Read, Tx};
use super::error::Result;
use crate::clock::Millis;
use crate::secret::TokenDigest;

/// A flow in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowState {
    pub digest: TokenDigest,
    pub flow: String,
    pub purpose: String,
    /// The generation in which it began and by whose flow it goes on.
    pub generation: i64,
    pub data: serde_json::Value,
    pub created_at: Millis,
    pub expires_at: Millis,
    /// Each step names the version it saw; a step from a stale page is refused.
    pub version: i64,
}

/// A flow that begins.
#[derive(Clone, Copy, Debug)]
pub struct NewFlowState<'a> {
    pub digest: &'a TokenDigest,
    pub flow: &'a str,
    pub purpose: &'a str,
    pub generation: i64,
    pub data: &'a serde_json::Value,
    pub expires_at: Millis,
}

impl FlowState {
    fn from_row(row: &Row) -> Result<Self> {
        let row = row.of("flow_states", "digest");
        Ok(Self {
            digest: row.digest("digest")?,
            flow: row.text("flow")?,
            purpose: row.text("purpose")?,
            generation: row.int("generation")?,
            data: row.json("data")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            version: row.int("version")?,
        })
    }
}

impl Read {
    /// How many of each flow are in progress.
    pub async fn count_flow_states(&self, now: Millis) -> Result<Vec<(String, i64)>> {
        let sql = "SELECT flow, COUNT(*) AS count FROM flow_states WHERE expires_at > $1 \
            GROUP BY flow";
        let read = |row: &Row| {
            let row = row.of("flow_states", "flow");
            Ok((row.text("flow")?, row.int("count")?))
        };
        self.rows(sql, vec![now.into()]).await?.iter().map(read).collect()
    }

    pub async fn find_flow_state(
        &self,
        digest: &TokenDigest,
        now: Millis,
    ) -> Result<Option<FlowState>> {
        let sql = "SELECT * FROM flow_states WHERE digest = $1 AND expires_at > $2";
        let row = self.one(sql, vec![digest.into(), now.into()]).await?;
        row.as_ref().map(FlowState::from_row).transpose()
    }
}

impl Tx {
    /// Begins a flow, in place of the one that this browser had, and tells its version.
    pub async fn put_flow_state(&mut self, state: NewFlowState<'_>, now: Millis) -> Result<i64> {
        let sql = "INSERT INTO flow_states \
            (digest, flow, purpose, generation, data, created_at, expires_at, version) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, 1) \
            ON CONFLICT (digest) DO UPDATE SET flow = excluded.flow, \
            purpose = excluded.purpose, generation = excluded.generation, \
            data = excluded.data, created_at = excluded.created_at, \
            expires_at = excluded.expires_at, version = flow_states.version + 1 RETURNING *";
        let values = vec![
            state.digest.into(),
            state.flow.into(),
            state.purpose.into(),
            state.generation.into(),
            Value::json(state.data)?,
            now.into(),
            state.expires_at.into(),
        ];
        Ok(FlowState::from_row(&self.get(sql, values).await?)?.version)
    }

    /// Goes one step on from `version`. False if another step was faster or time is up.
    pub async fn advance_flow_state(
        &mut self,
        digest: &TokenDigest,
        version: i64,
        data: &serde_json::Value,
        now: Millis,
    ) -> Result<bool> {
        let sql = "UPDATE flow_states SET data = $3, version = version + 1 \
            WHERE digest = $1 AND version = $2 AND expires_at > $4";
        let values = vec![digest.into(), version.into(), Value::json(data)?, now.into()];
        self.change_one(sql, values).await
    }

    /// Lets a flow wait until then, if it would not wait as long.
    pub async fn extend_flow_state(&mut self, digest: &TokenDigest, until: Millis) -> Result<bool> {
        let sql = "UPDATE flow_states SET expires_at = $2 WHERE digest = $1 AND expires_at < $2";
        self.change_one(sql, vec![digest.into(), until.into()]).await
    }

    /// Takes a flow out at its end. `None` if another step was faster or time is up.
    pub async fn consume_flow_state(
        &mut self,
        digest: &TokenDigest,
        version: i64,
        now: Millis,
    ) -> Result<Option<FlowState>> {
        let sql = "DELETE FROM flow_states \
            WHERE digest = $1 AND version = $2 AND expires_at > $3 RETURNING *";
        let row = self.one(sql, vec![digest.into(), version.into(), now.into()]).await?;
        row.as_ref().map(FlowState::from_row).transpose()
    }

    pub async fn purge_flow_states(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let sql = "DELETE FROM flow_states WHERE digest IN \
            (SELECT digest FROM flow_states WHERE expires_at < $1 LIMIT $2)";
        self.change(sql, vec![before.into(), limit.into()]).await
    }
}
