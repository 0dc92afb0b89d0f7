//! The only place that grants.
//!
//! It knows compiled policies and rules, one canonical request and one person, and answers with a
//! decision and the rule that made it. It knows no HTTP, no store and no blueprint text.

pub mod condition;
pub mod decide;
pub mod groups;
pub mod path;
pub mod person;
pub mod rule;
pub mod target;

pub use decide::{By, Decision, Query, Trace, Verdict, decide};
pub use person::Person;
pub use target::Target;
