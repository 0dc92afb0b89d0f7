//! A person on their way through the pages.

use totp_rs::{Builder, Secret};

use super::server::{Answer, Browser, EXTERNAL, Server};

pub const PASSWORD: &str = "quiet-lantern-42-river";

/// A browser and the page of the sign-in host that it is at.
pub struct Walk<'a> {
    pub server: &'a Server,
    pub browser: Browser<'a>,
    pub url: String,
    pub page: Answer,
}

impl<'a> Walk<'a> {
    /// From an app to wherever its redirects lead.
    pub fn to(server: &'a Server, browser: Browser<'a>, app: &str) -> Self {
        let mut browser = browser;
        let sent = browser.ask(&server.url(app));
        assert_eq!(sent.status, 302, "{}", sent.body);
        let url = sent.location().to_owned();
        let page = browser.open(&url);
        let mut walk = Self { server, browser, url, page };
        walk.follow();
        walk
    }

    /// At a page of the sign-in host, or wherever that leads.
    pub fn at(server: &'a Server, browser: Browser<'a>, path: &str) -> Self {
        let (mut browser, url) = (browser, server.url(&format!("{EXTERNAL}{path}")));
        let page = browser.open(&url);
        let mut walk = Self { server, browser, url, page };
        walk.follow();
        walk
    }

    /// Goes to another page of the sign-in host.
    pub fn go(&mut self, path: &str) -> &mut Self {
        self.url = self.server.url(&format!("{EXTERNAL}{path}"));
        self.page = self.browser.open(&self.url);
        self.follow();
        self
    }

    /// Follows redirects, through the app's callback and back too.
    pub fn follow(&mut self) {
        for _ in 0..12 {
            if self.page.status != 303 && self.page.status != 302 {
                return;
            }
            let to = self.page.location().to_owned();
            let external = self.server.url(EXTERNAL);
            self.url = if to.starts_with('/') { format!("{external}{to}") } else { to };
            self.page = match self.url.starts_with(&external) {
                true => self.browser.open(&self.url),
                false => self.browser.ask(&self.url),
            };
        }
        panic!("round and round at {}", self.url);
    }

    pub fn post(&mut self, fields: &[(&str, &str)]) -> &mut Self {
        self.page = self.browser.submit(&self.url, &self.page, fields);
        self.follow();
        self
    }

    pub fn password(&mut self, name: &str) -> &mut Self {
        self.post(&[("username", name)]).post(&[("password", PASSWORD)])
    }

    pub fn shows(&mut self, words: &str) -> &mut Self {
        let (status, body) = (self.page.status, &self.page.body);
        assert!(body.contains(words), "{words}: {status} at {}: {body}", self.url);
        self
    }

    /// The proxy's question was answered with yes.
    pub fn is_in(&self, app: &str) {
        assert_eq!(self.page.status, 200, "{} {}", self.url, self.page.body);
        assert_eq!(self.url, self.server.url(app));
    }

    /// The secret that the page of an authenticator app shows.
    pub fn secret(&self) -> String {
        let (_, rest) = self.page.body.split_once("class=\"secret\"><code>").expect("a secret");
        rest.split('<').next().unwrap_or("").replace(' ', "")
    }

    pub fn codes(&self) -> Vec<String> {
        let parts = self.page.body.split("<li><code>").skip(1);
        parts.map(|part| part.split('<').next().unwrap_or("").to_owned()).collect()
    }

    /// Sets up an authenticator app and saves the codes; gives the secret and the codes.
    pub fn set_up(&mut self) -> (String, Vec<String>) {
        let secret = self.shows("Set up an authenticator app").secret();
        self.post(&[("code", "000000")]).shows("That is not right");
        assert_eq!((self.page.status, self.secret()), (422, secret.clone()));
        self.post(&[("code", &code(&secret, 0))]);
        let codes = self.shows("Save your recovery codes").codes();
        self.post(&[]).shows("Save your recovery codes");
        assert_eq!(self.codes(), codes, "shown again until they are saved");
        self.post(&[("saved", "1")]);
        (secret, codes)
    }
}

/// The code of a secret so many steps from now.
pub fn code(secret: &str, steps: u64) -> String {
    let now = doorward::clock::Clock::machine().now();
    let secret = Secret::try_from_base32(secret).expect("base32");
    let totp = Builder::new().with_secret(secret).build().expect("a secret");
    totp.generate(u64::try_from(now.0).expect("now") / 1_000 + steps * 30).to_string()
}
