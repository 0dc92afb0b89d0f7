//! `identity_providers.oidc`: an app for each client.

use std::collections::{BTreeMap, BTreeSet};

use super::Import;
use super::people::kind;
use super::settings::on;
use crate::blueprint::schema::Want;
use crate::blueprint::validate::fault;
use crate::import::document::Part;
use crate::import::duration;
use crate::import::kdl::Line;
use crate::import::names::slug;
use crate::import::rules::{self, Outcome, Rule};
use crate::import::yaml::{Node, Place};

const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];
const SCOPES: [&str; 5] = ["openid", "profile", "email", "groups", "offline_access"];

impl Import<'_> {
    pub(super) fn clients(&mut self, oidc: &Node) {
        let lifespans = oidc.get("lifespans");
        let policies: BTreeMap<&str, &Node> = oidc
            .get("authorization_policies")
            .map(Node::entries)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, _, node)| (name, node))
            .collect();
        let mut ids = BTreeSet::new();
        let clients = oidc.list("clients");
        if let Some(first) = clients.first() {
            let why = "applications know people by the `sub` that Authelia made up: keep it as docs/keep-sub.md says";
            self.report.to_do(&first.place, "`sub`", why);
        }
        for client in clients {
            let id =
                client.text_at("client_id").or_else(|| client.text_at("id")).unwrap_or_default();
            if id.is_empty() || !ids.insert(id.to_owned()) {
                let why = "a client has an id that no other has";
                self.report.not_carried(&client.place, format!("client `{id}`"), why);
                client.take_all();
                continue;
            }
            self.client(id, client, lifespans, &policies);
        }
    }

    fn client(
        &mut self,
        id: &str,
        node: &Node,
        lifespans: Option<&Node>,
        policies: &BTreeMap<&str, &Node>,
    ) {
        let title =
            node.text_at("client_name").or_else(|| node.text_at("description")).unwrap_or(id);
        let name = self.apps.fresh(&slug(id));
        let access = self.client_access(node, policies);
        let mut oidc = Line::new("oidc");
        let public = on(node, "public")
            || node.peek("token_endpoint_auth_method").and_then(Node::text) == Some("none");
        if public {
            oidc = oidc.word("public");
        }
        if id != name {
            oidc.push(Line::new("client-id").text(id));
        }
        if !public {
            oidc.push(self.client_secret(node, id, &name));
            oidc = oidc.kids(self.client_auth(node));
        }
        oidc = oidc.kids(self.redirects(node));
        oidc = oidc.kids(self.grants(node, id));
        oidc = oidc.kids(self.scopes(node)).kids(self.lifespans(node, lifespans));
        if !public && !on(node, "require_pkce") && !on(node, "enforce_pkce") {
            oidc.push(Line::new("pkce").word("optional"));
        }
        if on(node, "require_pushed_authorization_requests") || on(node, "enforce_par") {
            oidc.push(Line::new("pushed-requests").word("required"));
        }
        oidc = oidc.kids(self.signing(node)).kids(self.consent(node));
        let app = Line::new("app").word(&name).text(title).kid(oidc).kid(access);
        self.document.push(Part::Apps, app, &node.place, format!("client `{id}`"));
    }

    fn client_secret(&mut self, node: &Node, id: &str, app: &str) -> Line {
        let line = Line::new("client-secret");
        let Some(secret) = node.get("client_secret").or_else(|| node.get("secret")) else {
            return line.word("generated");
        };
        let text = secret.raw().unwrap_or_default();
        if text.starts_with("$argon2id$") && argon2::PasswordHash::new(text).is_ok() {
            return line.secret("argon2id", text);
        }
        let what = format!("the secret of `{id}`");
        if text.starts_with('$') && !text.starts_with("$plaintext$") {
            let why = format!(
                "{} is not verified here: a new one is made, `doorward secret show app:{app}` prints it for the application; \
                 or write (credential)oidc-{app} in its place and put the old one there",
                kind(text)
            );
            self.report.changed(&secret.place, what, why);
            return line.word("generated");
        }
        let why = format!(
            "no secret is written into blueprints: put its value into the credential `oidc-{app}`"
        );
        self.report.to_do(&secret.place, what, why);
        line.secret("credential", &format!("oidc-{app}"))
    }

    fn client_auth(&mut self, node: &Node) -> Option<Line> {
        let method = node.get("token_endpoint_auth_method")?;
        let word = match method.text()? {
            "client_secret_basic" => "basic",
            "client_secret_post" => "post",
            other => {
                let why = format!(
                    "`{other}` needs keys that are set up by hand: docs/grants/client-keys.md; \
                        `basic` or `post` is asked for"
                );
                self.report.changed(&method.place, "`token_endpoint_auth_method`", why);
                return None;
            }
        };
        Some(Line::new("client-auth").word(word))
    }

    fn redirects(&mut self, node: &Node) -> Vec<Line> {
        let mut lines = Vec::new();
        for item in node.list("redirect_uris") {
            let text = item.raw().unwrap_or_default();
            match fault(Want::Redirect, text) {
                None => lines.push(Line::new("redirect-uri").text(text)),
                Some(why) => {
                    self.report.not_carried(&item.place, format!("redirect URI `{text}`"), why)
                }
            }
        }
        lines.dedup();
        lines
    }

    fn grants(&mut self, node: &Node, id: &str) -> Option<Line> {
        let mut words = Vec::new();
        for item in node.list("grant_types") {
            match item.raw().unwrap_or_default() {
                "authorization_code" => words.push("authorization-code"),
                "urn:ietf:params:oauth:grant-type:device_code" => words.push("device-code"),
                "refresh_token" => {}
                "client_credentials" => {
                    let why =
                        "it acts as a service account here: docs/grants/client-credentials.md";
                    self.report.not_carried(
                        &item.place,
                        format!("`client_credentials` of `{id}`"),
                        why,
                    );
                }
                other => {
                    let why = "it is not granted here: use authorization codes";
                    self.report.not_carried(&item.place, format!("`{other}` of `{id}`"), why);
                }
            }
        }
        words.dedup();
        (!words.is_empty() && words != ["authorization-code"])
            .then(|| Line::new("grants").names(words))
    }

    fn scopes(&mut self, node: &Node) -> Option<Line> {
        let mut scopes = Vec::new();
        for item in node.list("scopes") {
            let text = item.raw().unwrap_or_default();
            if SCOPES.contains(&text) {
                scopes.push(text);
            } else {
                let why = "this scope gives nothing here: a `claim` line says what an app is told";
                self.report.not_carried(&item.place, format!("scope `{text}`"), why);
            }
        }
        (!scopes.is_empty()).then(|| Line::new("scopes").names(scopes))
    }

    fn lifespans(&mut self, node: &Node, lifespans: Option<&Node>) -> Vec<Line> {
        let custom = node.text_at("lifespan").and_then(|name| lifespans?.get("custom")?.get(name));
        let offline = |item: &&Node| item.raw() == Some("offline_access");
        let refreshes = node.list("scopes").iter().any(offline);
        let mut lines = Vec::new();
        for (theirs, ours) in [
            ("access_token", "access-token"),
            ("id_token", "id-token"),
            ("refresh_token", "refresh-token"),
        ] {
            let value = custom.and_then(|node| node.get(theirs)).or_else(|| lifespans?.get(theirs));
            let seconds = value.and_then(Node::raw).and_then(duration::authelia);
            let seconds = match (theirs, seconds) {
                ("refresh_token", _) if !refreshes => None,
                // What Authelia gives where nothing is said.
                ("refresh_token", None) => Some(5400),
                (_, seconds) => seconds,
            };
            lines.extend(seconds.map(|seconds| duration::lasting(Line::new(ours), seconds)));
        }
        lines
    }

    fn signing(&mut self, node: &Node) -> Option<Line> {
        let value = node.get("id_token_signed_response_alg")?;
        let text = value.text()?;
        if text == "RS256" {
            return None;
        }
        if ALGORITHMS.contains(&text) {
            return Some(Line::new("signing").word(text));
        }
        let why = "tokens are signed with RS256, PS256, ES256 or EdDSA: RS256 stays";
        self.report.changed(&value.place, format!("`{text}`"), why);
        None
    }

    /// Authelia asks whoever comes to agree, unless that is implicit.
    fn consent(&mut self, node: &Node) -> Option<Line> {
        let mode = node.get("consent_mode").and_then(Node::text).unwrap_or("auto");
        if let Some(lasts) = node.get("pre_configured_consent_duration") {
            let why = "an answer is kept as long as `consent { remember }` in a flow of yours says: docs/consent.md";
            self.report.not_carried(&lasts.place, "`pre_configured_consent_duration`", why);
        }
        (mode != "implicit").then(|| Line::new("consent").word("builtin.explicit-consent"))
    }

    fn client_access(&mut self, node: &Node, policies: &BTreeMap<&str, &Node>) -> Line {
        let word = node.text_at("authorization_policy").unwrap_or("two_factor");
        let own = policies.get(word).copied();
        let rules = match (own, Outcome::parse(word)) {
            (Some(policy), _) => self.policy_rules(policy),
            (None, Some(outcome)) => {
                vec![Rule::everything(outcome.max(Outcome::OneFactor), &node.place)]
            }
            (None, None) => {
                let why = "there is no such policy: nobody is let in";
                self.report.changed(&node.place, format!("`authorization_policy: {word}`"), why);
                vec![Rule::everything(Outcome::Deny, &node.place)]
            }
        };
        let lines = rules::lines(rules, "this client", &mut self.report);
        if lines.asks_factor && !self.asks_factor {
            self.second_factor(&node.place);
        }
        Line::new("access").kids(lines.access)
    }

    fn policy_rules(&mut self, policy: &Node) -> Vec<Rule> {
        let mut rules = Vec::new();
        let outcome = |node: &Node, key: &str| {
            let outcome = node.text_at(key).map_or(Some(Outcome::TwoFactor), Outcome::parse);
            outcome.unwrap_or(Outcome::Deny).max(Outcome::OneFactor)
        };
        for node in policy.list("rules") {
            let rule = Rule::everything(outcome(node, "policy"), &node.place);
            rules.push(self.conditions(node, rule));
        }
        rules.push(Rule::everything(outcome(policy, "default_policy"), &policy.place));
        rules
    }

    pub(super) fn second_factor(&mut self, place: &Place) {
        self.asks_factor = true;
        let line = Line::new("policy").word(rules::SECOND_FACTOR).kid(Line::new("mfa"));
        self.document.push(Part::Policies, line, place, "the policy for second factors");
    }
}
