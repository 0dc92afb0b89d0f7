//! What was carried, and every line that was not, with the reason and what to do.

use serde::Serialize;

use super::yaml::{Node, Place};

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Nothing was written for it.
    NotCarried,
    /// Something was written that does not mean quite the same.
    Changed,
    /// Carried, and somebody has to do the rest by hand.
    ToDo,
}

impl Fate {
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NotCarried => "not carried",
            Self::Changed => "changed",
            Self::ToDo => "to do",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub place: Place,
    pub fate: Fate,
    /// What stands there, without any secret.
    pub what: String,
    pub why: String,
}

#[derive(Debug, Default)]
pub struct Report {
    remarks: Vec<Remark>,
}

impl Report {
    pub fn not_carried(&mut self, place: &Place, what: impl Into<String>, why: impl Into<String>) {
        self.add(Fate::NotCarried, place, what.into(), why.into());
    }

    pub fn changed(&mut self, place: &Place, what: impl Into<String>, why: impl Into<String>) {
        self.add(Fate::Changed, place, what.into(), why.into());
    }

    pub fn to_do(&mut self, place: &Place, what: impl Into<String>, why: impl Into<String>) {
        self.add(Fate::ToDo, place, what.into(), why.into());
    }

    fn add(&mut self, fate: Fate, place: &Place, what: String, why: String) {
        let remark = Remark { place: place.clone(), fate, what: plain(&what), why: plain(&why) };
        if self.remarks.last() != Some(&remark) {
            self.remarks.push(remark);
        }
    }

    /// Tells of what nobody asked for, by its path without what stands before a `head`; `why` knows
    /// the reason.
    pub fn left(&mut self, root: &Node, heads: &[&str], why: impl Fn(&str) -> &'static str) {
        for left in root.left() {
            let short = heads.iter().find_map(|head| left.path.strip_prefix(head));
            let path = short.unwrap_or(&left.path);
            self.not_carried(&left.place, format!("`{path}`"), why(path));
        }
    }

    /// In the order of the files, each thing once.
    pub fn sort(&mut self) {
        let order = |remark: &Remark| (remark.place.clone(), remark.fate, remark.what.clone());
        self.remarks.sort_by_key(order);
        self.remarks.dedup();
    }

    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    #[must_use]
    pub fn count(&self, fate: Fate) -> usize {
        self.remarks.iter().filter(|remark| remark.fate == fate).count()
    }

    /// A line for each remark: `file:line:column: not carried: what: why`.
    #[must_use]
    pub fn text(&self) -> String {
        let line = |remark: &Remark| {
            let Remark { place, fate, what, why } = remark;
            format!("{place}: {}: {what}: {why}\n", fate.words())
        };
        self.remarks.iter().map(line).collect()
    }

    /// The remarks for scripts.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let each = self.remarks.iter().map(|remark| {
            serde_json::json!({
                "file": *remark.place.file,
                "line": remark.place.line,
                "column": remark.place.column,
                "fate": remark.fate,
                "what": remark.what,
                "why": remark.why,
            })
        });
        each.collect()
    }
}

/// Text of files on one line, without what could steer a terminal.
fn plain(text: &str) -> String {
    let shown = |c: char| {
        let hidden = c.is_control() || crate::blueprint::tokens::is_forbidden(c);
        if hidden { ' ' } else { c }
    };
    let text: String = text.chars().map(shown).collect();
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: usize) -> Place {
        Place { file: "a.yml".into(), line, column: 1 }
    }

    #[test]
    fn remarks_stand_in_the_order_of_the_file_and_once() {
        let mut report = Report::default();
        report.to_do(&place(9), "x", "y");
        report.not_carried(&place(2), "a", "b");
        report.not_carried(&place(9), "z", "w");
        report.not_carried(&place(2), "a", "b");
        report.sort();
        let expected =
            "a.yml:2:1: not carried: a: b\na.yml:9:1: not carried: z: w\na.yml:9:1: to do: x: y\n";
        assert_eq!(report.text(), expected);
        assert_eq!(report.json()[0]["fate"], "not-carried");
    }

    #[test]
    fn no_text_of_a_file_steers_the_terminal() {
        let mut report = Report::default();
        report.not_carried(&place(1), "a\u{1b}[31m\nb\u{202e}", "c".repeat(1000));
        let text = report.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && text.len() < 600);
    }
}
