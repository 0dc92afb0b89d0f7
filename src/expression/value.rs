//! What a term evaluates to. Texts and lists of the facts are borrowed.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, btree_map};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Number;

use super::facts::Texts;
use super::program::EvalError;

#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Null,
    Truth(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Cow<'a, str>),
    Timestamp(Timestamp),
    Duration(SignedDuration),
    List(List<'a>),
    Map(Map<'a>),
}

#[derive(Clone, Debug)]
pub(super) enum List<'a> {
    Texts(Texts<'a>),
    Borrowed(&'a [Value<'a>]),
    Owned(Arc<[Value<'a>]>),
}

#[derive(Clone, Debug)]
pub(super) enum Map<'a> {
    Attributes(&'a BTreeMap<String, Vec<String>>),
    Borrowed(&'a [(Value<'a>, Value<'a>)]),
    Owned(Arc<[(Value<'a>, Value<'a>)]>),
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Borrowed(values) => values.len(),
            Self::Owned(values) => values.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Texts(texts) => texts.get(index).map(|text| Value::Text(Cow::Borrowed(text))),
            Self::Borrowed(values) => values.get(index).map(Value::reborrow),
            Self::Owned(values) => values.get(index).cloned(),
        }
    }
}

impl<'a> Map<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Attributes(entries) => entries.len(),
            Self::Borrowed(entries) => entries.len(),
            Self::Owned(entries) => entries.len(),
        }
    }

    pub(super) fn get(&self, key: &Value<'_>) -> Option<Value<'a>> {
        match self {
            Self::Attributes(entries) => match key {
                Value::Text(key) => entries.get(key.as_ref()).map(|values| texts(values)),
                _ => None,
            },
            Self::Borrowed(entries) => entries
                .iter()
                .find(|(known, _)| equal(known, key))
                .map(|(_, value)| value.reborrow()),
            Self::Owned(entries) => {
                entries.iter().find(|(known, _)| equal(known, key)).map(|(_, value)| value.clone())
            }
        }
    }
}

impl<'a> Value<'a> {
    /// The same value without a copy of what it owns.
    pub(super) fn reborrow(&'a self) -> Self {
        match self {
            Self::Text(text) => Self::Text(Cow::Borrowed(text)),
            Self::List(List::Owned(values)) => Self::List(List::Borrowed(values)),
            Self::Map(Map::Owned(entries)) => Self::Map(Map::Borrowed(entries)),
            other => other.clone(),
        }
    }

    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

fn texts(values: &[String]) -> Value<'_> {
    Value::List(List::Texts(Texts::Strings(values)))
}

/// The elements of a list or the keys of a map, one after the other.
pub(super) enum Items<'a> {
    List(List<'a>, usize),
    Keys(btree_map::Keys<'a, String, Vec<String>>),
    Entries(Map<'a>, usize),
}

impl<'a> Items<'a> {
    pub(super) fn of(value: Value<'a>) -> Option<Self> {
        match value {
            Value::List(list) => Some(Self::List(list, 0)),
            Value::Map(Map::Attributes(entries)) => Some(Self::Keys(entries.keys())),
            Value::Map(map) => Some(Self::Entries(map, 0)),
            _ => None,
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        match self {
            Self::List(list, at) => {
                *at += 1;
                list.get(*at - 1)
            }
            Self::Keys(keys) => keys.next().map(|key| Value::text(key)),
            Self::Entries(map, at) => {
                *at += 1;
                match map {
                    Map::Attributes(_) => None,
                    Map::Borrowed(entries) => entries.get(*at - 1).map(|(key, _)| key.reborrow()),
                    Map::Owned(entries) => entries.get(*at - 1).map(|(key, _)| key.clone()),
                }
            }
        }
    }
}

/// Whether two values are the same; numbers of different types are compared by what they count.
pub(super) fn equal(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Truth(left), Value::Truth(right)) => left == right,
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len()
                && (0..left.len()).all(|at| match (left.get(at), right.get(at)) {
                    (Some(left), Some(right)) => equal(&left, &right),
                    _ => false,
                })
        }
        (Value::Map(left), Value::Map(right)) => same_entries(left, right),
        _ => compare(left, right) == Some(Ordering::Equal),
    }
}

fn same_entries(left: &Map<'_>, right: &Map<'_>) -> bool {
    let keys = Items::of(Value::Map(left.clone()));
    left.len() == right.len()
        && keys.into_iter().flatten().all(|key| match (left.get(&key), right.get(&key)) {
            (Some(left), Some(right)) => equal(&left, &right),
            _ => false,
        })
}

/// The order of two values, if they have one.
pub(super) fn compare(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(right)),
        (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(right)),
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Uint(left), Value::Uint(right)) => Some(left.cmp(right)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Int(left), Value::Uint(right)) => Some(i128::from(*left).cmp(&i128::from(*right))),
        (Value::Uint(left), Value::Int(right)) => Some(i128::from(*left).cmp(&i128::from(*right))),
        (Value::Double(left), _) => left.partial_cmp(&approximate(right)?),
        (_, Value::Double(right)) => approximate(left)?.partial_cmp(right),
        _ => None,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "CEL compares whole and decimal numbers as decimals"
)]
fn approximate(number: &Value<'_>) -> Option<f64> {
    match number {
        Value::Int(number) => Some(*number as f64),
        Value::Uint(number) => Some(*number as f64),
        _ => None,
    }
}

/// How many steps handling `value` once is worth: long texts and lists take longer.
pub(super) fn weight(value: &Value<'_>) -> usize {
    match value {
        Value::Text(text) => text.len() / 64,
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        _ => 0,
    }
}

/// The value as JSON; a moment is RFC 3339, a span of time its seconds with an `s`.
pub(super) fn json(value: &Value<'_>) -> Result<serde_json::Value, EvalError> {
    Ok(match value {
        Value::Null => serde_json::Value::Null,
        Value::Truth(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::Uint(number) => (*number).into(),
        Value::Double(number) => Number::from_f64(*number).ok_or(EvalError::NotJson)?.into(),
        Value::Text(text) => text.as_ref().into(),
        Value::Timestamp(moment) => moment.to_string().into(),
        Value::Duration(span) => seconds(*span).into(),
        Value::List(list) => {
            let values = Items::List(list.clone(), 0).map(|item| json(&item));
            serde_json::Value::Array(values.collect::<Result<_, _>>()?)
        }
        Value::Map(map) => object(map)?,
    })
}

fn object(map: &Map<'_>) -> Result<serde_json::Value, EvalError> {
    let mut object = serde_json::Map::new();
    for key in Items::of(Value::Map(map.clone())).into_iter().flatten() {
        let value = map.get(&key).ok_or(EvalError::NotJson)?;
        let Value::Text(name) = key else {
            return Err(EvalError::NotJson);
        };
        object.insert(name.into_owned(), json(&value)?);
    }
    Ok(object.into())
}

/// A span of time as CEL writes it: `90s`, `1.5s`.
pub(super) fn seconds(span: SignedDuration) -> String {
    let nanos = span.subsec_nanos().unsigned_abs();
    let sign = if span.is_negative() { "-" } else { "" };
    let whole = span.as_secs().unsigned_abs();
    if nanos == 0 {
        return format!("{sign}{whole}s");
    }
    let fraction = format!("{nanos:09}");
    format!("{sign}{whole}.{}s", fraction.trim_end_matches('0'))
}
