//! The process as a whole: how it starts, what its commands say.

mod check;
mod commands;
mod doctor;
mod elsewhere;
mod seldom;
mod start;

use super::support::server::household;

const WIKI: &str = r#"app wiki "Wiki" protect {
    proxy "http://wiki.localhost:9000"; access { allow group:users }
}"#;
