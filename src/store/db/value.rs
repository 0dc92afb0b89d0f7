//! What can be bound to a statement and read from a row: four column types and NULL.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::clock::Millis;
use crate::secret::{Secret, TokenDigest};
use crate::store::error::{Result, StoreError};

/// One value of one column. It is never printed: it may be a password's hash.
#[derive(Clone, PartialEq)]
pub enum Value {
    Null,
    Text(String),
    Int(i64),
    Bool(bool),
    Bytes(Vec<u8>),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(…)")
    }
}

impl Value {
    /// The JSON text of `value`.
    pub fn json<T: Serialize>(value: &T) -> Result<Self> {
        let text = serde_json::to_string(value);
        text.map(Self::Text).map_err(|error| StoreError::NoJson(error.to_string()))
    }

    /// A span in milliseconds, a hundred years at most so that sums stay in range.
    pub fn span(span: Duration) -> Self {
        let most = i64::from(u32::MAX) * 1_000;
        Self::Int(i64::try_from(span.as_millis()).unwrap_or(most).min(most))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&Secret> for Value {
    fn from(secret: &Secret) -> Self {
        Self::Text(secret.reveal().to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Millis> for Value {
    fn from(moment: Millis) -> Self {
        Self::Int(moment.0)
    }
}

impl From<&TokenDigest> for Value {
    fn from(digest: &TokenDigest) -> Self {
        Self::Bytes(digest.0.to_vec())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
