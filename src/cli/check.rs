//! `doorward check`.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Installation;
use crate::app::candidate::{self, Demands, Known};
use crate::app::places::Places;
use crate::blueprint::diagnostic::{Diagnostic, Severity};
use crate::blueprint::load::{self, Loaded};
use crate::blueprint::read::{Limits, Root};
use crate::blueprint::render::{self, Format};
use crate::blueprint::source::Sources;
use crate::model::counted::counted;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  doorward check\n  doorward check --format short          for editors\n  cat app.kdl | doorward check -\n\nExit codes: 0 fine, 1 errors (with --deny-warnings: warnings, too)."
)]
pub struct Check {
    /// Directories or files; `-` reads one file from standard input. Default: --blueprints
    #[arg(value_name = "DIR")]
    paths: Vec<String>,
    #[command(flatten)]
    at: Installation,
    /// Look at the files alone: no secrets, no environment. This is what `check` does anyway
    #[arg(long)]
    offline: bool,
    /// How complaints are written
    #[arg(long, value_name = "FORM", value_enum, default_value = "human")]
    format: Form,
    /// Fail for warnings, too
    #[arg(long)]
    deny_warnings: bool,
    /// Leave out advice
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    Human,
    Short,
    Json,
    Github,
}

impl From<Form> for Format {
    fn from(form: Form) -> Self {
        match form {
            Form::Human => Self::Human,
            Form::Short => Self::Short,
            Form::Json => Self::Json,
            Form::Github => Self::GitHub,
        }
    }
}

impl Check {
    pub fn run(self) -> anyhow::Result<u8> {
        let mut options = self.at.options();
        if !self.paths.is_empty() {
            options.roots = self.paths.iter().map(|path| Root::from_argument(path)).collect();
        }
        let loaded = if self.paths == ["-"] {
            stdin(&options)?
        } else {
            load::load(&options.roots, options.mode())
        };
        let (files, nodes) = (loaded.sources.files.len(), loaded.nodes);
        let format = Format::from(self.format);
        let mut sources = loaded.sources.clone();
        if matches!(format, Format::Short | Format::GitHub) {
            name_by_path(&mut sources, &loaded.paths, &options.environment.working_directory);
        }
        let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        let mut found = judged(&options, loaded)?;
        if self.quiet {
            found.retain(|each| each.severity != Severity::Advice);
        }
        let style = super::style(format, &std::io::stdout());
        let mut text = render::render(&found, &sources, &style);
        if format != Format::Json {
            problems.iter().for_each(|problem| text += &format!("error: {problem}\n"));
        }
        if format == Format::Human {
            text += &summary(&found, problems.len(), files, nodes);
        }
        super::print(&text)?;
        let count = |severity| found.iter().filter(|each| each.severity == severity).count();
        let warned = self.deny_warnings && count(Severity::Warning) > 0;
        Ok(u8::from(count(Severity::Error) > 0 || !problems.is_empty() || warned))
    }
}

/// Names files as editors and GitHub find them: by their path from the current directory.
fn name_by_path(sources: &mut Sources, paths: &[PathBuf], here: &Path) {
    for (file, path) in sources.files.iter_mut().zip(paths) {
        let path = path.strip_prefix(here).unwrap_or(path);
        let path = path.strip_prefix(".").unwrap_or(path);
        file.name = path.display().to_string();
    }
}

fn stdin(options: &crate::app::options::Options) -> anyhow::Result<Loaded> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let sources = Sources::single("stdin", &text);
    Ok(load::understand_sources(sources, &Limits::default(), options.mode()))
}

/// The complaints about the files, and those that only a compiled whole can have: Traefik's
/// configuration and the tests.
fn judged(
    options: &crate::app::options::Options,
    loaded: Loaded,
) -> anyhow::Result<Vec<Diagnostic>> {
    if loaded.blueprint.is_none() {
        return Ok(loaded.diagnostics);
    }
    let places = Places::new(options, &loaded.server)?;
    let built = candidate::build(options, &places, loaded, &Known::default(), Demands::Tests);
    Ok(match built {
        Ok(candidate) => candidate.diagnostics,
        Err(rejected) => rejected.diagnostics,
    })
}

fn summary(found: &[Diagnostic], problems: usize, files: usize, nodes: usize) -> String {
    let count = |severity| found.iter().filter(|each| each.severity == severity).count();
    let errors = count(Severity::Error) + problems;
    let read = format!("{}, {}", counted(files, "file"), counted(nodes, "node"));
    let warnings = counted(count(Severity::Warning), "warning");
    match errors {
        0 => format!("{read}: no errors, {warnings}\n"),
        _ => format!("{read}: {}, {warnings}\n", counted(errors, "error")),
    }
}
