//! Evaluates terms within a budget of steps.
//!
//! An error is an answer of its own: `&&`, `||`, `all` and `exists` pass over one only if the rest
//! decides without it, as CEL prescribes. A spent budget stays spent, so nothing passes over that.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::catalogue::Field;
use super::facts::{AppFacts, Facts, RequestFacts, Texts, UserFacts};
use super::functions;
use super::program::EvalError;
use super::term::{Binary, LOOPS_DEEP, Loop, LoopKind, Term};
use super::value::{Items, List, Map, Value, compare, equal, weight};

/// How many steps one answer may take: one for each term and each item looked at, more for what takes
/// longer. It keeps the worst expression below a millisecond with 1,000 groups (security.md R20).
pub(super) const STEPS: usize = 30_000;

/// The steps of making a new text, list or map.
const MAKING: usize = 4;

/// One evaluation.
pub(super) struct Run<'a> {
    facts: &'a Facts<'a>,
    left: usize,
    locals: [Value<'a>; LOOPS_DEEP],
}

type Answer<'a> = Result<Value<'a>, EvalError>;

impl<'a> Run<'a> {
    pub(super) fn new(facts: &'a Facts<'a>) -> Self {
        Self { facts, left: STEPS, locals: [const { Value::Null }; LOOPS_DEEP] }
    }

    /// The answer to the whole expression.
    pub(super) fn whole(&mut self, term: &'a Term) -> Answer<'a> {
        let answer = self.answer(term)?;
        self.spend(weight(&answer))?;
        Ok(answer)
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), EvalError> {
        self.left = self.left.saturating_sub(steps);
        if self.left == 0 { Err(EvalError::TooLong) } else { Ok(()) }
    }

    pub(super) fn answer(&mut self, term: &'a Term) -> Answer<'a> {
        self.spend(1)?;
        match term {
            Term::Literal(value) => Ok(value.reborrow()),
            Term::Local(depth) => self.local(*depth),
            Term::Field(field) => self.field(*field)?.ok_or(EvalError::Absent(field.path())),
            Term::HasField(field) => Ok(Value::Truth(self.field(*field)?.is_some())),
            Term::HasKey(parts) => self.has_key(parts),
            Term::Index(parts) => self.index(parts),
            Term::Not(of) => Ok(Value::Truth(!self.truth(of)?)),
            Term::Negate(of) => negate(&self.answer(of)?),
            Term::And(parts) => self.either(parts, false),
            Term::Or(parts) => self.either(parts, true),
            Term::If(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                let chosen = if self.truth(condition)? { then } else { otherwise };
                self.answer(chosen)
            }
            Term::Binary(sign, parts) => self.binary(*sign, parts),
            Term::List(terms) => self.list(terms),
            Term::Map(entries) => self.map(entries),
            Term::Call(function, terms) => functions::call(self, *function, terms),
            Term::Matches(of, pattern) => self.matches(of, pattern),
            Term::Part(part, of, zone) => functions::part(*part, &self.answer(of)?, zone),
            Term::Loop(each) => self.each(each),
        }
    }

    pub(super) fn truth(&mut self, term: &'a Term) -> Result<bool, EvalError> {
        match self.answer(term)? {
            Value::Truth(truth) => Ok(truth),
            _ => Err(EvalError::WrongKind),
        }
    }

    fn local(&mut self, depth: usize) -> Answer<'a> {
        let value = self.locals.get(depth).cloned().ok_or(EvalError::WrongKind)?;
        self.spend(copied(&value))?;
        Ok(value)
    }

    /// `None` if it is absent; an error if nothing is known of its owner.
    fn field(&self, field: Field) -> Result<Option<Value<'a>>, EvalError> {
        let unknown = EvalError::Absent(field.path());
        Ok(match field {
            Field::Now => Some(functions::timestamp(self.facts.now.0)?),
            Field::Username
            | Field::Name
            | Field::Email
            | Field::Groups
            | Field::Attributes
            | Field::Mfa => user_field(self.facts.user.as_ref().ok_or(unknown)?, field),
            Field::Host | Field::Path | Field::Method | Field::ClientIp => {
                request_field(self.facts.request.as_ref().ok_or(unknown)?, field)
            }
            _ => app_field(self.facts.app.as_ref().ok_or(unknown)?, field),
        })
    }

    fn has_key(&mut self, parts: &'a [Term; 2]) -> Answer<'a> {
        let [of, key] = parts;
        let Value::Map(map) = self.answer(of)? else {
            return Err(EvalError::WrongKind);
        };
        let key = self.answer(key)?;
        self.spend(lookup(&map))?;
        Ok(Value::Truth(map.get(&key).is_some()))
    }

    fn index(&mut self, parts: &'a [Term; 2]) -> Answer<'a> {
        let [of, key] = parts;
        let of = self.answer(of)?;
        let key = self.answer(key)?;
        match (of, key) {
            (Value::List(list), Value::Int(place)) => {
                usize::try_from(place).ok().and_then(|at| list.get(at)).ok_or(EvalError::NoPlace)
            }
            (Value::Map(map), key) => {
                self.spend(lookup(&map))?;
                map.get(&key).ok_or_else(|| EvalError::NoKey(functions::show(&key)))
            }
            _ => Err(EvalError::WrongKind),
        }
    }

    /// `&&` and `||`: `decisive` from either side decides, whatever goes wrong on the other.
    fn either(&mut self, parts: &'a [Term; 2], decisive: bool) -> Answer<'a> {
        let [left, right] = parts;
        let left = self.truth(left);
        if left == Ok(decisive) {
            return Ok(Value::Truth(decisive));
        }
        let right = self.truth(right)?;
        if right == decisive { Ok(Value::Truth(decisive)) } else { left.map(Value::Truth) }
    }

    fn binary(&mut self, sign: Binary, parts: &'a [Term; 2]) -> Answer<'a> {
        let [left, right] = parts;
        let left = self.answer(left)?;
        let right = self.answer(right)?;
        let order = |decides: fn(Ordering) -> bool| {
            compare(&left, &right).map(decides).map(Value::Truth).ok_or(EvalError::WrongKind)
        };
        match sign {
            Binary::Equal | Binary::NotEqual => {
                self.spend(weight(&left).min(weight(&right)) * 2)?;
                Ok(Value::Truth(equal(&left, &right) == (sign == Binary::Equal)))
            }
            Binary::Less => order(Ordering::is_lt),
            Binary::LessOrEqual => order(Ordering::is_le),
            Binary::Greater => order(Ordering::is_gt),
            Binary::GreaterOrEqual => order(Ordering::is_ge),
            Binary::In => self.contains(&left, &right),
            _ => {
                self.spend(made(&left) + (weight(&left) + weight(&right)) * 4)?;
                functions::arithmetic(sign, left, right)
            }
        }
    }

    fn contains(&mut self, item: &Value<'a>, within: &Value<'a>) -> Answer<'a> {
        let found = match within {
            Value::List(List::Texts(texts)) => match item {
                Value::Text(item) => self.has_text(item, *texts)?,
                _ => false,
            },
            Value::List(list) => {
                self.spend(list.len() * (1 + weight(item)))?;
                (0..list.len()).any(|at| list.get(at).is_some_and(|known| equal(&known, item)))
            }
            Value::Map(map) => {
                self.spend(lookup(map))?;
                map.get(item).is_some()
            }
            _ => return Err(EvalError::WrongKind),
        };
        Ok(Value::Truth(found))
    }

    fn has_text(&mut self, item: &str, texts: Texts<'a>) -> Result<bool, EvalError> {
        self.spend(texts.len() / 4)?;
        Ok(match texts {
            Texts::Strings(texts) => texts.iter().any(|text| text == item),
            Texts::Shared(texts) => texts.iter().any(|text| **text == *item),
            Texts::Borrowed(texts) => texts.contains(&item),
        })
    }

    fn list(&mut self, terms: &'a [Term]) -> Answer<'a> {
        self.spend(MAKING)?;
        let values = terms.iter().map(|term| self.answer(term)).collect::<Result<Vec<_>, _>>()?;
        Ok(Value::List(List::Owned(values.into())))
    }

    fn map(&mut self, terms: &'a [(Term, Term)]) -> Answer<'a> {
        self.spend(MAKING)?;
        let mut entries: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(terms.len());
        for (key, value) in terms {
            let key = self.answer(key)?;
            self.spend(entries.len())?;
            if entries.iter().any(|(known, _)| equal(known, &key)) {
                return Err(EvalError::RepeatedKey);
            }
            entries.push((key, self.answer(value)?));
        }
        Ok(Value::Map(Map::Owned(entries.into())))
    }

    fn matches(&mut self, of: &'a Term, pattern: &regex::Regex) -> Answer<'a> {
        let Value::Text(text) = self.answer(of)? else {
            return Err(EvalError::WrongKind);
        };
        self.spend(4 + text.len() / 8)?;
        Ok(Value::Truth(pattern.is_match(&text)))
    }

    fn each(&mut self, each: &'a Loop) -> Answer<'a> {
        let items = Items::of(self.answer(&each.over)?).ok_or(EvalError::WrongKind)?;
        match each.kind {
            LoopKind::All => self.quantify(each, items, false),
            LoopKind::Exists => self.quantify(each, items, true),
            LoopKind::ExistsOne => self.exactly_one(each, items),
            LoopKind::Filter => self.filter(each, items),
            LoopKind::Map => self.transform(each, items),
        }
    }

    fn set(&mut self, each: &Loop, item: Value<'a>) -> Result<(), EvalError> {
        self.spend(1 + copied(&item))?;
        *self.locals.get_mut(each.depth).ok_or(EvalError::WrongKind)? = item;
        Ok(())
    }

    /// `all` and `exists`: the first `decisive` item decides, even after an item that went wrong.
    fn quantify(&mut self, each: &'a Loop, items: Items<'a>, decisive: bool) -> Answer<'a> {
        let mut wrong = None;
        for item in items {
            self.set(each, item)?;
            match self.truth(&each.body) {
                Ok(truth) if truth == decisive => return Ok(Value::Truth(decisive)),
                Ok(_) => {}
                Err(error) => wrong = Some(error),
            }
        }
        wrong.map_or(Ok(Value::Truth(!decisive)), Err)
    }

    fn exactly_one(&mut self, each: &'a Loop, items: Items<'a>) -> Answer<'a> {
        let mut count = 0_usize;
        for item in items {
            self.set(each, item)?;
            count += usize::from(self.truth(&each.body)?);
        }
        Ok(Value::Truth(count == 1))
    }

    fn filter(&mut self, each: &'a Loop, items: Items<'a>) -> Answer<'a> {
        let mut kept = Vec::new();
        for item in items {
            self.set(each, item.clone())?;
            if self.truth(&each.body)? {
                kept.push(item);
            }
        }
        Ok(Value::List(List::Owned(kept.into())))
    }

    fn transform(&mut self, each: &'a Loop, items: Items<'a>) -> Answer<'a> {
        let mut made = Vec::new();
        for item in items {
            self.set(each, item)?;
            let wanted = each.when.as_ref().map_or(Ok(true), |when| self.truth(when))?;
            if wanted {
                made.push(self.answer(&each.body)?);
            }
        }
        Ok(Value::List(List::Owned(made.into())))
    }
}

/// The steps of finding a key.
fn lookup(map: &Map<'_>) -> usize {
    match map {
        Map::Attributes(_) => 4,
        other => other.len(),
    }
}

/// The steps of making the sum of a value and another.
fn made(left: &Value<'_>) -> usize {
    if matches!(left, Value::Text(_) | Value::List(_)) { MAKING } else { 0 }
}

/// The steps of copying a value: only a text made on the way is copied.
fn copied(value: &Value<'_>) -> usize {
    match value {
        Value::Text(Cow::Owned(text)) => text.len() / 64,
        _ => 0,
    }
}

fn negate(value: &Value<'_>) -> Answer<'static> {
    match value {
        Value::Int(number) => number.checked_neg().map(Value::Int).ok_or(EvalError::Overflow),
        Value::Double(number) => Ok(Value::Double(-number)),
        _ => Err(EvalError::WrongKind),
    }
}

fn user_field<'a>(user: &'a UserFacts<'a>, field: Field) -> Option<Value<'a>> {
    Some(match field {
        Field::Username => Value::text(user.username),
        Field::Name => Value::text(user.name?),
        Field::Email => Value::text(user.email?),
        Field::Groups => Value::List(List::Texts(user.groups)),
        Field::Attributes => Value::Map(Map::Attributes(user.attributes)),
        Field::Mfa => Value::List(List::Texts(user.mfa)),
        _ => return None,
    })
}

fn request_field<'a>(request: &'a RequestFacts<'a>, field: Field) -> Option<Value<'a>> {
    Some(Value::Text(Cow::Borrowed(match field {
        Field::Host => request.host,
        Field::Path => request.path,
        Field::Method => request.method,
        Field::ClientIp => request.client_ip?,
        _ => return None,
    })))
}

fn app_field<'a>(app: &'a AppFacts<'a>, field: Field) -> Option<Value<'a>> {
    Some(match field {
        Field::Slug => Value::text(app.slug),
        Field::Title => Value::text(app.title),
        Field::Category => Value::text(app.category?),
        Field::Hidden => Value::Truth(app.hidden),
        Field::Hosts => Value::List(List::Texts(app.hosts)),
        Field::Requires => Value::List(List::Texts(app.requires)),
        Field::Bypasses => Value::List(List::Texts(app.bypasses)),
        _ => return None,
    })
}
