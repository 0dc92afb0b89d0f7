//! Guards, cel's parser, and its complaints in plain words.

use std::ops::Range;

use cel::Env;
use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::parser::ParseErrors;

use super::catalogue::Context;
use super::check::{BAD_EXPRESSION, Problem};
use super::places::Places;
use super::tokens::{Kind, Token, tokens};

/// The longest expression in bytes.
pub(super) const LONGEST: usize = 1024;
/// The deepest nesting of brackets.
const DEEPEST_BRACKETS: usize = 32;
/// The deepest tree; a chain of operators such as `a + b + c` is one, too.
const DEEPEST_TREE: usize = 100;

/// Reads `text`, or says why not.
pub(super) fn parse(text: &str, context: Context) -> Result<(IdedExpr, Places<'_>), Problem> {
    let problem = |range: Range<usize>, label: String| Problem {
        code: BAD_EXPRESSION,
        range,
        message: "this expression does not parse".to_owned(),
        label,
        help: Some(context.summary().to_owned()),
    };
    if text.len() > LONGEST {
        return Err(too_long(text));
    }
    let words = tokens(text);
    guard(text, &words).map_err(|(range, label)| problem(range, label))?;
    // Without macros: loops and `has` stay the calls that were written.
    let parser = Env::default().with_optional_support(false).parser();
    match parser.parse_with_source_info(text) {
        Ok((root, _)) if !is_shallow(&root, DEEPEST_TREE) => Err(Problem {
            message: "this expression nests too deeply".to_owned(),
            help: Some("split it into several policies".to_owned()),
            ..problem(whole(text), format!("more than {DEEPEST_TREE} levels"))
        }),
        Ok((root, source)) => Ok((root, Places::new(text, words, source))),
        Err(errors) => {
            let (range, label) = reword(text, &words, &errors);
            Err(problem(range, label))
        }
    }
}

fn too_long(text: &str) -> Problem {
    let kept = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST).last();
    Problem {
        code: BAD_EXPRESSION,
        range: kept.unwrap_or(0)..text.len(),
        message: "this expression is too long".to_owned(),
        label: format!("beyond {LONGEST} bytes"),
        help: Some("split it into several policies".to_owned()),
    }
}

fn whole(text: &str) -> Range<usize> {
    let start = text.len() - text.trim_start().len();
    start..text.trim_end().len().max(start)
}

/// What is wrong with the words alone. Finds first what the parser would explain worst.
fn guard(text: &str, words: &[Token]) -> Result<(), (Range<usize>, String)> {
    if words.is_empty() {
        return Err((whole(text), "the expression is empty".to_owned()));
    }
    let mut open: Vec<&Token> = Vec::new();
    for word in words {
        match word.kind {
            Kind::Unclosed => {
                return Err((word.range.clone(), "this text is never closed".to_owned()));
            }
            Kind::Open if open.len() == DEEPEST_BRACKETS => {
                let label = format!("more than {DEEPEST_BRACKETS} brackets within each other");
                return Err((word.range.clone(), label));
            }
            Kind::Open => open.push(word),
            Kind::Close => close(text, open.pop(), word)?,
            _ => {}
        }
    }
    match open.pop() {
        None => Ok(()),
        Some(opened) if words.last().is_some_and(|last| stops_early(text, last)) => {
            let _ = opened;
            Ok(())
        }
        Some(opened) => Err((opened.range.clone(), "this bracket is never closed".to_owned())),
    }
}

/// Whether something must follow `last`, which is the better complaint then.
fn stops_early(text: &str, last: &Token) -> bool {
    last.kind == Kind::Mark && text.get(last.range.clone()).is_some_and(|mark| mark != ",")
}

fn close(text: &str, opened: Option<&Token>, closer: &Token) -> Result<(), (Range<usize>, String)> {
    let letter = |token: &Token| text.get(token.range.clone()).unwrap_or_default().to_owned();
    let Some(opened) = opened else {
        return Err((closer.range.clone(), "nothing was opened that this closes".to_owned()));
    };
    match (letter(opened).as_str(), letter(closer).as_str()) {
        ("(", ")") | ("[", "]") | ("{", "}") => Ok(()),
        (open, _) => Err((closer.range.clone(), format!("does not close the `{open}` before it"))),
    }
}

fn is_shallow(expression: &IdedExpr, left: usize) -> bool {
    let Some(left) = left.checked_sub(1) else {
        return false;
    };
    let all = |parts: &[IdedExpr]| parts.iter().all(|part| is_shallow(part, left));
    match &expression.expr {
        Expr::Call(call) => {
            call.target.as_ref().is_none_or(|target| is_shallow(target, left)) && all(&call.args)
        }
        Expr::Select(select) => is_shallow(&select.operand, left),
        Expr::List(list) => all(&list.elements),
        Expr::Map(map) => map.entries.iter().all(|entry| match &entry.expr {
            EntryExpr::MapEntry(pair) => {
                is_shallow(&pair.key, left) && is_shallow(&pair.value, left)
            }
            EntryExpr::StructField(field) => is_shallow(&field.value, left),
        }),
        Expr::Struct(message) => message.entries.iter().all(|entry| match &entry.expr {
            EntryExpr::MapEntry(pair) => {
                is_shallow(&pair.key, left) && is_shallow(&pair.value, left)
            }
            EntryExpr::StructField(field) => is_shallow(&field.value, left),
        }),
        // Never made without macros.
        Expr::Comprehension(_) => false,
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => true,
    }
}

/// The first complaint of the parser: its place, and what it means.
fn reword(text: &str, words: &[Token], errors: &ParseErrors) -> (Range<usize>, String) {
    let Some(first) = errors.errors.first() else {
        return (whole(text), "this cannot be read".to_owned());
    };
    let at = offset(text, first.pos);
    let found = words.iter().find(|word| at < word.range.end);
    let Some(found) = found else {
        return (last_letter(text), "the expression stops too early".to_owned());
    };
    let word = text.get(found.range.clone()).unwrap_or_default();
    (found.range.clone(), explain(word, &first.msg))
}

fn explain(word: &str, complaint: &str) -> String {
    let label = match word {
        "=" => "write == to compare",
        "&" => "write && for `and`",
        "|" => "write || for `or`",
        "and" | "AND" => "write && instead",
        "or" | "OR" => "write || instead",
        "not" | "NOT" => "write ! before the condition",
        "?" => "not expected here: a choice is written condition ? this : that",
        _ if complaint.starts_with("reserved identifier") => "a reserved word of CEL",
        _ if complaint.starts_with("invalid string literal") => "an unknown escape in this text",
        _ if complaint.contains("int literal") => "this number is too large",
        _ if complaint.contains("double literal") => "this number is too large",
        _ if complaint.contains("token recognition") && word.ends_with(['\'', '"']) => {
            "an unknown escape in this text"
        }
        _ if complaint.contains("token recognition") => "this character means nothing here",
        _ => "not expected here",
    };
    label.to_owned()
}

/// The byte offset of a line and a column of characters, both counted from 1.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let before = usize::try_from(line.saturating_sub(1)).unwrap_or(0);
    let skipped = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(skipped).map_or(rest.len(), |(at, _)| at)
}

fn last_letter(text: &str) -> Range<usize> {
    let end = text.trim_end().len();
    let last = text.get(..end).and_then(|kept| kept.char_indices().next_back());
    last.map_or(0, |(at, _)| at)..end
}
