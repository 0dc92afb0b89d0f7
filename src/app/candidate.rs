//! A set of files, judged and compiled, before anything is touched: steps 1 to 4 and 6 of a
//! reconcile.

use std::collections::HashMap;

use super::options::Options;
use super::places::{Places, absolute};
use super::secrets::{self, Secrets};
use super::{look_files, named_files, restart, revision};
use crate::blueprint::Blueprint;
use crate::blueprint::builtin;
use crate::blueprint::diagnostic::{Diagnostic, Severity};
use crate::blueprint::identity_source::IdentitySource;
use crate::blueprint::load::Loaded;
use crate::blueprint::read::ReadError;
use crate::blueprint::render::{self, Style};
use crate::blueprint::settings::TestRule;
use crate::blueprint::source::Sources;
use crate::factor::duo::Duo;
use crate::proxy_config::Stamp;
use crate::proxy_config::traefik;
use crate::reconcile;
use crate::reconcile::apply::Uids;
use crate::reconcile::generated;
use crate::runtime::Runtime;
use crate::runtime::compile::{Inputs, compile as compile_runtime};
use crate::runtime::expectations::{self, Report};
use crate::runtime::health::AwaitsRestart;
use crate::secret::{Secret, sha256_hex};
use crate::written_file::{self, WriteError};

/// Files that can be put into force.
#[derive(Debug)]
pub struct Candidate {
    pub runtime: Runtime,
    pub report: Report,
    /// Warnings and advice.
    pub diagnostics: Vec<Diagnostic>,
    pub nodes: usize,
    /// Secrets that are demanded and have no value, where that is no reason to stop.
    pub missing: Vec<String>,
    /// What they say and only a restart of this process takes up.
    pub restart: Vec<AwaitsRestart>,
}

/// Files that cannot.
#[derive(Debug, Default)]
pub struct Rejected {
    pub sources: Sources,
    pub diagnostics: Vec<Diagnostic>,
    /// What is wrong beside the text: files, secrets, tests.
    pub problems: Vec<String>,
    /// Roots that are missing, unreadable or empty: never taken for an empty set.
    pub vanished: Vec<String>,
}

/// The digest of the bytes that were read, file by file.
#[must_use]
pub fn source_digest(sources: &Sources) -> String {
    let mut text = String::new();
    for file in &sources.files {
        text += &format!("{}\0{}\0", file.name, sha256_hex(file.text.as_bytes()));
    }
    format!("sha256:{}", sha256_hex(text.as_bytes()))
}

/// The mark on generated files.
#[must_use]
pub fn stamp(revision: Option<&str>, digest: &str) -> Stamp {
    Stamp::new(revision.unwrap_or("unknown"), digest)
}

/// What stands between files and a candidate, beside their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demands {
    /// The host gives what they ask for, and tests hold.
    All,
    /// Tests hold, wherever the files will run.
    Tests,
    /// None: they were in force already, or their tests are about to be looked at.
    None,
}

/// What the store knows of the objects that files declare.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub uids: Uids,
    /// The generation in force.
    pub generation: i64,
}

/// Judges and compiles what was loaded.
///
/// # Errors
/// If the files or what they demand stand in the way.
pub fn build(
    options: &Options,
    places: &Places,
    loaded: Loaded,
    known: &Known,
    demands: Demands,
) -> Result<Candidate, Box<Rejected>> {
    let restart = restart::awaited(options, places, &loaded.server);
    let Loaded { sources, paths, blueprint, diagnostics, problems, nodes, .. } = loaded;
    let mut rejected = Rejected {
        vanished: problems.iter().filter_map(|problem| vanished(options, problem)).collect(),
        problems: problems.iter().map(ToString::to_string).collect(),
        sources,
        diagnostics,
    };
    let Some(blueprint) = blueprint else { return Err(Box::new(rejected)) };
    let named = named_files::read(options, &paths, &blueprint);
    if demands != Demands::None {
        rejected.diagnostics.extend(look_files::read(options, &paths, &blueprint).1);
    }
    let mut missing = Vec::new();
    if demands == Demands::All {
        missing = missing_secrets(options, &blueprint);
        missing.extend(named.problems);
        let refused = refused_paths(options, places, &blueprint);
        if (!options.dev && !missing.is_empty()) || !refused.is_empty() {
            let missing = if options.dev { Vec::new() } else { missing };
            rejected.problems.extend(missing.into_iter().chain(refused));
            return Err(Box::new(rejected));
        }
    }
    let roots: Vec<_> = options.roots.iter().map(|root| root.path.clone()).collect();
    let inputs = Inputs {
        generation: known.generation,
        source_digest: source_digest(&rejected.sources),
        model_digest: format!("sha256:{}", reconcile::model_digest(&blueprint)),
        revision: options.revision.clone().or_else(|| revision::find(&roots)),
        addressing: places.addressing.clone(),
        uids: &|kind, slug| known.uids.get(&(kind, slug.to_owned())).cloned(),
        builtin_flows: &builtin::flows(),
        texts: named.texts,
        breached_list: named.breached_list,
        duo: duo(options, &blueprint),
        source_secrets: source_secrets(options, &blueprint),
        paths,
    };
    let stamp = stamp(inputs.revision.as_deref(), &inputs.source_digest);
    if let Err(found) = traefik::dynamic(&blueprint, &stamp, options.raw_routers()) {
        rejected.diagnostics.extend(found);
        return Err(Box::new(rejected));
    }
    let sources = rejected.sources.clone();
    let runtime = match compile_runtime(blueprint, sources, inputs) {
        Ok(runtime) => runtime,
        Err(error) => {
            rejected.problems.push(format!("this passed the checks and does not compile: {error}"));
            return Err(Box::new(rejected));
        }
    };
    let report = expectations::run(&runtime, None);
    let failing = test_diagnostics(&runtime, &report);
    let gate = runtime.blueprint.settings.reconcile.tests == TestRule::Gate;
    rejected.diagnostics.extend(failing);
    if demands != Demands::None && gate && !report.failures.is_empty() {
        return Err(Box::new(rejected));
    }
    Ok(Candidate { runtime, report, diagnostics: rejected.diagnostics, nodes, missing, restart })
}

/// What is gone, by its whole path: a log is read far from the server's directory.
fn vanished(options: &Options, problem: &ReadError) -> Option<String> {
    let whole = |path| absolute(&options.environment.working_directory, path).display().to_string();
    match problem {
        ReadError::Missing { path } => Some(format!("{} does not exist", whole(path))),
        ReadError::Empty { path } => Some(format!("no .kdl file lies below {}", whole(path))),
        ReadError::Unreadable { path, reason } => {
            Some(format!("{} cannot be read: {reason}", whole(path)))
        }
        _ => None,
    }
}

/// The account with Duo; without its key nobody is sent there.
fn duo(options: &Options, blueprint: &Blueprint) -> Option<Duo> {
    let declared = blueprint.settings.duo.as_ref()?;
    let key = Secrets::new(options).resolve(declared.secret_key.as_ref()?).ok().flatten()?;
    Some(Duo {
        host: declared.api_host.clone(),
        integration_key: declared.integration_key.clone(),
        secret_key: key,
    })
}

/// Our secrets at other providers, as far as they are there; what is missing was told.
fn source_secrets(options: &Options, blueprint: &Blueprint) -> HashMap<String, Secret> {
    let secrets = Secrets::new(options);
    let secret = |source: &IdentitySource| {
        let found = secrets.resolve(source.client.secret.as_ref()?).ok().flatten()?;
        Some((source.slug.value.clone(), found))
    };
    blueprint.sources.iter().filter_map(secret).collect()
}

fn missing_secrets(options: &Options, blueprint: &Blueprint) -> Vec<String> {
    let secrets = Secrets::new(options);
    let mut missing = Vec::new();
    for (what, reference) in secrets::references(blueprint) {
        if let Err(error) = secrets.resolve(reference) {
            missing.push(format!("{what} ({}): {error}", reference.origin.shown()));
        }
    }
    let ca = blueprint.email.as_ref().and_then(|email| email.ca.as_ref());
    if let Some(path) = ca
        && let Err(error) = secrets.certificates(&path.value)
    {
        missing.push(format!("email ca (\"{}\"): {error}", path.value));
    }
    missing
}

/// Files that Doorward is asked to write where the host does not let it.
fn refused_paths(options: &Options, places: &Places, blueprint: &Blueprint) -> Vec<String> {
    let traefik = blueprint.traefik.as_ref().and_then(|traefik| traefik.write.as_ref());
    let traefik = traefik.map(|path| ("traefik write".to_owned(), path.value.clone()));
    let delivered = generated::wanted(blueprint).into_iter().filter_map(|secret| {
        let what = format!("deliver of {}, {}", secret.owner.subject(), secret.field);
        Some((what, secret.deliver?))
    });
    let allowed = places.writable(options);
    let refused = traefik.into_iter().chain(delivered).filter_map(|(what, declared)| {
        let path = places.written(options, &declared);
        let refused = written_file::permit(&path, &allowed).err()?;
        // A directory that is not there may come yet: that is for writing to tell.
        let comes = matches!(refused, WriteError::NoDirectory { .. });
        (!comes).then(|| format!("{what}: {refused}"))
    });
    refused.collect()
}

/// Failed expectations as complaints with a place.
#[must_use]
pub fn test_diagnostics(runtime: &Runtime, report: &Report) -> Vec<Diagnostic> {
    let gate = runtime.blueprint.settings.reconcile.tests == TestRule::Gate;
    let failed = report.failures.iter().map(|failure| {
        let message = format!("test \"{}\" fails: {}", failure.test, failure.message);
        let made = match gate {
            true => Diagnostic::error("blueprint::test-failed", message),
            false => Diagnostic::warning("blueprint::test-failed", message),
        };
        let by = failure.decided_by.as_ref().map(|by| format!("decided by {by}"));
        made.at(failure.at, by.unwrap_or_else(|| "this does not hold".to_owned()))
    });
    failed.collect()
}

impl Rejected {
    /// Everything that stands in the way, for people.
    #[must_use]
    pub fn render(&self, style: &Style) -> String {
        let mut text = render::render(&self.diagnostics, &self.sources, style);
        for problem in &self.problems {
            text += &format!("error: {problem}\n");
        }
        text
    }

    /// One line for each reason, for logs and status.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let errors = self.diagnostics.iter().filter(|each| each.severity == Severity::Error);
        let lines = errors.map(|each| {
            let at = self.sources.position(each.span());
            let file = self.sources.name(each.span().file);
            format!("{file}:{}:{}: {}: {}", at.line, at.column, each.code, each.message)
        });
        lines.chain(self.problems.iter().cloned()).collect()
    }
}
