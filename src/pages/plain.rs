//! Pieces of pages that are no template's.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:24rem;margin:20vh auto 0;padding:0 1rem}\
    button{font:inherit;padding:.6rem 1.2rem}";

/// The source expression that admits an inline text (CSP3 §2.3.1).
pub fn digest_source(text: &str) -> String {
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
