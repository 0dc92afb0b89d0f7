//! `oauth2provider`, `proxyprovider` and `ldapprovider`, as parts of an app.

use super::Import;
use super::entries::{Entry, Reference};
use crate::blueprint::schema::Want;
use crate::blueprint::validate::fault;
use crate::import::authelia::is_host;
use crate::import::duration;
use crate::import::globs;
use crate::import::kdl::Line;
use crate::import::yaml::Node;

const SCOPES: &str = "goauthentik.io/providers/oauth2/scope-";
const KNOWN: [&str; 4] = ["openid", "profile", "email", "offline_access"];

impl Import<'_> {
    pub(super) fn oauth2(&mut self, entry: &Entry<'_>, app: &str) -> Line {
        let public = self.text(entry, "client_type").as_deref() == Some("public");
        let mut oidc = Line::new("oidc");
        if public {
            oidc = oidc.word("public");
        }
        self.text(entry, "name");
        if let Some(id) = self.text(entry, "client_id").filter(|id| !id.is_empty() && id != app) {
            oidc.push(Line::new("client-id").text(&id));
        }
        if public {
            entry.get("client_secret");
        } else {
            oidc.push(self.secret(entry, "client_secret", "client-secret", &format!("oidc-{app}")));
            oidc.push(Line::new("pkce").word("optional"));
        }
        oidc = oidc.kids(self.redirects(entry));
        let scopes = self.scopes(entry);
        oidc.push(Line::new("scopes").names(scopes.iter().map(String::as_str)));
        if scopes.iter().any(|scope| scope == "profile") {
            // What the scope `profile` tells besides there.
            oidc.push(Line::new("claim").word("groups").text("user.groups"));
        }
        let refreshes = scopes.iter().any(|scope| scope == "offline_access");
        for (theirs, ours) in
            [("access_token_validity", "access-token"), ("refresh_token_validity", "refresh-token")]
        {
            let seconds = self.text(entry, theirs).and_then(|text| duration::authentik(&text));
            let seconds = match (ours, seconds) {
                ("refresh-token", _) if !refreshes => None,
                ("refresh-token", None) => Some(30 * 86_400),
                (_, seconds) => seconds,
            };
            oidc = oidc.kids(seconds.map(|seconds| duration::lasting(Line::new(ours), seconds)));
        }
        self.subject(entry, app);
        oidc = oidc.kids(self.logout(entry));
        if self.asks_consent(entry) {
            oidc.push(Line::new("consent").word("builtin.explicit-consent"));
        }
        oidc
    }

    /// A reference to the value of a field, which is never shown.
    pub(super) fn secret(
        &mut self,
        entry: &Entry<'_>,
        key: &str,
        line: &'static str,
        credential: &str,
    ) -> Line {
        let Some(node) = entry.get(key) else {
            return Line::new(line).word("generated");
        };
        let why = match node.tag.as_deref() {
            Some("Env") => {
                "the variable is read by a name that begins with DOORWARD_SECRET_ here, or better"
            }
            Some("File") => "the file has to belong to the server; or",
            _ => "no secret is written into blueprints:",
        };
        let why = format!("{why} put its value into the credential `{credential}`");
        self.report.to_do(&node.place, format!("`{key}`"), why);
        Line::new(line).secret("credential", credential)
    }

    fn redirects(&mut self, entry: &Entry<'_>) -> Vec<Line> {
        let mut lines = Vec::new();
        for node in entry.list("redirect_uris") {
            // Once a text with an address on each line, later a list of maps.
            if !node.is_map() {
                let text = self.item(entry, node).unwrap_or_default();
                for uri in text.lines().map(str::trim).filter(|uri| !uri.is_empty()) {
                    self.redirect(uri, node, "redirect-uri", &mut lines);
                }
                continue;
            }
            let Some(url) = node.get("url") else {
                self.report.not_carried(&node.place, "a redirect URI", "it says no address");
                node.take_all();
                continue;
            };
            let Some(url) = self.item(entry, url) else { continue };
            let regex = node.text_at("matching_mode") == Some("regex");
            let name = match node.text_at("redirect_uri_type") {
                Some("logout") => "post-logout-redirect-uri",
                _ => "redirect-uri",
            };
            match (regex, globs::texts(&format!("^(?:{url})$"))) {
                (false, _) => self.redirect(&url, node, name, &mut lines),
                (true, Some(urls)) => {
                    urls.iter().for_each(|url| self.redirect(url, node, name, &mut lines))
                }
                (true, None) => {
                    let why = "addresses are compared letter by letter: write each on a line";
                    self.report.not_carried(&node.place, format!("redirect URI `{url}`"), why);
                }
            }
        }
        lines.dedup();
        lines
    }

    fn redirect(&mut self, uri: &str, node: &Node, name: &'static str, lines: &mut Vec<Line>) {
        match fault(Want::Redirect, uri) {
            None => lines.push(Line::new(name).text(uri)),
            Some(why) => self.report.not_carried(&node.place, format!("redirect URI `{uri}`"), why),
        }
    }

    fn scopes(&mut self, entry: &Entry<'_>) -> Vec<String> {
        let mut scopes = Vec::new();
        for node in entry.list("property_mappings") {
            let scope = match self.reference(entry, node) {
                Reference::Named { key, value, .. } if key == "managed" => {
                    value.strip_prefix(SCOPES).map(str::to_owned)
                }
                Reference::Named { key, value, .. } if key == "scope_name" => Some(value),
                _ => None,
            };
            match scope.filter(|scope| KNOWN.contains(&scope.as_str())) {
                Some(scope) => scopes.push(scope),
                None => {
                    let why = "claims are expressions in CEL: write a `claim` line by hand, docs/claims.md";
                    self.report.not_carried(&node.place, "a property mapping", why);
                }
            }
        }
        if scopes.is_empty() {
            scopes = ["openid", "profile", "email"].map(str::to_owned).to_vec();
        }
        if !scopes.iter().any(|scope| scope == "openid") {
            scopes.insert(0, "openid".to_owned());
        }
        scopes.dedup();
        scopes
    }

    fn subject(&mut self, entry: &Entry<'_>, app: &str) {
        let mode = self.text(entry, "sub_mode").unwrap_or_else(|| "hashed_user_id".to_owned());
        let why = "applications know people by it: keep it as docs/keep-sub.md says";
        self.report.to_do(&entry.place, format!("`sub` of `{app}` (sub_mode: {mode})"), why);
    }

    fn logout(&mut self, entry: &Entry<'_>) -> Option<Line> {
        let url = self.text(entry, "logout_uri").filter(|url| !url.is_empty())?;
        let name = match self.text(entry, "logout_method").as_deref() {
            Some("frontchannel") => "front-channel-logout-uri",
            _ => "back-channel-logout-uri",
        };
        match fault(Want::Endpoint, &url) {
            None => Some(Line::new(name).text(&url)),
            Some(why) => {
                self.report.not_carried(&entry.place, "`logout_uri`", why);
                None
            }
        }
    }

    /// Whether the flow that authorizes asks people to agree, as far as its name tells.
    fn asks_consent(&mut self, entry: &Entry<'_>) -> bool {
        match self.reference_at(entry, "authorization_flow") {
            Some(Reference::Named { value, .. }) => value.contains("explicit"),
            Some(Reference::Entry(number)) => {
                let flow = self.entries.number(number);
                flow.and_then(|flow| self.text(flow, "slug"))
                    .is_some_and(|slug| slug.contains("explicit"))
            }
            _ => false,
        }
    }

    pub(super) fn proxy(&mut self, entry: &Entry<'_>, app: &str) -> Option<Line> {
        let mode = self.text(entry, "mode").unwrap_or_else(|| "proxy".to_owned());
        self.text(entry, "name");
        let external = self.text(entry, "external_host").unwrap_or_default();
        let mut line = if mode == "forward_domain" {
            let domain = self.text(entry, "cookie_domain").unwrap_or_default();
            let why = match is_host(&domain) {
                true => self.covers_sign_in(&domain),
                false => Some("it has no `cookie_domain`".to_owned()),
            };
            if let Some(why) = why {
                self.report.not_carried(&entry.place, format!("the domain of `{app}`"), why);
                return None;
            }
            let hosts = Line::new("hosts").text(&format!("*.{domain}"));
            Line::new("proxy-domain").text(&domain).kid(hosts)
        } else {
            let origin = origin(&external);
            if let Some(why) = fault(Want::AppAddress, &origin) {
                self.report.not_carried(&entry.place, format!("the address of `{app}`"), why);
                return None;
            }
            Line::new("proxy").text(&origin)
        };
        if let Some(node) = entry.get("internal_host").filter(|_| mode == "proxy") {
            let why = "traffic does not run through the server: the reverse proxy asks and leads to it, docs/traefik.md";
            self.report.to_do(&node.place, "`internal_host`", why);
        }
        line.push(Line::new("identity-headers").word("authentik"));
        Some(line.kids(self.skipped(entry)))
    }

    fn covers_sign_in(&self, domain: &str) -> Option<String> {
        let host = self.wishes.external_host.as_deref().and_then(|url| url.split_once("://"));
        let host = host.map_or("auth.example.com", |(_, host)| host);
        let covers = host == domain || host.ends_with(&format!(".{domain}"));
        covers.then(|| {
            "the sign-in host lies in it: write an app for each host, as \
            docs/moving-from-authentik.md says"
                .to_owned()
        })
    }

    /// `skip_path_regex`: an expression on each line.
    fn skipped(&mut self, entry: &Entry<'_>) -> Vec<Line> {
        let text = self.text(entry, "skip_path_regex").unwrap_or_default();
        let place = entry.get("skip_path_regex").map_or(&entry.place, |node| &node.place).clone();
        let mut lines = Vec::new();
        for expression in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match globs::paths(expression) {
                Ok(paths) if paths.globs.iter().any(|glob| glob == "*" || glob == "/*") => {
                    let why = "nothing of the app would be behind a login";
                    self.report.not_carried(&place, format!("`{expression}`"), why);
                }
                Ok(paths) => {
                    if paths.wider_by_query {
                        let why = "it is also about these addresses with a query, which takes no part in rules here";
                        self.report.changed(&place, format!("`{expression}`"), why);
                    }
                    let line =
                        paths.globs.iter().fold(Line::new("bypass"), |line, glob| line.text(glob));
                    lines.push(line.prop(
                        "reason",
                        &format!("skip_path_regex in line {} of {}", place.line, place.file),
                    ));
                }
                Err(why) => self.report.not_carried(&place, format!("`{expression}`"), why),
            }
        }
        lines
    }

    pub(super) fn ldap(&mut self, entry: &Entry<'_>) -> Line {
        self.text(entry, "name");
        let base = self
            .text(entry, "base_dn")
            .unwrap_or_else(|| "DC=ldap,DC=goauthentik,DC=io".to_owned());
        let mut line = Line::new("ldap").kid(Line::new("listen").text("127.0.0.1:3389"));
        match fault(Want::Dn, &base) {
            None => line.push(Line::new("base-dn").text(&base)),
            Some(why) => {
                self.report.not_carried(&entry.place, "`base_dn`", why);
                line.push(Line::new("base-dn").text("dc=ldap,dc=example,dc=com"));
            }
        }
        if let Some(reference) = self.reference_at(entry, "search_group") {
            match self.group(reference) {
                Ok(group) => line.push(Line::new("search").word(&format!("group:{group}"))),
                Err(why) => self.report.not_carried(&entry.place, "`search_group`", why),
            }
        }
        if self.base_dn.is_none() {
            self.base_dn = Some((line, entry.place.clone()));
        } else {
            self.report.changed(
                &entry.place,
                "a second LDAP provider",
                "there is one directory, with one `base-dn`: that of the first counts",
            );
        }
        Line::new("ldap")
    }
}

/// Scheme and host of an address.
fn origin(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let host = rest.split('/').next().unwrap_or(rest);
    format!("{scheme}://{host}")
}
