//! KDL text to a typed `Blueprint`.
//!
//! Files pass a lexical guard, the KDL parser, the expansion of `let`, `template`, `use` and
//! `each`, the schema table and the checks between objects. Every step adds complaints and goes on.
//! Nothing here knows the store, the network, the environment or the value of a secret.

pub mod builtin;
pub mod checks;
pub mod decode;
pub mod diagnostic;
pub mod expand;
pub mod guard;
pub mod json_input;
pub mod load;
pub mod masked;
pub mod names;
pub mod read;
pub mod render;
#[cfg(test)]
mod sample;
pub mod schema;
pub mod source;
pub mod stored;
pub mod suggest;
pub mod syntax;
pub mod tokens;
pub mod tree;
pub mod understand;
pub mod validate;

pub mod app;
pub mod expectation;
pub mod flow;
pub mod identity_source;
pub mod object;
pub mod oidc;
pub mod people;
pub mod policy;
pub mod secret_ref;
pub mod settings;
pub mod traefik;

/// Everything that a set of files declares.
#[derive(Clone, Debug)]
pub struct Blueprint {
    pub server: settings::Server,
    pub settings: settings::Settings,
    pub email: Option<settings::Email>,
    pub traefik: Option<traefik::Traefik>,
    pub ldap: Option<settings::LdapServer>,
    pub brands: Vec<settings::Brand>,
    pub notifies: Vec<settings::Notify>,
    pub groups: Vec<people::Group>,
    pub users: Vec<people::User>,
    pub service_accounts: Vec<people::ServiceAccount>,
    pub policies: Vec<policy::Policy>,
    pub flows: Vec<flow::Flow>,
    pub apps: Vec<app::App>,
    pub sources: Vec<identity_source::IdentitySource>,
    pub personas: Vec<expectation::Persona>,
    pub tests: Vec<expectation::Test>,
    pub invariants: Vec<expectation::Invariant>,
    /// Every named object with its expanded node, by kind and slug.
    pub objects: Vec<object::Object>,
    /// The expanded nodes without an identity of their own: `server`, `settings`, `email`,
    /// `traefik`, `ldap`, `persona`, `test`, `invariant`.
    pub singles: Vec<tree::Node>,
}
