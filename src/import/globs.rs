//! Regular expressions about paths and hosts, as the patterns that blueprints know.
//!
//! Only what means the same is turned: a text that is said letter by letter, alternatives of which
//! there are few, and `.*`. Queries take no part in rules here, so what a pattern asks of one is
//! given up where that is told, and refused elsewhere.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};
use regex_syntax::parse;

use crate::model::glob::Glob;

/// Alternatives of one expression, at most.
const MOST: usize = 64;
/// Letters of one alternative, at most.
const LONGEST: usize = 512;

/// Path patterns that mean what an expression means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    pub globs: Vec<String>,
    /// They take in addresses with a query that the expression does not.
    pub wider_by_query: bool,
}

/// A run of pieces: a letter, or any run of letters.
type Run = Vec<Piece>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Letter(char),
    Any,
    Start,
    End,
}

/// Path patterns for an expression over path and query; the reason if there are none.
pub fn paths(expression: &str) -> Result<Paths, &'static str> {
    let runs = runs(expression)?;
    let mut globs = Vec::new();
    let mut wider_by_query = false;
    let plain: Vec<String> = runs.iter().filter_map(before_query).collect();
    for run in &runs {
        let text = written(run);
        match text.split_once('?') {
            // `/x?*` beside `/x` is what any query after `/x` means here as well.
            Some((path, "*")) if plain.iter().any(|known| known == path) => {}
            Some(_) => return Err("it asks for a query, and queries take no part in rules here"),
            None => {
                let open = text.ends_with('*')
                    || runs.iter().any(|other| written(other) == format!("{text}?*"));
                wider_by_query |= !open;
                globs.push(text);
            }
        }
    }
    if globs.iter().any(|glob| Glob::parse(glob).is_err()) {
        return Err("it cannot be said as a path pattern");
    }
    globs.dedup();
    Ok(Paths { globs, wider_by_query })
}

/// The texts that an expression names one by one; none if it names others as well.
pub fn texts(expression: &str) -> Option<Vec<String>> {
    let letters = |run: &Run| {
        let letter = |piece: &Piece| match piece {
            Piece::Letter(c) => Some(*c),
            _ => None,
        };
        run.iter().map(letter).collect::<Option<String>>()
    };
    runs(expression).ok()?.iter().map(letters).collect()
}

/// Whether two path patterns may fit one path.
pub fn overlap(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut row = vec![false; other.len() + 1];
    let mut next = row.clone();
    // `row[j]`: the rest of `one` from `i` and of `other` from `j` may be the same text.
    for i in (0..=one.len()).rev() {
        for j in (0..=other.len()).rev() {
            let at = |row: &[bool], j: usize| row.get(j).copied().unwrap_or(false);
            let fits = match (one.get(i), other.get(j)) {
                (None, None) => true,
                (Some('*'), _) if at(&row, j) => true,
                (_, Some('*')) if at(&next, j + 1) => true,
                (Some('*'), Some(_)) => at(&next, j + 1),
                (Some(_), Some('*')) => at(&row, j),
                (Some(a), Some(b)) => a.eq_ignore_ascii_case(b) && at(&row, j + 1),
                _ => false,
            };
            if let Some(place) = next.get_mut(j) {
                *place = fits;
            }
        }
        std::mem::swap(&mut row, &mut next);
    }
    row.first().copied().unwrap_or(true)
}

fn before_query(run: &Run) -> Option<String> {
    let text = written(run);
    (!text.contains('?')).then_some(text)
}

fn written(run: &Run) -> String {
    let letter = |piece: &Piece| match piece {
        Piece::Letter(c) => *c,
        _ => '*',
    };
    run.iter().map(letter).collect()
}

/// The alternatives of an expression, with `Any` where it is not held to begin or end.
fn runs(expression: &str) -> Result<Vec<Run>, &'static str> {
    let hir = parse(expression).map_err(|_| "it is no regular expression that is read here")?;
    let runs = expand(&hir)?;
    runs.into_iter().map(bounded).collect()
}

/// Takes the marks of begin and end out; without them anything may stand there.
fn bounded(run: Run) -> Result<Run, &'static str> {
    let mut bounded = Vec::new();
    if run.first() != Some(&Piece::Start) {
        bounded.push(Piece::Any);
    }
    for (at, piece) in run.iter().enumerate() {
        match piece {
            Piece::Start if run.iter().take(at).all(|each| *each == Piece::Start) => {}
            Piece::End if run.iter().skip(at).all(|each| *each == Piece::End) => {}
            Piece::Start | Piece::End => return Err("it can never hold"),
            Piece::Letter('*') => return Err("it asks for a `*`"),
            piece => bounded.push(*piece),
        }
    }
    if run.last() != Some(&Piece::End) {
        bounded.push(Piece::Any);
    }
    bounded.dedup_by(|a, b| *a == Piece::Any && *b == Piece::Any);
    Ok(bounded)
}

fn expand(hir: &Hir) -> Result<Vec<Run>, &'static str> {
    let found = match hir.kind() {
        HirKind::Empty => vec![Vec::new()],
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).map_err(|_| "it is about bytes")?;
            vec![text.chars().map(Piece::Letter).collect()]
        }
        HirKind::Class(class) => {
            letters(class)?.into_iter().map(|c| vec![Piece::Letter(c)]).collect()
        }
        HirKind::Look(Look::Start) => vec![vec![Piece::Start]],
        HirKind::Look(Look::End) => vec![vec![Piece::End]],
        HirKind::Look(_) => return Err("it asks for the end of a word or a line"),
        HirKind::Repetition(repetition) => repeated(repetition)?,
        HirKind::Capture(capture) if capture.name.is_some() => {
            return Err("it names whoever is signed in");
        }
        HirKind::Capture(capture) => expand(&capture.sub)?,
        HirKind::Concat(parts) => {
            let mut all = vec![Vec::new()];
            for part in parts {
                all = joined(&all, &expand(part)?)?;
            }
            all
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(expand(part)?);
            }
            all
        }
    };
    let small = found.len() <= MOST && found.iter().all(|run| run.len() <= LONGEST);
    if small { Ok(found) } else { Err("it has too many alternatives for path patterns") }
}

fn joined(before: &[Run], after: &[Run]) -> Result<Vec<Run>, &'static str> {
    if before.len() * after.len() > MOST {
        return Err("it has too many alternatives for path patterns");
    }
    let pairs = before.iter().flat_map(|one| after.iter().map(move |other| (one, other)));
    let joined: Vec<Run> =
        pairs.map(|(one, other)| one.iter().chain(other).copied().collect()).collect();
    let short = joined.iter().all(|run: &Run| run.len() <= LONGEST);
    if short { Ok(joined) } else { Err("it is too long for path patterns") }
}

fn repeated(repetition: &Repetition) -> Result<Vec<Run>, &'static str> {
    match (repetition.min, repetition.max) {
        (0, None) if is_any_letter(&repetition.sub) => Ok(vec![vec![Piece::Any]]),
        (0, Some(1)) => {
            let mut runs = vec![Vec::new()];
            runs.extend(expand(&repetition.sub)?);
            Ok(runs)
        }
        (least, Some(most)) if least == most && most <= 16 => {
            let once = expand(&repetition.sub)?;
            (0..most).try_fold(vec![Vec::new()], |all, _| joined(&all, &once))
        }
        _ => Err("it repeats more than `.*` can say"),
    }
}

fn is_any_letter(hir: &Hir) -> bool {
    let HirKind::Class(Class::Unicode(class)) = hir.kind() else { return false };
    let all: usize = class.iter().map(|range| range.end() as usize - range.start() as usize).sum();
    // All letters, with or without the line feed.
    all >= 0x10_0000
}

fn letters(class: &Class) -> Result<Vec<char>, &'static str> {
    let Class::Unicode(class) = class else { return Err("it is about bytes") };
    let letters: Vec<char> =
        class.iter().flat_map(|range| (range.start()..=range.end()).take(9)).take(9).collect();
    if letters.len() <= 8 { Ok(letters) } else { Err("it leaves letters open, which only `*` can") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(expression: &str) -> Vec<String> {
        paths(expression).unwrap_or_else(|why| panic!("{expression}: {why}")).globs
    }

    #[test]
    fn expressions_that_people_write_become_patterns() {
        for (expression, patterns) in [
            ("^/api([/?].*)?$", &["/api", "/api/*"][..]),
            ("^/api/.*$", &["/api/*"]),
            ("^/api/", &["/api/*"]),
            ("^/(a|b)/.*", &["/a/*", "/b/*"]),
            ("^/v[12]/x$", &["/v1/x", "/v2/x"]),
            (r"^/static/.*\.(css|js)$", &["/static/*.css", "/static/*.js"]),
            ("^/.*$", &["/*"]),
            (r"\.png$", &["*.png"]),
            ("^/health/?$", &["/health", "/health/"]),
        ] {
            assert_eq!(globs(expression), patterns, "{expression}");
        }
    }

    #[test]
    fn what_means_something_else_stays_where_it_is() {
        for expression in [
            "^/a/[^/]+/b$",
            r"^/u/(?P<User>\w+)(/.*)?$",
            r"^/\d+$",
            "^/a.b$",
            r"^/x\?token=.*$",
            r"^/x\b",
            "^/a%20b$",
            "(?i)^/administration/interface/of/things$",
            "(",
            "^/a.+$",
            "^//x$",
            "a^b",
            r"^/\*$",
        ] {
            assert!(paths(expression).is_err(), "{expression}: {:?}", paths(expression));
        }
    }

    #[test]
    fn an_end_that_refuses_queries_is_told() {
        assert!(paths("^/x$").unwrap().wider_by_query);
        assert!(!paths("^/x.*$").unwrap().wider_by_query);
        assert!(!paths("^/x([/?].*)?$").unwrap().wider_by_query);
    }

    #[test]
    fn hosts_are_named_one_by_one() {
        let named = texts(r"^(git|wiki)\.example\.com$").unwrap();
        assert_eq!(named, ["git.example.com", "wiki.example.com"]);
        for open in [r"^.*\.example\.com$", r"git\.example\.com$", r"^\w+\.example\.com$"] {
            assert_eq!(texts(open), None, "{open}");
        }
    }

    #[test]
    fn patterns_that_may_fit_one_path_overlap() {
        for (one, other, may) in [
            ("/a", "/a", true),
            ("/a", "/b", false),
            ("/a/*", "/a/b", true),
            ("/a/*", "/b/*", false),
            ("*", "/x", true),
            ("/*", "*.png", true),
            ("/a*b", "/ac", false),
            ("/a*b", "/a*c", false),
            ("/a*", "/*a", true),
            ("/A", "/a", true),
            ("", "*", true),
        ] {
            assert_eq!(overlap(one, other), may, "{one} {other}");
            assert_eq!(overlap(other, one), may, "{other} {one}");
        }
    }
}
