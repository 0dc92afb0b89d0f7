//! What a request of the sign-in host comes with: where it is from and who is signed in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::ACCEPT_LANGUAGE;
use http::{HeaderValue, Response, request};

use super::Pages;
use super::onward::Onward;
use crate::access::condition::Reputation;
use crate::access::target::Client;
use crate::blueprint::flow::Flow;
use crate::forward_auth::handover;
use crate::oidc;
use crate::runtime::Runtime;
use crate::runtime::app::App;
use crate::secret::TokenDigest;
use crate::session::{SessionError, SignIn};
use crate::web::cookies::{self, NewCookie};
use crate::web::reply::{self, For};
use crate::web::server::Server;
use crate::web::templates::{ErrorKind, ErrorPage, Page, Templates};
use crate::web::{csrf, visitor};

/// One request to the sign-in host.
pub struct Visit<'a> {
    pub pages: &'a Pages,
    pub server: &'a Server,
    pub runtime: Arc<Runtime>,
    pub parts: request::Parts,
    pub client: Client,
}

impl<'a> Visit<'a> {
    pub fn new(
        pages: &'a Pages,
        runtime: Arc<Runtime>,
        parts: request::Parts,
        peer: SocketAddr,
    ) -> Self {
        let server = &*pages.server;
        let client = visitor::client(server, &runtime, &parts.headers, peer);
        let mut visit = Self { pages, server, runtime, parts, client };
        visit.read_languages();
        visit
    }

    /// An app may say which languages its person reads (`ui_locales`, OIDC Core §3.1.2.1); it is asked
    /// in the place of the browser.
    fn read_languages(&mut self) {
        let said = self.onward().map(|onward| onward.languages().join(", "));
        let said = said.filter(|said| !said.is_empty());
        if let Some(said) = said.and_then(|said| HeaderValue::from_str(&said).ok()) {
            self.parts.headers.insert(ACCEPT_LANGUAGE, said);
        }
    }

    /// The same visitor at another path of this host.
    pub fn at(&self, path: &str) -> Option<Self> {
        let mut parts = self.parts.clone();
        parts.uri = path.parse().ok()?;
        let runtime = Arc::clone(&self.runtime);
        Some(Self { pages: self.pages, server: self.server, runtime, parts, client: self.client })
    }

    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// A query parameter; given twice it is none.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.parts.uri.query().unwrap_or("").as_bytes();
        let mut found = url::form_urlencoded::parse(query).filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value.into_owned()),
            _ => None,
        }
    }

    /// The path of this host to go on to after a sign-in: never another host (`security.md` 12).
    pub fn next(&self) -> String {
        let next = self.query("next").filter(|next| is_own_path(next));
        next.unwrap_or_else(|| "/".to_owned())
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookies::find(&self.parts.headers, name)
    }

    /// The live sign-in of this browser, if it came by `app`'s flow, or else the default one.
    pub async fn sign_in_for(
        &self,
        app: Option<&App>,
    ) -> Result<Option<Arc<SignIn>>, SessionError> {
        let now = self.server.clock.now();
        let flow = self.runtime.authentication_flow(app);
        let found = self.sign_in().await?;
        Ok(found.filter(|sign_in| flow.is_some_and(|flow| sign_in.passed(&flow.slug.value, now))))
    }

    /// The live sign-in of this browser, whichever flow it came by.
    pub async fn sign_in(&self) -> Result<Option<Arc<SignIn>>, SessionError> {
        match self.cookie(&self.session_cookie()) {
            Some(token) => {
                let found = self.server.sessions.find_sign_in(token).await?;
                if let Some(sign_in) = &found {
                    self.server.sessions.touch(sign_in, self.server.clock.now());
                }
                Ok(found)
            }
            None => Ok(None),
        }
    }

    /// How this address and an account, if it is known, behaved of late.
    pub async fn reputation(&self, user_id: Option<&str>) -> Reputation {
        visitor::reputation(self.server, self.client, user_id).await
    }

    pub fn session_cookie(&self) -> String {
        self.own_cookie("doorward")
    }

    pub fn flow_cookie(&self) -> String {
        self.own_cookie("doorward-flow")
    }

    /// The cookie by which a browser is known again.
    pub fn browser_cookie(&self) -> String {
        self.own_cookie("doorward-browser")
    }

    /// This browser, if somebody signed in with it before.
    pub fn browser(&self) -> Option<TokenDigest> {
        let cookie = self.cookie(&self.browser_cookie())?;
        Some(self.server.key.digest(cookie.as_bytes()))
    }

    /// Cookies do not know ports, and the prefix needs https.
    fn own_cookie(&self, name: &str) -> String {
        let external = &self.runtime.external;
        match (external.secure, external.port) {
            (true, _) => format!("__Host-{name}"),
            (false, 80) => name.to_owned(),
            (false, port) => format!("{name}-{port}"),
        }
    }

    pub fn set_cookie(
        &self,
        response: &mut Response<Body>,
        name: &str,
        value: &str,
        lasts: Option<Duration>,
    ) {
        let secure = self.runtime.external.secure;
        reply::set_cookie(response, NewCookie { name, value, secure, domain: None, lasts });
    }

    /// Whether a form comes from our own page: the browser says so and the token is right.
    pub fn is_ours(&self, cookie: Option<&str>, posted: &str) -> bool {
        let own = self.runtime.external.to_string();
        csrf::is_same_origin(&self.parts.headers, &own)
            && cookie.is_some_and(|cookie| csrf::fits(&self.server.key, cookie, posted))
    }

    pub fn agent(&self) -> String {
        let agent = self.parts.headers.get(http::header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or("");
        agent.chars().take(200).collect()
    }

    /// The host of the app that this leads to, which chooses the look.
    pub fn host(&self) -> Option<String> {
        let next = match self.path() {
            handover::START | oidc::AUTHORIZE => {
                self.parts.uri.path_and_query()?.as_str().to_owned()
            }
            _ => self.next(),
        };
        Onward::of(self, &next)?.host()
    }

    /// Where the flow leads, if it is into an app.
    pub fn onward(&self) -> Option<Onward<'_>> {
        Onward::of(self, &self.next())
    }

    /// The look of pages here.
    pub fn look(&self) -> Arc<Templates> {
        let brand = self.runtime.brand(self.host().as_deref());
        Arc::clone(self.server.looks.load().of(brand))
    }

    /// Renders a page with the look of the app that this leads to.
    pub fn page<P: Page>(&self, wanted: For<'_>, page: &P) -> Response<Body> {
        let host = self.host();
        let wanted = For { host: host.as_deref(), ..wanted };
        reply::page(self.server, &self.runtime, wanted, page)
    }

    /// The language for somebody who chose this one, or none.
    pub fn language(&self, chosen: Option<&str>) -> String {
        self.look().language(chosen, &self.parts.headers).to_owned()
    }

    /// What a flow calls itself. One that every installation has speaks the language of its person.
    pub fn title(&self, flow: &Flow, chosen: Option<&str>) -> String {
        let slug = &flow.slug.value;
        let own = slug.strip_prefix("builtin.");
        let own = own.and_then(|name| self.say(&format!("flow.title.{name}"), chosen));
        own.or_else(|| flow.title.clone()).unwrap_or_else(|| slug.clone())
    }

    /// A text without values.
    pub fn say(&self, key: &str, chosen: Option<&str>) -> Option<String> {
        self.look().say(&self.language(chosen), key)
    }

    pub fn address(&self) -> String {
        self.client.address().map_or_else(|| "unknown".to_owned(), |address| address.to_string())
    }

    pub fn error(&self, kind: ErrorKind) -> Response<Body> {
        self.error_with(ErrorPage::new(kind))
    }

    pub fn error_with(&self, page: ErrorPage) -> Response<Body> {
        super::error_page(self.server, &self.runtime, &self.parts.headers, &page)
    }

    /// Too many guesses were made: the visitor is asked to come back to `retry` after `wait`.
    pub fn too_many(&self, wait: Duration, retry: String) -> Response<Body> {
        let mut page = ErrorPage::new(ErrorKind::TooManyAttempts);
        page.wait_minutes = u32::try_from(wait.as_secs().div_ceil(60)).ok();
        page.retry = Some(retry);
        let mut response = self.error_with(page);
        response.headers_mut().insert(http::header::RETRY_AFTER, wait.as_secs().max(1).into());
        response
    }

    /// The store is away: said in the log, and the visitor is asked to come back.
    pub fn unavailable(&self, error: &dyn std::fmt::Display) -> Response<Body> {
        tracing::warn!(%error, path = self.path(), "the store did not answer");
        let mut page = ErrorPage::new(ErrorKind::Unavailable);
        page.retry = Some(self.path().to_owned());
        self.error_with(page)
    }
}

/// A path of this host and nothing else.
fn is_own_path(text: &str) -> bool {
    let foreign = |c: char| c.is_control() || c.is_whitespace() || c == '\\' || !c.is_ascii();
    text.starts_with('/')
        && !text.starts_with("//")
        && !text.contains(foreign)
        && text.len() <= 8192
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `security.md` 12.
    #[test]
    fn only_a_path_of_this_host_is_gone_on_to() {
        for good in ["/", "/forward-auth/start?app=wiki&rd=https%3A%2F%2Fwiki.example.com%2F"] {
            assert!(is_own_path(good), "{good}");
        }
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/",
            "/a\tb",
            "/ b",
            "/\r\nx",
            "javascript:1",
        ] {
            assert!(!is_own_path(bad), "{bad}");
        }
    }
}
