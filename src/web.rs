//! Cookies, forms, CSRF, pages and their templates.

/// The shipped look's static files and an owner's own, under hashed addresses.
pub mod assets;
/// What a page may load and where its forms may go.
pub mod csp;
/// Typed pages and the theme that renders them.
pub mod templates;
