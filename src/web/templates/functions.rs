//! What templates may call: texts, icons, addresses, and the only way to open a form.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, HtmlEscape};

use super::Catalogue;
use crate::web::assets::{Assets, Shipped, shipped_text};

/// The name of the hidden field that holds the form token.
pub const CSRF_FIELD: &str = "csrf";

/// Colours that tiles without an icon take turns in (`tile-0` and on in the style sheet).
const HUES: u32 = 6;

/// Adds the functions and filters that every template may use.
pub(super) fn add(environment: &mut Environment<'static>, assets: &Arc<Assets>) {
    let files = Arc::clone(assets);
    environment.add_function("asset", move |name: &str| asset(&files, name));
    let sheets: Vec<Value> =
        assets.stylesheets().iter().map(|url| Value::from_safe_string(escaped(url))).collect();
    environment.add_function("stylesheets", move || sheets.clone());
    let icons = icons();
    environment.add_function("icon", move |name: &str| icon(&icons, name));
    environment.add_filter("href", href);
    environment.add_filter("local", local);
    environment.add_filter("otpauth", otpauth);
    environment.add_filter("initial", initial);
    environment.add_filter("hue", hue);
}

/// Has templates speak the language of a catalogue.
pub(super) fn speak(environment: &mut Environment<'static>, catalogue: Catalogue) {
    environment.add_function("t", move |key: &str, values: Kwargs| text(&catalogue, key, &values));
}

/// A function that writes the opening tag of a form: `form_open(action, class="…")`. Without an
/// action the form goes to the page's own address, which templates do not know. The token is no
/// part of what it returns, which a template could cut up; it is put into the finished page
/// (security.md R20).
pub(super) fn form_open(may_open: bool, opened: &Arc<AtomicUsize>) -> Value {
    let opened = Arc::clone(opened);
    Value::from_function(move |action: Option<&str>, options: Kwargs| {
        let class = options.get::<Option<&str>>("class")?;
        options.assert_all_used()?;
        if !may_open {
            let reason = "this page has no form token, so it cannot hold a form";
            return Err(refusal(reason.to_owned()));
        }
        if let Some(action) = action.filter(|action| !is_local(action)) {
            return Err(refusal(format!("a form goes to a path on this host, not to `{action}`")));
        }
        opened.fetch_add(1, Ordering::Relaxed);
        let action = action.map(|action| format!(" action=\"{}\"", escaped(action)));
        let class = class.map(|class| format!(" class=\"{}\"", HtmlEscape(class)));
        Ok(Value::from_safe_string(format!(
            "<form method=\"post\"{}{}>",
            action.unwrap_or_default(),
            class.unwrap_or_default(),
        )))
    })
}

/// The finished page with the hidden field put in at each of `places`, which are in order.
pub(super) fn with_token(html: &str, places: &[usize], token: &str) -> String {
    let field =
        format!("\n<input type=\"hidden\" name=\"{CSRF_FIELD}\" value=\"{}\">", HtmlEscape(token));
    let mut page = String::with_capacity(html.len());
    let mut done = 0;
    for &place in places {
        page.push_str(html.get(done..place).unwrap_or_default());
        page.push_str(&field);
        done = place;
    }
    page.push_str(html.get(done..).unwrap_or_default());
    page
}

/// Whether an address is a path on the host that the page came from.
pub(super) fn is_local(url: &str) -> bool {
    url.starts_with('/')
        && !url.starts_with("//")
        && !url.contains(|c: char| c == '\\' || c.is_control())
}

/// An address that an authenticator app opens; any other becomes `#`.
fn otpauth(url: &str) -> Value {
    let known = url.starts_with("otpauth://totp/");
    Value::from_safe_string(if known { escaped(url) } else { "#".to_owned() })
}

fn text(catalogue: &Catalogue, key: &str, values: &Kwargs) -> Result<String, Error> {
    let mut given = BTreeMap::new();
    for name in values.args() {
        let value = values.get::<Value>(name)?;
        if value.is_undefined() || value.is_none() {
            return Err(refusal(format!("the value `{name}` of the text `{key}` is missing")));
        }
        given.insert(name.to_owned(), value.to_string());
    }
    catalogue.text(key, &given).map_err(|error| refusal(error.to_string()))
}

fn asset(assets: &Assets, name: &str) -> Result<Value, Error> {
    let url = assets.url(name).ok_or_else(|| refusal(format!("there is no file `{name}`")))?;
    Ok(Value::from_safe_string(escaped(url)))
}

/// Every shipped drawing by its name; `logo` is the mark.
fn icons() -> BTreeMap<String, Value> {
    let drawing = |file: &str| {
        let text = shipped_text(file).unwrap_or_default();
        Value::from_safe_string(text.trim_end().to_owned())
    };
    let mut icons = BTreeMap::from([("logo".to_owned(), drawing("favicon.svg"))]);
    for file in Shipped::iter() {
        if let Some(name) = file.strip_prefix("icons/").and_then(|name| name.strip_suffix(".svg")) {
            icons.insert(name.to_owned(), drawing(&file));
        }
    }
    icons
}

/// The drawing itself, so that pages which may load nothing have it too.
fn icon(icons: &BTreeMap<String, Value>, name: &str) -> Result<Value, Error> {
    icons.get(name).cloned().ok_or_else(|| refusal(format!("there is no icon `{name}`")))
}

/// An address that is safe to follow; anything else leads nowhere.
fn href(url: &str) -> Value {
    let lower = url.to_ascii_lowercase();
    let known = ["https://", "http://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme));
    let safe = known || is_local(url) || url.starts_with('#');
    Value::from_safe_string(if safe { escaped(url) } else { "#".to_owned() })
}

/// An address on this host, or nothing: for pictures and style sheets.
fn local(url: Option<&str>) -> Option<Value> {
    url.filter(|url| is_local(url)).map(|url| Value::from_safe_string(escaped(url)))
}

/// The letter that stands for a name where there is no picture.
fn initial(name: &str) -> String {
    let letter = name.chars().find(|c| c.is_alphanumeric());
    letter.map_or_else(|| "·".to_owned(), |letter| letter.to_uppercase().collect())
}

/// A colour that stays the same for the same name.
fn hue(name: &str) -> u32 {
    let mix = |sum: u32, byte: u8| (sum.rotate_left(5) ^ u32::from(byte)).wrapping_mul(0x9e37_79b1);
    (name.bytes().fold(0, mix) >> 16) % HUES
}

/// Escapes for an attribute and leaves slashes readable.
pub(super) fn escaped(text: &str) -> String {
    HtmlEscape(text).to_string().replace("&#x2f;", "/")
}

fn refusal(reason: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_a_person_may_follow_survive() {
        for good in ["/", "/sign-out?x=1", "https://a.example/b", "mailto:a@b.example", "#main"] {
            assert_eq!(href(good).to_string(), good);
        }
        for bad in
            ["javascript:alert(1)", "JaVaScRiPt:x", "//evil.example", "/\\evil", "data:x", ""]
        {
            assert_eq!(href(bad).to_string(), "#", "{bad}");
        }
        assert_eq!(href("/\"><script>").to_string(), "/&quot;&gt;&lt;script&gt;");
    }

    #[test]
    fn an_initial_is_the_first_letter_that_can_be_read() {
        assert_eq!(initial("ada"), "A");
        assert_eq!(initial("<b>"), "B");
        assert_eq!(initial("ßeta"), "SS");
        assert_eq!(initial("  "), "·");
    }

    #[test]
    fn a_hue_is_one_that_the_style_sheet_knows() {
        for name in ["grafana", "gitea", "pi-hole", "", "é"] {
            assert!(hue(name) < HUES);
        }
        assert_eq!(hue("grafana"), hue("grafana"));
    }
}
