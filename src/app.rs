//! The server as a whole: opens the store, takes the files into force, listens, and keeps both in
//! step until it is told to stop.

/// A whole store in one file, and back.
pub mod backup;
/// A set of files, judged and compiled, before anything is touched.
pub mod candidate;
/// The certificate that the main listener shows.
pub mod certificate;
/// The secrets of clients, from where the files say that they are.
mod client_secrets;
/// The control socket: how commands on this host reach the running server.
pub mod control;
/// From a request to the front that answers it.
pub mod dispatch;
/// Looking for the usual mistakes around the server.
pub mod doctor;
/// Generated secrets, opened.
pub mod generated;
/// A generation: planned, taken into force, made again from the store.
pub mod generation;
/// The passwords that files give to people who never had one.
pub mod initial_passwords;
/// Where the running server keeps its things, as it tells commands.
pub mod installed;
/// The configuration in force: read, judged, applied, published.
pub mod keeper;
/// Listeners for LDAP clients.
pub mod ldap_listeners;
/// Sockets, connections and an orderly end.
pub mod listen;
mod logouts;
/// The files that brands and apps name.
pub mod look_files;
/// The way to the mail server.
pub mod mail_route;
/// Sending mail.
pub mod mailer;
/// Prometheus metrics.
pub mod metrics;
/// Files that blueprints name, such as terms.
pub mod named_files;
/// Tells chosen events elsewhere.
pub mod notify;
/// Planning and applying when no server runs.
pub mod offline;
/// How many files the process may have open.
pub mod open_files;
/// The store and the master key, opened.
pub mod opening;
/// What the host decides.
pub mod options;
/// The first password: links, made and shown.
pub mod password_link;
/// Where the process keeps and finds its things.
pub mod places;
/// What the configuration in force gives to others: Traefik's file, delivered secrets.
pub mod publish;
/// What the files say and only a restart takes up.
pub mod restart;
/// Which git revision the files are at.
pub mod revision;
/// The values behind references to secrets.
pub mod secrets;
/// Start to finish.
pub mod serve;
/// What runs beside requests.
pub mod tasks;
/// The look of pages and messages.
pub mod theme;
/// What a reload came to.
pub mod verdict;
/// Noticing that files changed.
pub mod watch;
/// One event, posted to a webhook.
pub mod webhook;
