//! Takes secrets out of the sources and out of every sentence that quotes them.

use std::collections::BTreeSet;

use crate::blueprint::diagnostic::{Diagnostic, Fix, Label, Related};
use crate::blueprint::masked::{mask, secrets};
use crate::blueprint::source::{SourceFile, Sources};

/// Shorter secrets are hidden where they stand, but not searched for in sentences.
const SHORTEST: usize = 3;

/// Sources without secrets, and the secrets that were in them.
pub(super) struct Masked {
    pub sources: Sources,
    /// The longest first, so that no part of one stays behind.
    secrets: Vec<String>,
}

impl Masked {
    pub fn new(sources: &Sources) -> Self {
        let mut found = BTreeSet::new();
        let mut files = Vec::with_capacity(sources.files.len());
        for file in &sources.files {
            let ranges = secrets(&file.text);
            found.extend(ranges.into_iter().filter_map(|range| file.text.get(range)));
            files.push(SourceFile { name: file.name.clone(), text: mask(&file.text).into() });
        }
        let long = |text: &&str| text.trim().len() >= SHORTEST;
        let mut secrets: Vec<String> = found.into_iter().filter(long).map(str::to_owned).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { sources: Sources { files }, secrets }
    }

    pub fn diagnostic(&self, each: &Diagnostic) -> Diagnostic {
        let label = |label: &Label| Label { span: label.span, text: self.text(&label.text) };
        Diagnostic {
            code: each.code,
            severity: each.severity,
            message: self.text(&each.message),
            labels: each.labels.iter().map(label).collect(),
            help: each.help.as_deref().map(|help| self.text(help)),
            related: each
                .related
                .iter()
                .map(|related| Related {
                    message: self.text(&related.message),
                    label: label(&related.label),
                })
                .collect(),
            fix: each.fix.as_ref().and_then(|fix| self.fix(fix)),
        }
    }

    /// A change that would write a secret is left out: with stars in it, it would be wrong.
    fn fix(&self, fix: &Fix) -> Option<Fix> {
        (self.text(&fix.replacement) == fix.replacement).then(|| fix.clone())
    }

    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), &"*".repeat(secret.chars().count()));
            }
        }
        text
    }
}
