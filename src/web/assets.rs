//! Static files of the shipped look and of an owner's theme, under addresses that hold their digest.
//!
//! Knows no HTTP: it maps an address to bytes, a content type and a caching value.

use std::collections::BTreeMap;
use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Bytes;
use rust_embed::Embed;

use crate::web::colour;
use crate::web::templates::{Marks, Overrides, Picture};

/// A digest in the address: whoever asks again may keep the first answer for ever.
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// A plain name, for addresses inside an owner's style sheet and for `/favicon.ico`.
pub const SHORT: &str = "public, max-age=300";

const MAIL_STYLE: &str = "mail/style.css";

/// The look that is built in.
#[derive(Embed)]
#[folder = "themes/default/"]
pub(crate) struct Shipped;

/// The text of a shipped file, if there is one of that name.
pub(crate) fn shipped_text(name: &str) -> Option<String> {
    Shipped::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned())
}

/// One static file, ready to be served.
#[derive(Clone, Debug)]
pub struct Asset {
    pub content_type: &'static str,
    pub cache_control: &'static str,
    pub bytes: Bytes,
}

/// Every static file of one theme.
#[derive(Debug, Default)]
pub struct Assets {
    by_path: BTreeMap<String, Asset>,
    urls: BTreeMap<String, String>,
    sheets: Vec<String>,
    inline_style: String,
    mail_style: String,
    marks: MarkUrls,
}

/// Where the marks of a brand are to be had.
#[derive(Debug, Default)]
pub struct MarkUrls {
    pub logo: Option<String>,
    pub favicon: Option<String>,
    icons: BTreeMap<String, String>,
}

impl MarkUrls {
    /// The icon of an app.
    #[must_use]
    pub fn icon(&self, app: &str) -> Option<&str> {
        self.icons.get(app).map(String::as_str)
    }
}

impl Assets {
    /// Gathers the shipped files and the owner's; the owner's win where names meet.
    #[must_use]
    pub fn gather(overrides: &Overrides) -> Self {
        let mut assets = Self {
            inline_style: style("inline.css", overrides) + &overrides.marks.tint(),
            mail_style: style(MAIL_STYLE, overrides),
            ..Self::default()
        };
        assets.marks = assets.add_marks(&overrides.marks);
        let background = assets.background(&overrides.marks);
        let own = style("style.css", overrides);
        let sheet = format!("{}{own}{background}", assets.inline_style);
        let sheet = assets.add("style.css", sheet.into_bytes().into());
        assets.sheets.extend(sheet);
        for name in ["favicon.svg", "logo.svg", "passkey.js", "search.js"] {
            if let Some(file) = Shipped::get(name) {
                assets.add(name, file.data.into_owned().into());
            }
        }
        for (name, bytes) in overrides.files() {
            if matches!(name, "style.css" | "inline.css" | MAIL_STYLE) {
                continue;
            }
            let url = assets.add(name, Bytes::copy_from_slice(bytes));
            if is_own_sheet(name) {
                assets.sheets.extend(url);
            }
        }
        if let Some(css) = &overrides.marks.css {
            let url = assets.add("brand/brand.css", css.clone().into_bytes().into());
            assets.sheets.extend(url);
        }
        assets
    }

    /// The file at an address such as `/assets/style.0123456789abcdef.css`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Asset> {
        self.by_path.get(path)
    }

    /// The address of a file by its name in the theme, such as `favicon.svg`.
    #[must_use]
    pub fn url(&self, name: &str) -> Option<&str> {
        self.urls.get(name).map(String::as_str)
    }

    /// The style sheets that pages of the sign-in host link, in order.
    #[must_use]
    pub fn stylesheets(&self) -> &[String] {
        &self.sheets
    }

    /// Where the marks of the brand are to be had.
    #[must_use]
    pub fn marks(&self) -> &MarkUrls {
        &self.marks
    }

    /// The style that pages on application hosts carry themselves.
    #[must_use]
    pub fn inline_style(&self) -> &str {
        &self.inline_style
    }

    /// The style that messages carry themselves.
    #[must_use]
    pub fn mail_style(&self) -> &str {
        &self.mail_style
    }

    fn add_marks(&mut self, marks: &Marks) -> MarkUrls {
        let logo = self.add_picture("brand/logo", marks.logo.as_ref());
        let favicon = self.add_picture("brand/favicon", marks.favicon.as_ref());
        let icons = marks.icons.iter().filter_map(|(app, picture)| {
            Some((app.clone(), self.add_picture(&format!("icons/{app}"), Some(picture))?))
        });
        MarkUrls { icons: icons.collect(), logo, favicon }
    }

    fn add_picture(&mut self, name: &str, picture: Option<&Picture>) -> Option<String> {
        let picture = picture?;
        self.add(&format!("{name}.{}", picture.extension), picture.bytes.clone())
    }

    /// The picture behind the form of a sign-in; what stands beside the form gets a ground of its own.
    fn background(&mut self, marks: &Marks) -> String {
        let url = self.add_picture("brand/background", marks.background.as_ref());
        url.map(|url| BACKGROUND.replace("URL", &url)).unwrap_or_default()
    }

    /// Adds a file under its hashed and its plain address; `None` if its kind is not served.
    fn add(&mut self, name: &str, bytes: Bytes) -> Option<String> {
        let content_type = content_type(name)?;
        let (stem, extension) = name.rsplit_once('.')?;
        let url = format!("/assets/{stem}.{}.{extension}", short_digest(&bytes));
        let asset = Asset { content_type, cache_control: IMMUTABLE, bytes };
        let plain = Asset { cache_control: SHORT, ..asset.clone() };
        self.by_path.insert(url.clone(), asset);
        self.by_path.insert(format!("/assets/{name}"), plain);
        self.urls.insert(name.to_owned(), url.clone());
        Some(url)
    }
}

const BACKGROUND: &str = ".narrow{background:var(--ground) url(URL) center/cover no-repeat fixed}\
    .narrow .top>.brand,.narrow .foot{background:var(--card);border-radius:.75rem;padding:.375rem .875rem}\
    .narrow .foot{inline-size:fit-content;margin:0 auto 1.25rem}";

/// The endings of pictures that a brand or an app may have.
pub const PICTURES: [&str; 6] = ["svg", "png", "jpg", "jpeg", "webp", "ico"];

impl Marks {
    fn tint(&self) -> String {
        self.colour.map(colour::css).unwrap_or_default()
    }
}

/// The content type of a file that may be served, by the ending of its name.
#[must_use]
pub fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

/// Where an owner's own style sheets lie below their folder.
pub const STYLE_SHEETS: &str = "themes/";

/// Style sheets in the owner's `themes/` come after the shipped one, in the order of their names.
fn is_own_sheet(name: &str) -> bool {
    name.starts_with(STYLE_SHEETS) && name.ends_with(".css")
}

fn style(name: &str, overrides: &Overrides) -> String {
    let own = overrides.text(name).map(str::to_owned);
    tightened(&own.or_else(|| shipped_text(name)).unwrap_or_default())
}

/// The style sheet without comments and without spaces that mean nothing. Strings stay as they are.
fn tightened(css: &str) -> String {
    let mut tight = String::with_capacity(css.len());
    let mut quote = None;
    for c in without_comments(css).chars() {
        let c = if quote.is_none() && c.is_whitespace() { ' ' } else { c };
        if quote.is_some() {
            quote = quote.filter(|open| *open != c || tight.ends_with('\\'));
        } else if c == ' ' && (tight.is_empty() || tight.ends_with([' ', '{', '}', ';', ':', ',']))
        {
            continue;
        } else if matches!(c, '{' | '}') && tight.ends_with(' ') {
            tight.pop();
        } else if matches!(c, '"' | '\'') {
            quote = Some(c);
        }
        tight.push(c);
    }
    tight
}

fn without_comments(css: &str) -> String {
    let mut rest = css;
    let mut bare = String::with_capacity(css.len());
    while let Some((before, comment)) = rest.split_once("/*") {
        bare.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    bare.push_str(rest);
    bare
}

fn short_digest(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    digest.as_ref().iter().take(8).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_has_its_digest_in_its_address_and_may_be_kept_for_ever() {
        let assets = Assets::gather(&Overrides::none());
        let url = assets.stylesheets().first().unwrap();
        assert!(url.starts_with("/assets/style.") && url.ends_with(".css"), "{url}");
        let sheet = assets.get(url).unwrap();
        assert_eq!(sheet.content_type, "text/css; charset=utf-8");
        assert_eq!(sheet.cache_control, IMMUTABLE);
        assert!(sheet.bytes.starts_with(assets.inline_style().as_bytes()));
        assert!(sheet.bytes.len() < 18_000, "{} bytes", sheet.bytes.len());
        assert!(assets.get("/assets/style.0000000000000000.css").is_none());
    }

    #[test]
    fn no_style_sheet_reaches_outside() {
        let assets = Assets::gather(&Overrides::none());
        let sheet = assets.get(assets.stylesheets().first().unwrap()).unwrap();
        let text = String::from_utf8(sheet.bytes.to_vec()).unwrap();
        for outside in ["@import", "url(", "http:", "https:"] {
            assert!(!text.contains(outside), "{outside}");
        }
    }

    #[test]
    fn an_owners_files_replace_and_join_the_shipped_ones() {
        let overrides = Overrides::from_files([
            ("themes/b.css", "b{}"),
            ("themes/a.css", "a{}"),
            ("inline.css", "i{} /* a comment */"),
            ("images/door.png", "png"),
            ("notes.md", "not served"),
        ]);
        let assets = Assets::gather(&overrides);
        assert_eq!(assets.inline_style().trim(), "i{}");
        let sheets = assets.stylesheets();
        assert_eq!(sheets.len(), 3);
        assert!(sheets[1].starts_with("/assets/themes/a."), "{sheets:?}");
        assert!(sheets[2].starts_with("/assets/themes/b."), "{sheets:?}");
        assert_eq!(assets.get("/assets/images/door.png").unwrap().cache_control, SHORT);
        assert!(assets.url("images/door.png").is_some());
        assert!(assets.url("notes.md").is_none());
    }

    #[test]
    fn tightening_keeps_what_means_something() {
        let css = ".a .b,\n .c {\n  content: \"a: { b\\\" }\"; margin: calc(1px + 2px)\n}\n";
        let tight = ".a .b,.c{content:\"a: { b\\\" }\";margin:calc(1px + 2px)}";
        assert_eq!(tightened(css), tight);
    }

    #[test]
    fn every_shipped_mark_is_served() {
        let assets = Assets::gather(&Overrides::none());
        for name in ["favicon.svg", "logo.svg"] {
            let asset = assets.get(assets.url(name).unwrap()).unwrap();
            assert_eq!(asset.content_type, "image/svg+xml");
            assert!(asset.bytes.starts_with(b"<svg"));
        }
    }
}
