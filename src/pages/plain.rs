//! Pages that are no template's: what they hold is for nobody's look.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, Response, StatusCode};

use crate::web::reply;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:24rem;margin:20vh auto 0;padding:0 1rem}\
    button{font:inherit;padding:.6rem 1.2rem}";

/// A page of these, which runs this script and no other.
pub struct Plain<'a> {
    /// As text.
    pub language: &'a str,
    pub title: &'a str,
    /// As HTML, behind the title.
    pub main: &'a str,
    /// As HTML, behind the main part.
    pub rest: &'a str,
    pub script: &'a str,
    /// Directives besides the usual ones, each with its `;`.
    pub policy: &'a str,
}

impl Plain<'_> {
    /// `form-action` would have to name every app, and is left out (`security.md` R20).
    pub fn response(&self) -> Response<Body> {
        let Self { main, rest, script, policy, .. } = self;
        let html = format!(
            "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{main}</main>\n\
             {rest}<script>{script}</script>\n</body>\n</html>\n",
            escaped(self.language),
            title = escaped(self.title),
        );
        let mut response = reply::text(StatusCode::OK, "text/html; charset=utf-8", html);
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; {policy}base-uri 'none'; frame-ancestors 'none'",
            digest_source(script),
            digest_source(STYLE)
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

/// The source expression that admits an inline text (CSP3 §2.3.1).
fn digest_source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

/// Text in HTML, also between quotes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
