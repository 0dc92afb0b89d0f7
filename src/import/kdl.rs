//! A node of KDL on its way to a file.
//!
//! Words are written by us alone; text of others is always quoted, so that it ends where it ends.

use std::fmt::Write;

use super::yaml::Place;
use crate::blueprint::tokens::is_forbidden;

/// A node with what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    head: String,
    kids: Vec<Line>,
    from: Option<Place>,
}

impl Line {
    /// A node of the language.
    pub fn new(name: &'static str) -> Self {
        Self { head: name.to_owned(), kids: Vec::new(), from: None }
    }

    /// A word of the language.
    #[must_use]
    pub fn word(self, word: &str) -> Self {
        self.add(&bare(word))
    }

    /// A name that was made by [`super::names`] or looked at: bare where that is the same.
    #[must_use]
    pub fn names<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().fold(self, |line, name| line.word(name))
    }

    /// Text of others.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.add(&quoted(text))
    }

    /// `key="…"`.
    #[must_use]
    pub fn prop(self, key: &'static str, text: &str) -> Self {
        self.add(&format!("{key}={}", quoted(text)))
    }

    /// `key=word`.
    #[must_use]
    pub fn prop_word(self, key: &'static str, word: &str) -> Self {
        self.add(&format!("{key}={}", bare(word)))
    }

    /// `key=number`.
    #[must_use]
    pub fn prop_number(self, key: &'static str, number: u64) -> Self {
        self.add(&format!("{key}={number}"))
    }

    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.add(&number.to_string())
    }

    /// `(kind)"…"`: where a secret is.
    #[must_use]
    pub fn secret(self, kind: &'static str, text: &str) -> Self {
        self.add(&format!("({kind}){}", bare(text)))
    }

    /// `key=(kind)"…"`.
    #[must_use]
    pub fn prop_secret(self, key: &'static str, kind: &'static str, text: &str) -> Self {
        self.add(&format!("{key}=({kind}){}", bare(text)))
    }

    /// Remembers what it was written for.
    #[must_use]
    pub fn from(mut self, place: &Place) -> Self {
        self.from = Some(place.clone());
        self
    }

    #[must_use]
    pub fn kid(mut self, kid: Line) -> Self {
        self.kids.push(kid);
        self
    }

    #[must_use]
    pub fn kids(mut self, kids: impl IntoIterator<Item = Line>) -> Self {
        self.kids.extend(kids);
        self
    }

    pub fn push(&mut self, kid: Line) {
        self.kids.push(kid);
    }

    pub fn has_kids(&self) -> bool {
        !self.kids.is_empty()
    }

    /// The name of the node.
    pub fn name(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    /// Takes out the innermost node below that begins at a line of this one's text, and gives it.
    pub fn cut(&mut self, at: usize) -> Option<Line> {
        let mut first = 1;
        for number in 0..self.kids.len() {
            let kid = self.kids.get_mut(number)?;
            let lines = kid.lines();
            if at == first {
                return Some(self.kids.remove(number));
            }
            if at < first + lines {
                return kid.cut(at - first);
            }
            first += lines;
        }
        None
    }

    /// As [`Self::cut`], of a node directly below that a line belongs to.
    pub fn cut_kid(&mut self, at: usize) -> Option<Line> {
        let mut first = 1;
        for number in 0..self.kids.len() {
            let lines = self.kids.get(number)?.lines();
            if (first..first + lines).contains(&at) {
                return Some(self.kids.remove(number));
            }
            first += lines;
        }
        None
    }

    /// What it was written for.
    pub fn place(&self) -> Option<&Place> {
        self.from.as_ref()
    }

    fn lines(&self) -> usize {
        match self.kids.is_empty() {
            true => 1,
            false => 2 + self.kids.iter().map(Line::lines).sum::<usize>(),
        }
    }

    /// The line with its block, ended by a line end.
    pub fn render(&self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text
    }

    fn write(&self, depth: usize, text: &mut String) {
        let indent = "    ".repeat(depth);
        let _ = write!(text, "{indent}{}", self.head);
        if self.kids.is_empty() {
            text.push('\n');
            return;
        }
        text.push_str(" {\n");
        self.kids.iter().for_each(|kid| kid.write(depth + 1, text));
        let _ = writeln!(text, "{indent}}}");
    }

    fn add(mut self, word: &str) -> Self {
        self.head.push(' ');
        self.head.push_str(word);
        self
    }
}

/// Without quotes where that is the same word.
fn bare(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:@*".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let keyword = matches!(text, "true" | "false" | "null" | "inf" | "nan");
    if begins && !keyword && text.chars().all(fits) { text.to_owned() } else { quoted(text) }
}

/// In quotes; in raw ones if it holds `${`, which would be a variable.
fn quoted(text: &str) -> String {
    if text.contains("${") {
        return raw(text);
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_invisible(c) => {
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A raw string holds any visible character, but no escape: what is invisible becomes a space.
fn raw(text: &str) -> String {
    let text = visible(text);
    let longest =
        text.split('"').skip(1).map(|after| after.len() - after.trim_start_matches('#').len());
    let fence = "#".repeat(longest.max().unwrap_or(0) + 1);
    format!("{fence}\"{text}\"{fence}")
}

fn visible(text: &str) -> String {
    text.chars().map(|c| if c == '\t' || is_invisible(c) { ' ' } else { c }).collect()
}

fn is_invisible(c: char) -> bool {
    let line_end =
        matches!(c, '\n' | '\r' | '\u{85}' | '\u{b}' | '\u{c}' | '\u{2028}' | '\u{2029}');
    line_end || c.is_control() || is_forbidden(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::blueprint::load::understand_sources;
    use crate::blueprint::read::Limits;
    use crate::blueprint::source::Sources;
    use crate::blueprint::validate::Mode;

    /// The title that a blueprint reads where ours was written.
    fn read_back(title: &str) -> String {
        let group = Line::new("group").word("g").text(title).kid(Line::new("in").word("h"));
        let text = format!(
            "settings {{ external-host \"https://auth.example.com\" }}\ngroup h\n{}group last\n",
            group.render()
        );
        let sources = Sources::single("a.kdl", &text);
        let loaded = understand_sources(sources, &Limits::default(), Mode::default());
        let blueprint =
            loaded.blueprint.unwrap_or_else(|| panic!("{text}\n{:?}", loaded.diagnostics));
        assert_eq!(blueprint.groups.len(), 3, "{text}");
        blueprint.groups.iter().find(|each| each.slug.value == "g").unwrap().title.clone().unwrap()
    }

    #[test]
    fn text_of_others_ends_where_it_ends() {
        for title in [
            "a\" { console admin } //",
            "\\",
            "\\\"",
            "a\nb \u{2028} c\u{7f}\u{202e}",
            "\"##\"#",
            "#\"x\"#",
            "/* x",
            "\u{85}x\u{b}",
            "Ärzte 😀",
        ] {
            assert_eq!(read_back(title), title);
        }
    }

    #[test]
    fn a_variable_of_others_is_text() {
        for title in ["${x}", "\"#${x}\"##", "${a\"b}", "x\\${y}"] {
            assert_eq!(read_back(title), title);
        }
        assert_eq!(read_back("${x}\n\u{1b}y\tz"), "${x}  y z");
    }

    #[test]
    fn only_plain_words_stand_without_quotes() {
        for (text, written) in [
            ("admins", "admins"),
            ("group:admins", "group:admins"),
            ("true", "\"true\""),
            ("1a", "\"1a\""),
            ("-1", "\"-1\""),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("a{", "\"a{\""),
        ] {
            assert_eq!(bare(text), written);
        }
    }

    proptest! {
        #[test]
        fn any_title_comes_back(title in "\\PC{0,40}") {
            prop_assume!(!title.is_empty());
            prop_assert_eq!(read_back(&title), title);
        }
    }
}
