//! What an examination found: good or bad, why, and the line to change.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Ok,
    Warning,
    Error,
}

/// One result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub level: Level,
    /// What was looked at, such as `listener` or `trusted-proxies`.
    pub topic: &'static str,
    pub what: String,
    pub why: Option<String>,
    /// Where it is declared, such as `home.kdl:9`.
    pub at: Option<String>,
    /// The line to write or the command to run; several lines where a block is needed.
    pub change: Option<String>,
}

/// All results, in the order of the examinations.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub findings: Vec<Finding>,
}

impl Finding {
    pub fn ok(topic: &'static str, what: impl Into<String>) -> Self {
        Self::new(Level::Ok, topic, what.into())
    }

    pub fn warning(topic: &'static str, what: impl Into<String>) -> Self {
        Self::new(Level::Warning, topic, what.into())
    }

    pub fn error(topic: &'static str, what: impl Into<String>) -> Self {
        Self::new(Level::Error, topic, what.into())
    }

    /// Why it matters.
    #[must_use]
    pub fn why(self, why: impl Into<String>) -> Self {
        Self { why: Some(why.into()), ..self }
    }

    #[must_use]
    pub fn at(self, place: impl Into<String>) -> Self {
        Self { at: Some(place.into()), ..self }
    }

    #[must_use]
    pub fn change(self, line: impl Into<String>) -> Self {
        Self { change: Some(line.into()), ..self }
    }

    fn new(level: Level, topic: &'static str, what: String) -> Self {
        Self { level, topic, what, why: None, at: None, change: None }
    }
}

impl Report {
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    #[must_use]
    pub fn exit_code(&self) -> u8 {
        u8::from(self.count(Level::Error) > 0)
    }

    /// For people: a sign, what, why, and the remedy below it.
    #[must_use]
    pub fn text(&self, colour: bool) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            text += &line(finding, colour);
        }
        let (errors, warnings) = (self.count(Level::Error), self.count(Level::Warning));
        let fine = self.count(Level::Ok);
        text + &format!(
            "\n{fine} fine, {}, {}\n",
            counted(warnings, "warning"),
            counted(errors, "error")
        )
    }

    /// For scripts (doorward.doctor/1).
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "schema": "doorward.doctor/1",
            "findings": self.findings,
            "ok": self.count(Level::Ok),
            "warnings": self.count(Level::Warning),
            "errors": self.count(Level::Error),
        })
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn line(finding: &Finding, colour: bool) -> String {
    let (sign, paint) = match finding.level {
        Level::Ok => ("✓", "\u{1b}[32m"),
        Level::Warning => ("⚠", "\u{1b}[33m"),
        Level::Error => ("✗", "\u{1b}[31m"),
    };
    let sign = if colour { format!("{paint}{sign}\u{1b}[0m") } else { sign.to_owned() };
    let at = finding.at.as_ref().map(|at| format!(" ({})", plain(at))).unwrap_or_default();
    let mut text = format!("{sign} {}{at}\n", plain(&finding.what));
    if let Some(why) = &finding.why {
        text += &format!("    {}\n", plain(why));
    }
    for row in finding.change.iter().flat_map(|change| change.lines()) {
        text += &format!("      {}\n", plain(row));
    }
    text
}

/// Much of this comes from other programs: a terminal is sent nothing but text.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let remedy = "server {\n    trusted-proxies \"10.0.0.2\"\n}";
        let missing = Finding::error("trusted-proxies", "no proxy is trusted")
            .why("every decision is refused")
            .at("home.kdl:9")
            .change(remedy);
        Report { findings: vec![Finding::ok("files", "in force"), missing] }
    }

    #[test]
    fn people_get_the_remedy_below_what_is_wrong_and_the_counts_last() {
        assert_eq!(
            report().text(false),
            "✓ in force\n✗ no proxy is trusted (home.kdl:9)\n    every decision is refused\n      \
             server {\n          trusted-proxies \"10.0.0.2\"\n      }\n\n1 fine, 0 warnings, 1 error\n"
        );
    }

    #[test]
    fn only_errors_change_the_exit_code() {
        assert_eq!(report().exit_code(), 1);
        let findings = vec![Finding::warning("clock", "two minutes apart")];
        assert_eq!(Report { findings }.exit_code(), 0);
    }

    #[test]
    fn a_terminal_is_never_sent_what_another_program_smuggled_in() {
        let findings = vec![Finding::error("routers", "name\u{1b}[2Jx").why("a\nb")];
        let text = Report { findings }.text(false);
        assert!(text.contains("name [2Jx\n    a b\n"), "{text:?}");
    }
}
