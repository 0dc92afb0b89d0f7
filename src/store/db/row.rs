//! Rows as the drivers answer them, and their strict decoding.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::value::Value;
use crate::clock::Millis;
use crate::secret::{Secret, TokenDigest};
use crate::store::error::{Result, StoreError};

/// What a statement answered.
pub struct Reply {
    pub rows: Vec<Row>,
    pub changed: u64,
}

/// One row: values by column name; `None` is something that no column of ours may hold.
pub struct Row {
    pub columns: Arc<[String]>,
    pub values: Vec<Option<Value>>,
}

/// A row seen as one of a table; whatever does not fit is `Corrupt`, never a default.
pub struct Fields<'r> {
    row: &'r Row,
    table: &'static str,
    key: &'static str,
}

impl Row {
    /// Sees the row as one of `table`, named by its column `key` when something is wrong.
    pub fn of(&self, table: &'static str, key: &'static str) -> Fields<'_> {
        Fields { row: self, table, key }
    }

    fn value(&self, column: &str) -> Option<&Value> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.values.get(at)?.as_ref()
    }
}

impl Fields<'_> {
    pub fn text(&self, column: &'static str) -> Result<String> {
        match self.row.value(column) {
            Some(Value::Text(text)) => Ok(text.clone()),
            _ => Err(self.corrupt(column)),
        }
    }

    pub fn opt_text(&self, column: &'static str) -> Result<Option<String>> {
        self.unless_null(column, Self::text)
    }

    pub fn opt_secret(&self, column: &'static str) -> Result<Option<Secret>> {
        Ok(self.opt_text(column)?.map(Secret::new))
    }

    pub fn int(&self, column: &'static str) -> Result<i64> {
        match self.row.value(column) {
            Some(Value::Int(number)) => Ok(*number),
            _ => Err(self.corrupt(column)),
        }
    }

    /// A number that cannot be negative.
    pub fn count(&self, column: &'static str) -> Result<u64> {
        u64::try_from(self.int(column)?).map_err(|_| self.corrupt(column))
    }

    pub fn opt_int(&self, column: &'static str) -> Result<Option<i64>> {
        self.unless_null(column, Self::int)
    }

    pub fn time(&self, column: &'static str) -> Result<Millis> {
        self.int(column).map(Millis)
    }

    pub fn opt_time(&self, column: &'static str) -> Result<Option<Millis>> {
        self.unless_null(column, Self::time)
    }

    pub fn span(&self, column: &'static str) -> Result<Duration> {
        self.count(column).map(Duration::from_millis)
    }

    /// SQLite keeps truth as 0 and 1; any other number is corrupt.
    pub fn truth(&self, column: &'static str) -> Result<bool> {
        match self.row.value(column) {
            Some(Value::Bool(truth)) => Ok(*truth),
            Some(Value::Int(0)) => Ok(false),
            Some(Value::Int(1)) => Ok(true),
            _ => Err(self.corrupt(column)),
        }
    }

    pub fn bytes(&self, column: &'static str) -> Result<Vec<u8>> {
        match self.row.value(column) {
            Some(Value::Bytes(bytes)) => Ok(bytes.clone()),
            _ => Err(self.corrupt(column)),
        }
    }

    pub fn digest(&self, column: &'static str) -> Result<TokenDigest> {
        let bytes = self.bytes(column)?;
        bytes.try_into().map(TokenDigest).map_err(|_| self.corrupt(column))
    }

    pub fn opt_digest(&self, column: &'static str) -> Result<Option<TokenDigest>> {
        match self.row.value(column) {
            Some(Value::Null) => Ok(None),
            _ => self.digest(column).map(Some),
        }
    }

    pub fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|_| self.corrupt(column))
    }

    pub fn opt_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>> {
        self.unless_null(column, Self::json)
    }

    /// One of a few words, as `read` knows them.
    pub fn word<T>(&self, column: &'static str, read: fn(&str) -> Option<T>) -> Result<T> {
        read(&self.text(column)?).ok_or_else(|| self.corrupt(column))
    }

    pub fn corrupt(&self, column: &'static str) -> StoreError {
        let id = match self.row.value(self.key) {
            Some(Value::Text(id)) => id.clone(),
            Some(Value::Int(id)) => id.to_string(),
            Some(Value::Bytes(id)) => id.iter().take(4).map(|byte| format!("{byte:02x}")).collect(),
            _ => "?".to_owned(),
        };
        StoreError::Corrupt { table: self.table, id, column }
    }

    fn unless_null<T>(
        &self,
        column: &'static str,
        read: fn(&Self, &'static str) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.row.value(column) {
            Some(Value::Null) => Ok(None),
            _ => read(self, column).map(Some),
        }
    }
}
