//! Configuration of other providers, written as blueprints.
//!
//! Text in, text out: an importer reads YAML trees, says what it can in KDL, and tells of every line
//! that it could not carry. Where something does not carry, access is never wider than it was. It
//! reads no file, knows no store, and puts no secret into what it writes.

use crate::blueprint::diagnostic::Severity;
use crate::blueprint::load;
use crate::blueprint::read::Limits;
use crate::blueprint::source::{SourceFile, Sources};
use crate::blueprint::validate::Mode;

/// Authelia: `configuration.yml` and `users_database.yml`.
pub mod authelia;
/// authentik: its blueprints.
pub mod authentik;
/// What was carried and what was not.
pub mod carried;
/// What is written: objects of a blueprint, in files.
pub mod document;
/// Lengths of time as others write them.
mod duration;
/// Regular expressions about paths and hosts, as patterns.
mod globs;
/// A node of KDL, and how untrusted text stands in it.
mod kdl;
/// Names of ours for names of theirs.
mod names;
/// Access rules of which the first match decides.
mod rules;
/// YAML with places.
pub mod yaml;

use std::cmp::Reverse;

use carried::Report;
use document::{Document, Sheet};

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Input {
    /// As the person named it.
    pub name: String,
    pub text: String,
}

/// What only the person who moves can say.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// `https://host` where people sign in, if the files do not say it.
    pub external_host: Option<String>,
    /// Hosts of apps that no rule names.
    pub hosts: Vec<String>,
    /// The group that opens the console.
    pub admin_group: Option<String>,
}

/// What came of an import.
#[derive(Debug)]
pub struct Imported {
    pub document: Document,
    pub report: Report,
}

/// Takes out what `check` would refuse, object by object, and tells of it; an app without its rules
/// or a rule without its app would be worse than none.
#[must_use]
pub fn checked(mut document: Document, mut report: Report) -> Imported {
    loop {
        let sheets = document.sheets();
        let file =
            |sheet: &Sheet| SourceFile { name: sheet.name(), text: sheet.text.as_str().into() };
        let mut sources = Sources { files: sheets.iter().map(file).collect() };
        if !document.has_settings() {
            // People alone are added to files that have them.
            let text = "settings { external-host \"https://auth.example.com\" }\n";
            sources.files.push(SourceFile { name: "elsewhere.kdl".to_owned(), text: text.into() });
        }
        let loaded = load::understand_sources(sources, &Limits::default(), Mode::default());
        let mut errors: Vec<_> = loaded
            .diagnostics
            .iter()
            .filter(|each| each.severity == Severity::Error)
            .filter_map(|each| Some((each.labels.first()?.span, each)))
            .collect();
        errors.sort_by_key(|(span, _)| Reverse((span.file.0, span.start)));
        let mut taken = false;
        for (span, error) in errors {
            let Some(sheet) = sheets.get(span.file.0 as usize) else { continue };
            taken |= document.take_out(sheet, span.start as usize, error, &mut report);
        }
        if !taken {
            report.sort();
            return Imported { document, report };
        }
        document.settle();
    }
}
