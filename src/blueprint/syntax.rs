//! From the text of one file to our tree, and every way in which the text is not KDL.
//!
//! The guard goes first. Then a look at the bare tokens finds what people write from the habit of
//! other languages, says what to write instead and undoes it, so that one mistake never causes a
//! second message. What is left of a file goes to the `kdl` crate. This knows no vocabulary.

mod braces;
mod brackets;
mod edits;
mod equals;
mod habits;
mod kdl_errors;
mod lower;
mod mistakes;
mod strings;
mod words;

use kdl::KdlDocument;

use self::edits::Changed;
use super::diagnostic::Diagnostics;
use super::guard;
use super::json_input;
use super::source::{FileId, SourceFile};
use super::tokens::{Kind, Token, scan};
use super::tree::Node;

/// Parses one file. `None` if KDL refuses it; a file with nothing but bad habits gives the tree
/// that was meant, next to the complaints.
pub fn parse(file: FileId, text: &str, out: &mut Diagnostics) -> Option<Vec<Node>> {
    let nodes = parse_text(file, text, out);
    if nodes.is_none() {
        out.withhold_names();
    }
    nodes
}

/// Parses one file in the form that its name tells.
pub fn parse_named(file: FileId, source: &SourceFile, out: &mut Diagnostics) -> Option<Vec<Node>> {
    if source.name.ends_with(".json") {
        return json_input::parse(file, &source.text, out);
    }
    parse(file, &source.text, out)
}

fn parse_text(file: FileId, text: &str, out: &mut Diagnostics) -> Option<Vec<Node>> {
    let tokens = scan(text);
    if !guard::admit(file, text, &tokens, out) {
        return None;
    }
    let found = mistakes::find(file, text, &tokens, out);
    if found.torn {
        return None;
    }
    let nodes = read(file, &found.edits.apply(text), out)?;
    (!found.refused).then_some(nodes)
}

fn read(file: FileId, changed: &Changed, out: &mut Diagnostics) -> Option<Vec<Node>> {
    let tokens = scan(&changed.text);
    if !guard::is_shallow(&tokens) || !is_sound(file, changed, &tokens) {
        return None;
    }
    if !braces::check(file, changed, &tokens, out) {
        return None;
    }
    match KdlDocument::parse_v2(&calm(&changed.text, &tokens)) {
        Ok(document) => Some(lower::lower(file, changed, &document, out)),
        Err(error) => {
            kdl_errors::report(file, changed, &error, out);
            None
        }
    }
}

/// Whether nothing is left that the parser would stumble over. It takes a step of recursion for
/// each piece that fits nowhere.
fn is_sound(file: FileId, changed: &Changed, tokens: &[Token]) -> bool {
    if !changed.is_changed() {
        return true;
    }
    let again = mistakes::find(file, &changed.text, tokens, &mut Diagnostics::default());
    !again.refused && !again.torn
}

/// The text with every block comment emptied: the parser takes one step of recursion for each
/// star and slash in it.
fn calm(text: &str, tokens: &[Token]) -> String {
    let mut calmed = String::with_capacity(text.len());
    let mut at = 0;
    for token in tokens.iter().filter(|token| token.closed) {
        let comment = token.is(Kind::BlockComment);
        let continued = token.is(Kind::Continue) && token.text(text).contains("/*");
        if !comment && !continued {
            continue;
        }
        calmed.push_str(text.get(at..token.start).unwrap_or(""));
        let inner = |c: char| if matches!(c, '*' | '/') { ' ' } else { c };
        if comment {
            let body = text.get(token.start + 2..token.end - 2).unwrap_or("");
            calmed.push_str("/*");
            calmed.extend(body.chars().map(inner));
            calmed.push_str("*/");
        } else {
            calmed.push('\\');
            calmed.push_str(&blank_but_newlines(text.get(token.start + 1..token.end)));
        }
        at = token.end;
    }
    calmed.push_str(text.get(at..).unwrap_or(""));
    calmed
}

/// Spaces of the same length, with the line breaks kept.
fn blank_but_newlines(text: Option<&str>) -> String {
    let blank = |byte: u8| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { ' ' };
    text.unwrap_or("").bytes().map(blank).collect()
}

#[cfg(test)]
mod tests;
