//! Cookies, forms, CSRF, pages and their templates.

/// A browser in words for people.
pub mod agent;
/// The shipped look's static files and an owner's own, under hashed addresses.
pub mod assets;
/// A colour of a brand, legible in light and dark.
pub mod colour;
/// Cookies in both directions.
pub mod cookies;
/// A credential of ours in `Authorization`, told from everybody else's.
pub mod credential;
/// What a page may load and where its forms may go.
pub mod csp;
/// Forms that only our own pages can post.
pub mod csrf;
/// Posted forms.
pub mod form;
/// The language that a visitor reads.
pub mod language;
/// The look of each brand, swapped as a whole.
pub mod looks;
/// Plain text of an owner as blocks of a page.
pub mod prose;
/// What was refused, by a name to ask about it.
pub mod refused;
/// Answers: pages, redirects and their headers.
pub mod reply;
/// Everything that a request may need.
pub mod server;
/// Typed pages and the theme that renders them.
pub mod templates;
/// A token that a request brings, looked up within what its address has left.
pub mod token;
/// Who talks to us, and for whom.
pub mod visitor;
