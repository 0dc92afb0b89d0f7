//! Content-Security-Policy values, one per class of page.
//!
//! Knows no page and no route: the caller says which class an answer belongs to.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What kind of page an answer is, for its content policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageClass {
    /// A page of the sign-in host whose forms come back to the sign-in host.
    SignInHost,
    /// A page of the sign-in host whose POST ends in a redirect to an application: browsers
    /// apply `form-action` to the whole chain, so it is left out (security.md R20).
    OnwardToApp,
    /// A page on an application's own host: its style by digest, and nothing else.
    AppHost,
}

/// The policy of the static files: an SVG that is opened by itself may draw and nothing more.
pub const ASSET_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                   font-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The header values, made once from the inline style that app-host pages carry.
#[derive(Clone, Debug)]
pub struct ContentPolicies {
    own: String,
    app_host: String,
    style: String,
}

impl ContentPolicies {
    /// Makes the values for pages that carry `inline_style` between `<style>` and `</style>`.
    #[must_use]
    pub fn new(inline_style: &str) -> Self {
        let style = style_source(inline_style);
        Self {
            own: format!("{OWN}; form-action 'self'"),
            app_host: format!(
                "default-src 'none'; style-src {style}; form-action 'none'; base-uri 'none'; \
                 frame-ancestors 'none'"
            ),
            style,
        }
    }

    /// The header value for a page of this class.
    #[must_use]
    pub fn value(&self, class: PageClass) -> &str {
        match class {
            PageClass::SignInHost => &self.own,
            PageClass::OnwardToApp => OWN,
            PageClass::AppHost => &self.app_host,
        }
    }

    /// The source expression that admits the inline style: `'sha256-…'`.
    #[must_use]
    pub fn style_source(&self) -> &str {
        &self.style
    }
}

/// CSP3 §2.3.1: a hash source over the bytes of the element's text.
fn style_source(inline_style: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, inline_style.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_one_that_browsers_compute() {
        let policies = ContentPolicies::new("");
        let empty = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
        assert_eq!(policies.style_source(), empty);
        assert!(policies.value(PageClass::AppHost).contains(empty));
    }

    /// security.md R20
    #[test]
    fn nothing_is_open_by_default_and_forms_stay_here() {
        let policies = ContentPolicies::new("body{}");
        for class in [PageClass::SignInHost, PageClass::OnwardToApp, PageClass::AppHost] {
            let value = policies.value(class);
            assert!(value.starts_with("default-src 'none'; "), "{value}");
            assert!(value.contains("base-uri 'none'"), "{value}");
            assert!(value.contains("frame-ancestors 'none'"), "{value}");
            assert!(!value.contains("unsafe"), "{value}");
            assert!(!value.contains("  "), "{value}");
        }
        assert!(policies.value(PageClass::SignInHost).contains("form-action 'self'"));
        assert!(!policies.value(PageClass::OnwardToApp).contains("form-action"));
        assert!(policies.value(PageClass::AppHost).contains("form-action 'none'"));
        assert!(!policies.value(PageClass::AppHost).contains("'self'"));
        assert!(!policies.value(PageClass::AppHost).contains("script-src"));
    }
}
