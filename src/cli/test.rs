//! `doorward test`.

use clap::Args;

use super::Installation;
use crate::app::candidate::{self, Demands, Known};
use crate::app::places::Places;
use crate::blueprint::load;
use crate::blueprint::render::{self, Format};
use crate::runtime::expectations::{self, Report};

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 all hold, 1 some do not, or the files have errors.")]
pub struct Test {
    /// Only tests whose title holds this
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    at: Installation,
    /// Print the result for scripts
    #[arg(long)]
    json: bool,
}

impl Test {
    pub fn run(self) -> anyhow::Result<u8> {
        let options = self.at.options();
        let loaded = load::load(&options.roots, options.mode());
        let style = super::style(Format::Human, &std::io::stdout());
        let places = Places::new(&options, &loaded.server)?;
        let compiled =
            match candidate::build(&options, &places, loaded, &Known::default(), Demands::None) {
                Ok(compiled) => compiled,
                Err(rejected) => {
                    super::print(&rejected.render(&style))?;
                    return Ok(1);
                }
            };
        let runtime = compiled.runtime;
        let report = expectations::run(&runtime, self.name.as_deref());
        if self.json {
            super::print_json(&json(&report, &runtime.sources))?;
        } else {
            let failed = candidate::test_diagnostics(&runtime, &report);
            super::print(&render::render(&failed, &runtime.sources, &style))?;
            super::print(&text(&report, self.name.is_some()))?;
        }
        Ok(u8::from(!report.failures.is_empty()))
    }
}

fn text(report: &Report, filtered: bool) -> String {
    if report.tests.is_empty() {
        return match filtered {
            true => "no test has that in its title\n".to_owned(),
            false => "there are no tests; write one:\n    persona alice { in admins }\n    test \"admins get in\" { expect allow alice \"https://app.example.com/\" }\n".to_owned(),
        };
    }
    let mut text = String::new();
    for test in &report.tests {
        let mark = if test.failed == 0 { "ok  " } else { "FAIL" };
        text +=
            &format!("{mark}  {} ({} of {})\n", test.title, test.passed, test.passed + test.failed);
    }
    text += &format!("{} passed, {} failed\n", report.passed, report.failures.len());
    if !filtered && !report.undecided.is_empty() {
        text += &format!(
            "{} of {} rules never decide in any test:\n",
            report.undecided.len(),
            report.rules
        );
        report.undecided.iter().for_each(|rule| text += &format!("    {rule}\n"));
    }
    text
}

fn json(report: &Report, sources: &crate::blueprint::source::Sources) -> serde_json::Value {
    let failures = report.failures.iter().map(|failure| {
        serde_json::json!({
            "test": failure.test,
            "at": sources.place(failure.at),
            "message": failure.message,
            "decided-by": failure.decided_by,
        })
    });
    serde_json::json!({
        "schema": "doorward.test/1",
        "passed": report.passed,
        "failed": report.failures.len(),
        "failures": failures.collect::<Vec<_>>(),
        "rules": report.rules,
        "rules-never-deciding": report.undecided,
    })
}
