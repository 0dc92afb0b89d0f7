//! The vocabulary of blueprints: one static table that validation, suggestions, name resolution,
//! the reference and editors read.
//!
//! It knows words and the kinds of values that may stand behind them. It knows neither the typed
//! blueprint nor what objects mean to each other.

mod app;
mod expectation;
mod flow;
mod identity_source;
mod oidc;
mod people;
mod policy;
mod reference;
mod settings;
mod stages;
mod text;
mod traefik;
mod visit;
mod want;

pub use reference::{form, reference};
pub use stages::purposes;
pub use visit::{Entries, Place, entries, visit, wanted};
pub use want::{CelContext, CelWant, Want};

/// One word of the language and everything that may stand with it.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// A text that is valid where the node may stand.
    pub example: &'static str,
    pub args: &'static [Arg],
    /// Bare words on the line, or empty children.
    pub switches: &'static [&'static str],
    pub props: &'static [PropSpec],
    pub lasts: Lasts,
    pub kids: &'static [Kid],
    /// Takes `if` and `unless`, as children, besides `kids`.
    pub conditional: bool,
    /// The order of the children matters.
    pub ordered: bool,
}

/// A value by position.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    pub name: &'static str,
    pub want: Want,
    pub needed: bool,
    /// Takes all that follow.
    pub many: bool,
}

/// A value by name.
#[derive(Clone, Copy, Debug)]
pub struct PropSpec {
    pub name: &'static str,
    pub want: Want,
    pub needed: bool,
}

/// Whether a node takes `seconds= minutes= hours= days= weeks=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    No,
    Must,
    May,
    /// Only, and always, with this switch.
    With(&'static str),
}

/// A node inside another.
#[derive(Clone, Copy, Debug)]
pub struct Kid {
    pub spec: &'static Spec,
    pub needed: bool,
    pub many: bool,
}

/// The units of a duration and their seconds.
pub const UNITS: [(&str, u64); 5] =
    [("seconds", 1), ("minutes", 60), ("hours", 3600), ("days", 86_400), ("weeks", 604_800)];

/// What may stand at the top level.
pub static ROOT: Spec =
    node("blueprint", "All files together.", "group users \"Household\"").kids(&[
        many(&text::LET),
        many(&text::TEMPLATE),
        many(&text::USE),
        many(&text::EACH),
        once(&settings::SETTINGS),
        once(&settings::SERVER),
        once(&settings::EMAIL),
        once(&traefik::TRAEFIK),
        once(&settings::LDAP),
        many(&people::GROUP),
        many(&people::USER),
        many(&people::SERVICE_ACCOUNT),
        many(&policy::POLICY),
        many(&flow::FLOW),
        many(&app::APP),
        many(&identity_source::SOURCE),
        many(&settings::BRAND),
        many(&settings::NOTIFY),
        many(&expectation::PERSONA),
        many(&expectation::TEST),
        many(&expectation::INVARIANT),
    ]);

/// The node under a path of names such as `["app", "access", "allow"]`; the empty path is all.
#[must_use]
pub fn lookup(path: &[&str]) -> Option<&'static Spec> {
    path.iter().try_fold(&ROOT, |spec, name| spec.kid(name).map(|kid| kid.spec))
}

/// Every node that has this name, with the names of the nodes around it.
#[must_use]
pub fn named(name: &str) -> Vec<(Vec<&'static str>, &'static Spec)> {
    let mut found = all();
    found.retain(|(_, spec)| spec.name == name);
    found
}

/// Every node of the language with the names of the nodes around it; a node that may stand
/// in itself is listed once.
#[must_use]
pub fn all() -> Vec<(Vec<&'static str>, &'static Spec)> {
    let mut found = Vec::new();
    gather(&ROOT, &[], &mut found);
    found
}

fn gather(spec: &'static Spec, path: &[&'static str], found: &mut Vec<Found>) {
    for kid in spec.every_kid() {
        found.push((path.to_vec(), kid.spec));
        let in_itself = !spec.kids.is_empty() && std::ptr::eq(spec.kids, kid.spec.kids);
        if !in_itself {
            let inner: Vec<&'static str> = path.iter().copied().chain([kid.spec.name]).collect();
            gather(kid.spec, &inner, found);
        }
    }
}

type Found = (Vec<&'static str>, &'static Spec);

impl Spec {
    /// The children that may stand here, `if` and `unless` included.
    pub fn every_kid(&self) -> impl Iterator<Item = Kid> + use<> {
        let conditions: &'static [Kid] = if self.conditional { policy::CONDITIONS } else { &[] };
        self.kids.iter().chain(conditions).copied()
    }

    #[must_use]
    pub fn kid(&self, name: &str) -> Option<Kid> {
        self.every_kid().find(|kid| kid.spec.name == name)
    }

    #[must_use]
    pub fn prop(&self, name: &str) -> Option<&'static PropSpec> {
        self.props.iter().find(|prop| prop.name == name)
    }

    #[must_use]
    pub fn takes_duration(&self) -> bool {
        self.lasts != Lasts::No
    }

    const fn args(mut self, args: &'static [Arg]) -> Self {
        self.args = args;
        self
    }

    const fn switches(mut self, switches: &'static [&'static str]) -> Self {
        self.switches = switches;
        self
    }

    const fn props(mut self, props: &'static [PropSpec]) -> Self {
        self.props = props;
        self
    }

    const fn lasts(mut self, lasts: Lasts) -> Self {
        self.lasts = lasts;
        self
    }

    const fn kids(mut self, kids: &'static [Kid]) -> Self {
        self.kids = kids;
        self
    }

    const fn conditional(mut self) -> Self {
        self.conditional = true;
        self
    }

    const fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }
}

const fn node(name: &'static str, doc: &'static str, example: &'static str) -> Spec {
    Spec {
        name,
        doc,
        example,
        args: &[],
        switches: &[],
        props: &[],
        lasts: Lasts::No,
        kids: &[],
        conditional: false,
        ordered: false,
    }
}

/// A child that may stand once.
const fn once(spec: &'static Spec) -> Kid {
    Kid { spec, needed: false, many: false }
}

/// A child that must stand once.
const fn must(spec: &'static Spec) -> Kid {
    Kid { spec, needed: true, many: false }
}

/// A child that may stand several times.
const fn many(spec: &'static Spec) -> Kid {
    Kid { spec, needed: false, many: true }
}

/// An argument that must be given.
const fn arg(name: &'static str, want: Want) -> Arg {
    Arg { name, want, needed: true, many: false }
}

/// An argument that may be given.
const fn maybe(name: &'static str, want: Want) -> Arg {
    Arg { name, want, needed: false, many: false }
}

/// One argument or more.
const fn several(name: &'static str, want: Want) -> Arg {
    Arg { name, want, needed: true, many: true }
}

/// Any number of arguments.
const fn any_number(name: &'static str, want: Want) -> Arg {
    Arg { name, want, needed: false, many: true }
}

/// A property that may be given.
const fn prop(name: &'static str, want: Want) -> PropSpec {
    PropSpec { name, want, needed: false }
}

/// A property that must be given.
const fn need(name: &'static str, want: Want) -> PropSpec {
    PropSpec { name, want, needed: true }
}
