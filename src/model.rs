//! What things are. No I/O, no wire formats, no SQL.

/// Numbers of things, in words.
pub mod counted;
/// What a directory looks like to an LDAP client.
pub mod directory_profile;
/// Distinguished names of LDAP.
pub mod dn;
/// Second factors.
pub mod factor;
/// Names as they are compared.
pub mod fold;
/// Path patterns.
pub mod glob;
/// Canonical hosts and host patterns.
pub mod host;
/// Networks in CIDR notation.
pub mod network;
/// Hashes of passwords that files bring along.
pub mod password_hash;
/// Numbers that hosts know people and groups by.
pub mod posix_number;
/// Where authorization codes may be delivered.
pub mod redirect_uri;
/// What an API token may do here.
pub mod scope;
/// Mail servers and how connections to them are protected.
pub mod smtp_server;
/// Whom a rule is about.
pub mod subject;
/// Weekly windows of time in a zone.
pub mod time_window;
/// The names of accounts.
pub mod user_name;
/// Web addresses and the addresses of listeners, as blueprints write them.
pub mod web_url;
