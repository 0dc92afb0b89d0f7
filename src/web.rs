//! Cookies, forms, CSRF, pages and their templates.
