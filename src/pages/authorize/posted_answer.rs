//! An answer that a form carries to the app (OAuth 2.0 Form Post Response Mode). The page is no
//! template's: a code is for nobody's look (`security.md` R20).

use axum::body::Body;
use http::Response;

use crate::oidc::authorize::Answer;
use crate::pages::plain::{Plain, escaped};

/// Posts the form; where no script runs there is its button.
const SCRIPT: &str = "document.forms[0].submit()";
/// What the page says.
pub struct Words {
    pub language: String,
    pub title: String,
    pub text: String,
    pub submit: String,
}

/// The page with its form.
pub fn page(answer: &Answer, words: &Words) -> Response<Body> {
    let field = |(name, value): &(&str, String)| {
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n", escaped(value))
    };
    let fields: String = answer.parameters.iter().map(field).collect();
    let main = format!(
        "<p>{}</p>\n<form method=\"post\" action=\"{}\">\n{fields}<button type=\"submit\">{}</button>\n</form>\n",
        escaped(&words.text),
        escaped(&answer.redirect_uri),
        escaped(&words.submit),
    );
    let (language, title) = (&words.language, &words.title);
    Plain { language, title, main: &main, rest: "", script: SCRIPT, policy: "" }.response()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::oidc::authorize::Mode;

    /// `security.md` 12: what the app sent stays text.
    #[tokio::test]
    async fn hostile_values_stay_values() {
        let answer = Answer {
            redirect_uri: "https://wiki.example.com/cb?a=1&b=\"><script>".to_owned(),
            mode: Mode::FormPost,
            parameters: vec![("state", "\"><script>alert(1)</script>'".to_owned())],
        };
        let text = |text: &str| text.to_owned();
        let words =
            Words { language: text("en"), title: text("t"), text: text("w"), submit: text("s") };
        let page = page(&answer, &words).into_body().collect().await.expect("a page").to_bytes();
        let page = String::from_utf8(page.to_vec()).expect("text");
        assert_eq!(page.matches("<script>").count(), 1, "{page}");
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;\""));
        assert!(
            page.contains(
                "action=\"https://wiki.example.com/cb?a=1&amp;b=&quot;&gt;&lt;script&gt;\""
            )
        );
    }
}
