//! `oauthsource`: other providers that people sign in with.

use super::Import;
use super::entries::Entry;
use crate::blueprint::schema::Want;
use crate::blueprint::validate::fault;
use crate::import::document::Part;
use crate::import::kdl::Line;

const SOURCE: &str = "authentik_sources_oauth.oauthsource";
const DISCOVERY: &str = "/.well-known/openid-configuration";

impl Import<'_> {
    pub(super) fn sources(&mut self) {
        for entry in self.entries.of_model(SOURCE) {
            let slug = self.text(entry, "slug").unwrap_or_default();
            if entry.is_off("enabled") {
                self.report.not_carried(
                    &entry.place,
                    format!("source `{slug}`"),
                    "it is not enabled",
                );
                entry.take_all();
                continue;
            }
            let Some(mut protocol) = self.protocol(entry, &slug) else {
                let why = "neither an issuer nor the three addresses of OAuth 2 are said: write a \
                    `source` by hand, docs/sources.md";
                self.report.not_carried(&entry.place, format!("source `{slug}`"), why);
                entry.take_all();
                continue;
            };
            let name = self.sources.name(&slug);
            let id = self.text(entry, "consumer_key").unwrap_or_default();
            protocol.push(Line::new("client-id").text(if id.is_empty() { "unknown" } else { &id }));
            protocol.push(self.secret(
                entry,
                "consumer_secret",
                "client-secret",
                &format!("source-{name}"),
            ));
            let mut line = Line::new("source").word(&name);
            if let Some(title) = self.text(entry, "name").filter(|text| !text.trim().is_empty()) {
                line = line.text(&title);
            }
            line.push(protocol);
            line.push(Line::new("link").word(self.link(entry)));
            let why =
                format!("its redirect URI is SIGN-IN-HOST/source/{name} here: tell the provider");
            self.report.to_do(&entry.place, format!("source `{slug}`"), why);
            self.document.push(Part::Flows, line, &entry.place, format!("source `{slug}`"));
        }
    }

    fn protocol(&mut self, entry: &Entry<'_>, slug: &str) -> Option<Line> {
        let kind = self.text(entry, "provider_type").unwrap_or_default();
        let mut url =
            |key| self.text(entry, key).filter(|text| fault(Want::Endpoint, text).is_none());
        let discovery = url("oidc_well_known_url");
        let (authorize, token, userinfo) =
            (url("authorization_url"), url("access_token_url"), url("profile_url"));
        let issuer = discovery.as_deref().and_then(|text| text.strip_suffix(DISCOVERY));
        match (kind.as_str(), issuer) {
            ("github", _) => Some(Line::new("github")),
            ("google", None) => {
                Some(Line::new("oidc").kid(Line::new("issuer").text("https://accounts.google.com")))
            }
            (_, Some(issuer)) => {
                let slash =
                    if kind == "openidconnect" && issuer.ends_with(slug) { "/" } else { "" };
                Some(Line::new("oidc").kid(Line::new("issuer").text(&format!("{issuer}{slash}"))))
            }
            _ => {
                let line = Line::new("oauth2").kid(Line::new("authorize").text(&authorize?));
                let line = line.kid(Line::new("token").text(&token?));
                Some(line.kid(Line::new("userinfo").text(&userinfo?)))
            }
        }
    }

    /// How an account that is there is found.
    fn link(&mut self, entry: &Entry<'_>) -> &'static str {
        match self.text(entry, "user_matching_mode").as_deref() {
            Some("email_link") => "verified-email",
            Some("email_deny" | "username_deny") => "never",
            Some("username_link") => {
                let why = "a name that a stranger may choose proves nobody: people connect by \
                    themselves (`link ask`)";
                self.report.changed(&entry.place, "`user_matching_mode: username_link`", why);
                "ask"
            }
            _ => "ask",
        }
    }
}
