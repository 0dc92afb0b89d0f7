//! What things are. No I/O, no wire formats, no SQL.

/// Path patterns.
pub mod factor;
pub mod glob;
/// Canonical hosts and host patterns.
pub mod host;
/// Networks in CIDR notation.
pub mod network;
pub mod subject;
/// Weekly windows of time in a zone.
pub mod time_window;
/// Web addresses and the addresses of listeners, as blueprints write them.
pub mod web_url;
