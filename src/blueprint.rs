//! KDL text to a typed `Blueprint`.
//!
//! Files pass a lexical guard, the KDL parser, the expansion of `let`, `template`, `use` and
//! `each`, the schema table and the checks between objects. Every step adds complaints and goes on.
//! Nothing here knows the store, the network, the environment or the value of a secret.

pub mod diagnostic;
pub mod expand;
pub mod guard;
pub mod json_input;
pub mod masked;
pub mod read;
pub mod render;
pub mod source;
pub mod suggest;
pub mod syntax;
pub mod tokens;
pub mod tree;
