//! Calls of functions: which one is meant, and what is worked out beforehand.

use cel::common::ast::{CallExpr, IdedExpr};
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use regex::{Regex, RegexBuilder};

use super::super::catalogue::{
    FUNCTIONS, Function, LOOPS, Overload, Style, Type, function_names, is_function,
};
use super::super::check::{
    BAD_EXPRESSION, BAD_REGEX, Problem, UNKNOWN_FUNCTION, UNKNOWN_ZONE, WRONG_TYPE, nearest,
};
use super::super::functions::{read_duration, read_timestamp};
use super::super::places::{is_operator, origins};
use super::super::term::Term;
use super::super::value::Value;
use super::operators::literal_text;
use super::{Lowering, Typed};

/// The largest compiled pattern in bytes.
const LARGEST_PATTERN: usize = 256 * 1024;

impl Lowering<'_> {
    pub(super) fn call(&mut self, expression: &IdedExpr, call: &CallExpr) -> Typed {
        let name = call.func_name.trim_start_matches('.');
        if is_operator(call) {
            return self.operator(expression, call);
        }
        if name == "has" {
            return self.has(expression, call);
        }
        if LOOPS.contains(&name) {
            return self.each(expression, call);
        }
        let style = if call.target.is_some() { Style::Method } else { Style::Global };
        let parts: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        let typed: Vec<Typed> = parts.iter().map(|part| self.value(part)).collect();
        if !is_function(name) {
            return self.unknown_function(expression, name);
        }
        let kinds: Vec<&Type> = typed.iter().map(|typed| &typed.kind).collect();
        match choose(name, style, &kinds) {
            Ok(overload) => self.apply(overload, &parts, typed),
            Err(mismatch) => self.mismatch(expression, name, &parts, &kinds, mismatch),
        }
    }

    fn unknown_function(&mut self, expression: &IdedExpr, name: &str) -> Typed {
        let label = nearest(name, function_names())
            .map_or("not known here".to_owned(), |meant| format!("did you mean `{meant}`?"));
        self.problems.push(Problem {
            code: UNKNOWN_FUNCTION,
            range: self.places.name(expression),
            message: format!("unknown function `{name}`"),
            label,
            help: None,
        });
        Typed::unknown()
    }

    fn mismatch(
        &mut self,
        expression: &IdedExpr,
        name: &str,
        parts: &[&IdedExpr],
        kinds: &[&Type],
        mismatch: Mismatch,
    ) -> Typed {
        let problem =
            |code, range, message, label, help| Problem { code, range, message, label, help };
        let place = self.places.name(expression);
        let problem = match mismatch {
            Mismatch::Style(Style::Method) => problem(
                UNKNOWN_FUNCTION,
                place,
                format!("`{name}` is called on a value"),
                format!("write value.{name}(…)"),
                None,
            ),
            Mismatch::Style(Style::Global) => problem(
                UNKNOWN_FUNCTION,
                place,
                format!("`{name}` is not called on a value"),
                format!("write {name}(value)"),
                None,
            ),
            Mismatch::Count(wanted) => problem(
                WRONG_TYPE,
                place,
                format!("`{name}` has another number of arguments"),
                format!("it takes {wanted}"),
                None,
            ),
            Mismatch::Kind(at, wanted) => {
                let part = parts.get(at).copied().unwrap_or(expression);
                let given = kinds.get(at).copied().unwrap_or(&Type::Unknown);
                let range = self.places.span(part);
                let text = self.places.text(&range);
                let is_texts = *given == Type::list(Type::Text) && wanted == "text";
                let help = is_texts.then(|| format!("for example {text}.exists(x, x.{name}('…'))"));
                problem(
                    WRONG_TYPE,
                    range,
                    format!("`{name}` wants {wanted}"),
                    format!("this is {given}"),
                    help,
                )
            }
        };
        self.problems.push(problem);
        Typed::unknown()
    }

    /// A chosen function with its arguments; what is written out is worked out now.
    fn apply(&mut self, overload: &Overload, parts: &[&IdedExpr], typed: Vec<Typed>) -> Typed {
        let kind = overload.gives.type_of();
        let mut terms: Vec<Term> = typed.into_iter().map(|typed| typed.term).collect();
        let first = parts.first().copied();
        match (overload.function, parts.get(1).copied()) {
            (Function::Matches, Some(pattern)) => {
                terms.truncate(1);
                match (self.pattern(pattern), terms.pop()) {
                    (Some(pattern), Some(of)) => {
                        Typed::new(Term::Matches(Box::new(of), Box::new(pattern)), kind)
                    }
                    _ => Typed::new(Term::Literal(Value::Null), kind),
                }
            }
            (Function::Part(part), Some(zone)) => {
                terms.truncate(1);
                match (self.zone(zone), terms.pop()) {
                    (Some(zone), Some(of)) => {
                        Typed::new(Term::Part(part, Box::new(of), zone), kind)
                    }
                    _ => Typed::new(Term::Literal(Value::Null), kind),
                }
            }
            (Function::ToTimestamp | Function::ToDuration, _) => {
                let constant = first.and_then(|of| self.constant(overload.function, of));
                Typed::new(constant.unwrap_or(Term::Call(overload.function, terms)), kind)
            }
            _ => Typed::new(Term::Call(overload.function, terms), kind),
        }
    }

    /// A moment or a span of time that is written out.
    fn constant(&mut self, function: Function, expression: &IdedExpr) -> Option<Term> {
        let text = literal_text(expression)?;
        let (value, what, example) = match function {
            Function::ToTimestamp => (
                read_timestamp(text).map(Value::Timestamp),
                "a moment",
                "for example timestamp('2026-01-31T08:00:00Z')",
            ),
            _ => (
                read_duration(text).map(Value::Duration),
                "a span of time",
                "for example duration('1h30m')",
            ),
        };
        if let Ok(value) = value {
            return Some(Term::Literal(value));
        }
        self.problems.push(Problem {
            code: BAD_EXPRESSION,
            range: self.places.span(expression),
            message: format!("`{text}` is not {what}"),
            label: "this cannot be read".to_owned(),
            help: Some(example.to_owned()),
        });
        None
    }

    fn zone(&mut self, expression: &IdedExpr) -> Option<TimeZone> {
        let text = literal_text(expression);
        if let Some(zone) = text.and_then(find_zone) {
            return Some(zone);
        }
        let (message, label) = match text {
            Some(name) => (format!("unknown time zone `{name}`"), "not known".to_owned()),
            None => {
                let label = "write the zone here, in quotes";
                ("a time zone must be written out".to_owned(), label.to_owned())
            }
        };
        self.problems.push(Problem {
            code: UNKNOWN_ZONE,
            range: self.places.span(expression),
            message,
            label,
            help: Some("for example 'Europe/Berlin', 'UTC' or '+02:00'".to_owned()),
        });
        None
    }

    fn pattern(&mut self, expression: &IdedExpr) -> Option<Regex> {
        let range = self.places.span(expression);
        let Some(pattern) = literal_text(expression) else {
            self.problems.push(Problem {
                code: BAD_EXPRESSION,
                range,
                message: "`matches` takes a pattern that is written out".to_owned(),
                label: "write the pattern here, in quotes".to_owned(),
                help: None,
            });
            return None;
        };
        let (inside, label) = match misread(pattern) {
            Some(misread) => misread,
            None => match RegexBuilder::new(pattern).size_limit(LARGEST_PATTERN).build() {
                Ok(pattern) => return Some(pattern),
                Err(_) => (0..pattern.len(), "it is too large when compiled".to_owned()),
            },
        };
        let origins = origins(self.places.text(&range));
        let origin = |at: usize| origins.get(at).or(origins.last()).copied().unwrap_or(0);
        let (start, end) = (origin(inside.start), origin(inside.end));
        self.problems.push(Problem {
            code: BAD_REGEX,
            range: range.start + start..range.start + end.max(start),
            message: "this regular expression does not compile".to_owned(),
            label,
            help: Some(
                "Rust regex syntax: no look-around, no back-references; linear time".to_owned(),
            ),
        });
        None
    }
}

/// Where a pattern is wrong, and why.
fn misread(pattern: &str) -> Option<(std::ops::Range<usize>, String)> {
    let (span, reason) = match regex_syntax::parse(pattern) {
        Err(regex_syntax::Error::Parse(error)) => (*error.span(), error.kind().to_string()),
        Err(regex_syntax::Error::Translate(error)) => (*error.span(), error.kind().to_string()),
        Err(_) => return Some((0..pattern.len(), "it cannot be read".to_owned())),
        Ok(_) => return None,
    };
    Some((span.start.offset..span.end.offset, reason))
}

/// A zone of the built-in tz database, not of the machine's, or an offset such as `+02:00`.
fn find_zone(name: &str) -> Option<TimeZone> {
    if let Ok(zone) = TimeZoneDatabase::bundled().get(name) {
        return Some(zone);
    }
    let (hours, minutes) = name.split_once(':')?;
    let negative = hours.starts_with('-');
    let hours: i32 = hours.trim_start_matches(['-', '+']).parse().ok()?;
    let minutes: i32 = minutes.parse().ok()?;
    if !(0..24).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Offset::from_seconds(if negative { -seconds } else { seconds }).ok().map(TimeZone::fixed)
}

/// Why no way to call a function fits.
enum Mismatch {
    /// It is called the other way.
    Style(Style),
    /// How many arguments it takes.
    Count(String),
    /// The argument at this place should be something else.
    Kind(usize, String),
}

fn choose(name: &str, style: Style, kinds: &[&Type]) -> Result<&'static Overload, Mismatch> {
    let styled = || FUNCTIONS.iter().filter(|known| known.name == name && known.style == style);
    let counted = || styled().filter(|known| known.takes.len() == kinds.len());
    let Some(first) = styled().next() else {
        let other = if style == Style::Method { Style::Global } else { Style::Method };
        return Err(Mismatch::Style(other));
    };
    if counted().next().is_none() {
        let own = usize::from(style == Style::Method);
        return Err(Mismatch::Count(arguments(first.takes.len().saturating_sub(own))));
    }
    if let Some(found) = counted().find(|known| agrees(known, kinds, kinds.len())) {
        return Ok(found);
    }
    // The argument to blame is the first that no way to call it can pass.
    let blamed = (0..kinds.len()).rev().find(|at| counted().any(|known| agrees(known, kinds, *at)));
    let blamed = blamed.unwrap_or(0);
    let mut wanted: Vec<String> = counted()
        .filter(|known| agrees(known, kinds, blamed))
        .filter_map(|known| known.takes.get(blamed))
        .map(|takes| takes.type_of().to_string())
        .collect();
    wanted.dedup();
    Err(Mismatch::Kind(blamed, wanted.join(" or ")))
}

/// Whether the first `count` arguments fit.
fn agrees(known: &Overload, kinds: &[&Type], count: usize) -> bool {
    known.takes.iter().zip(kinds).take(count).all(|(takes, given)| takes.accepts(given))
}

fn arguments(count: usize) -> String {
    match count {
        0 => "none".to_owned(),
        1 => "one".to_owned(),
        _ => count.to_string(),
    }
}
