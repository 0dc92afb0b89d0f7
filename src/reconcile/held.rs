//! Reasons to hold a set of files back until a person confirms each one by name.
//!
//! Removal beyond the prune guard, changes of power, weaker sign-in, removed checks, secrets that
//! move (`security.md` R3, R5; `blueprints.md` 4.4). Nothing of a held set is applied.

use super::confirmation::argument;
use super::identity::Matched;
use super::power::Side;
use super::stored::Stored;
use crate::blueprint::Blueprint;
use crate::blueprint::source::Span;
use crate::runtime::Runtime;

mod checks;
mod directory;
mod flows;
mod power;
mod prune;
pub mod secrets;
mod settings;
mod sources;

/// Why a set is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable, such as `protected`.
    pub code: &'static str,
    /// `app vaultwarden`, `settings`.
    pub object: String,
    /// `apps/vaultwarden.kdl:1`; empty where there is none.
    pub place: String,
    /// A sentence without a full stop.
    pub sentence: String,
    /// Every argument that must be given; none if nothing can confirm it.
    pub confirm: Vec<String>,
}

impl Reason {
    /// The sentence with what confirms it, for status and log.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} ({})", self.sentence, self.confirm.join(" "))
    }
}

/// Everything that reasons are found in.
pub struct Case<'a> {
    pub before: Side<'a>,
    pub after: Side<'a>,
    pub stored: &'a Stored,
    pub matched: &'a [Matched],
}

impl<'a> Case<'a> {
    fn old_files(&self) -> &'a Blueprint {
        &self.before.runtime.blueprint
    }

    fn new_files(&self) -> &'a Blueprint {
        &self.after.runtime.blueprint
    }

    fn place(&self, at: Span) -> String {
        self.after.runtime.sources.place(at)
    }
}

/// Reasons that need a generation before this one.
pub fn reasons(case: &Case<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    prune::find(case, &mut reasons);
    power::find(case, &mut reasons);
    settings::find(case, &mut reasons);
    flows::find(case, &mut reasons);
    checks::find(case, &mut reasons);
    secrets::find(case, &mut reasons);
    sources::find(case, &mut reasons);
    directory::find(case, &mut reasons);
    reasons
}

/// Reasons that need no generation to compare with.
pub fn contradictions(
    before: Option<&Runtime>,
    after: &Runtime,
    stored: &Stored,
    matched: &[Matched],
    vanished_roots: &[String],
) -> Vec<Reason> {
    let mut reasons = prune::adoptions(after, stored, matched);
    reasons.extend(prune::still_there(after));
    reasons.extend(prune::addresses_taken(after, stored, matched));
    reasons.extend(prune::protected_objects(stored, matched));
    if stored.active.is_some() && before.is_none() {
        reasons.push(unknown_base());
    }
    reasons.extend(vanished_roots.iter().map(|root| {
        let sentence = format!("`{root}` is missing, unreadable or holds no .kdl file");
        Reason::new("vanished-root", format!("root {root}"), String::new(), sentence)
            .confirmed_by("--allow", &format!("root:{root}"))
    }));
    reasons
}

/// Without the generation in force nobody can say what grows weaker.
fn unknown_base() -> Reason {
    let sentence = "the running generation cannot be read by this version, so that changes of \
        power would go unseen"
        .to_owned();
    Reason::new("unknown-base", "generation".to_owned(), String::new(), sentence)
        .confirmed_by("--allow", "unknown-base")
}

impl Reason {
    fn new(code: &'static str, object: String, place: String, sentence: String) -> Self {
        Self { code, object, place, sentence, confirm: Vec::new() }
    }

    fn confirmed_by(mut self, flag: &str, name: &str) -> Self {
        self.confirm.push(argument(flag, name));
        self
    }
}
