//! What is neither a rule nor a person: where people sign in, sessions, mail, passwords.

use super::{Import, Parts};
use crate::blueprint::schema::Want;
use crate::blueprint::validate::fault;
use crate::import::document::Part;
use crate::import::duration;
use crate::import::kdl::Line;
use crate::import::yaml::{Node, Place};

impl Import<'_> {
    pub(super) fn settings(&mut self, parts: &Parts, place: &Place) {
        let session = parts.section("session");
        self.external_host = self.where_people_sign_in(session, place);
        let mut settings = Line::new("settings");
        settings.push(Line::new("external-host").text(&self.external_host));
        settings = settings.kids(session.and_then(|node| self.session(node)));
        settings =
            settings.kids(parts.section("password_policy").and_then(|node| self.passwords(node)));
        let duo = parts.section("duo_api").and_then(|node| self.duo(node));
        let mails = parts.section("notifier").and_then(|node| node.get("smtp"));
        let mail = mails.and_then(|node| self.mail(node));
        let remember = session.and_then(remembered);
        if let Some(flows) = self.flows(parts, remember, duo.is_some(), place) {
            settings.push(flows);
        }
        settings = settings.kids(duo);
        self.document.push(Part::Settings, settings, place, "settings");
        self.proxies(place);
        if let Some(mail) = mail {
            self.document.push(Part::Settings, mail, place, "the mail server");
        }
        self.backend(parts, place);
    }

    pub(super) fn sign_in_host(&self) -> &str {
        self.external_host.split_once("://").map_or("", |(_, host)| host)
    }

    fn proxies(&mut self, place: &Place) {
        let line = Line::new("server").kid(Line::new("trusted-proxies").text("127.0.0.1/32"));
        self.document.push(Part::Settings, line, place, "the reverse proxy");
        let why = "`trusted-proxies` names this machine: write the address that your reverse proxy asks from";
        self.report.to_do(place, "the reverse proxy", why);
    }

    fn where_people_sign_in(&mut self, session: Option<&Node>, place: &Place) -> String {
        let cookies = session.map(|node| node.list("cookies")).unwrap_or_default();
        let mut found: Option<String> = self.wishes.external_host.clone();
        for cookie in cookies {
            let domain = cookie.text_at("domain").unwrap_or_default();
            let Some(node) = cookie.get("authelia_url") else { continue };
            let origin = node.text().and_then(origin);
            match (&found, origin) {
                (None, Some(origin)) => found = Some(origin),
                (Some(known), Some(origin)) if *known == origin => {}
                (Some(known), _) => {
                    let why = format!(
                        "people sign in at one host here, {known}; apps of other domains work all the same"
                    );
                    self.report.changed(&node.place, format!("the portal of `{domain}`"), why);
                }
                (None, None) => {
                    self.report.not_carried(
                        &node.place,
                        "`authelia_url`",
                        "it is no https address of a host",
                    );
                }
            }
        }
        let domain = session.and_then(|node| node.text_at("domain")).unwrap_or("example.com");
        found.unwrap_or_else(|| {
            let guess = format!("https://auth.{domain}");
            let guess = origin(&guess).unwrap_or_else(|| "https://auth.example.com".to_owned());
            let why = format!(
                "no `authelia_url` says where people sign in: {guess} is a guess, \
                name it with --external-host"
            );
            self.report.to_do(place, "the sign-in host", why);
            guess
        })
    }

    /// `session`: of several domains the first one that says something counts.
    fn session(&mut self, node: &Node) -> Option<Line> {
        let mut line = Line::new("session");
        for (theirs, ours) in [("inactivity", "idle"), ("expiration", "absolute")] {
            let Some(value) = from_session(node, theirs) else { continue };
            match value.raw().and_then(duration::authelia) {
                Some(seconds) => line.push(duration::lasting(Line::new(ours), seconds)),
                None => self.report.not_carried(
                    &value.place,
                    format!("`{theirs}`"),
                    "it is no length of time that ends",
                ),
            }
        }
        line.has_kids().then_some(line)
    }

    fn passwords(&mut self, node: &Node) -> Option<Line> {
        let mut line = Line::new("password");
        if let Some(standard) = node.get("standard").filter(|node| on(node, "enabled")) {
            self.number(standard, "min_length", "min-length", (8, 128), &mut line);
        }
        if let Some(score) = node.get("zxcvbn").filter(|node| on(node, "enabled")) {
            self.number(score, "min_score", "min-score", (0, 4), &mut line);
        }
        line.has_kids().then_some(line)
    }

    fn number(
        &mut self,
        node: &Node,
        theirs: &str,
        ours: &'static str,
        range: (u64, u64),
        line: &mut Line,
    ) {
        let Some(value) = node.get(theirs) else { return };
        let number = value.text().and_then(|text| text.parse::<u64>().ok());
        match number.filter(|number| (range.0..=range.1).contains(number)) {
            Some(number) => line.push(Line::new(ours).number(number)),
            None => {
                let why = format!("it is no whole number from {} to {}", range.0, range.1);
                self.report.not_carried(&value.place, format!("`{theirs}`"), why);
            }
        }
    }

    fn duo(&mut self, node: &Node) -> Option<Line> {
        if on(node, "disable") {
            node.take_all();
            return None;
        }
        let (host, key) = (node.text_at("hostname")?, node.text_at("integration_key")?);
        if let Some(why) = fault(Want::Host, host) {
            self.report.not_carried(&node.place, "`duo_api`", why);
            return None;
        }
        self.secret(node, "secret_key", "duo");
        let line = Line::new("duo").prop("api-host", host).prop("integration-key", key);
        Some(line.kid(Line::new("secret-key").secret("credential", "duo")))
    }

    /// Tells where the value of a secret has to go, and shows nothing of it.
    pub(super) fn secret(&mut self, node: &Node, key: &str, credential: &str) {
        node.get(key);
        let place = node.key_place(key).unwrap_or(&node.place).clone();
        let why = format!(
            "no secret is written into blueprints: put its value into the credential `{credential}`"
        );
        self.report.to_do(&place, format!("`{key}`"), why);
    }

    fn mail(&mut self, node: &Node) -> Option<Line> {
        let url = node.get("address").and_then(Node::raw).map(str::to_owned).or_else(|| {
            let (host, port) = (node.text_at("host")?, node.text_at("port").unwrap_or("25"));
            let scheme = if port == "465" { "submissions" } else { "smtp" };
            Some(format!("{scheme}://{host}:{port}"))
        })?;
        let url = mail_url(&url);
        let mut smtp = Line::new("smtp").text(&url);
        if on(node, "disable_starttls") {
            smtp = smtp.prop_word("security", "plain");
        }
        let username = node.text_at("username").filter(|name| !name.is_empty());
        if let Some(name) = username {
            smtp = smtp.prop("username", name);
        }
        if username.is_some() || node.peek("password").is_some() {
            self.secret(node, "password", "smtp-password");
            smtp = smtp.prop_secret("password", "credential", "smtp-password");
        }
        let sender = node.text_at("sender").or(username).unwrap_or_default();
        let wrong = fault(Want::Smtp, &url).or_else(|| fault(Want::Mailbox, sender));
        if let Some(why) = wrong {
            self.report.not_carried(&node.place, "`notifier.smtp`", why);
            return None;
        }
        Some(Line::new("email").kid(smtp).kid(Line::new("from").text(sender)))
    }

    /// Where people come from; nothing is written for it.
    fn backend(&mut self, parts: &Parts, place: &Place) {
        let Some(backend) = parts.section("authentication_backend") else { return };
        let file = backend.get("file");
        let path = file.and_then(|node| node.get("path"));
        if let Some(path) = path.filter(|_| self.users.is_empty()) {
            let why = "no people were imported: name the users database as well";
            self.report.to_do(&path.place, "`authentication_backend.file`", why);
        }
        if backend.peek("ldap").is_some() {
            let at = backend.key_place("ldap").unwrap_or(place).clone();
            backend.get("ldap").into_iter().for_each(Node::take_all);
            let why = "people of a directory are not fetched here: declare or invite them";
            self.report.not_carried(&at, "`authentication_backend.ldap`", why);
        }
    }
}

/// A switch, looked at.
pub(super) fn on(node: &Node, key: &str) -> bool {
    node.is_on(key)
}

fn from_session<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let own = node.list("cookies").into_iter().filter_map(|cookie| cookie.get(key)).next();
    own.or_else(|| node.get(key))
}

/// How long somebody stays signed in who asks for it.
fn remembered(node: &Node) -> Option<u64> {
    let value = from_session(node, "remember_me").or_else(|| node.get("remember_me_duration"))?;
    duration::authelia(value.raw()?)
}

/// Scheme and host of an https address.
fn origin(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://")?;
    let origin = format!("https://{}", rest.split('/').next()?);
    fault(Want::ExternalHost, &origin).is_none().then_some(origin)
}

/// `submissions` speaks TLS from the first byte, `smtp` and `submission` begin it.
fn mail_url(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("smtp", address));
    let scheme = if scheme == "submissions" || scheme == "smtps" { "smtps" } else { "smtp" };
    let rest = rest.split('/').next().unwrap_or(rest);
    let port = match (rest.contains(':'), address.starts_with("submission://")) {
        (false, true) => ":587",
        _ => "",
    };
    format!("{scheme}://{rest}{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_mail_servers() {
        for (theirs, ours) in [
            ("smtp://mail.example.com:25", "smtp://mail.example.com:25"),
            ("submission://mail.example.com:587", "smtp://mail.example.com:587"),
            ("submission://mail.example.com", "smtp://mail.example.com:587"),
            ("submissions://mail.example.com:465", "smtps://mail.example.com:465"),
            ("mail.example.com:25", "smtp://mail.example.com:25"),
        ] {
            assert_eq!(mail_url(theirs), ours);
        }
    }

    #[test]
    fn a_sign_in_host_is_https_without_a_path() {
        assert_eq!(
            origin("https://auth.example.com/x"),
            Some("https://auth.example.com".to_owned())
        );
        for bad in ["http://auth.example.com", "auth.example.com", "https://", "https://a b"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
