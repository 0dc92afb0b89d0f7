//! The process as a whole: how it starts, what its commands say.

mod check;
mod commands;
mod doctor;
mod elsewhere;
mod looks;
mod notify;
mod refused;
mod restart;
mod seldom;
mod start;
mod tls;
mod vanished;
mod wrong_address;

use super::support::server::household;

const WIKI: &str = r#"app wiki "Wiki" protect {
    proxy "http://wiki.localhost:9000"; access { allow group:users }
}"#;
