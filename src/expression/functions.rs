//! The functions, applied to values. Every sum is checked; nothing here can panic.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::catalogue::{Function, Part, Unit};
use super::evaluate::Run;
use super::program::EvalError;
use super::term::{Binary, Term};
use super::value::{Items, List, Value, seconds, weight};

type Answer<'a> = Result<Value<'a>, EvalError>;

/// Calls `function` with one or two arguments.
pub(super) fn call<'a>(run: &mut Run<'a>, function: Function, terms: &'a [Term]) -> Answer<'a> {
    let (first, second) = match terms {
        [first] => (run.answer(first)?, None),
        [first, second] => (run.answer(first)?, Some(run.answer(second)?)),
        _ => return Err(EvalError::WrongKind),
    };
    run.spend(effort(function) + weight(&first) * 4)?;
    match (function, first, second) {
        (Function::Join, Value::List(list), separator) => join(run, list, separator),
        (function, Value::Text(text), Some(Value::Text(other))) => about(function, &text, &other),
        (function, value, None) => convert(function, value),
        _ => Err(EvalError::WrongKind),
    }
}

/// The steps of a call beyond looking at its arguments: reading and writing texts takes longer.
fn effort(function: Function) -> usize {
    match function {
        Function::ToText | Function::ToTimestamp | Function::ToDuration | Function::ToDouble => 8,
        Function::Join | Function::LowerAscii | Function::UpperAscii | Function::ToInt => 4,
        _ => 0,
    }
}

fn about(function: Function, text: &str, other: &str) -> Answer<'static> {
    match function {
        Function::Contains => Ok(Value::Truth(text.contains(other))),
        Function::StartsWith => Ok(Value::Truth(text.starts_with(other))),
        Function::EndsWith => Ok(Value::Truth(text.ends_with(other))),
        _ => Err(EvalError::WrongKind),
    }
}

fn convert(function: Function, value: Value<'_>) -> Answer<'_> {
    match (function, value) {
        (Function::Size, value) => size(&value),
        (Function::LowerAscii, Value::Text(text)) => made(text.to_ascii_lowercase()),
        (Function::UpperAscii, Value::Text(text)) => made(text.to_ascii_uppercase()),
        (Function::ToInt, value) => int(&value),
        (Function::ToUint, value) => uint(&value),
        (Function::ToDouble, value) => double(&value),
        (Function::ToText, value) => string(value),
        (Function::ToTimestamp, Value::Text(text)) => read_timestamp(&text).map(Value::Timestamp),
        (Function::ToTimestamp, Value::Int(seconds)) => whole_seconds(seconds),
        (Function::ToTimestamp, value @ Value::Timestamp(_))
        | (Function::ToDuration, value @ Value::Duration(_)) => Ok(value),
        (Function::ToDuration, Value::Text(text)) => read_duration(&text).map(Value::Duration),
        (Function::Total(unit), Value::Duration(span)) => total(unit, span),
        (Function::Part(which), value) => part(which, &value, &TimeZone::UTC),
        _ => Err(EvalError::WrongKind),
    }
}

fn made(text: String) -> Answer<'static> {
    Ok(Value::Text(Cow::Owned(text)))
}

fn count(number: usize) -> Answer<'static> {
    i64::try_from(number).map(Value::Int).map_err(|_| EvalError::Overflow)
}

fn size(value: &Value<'_>) -> Answer<'static> {
    match value {
        Value::Text(text) => count(text.chars().count()),
        Value::List(list) => count(list.len()),
        Value::Map(map) => count(map.len()),
        _ => Err(EvalError::WrongKind),
    }
}

fn join<'a>(run: &mut Run<'a>, list: List<'a>, separator: Option<Value<'a>>) -> Answer<'a> {
    let separator = match separator {
        Some(Value::Text(text)) => text,
        None => Cow::Borrowed(""),
        Some(_) => return Err(EvalError::WrongKind),
    };
    let mut joined = String::new();
    for (at, item) in Items::List(list, 0).enumerate() {
        let Value::Text(text) = item else {
            return Err(EvalError::WrongKind);
        };
        run.spend(1 + (text.len() + separator.len()) / 16)?;
        if at > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&text);
    }
    made(joined)
}

fn int(value: &Value<'_>) -> Answer<'static> {
    let unreadable = EvalError::Unreadable("int");
    Ok(Value::Int(match value {
        Value::Int(number) => *number,
        Value::Uint(number) => i64::try_from(*number).map_err(|_| EvalError::Overflow)?,
        Value::Double(number) => truncate(*number)?,
        Value::Text(text) => text.parse().map_err(|_| unreadable)?,
        Value::Timestamp(moment) => moment.as_second(),
        _ => return Err(unreadable),
    }))
}

#[expect(clippy::cast_possible_truncation, reason = "only what fits comes this far")]
fn truncate(number: f64) -> Result<i64, EvalError> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if number > -BEYOND && number < BEYOND { Ok(number as i64) } else { Err(EvalError::Overflow) }
}

fn uint(value: &Value<'_>) -> Answer<'static> {
    let unreadable = EvalError::Unreadable("uint");
    Ok(Value::Uint(match value {
        Value::Uint(number) => *number,
        Value::Int(number) => u64::try_from(*number).map_err(|_| EvalError::Overflow)?,
        Value::Double(number) => {
            u64::try_from(truncate(*number)?).map_err(|_| EvalError::Overflow)?
        }
        Value::Text(text) => text.parse().map_err(|_| unreadable)?,
        _ => return Err(unreadable),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a decimal number is what was asked for")]
fn double(value: &Value<'_>) -> Answer<'static> {
    let unreadable = EvalError::Unreadable("double");
    Ok(Value::Double(match value {
        Value::Double(number) => *number,
        Value::Int(number) => *number as f64,
        Value::Uint(number) => *number as f64,
        Value::Text(text) => text.parse().map_err(|_| unreadable)?,
        _ => return Err(unreadable),
    }))
}

fn string(value: Value<'_>) -> Answer<'_> {
    match value {
        Value::Text(text) => Ok(Value::Text(text)),
        other => made(show(&other)),
    }
}

/// The value as `string()` writes it.
pub(super) fn show(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Truth(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Timestamp(moment) => moment.to_string(),
        Value::Duration(span) => seconds(*span),
        Value::Null | Value::List(_) | Value::Map(_) => String::new(),
    }
}

/// The moment of a count of milliseconds.
pub(super) fn timestamp(milliseconds: i64) -> Answer<'static> {
    let moment = Timestamp::from_millisecond(milliseconds);
    moment.map(Value::Timestamp).map_err(|_| EvalError::Overflow)
}

fn whole_seconds(seconds: i64) -> Answer<'static> {
    Timestamp::from_second(seconds).map(Value::Timestamp).map_err(|_| EvalError::Overflow)
}

/// Reads RFC 3339.
pub(super) fn read_timestamp(text: &str) -> Result<Timestamp, EvalError> {
    text.parse().map_err(|_| EvalError::Unreadable("timestamp"))
}

/// Reads a span of time such as `1h30m`, `-2.5s` or `0`.
pub(super) fn read_duration(text: &str) -> Result<SignedDuration, EvalError> {
    let unreadable = EvalError::Unreadable("duration");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(unreadable);
    }
    let mut total = SignedDuration::ZERO;
    while !rest.is_empty() {
        let (span, after) = component(rest).ok_or_else(|| unreadable.clone())?;
        total = total.checked_add(span).ok_or(EvalError::Overflow)?;
        rest = after;
    }
    if negative { total.checked_neg().ok_or(EvalError::Overflow) } else { Ok(total) }
}

/// A number with its unit, and what follows.
fn component(text: &str) -> Option<(SignedDuration, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, rest) = text.split_at_checked(end)?;
    let units = [
        ("ms", 1_000_000_i128),
        ("us", 1_000),
        ("ns", 1),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
    ];
    let (after, unit) = units
        .iter()
        .find_map(|(name, unit)| rest.strip_prefix(name).map(|after| (after, *unit)))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut nanos = if whole.is_empty() && !fraction.is_empty() {
        0
    } else {
        i128::from(whole.parse::<u64>().ok()?).checked_mul(unit)?
    };
    let mut scale = unit;
    for digit in fraction.chars() {
        scale /= 10;
        nanos += i128::from(digit.to_digit(10)?) * scale;
    }
    let span = SignedDuration::new(
        i64::try_from(nanos / 1_000_000_000).ok()?,
        i32::try_from(nanos % 1_000_000_000).ok()?,
    );
    Some((span, after))
}

fn total(unit: Unit, span: SignedDuration) -> Answer<'static> {
    let milliseconds = || i64::try_from(span.as_millis()).map_err(|_| EvalError::Overflow);
    Ok(Value::Int(match unit {
        Unit::Hours => span.as_hours(),
        Unit::Minutes => span.as_mins(),
        Unit::Seconds => span.as_secs(),
        Unit::Milliseconds => milliseconds()?,
    }))
}

/// Part of a moment, as a clock or calendar in `zone` shows it.
pub(super) fn part(which: Part, value: &Value<'_>, zone: &TimeZone) -> Answer<'static> {
    let Value::Timestamp(moment) = value else {
        return Err(EvalError::WrongKind);
    };
    let local: DateTime = zone.to_datetime(*moment);
    Ok(Value::Int(match which {
        Part::FullYear => local.year().into(),
        Part::Month => i64::from(local.month()) - 1,
        Part::DayOfMonth => i64::from(local.day()) - 1,
        Part::Date => local.day().into(),
        Part::DayOfWeek => local.weekday().to_sunday_zero_offset().into(),
        Part::DayOfYear => i64::from(local.day_of_year()) - 1,
        Part::Hours => local.hour().into(),
        Part::Minutes => local.minute().into(),
        Part::Seconds => local.second().into(),
        Part::Milliseconds => local.millisecond().into(),
    }))
}

/// `+ - * / %` of two values.
pub(super) fn arithmetic<'a>(sign: Binary, left: Value<'a>, right: Value<'a>) -> Answer<'a> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => ints(sign, left, right),
        (Value::Uint(left), Value::Uint(right)) => uints(sign, left, right),
        (Value::Double(left), Value::Double(right)) => doubles(sign, left, right),
        (Value::Text(left), Value::Text(right)) if sign == Binary::Add => {
            made(format!("{left}{right}"))
        }
        (Value::List(left), Value::List(right)) if sign == Binary::Add => {
            let both = Items::List(left, 0).chain(Items::List(right, 0));
            Ok(Value::List(List::Owned(both.collect())))
        }
        (left, right) => times(sign, &left, &right),
    }
}

fn ints(sign: Binary, left: i64, right: i64) -> Answer<'static> {
    if right == 0 && matches!(sign, Binary::Divide | Binary::Remainder) {
        return Err(EvalError::DivisionByZero);
    }
    let result = match sign {
        Binary::Add => left.checked_add(right),
        Binary::Subtract => left.checked_sub(right),
        Binary::Multiply => left.checked_mul(right),
        Binary::Divide => left.checked_div(right),
        Binary::Remainder => left.checked_rem(right),
        _ => return Err(EvalError::WrongKind),
    };
    result.map(Value::Int).ok_or(EvalError::Overflow)
}

fn uints(sign: Binary, left: u64, right: u64) -> Answer<'static> {
    if right == 0 && matches!(sign, Binary::Divide | Binary::Remainder) {
        return Err(EvalError::DivisionByZero);
    }
    let result = match sign {
        Binary::Add => left.checked_add(right),
        Binary::Subtract => left.checked_sub(right),
        Binary::Multiply => left.checked_mul(right),
        Binary::Divide => left.checked_div(right),
        Binary::Remainder => left.checked_rem(right),
        _ => return Err(EvalError::WrongKind),
    };
    result.map(Value::Uint).ok_or(EvalError::Overflow)
}

fn doubles(sign: Binary, left: f64, right: f64) -> Answer<'static> {
    Ok(Value::Double(match sign {
        Binary::Add => left + right,
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide => left / right,
        _ => return Err(EvalError::WrongKind),
    }))
}

fn times(sign: Binary, left: &Value<'_>, right: &Value<'_>) -> Answer<'static> {
    let later = |moment: Timestamp, span: SignedDuration| {
        moment.checked_add(span).map(Value::Timestamp).map_err(|_| EvalError::Overflow)
    };
    let longer =
        |span: Option<SignedDuration>| span.map(Value::Duration).ok_or(EvalError::Overflow);
    match (left, sign, right) {
        (Value::Timestamp(moment), Binary::Add, Value::Duration(span))
        | (Value::Duration(span), Binary::Add, Value::Timestamp(moment)) => later(*moment, *span),
        (Value::Timestamp(moment), Binary::Subtract, Value::Duration(span)) => {
            later(*moment, span.checked_neg().ok_or(EvalError::Overflow)?)
        }
        (Value::Timestamp(left), Binary::Subtract, Value::Timestamp(right)) => {
            Ok(Value::Duration(left.duration_since(*right)))
        }
        (Value::Duration(left), Binary::Add, Value::Duration(right)) => {
            longer(left.checked_add(*right))
        }
        (Value::Duration(left), Binary::Subtract, Value::Duration(right)) => {
            longer(left.checked_sub(*right))
        }
        _ => Err(EvalError::WrongKind),
    }
}
