//! `users_database.yml`: people, their groups, and the hashes that are verified here.

use std::collections::BTreeSet;

use super::Import;
use crate::blueprint::schema::Want;
use crate::blueprint::validate::fault;
use crate::import::document::Part;
use crate::import::kdl::Line;
use crate::import::yaml::{Node, Place};
use crate::model::password_hash::{self, PasswordHashError};
use crate::model::user_name;

/// What Authelia knows of people besides, each as an attribute of the same name.
const ATTRIBUTES: [&str; 14] = [
    "given_name",
    "middle_name",
    "family_name",
    "nickname",
    "gender",
    "birthdate",
    "website",
    "profile",
    "picture",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_extension",
    "cookie_name",
];

const NEW_PASSWORD: &str = "`doorward user link NAME` prints a link to choose a new one";

impl Import<'_> {
    pub(super) fn people(&mut self, root: &Node) {
        let mut emails = BTreeSet::new();
        let mut names = BTreeSet::new();
        let users = root.get("users").map(Node::entries).unwrap_or_default();
        for (name, place, node) in users {
            let what = format!("user `{name}`");
            if !user_name::is_valid(name) {
                let why = "names of people have letters, digits and any of - _ . @ + here";
                self.report.not_carried(place, what, why);
                node.take_all();
            } else if !names.insert(name.to_lowercase()) {
                let why = "names are compared without case here, and another one is the same";
                self.report.not_carried(place, what, why);
                node.take_all();
            } else {
                let line = self.person(name, place, node, &mut emails);
                self.users.insert(name.to_owned());
                self.document.push(Part::People, line, place, what);
            }
        }
    }

    fn person(
        &mut self,
        name: &str,
        place: &Place,
        node: &Node,
        emails: &mut BTreeSet<String>,
    ) -> Line {
        let mut line = Line::new("user").text(name);
        if let Some(title) = node.text_at("displayname").filter(|title| !title.trim().is_empty()) {
            line = line.text(title);
        }
        if node.is_on("disabled") {
            line = line.word("disabled");
        }
        if let Some(email) = node.get("email") {
            let text = email.raw().unwrap_or_default();
            if let Some(why) = fault(Want::Email, text) {
                self.report.not_carried(&email.place, format!("the address of `{name}`"), why);
            } else if !emails.insert(text.to_lowercase()) {
                let why = "somebody above has the same address, which belongs to one person here";
                self.report.not_carried(&email.place, format!("the address of `{name}`"), why);
            } else {
                line = line.prop("email", text);
            }
        }
        let groups = node.list("groups");
        let groups: Vec<_> =
            groups.iter().filter_map(|node| Some((node.raw()?, &node.place))).collect();
        if !groups.is_empty() {
            let named = groups.iter().map(|(group, at)| self.group(group, at));
            let mut named: Vec<String> = named.collect();
            named.dedup();
            line.push(Line::new("in").names(named.iter().map(String::as_str)));
        }
        line.kids(self.attributes(node)).kids(self.password(name, place, node))
    }

    fn attributes(&mut self, node: &Node) -> Vec<Line> {
        let mut lines = Vec::new();
        for key in ATTRIBUTES {
            if let Some(text) = node.get(key).and_then(Node::text) {
                lines.push(Line::new("attribute").text(key).text(text));
            }
        }
        for section in ["address", "extra"] {
            for (key, place, value) in node.get(section).map(Node::entries).unwrap_or_default() {
                let name =
                    if section == "extra" { key.to_owned() } else { format!("{section}.{key}") };
                let values: Option<Vec<&str>> =
                    value.items().iter().map(|item| item.text()).collect();
                let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/".contains(c));
                match values.filter(|values| !values.is_empty() && fits && name.len() <= 128) {
                    Some(values) => {
                        let line = Line::new("attribute").text(&name);
                        lines.push(values.iter().fold(line, |line, value| line.text(value)));
                    }
                    None => self.report.not_carried(
                        place,
                        format!("`{key}`"),
                        "attributes are text here, under names of letters, digits and - _ . : /",
                    ),
                }
            }
        }
        lines
    }

    fn password(&mut self, name: &str, place: &Place, node: &Node) -> Option<Line> {
        let Some(hash) = node.get("password") else {
            self.report.to_do(
                place,
                format!("`{name}` has no password"),
                NEW_PASSWORD.replace("NAME", name),
            );
            return None;
        };
        let text = hash.raw().unwrap_or_default();
        let text = text.strip_prefix("{CRYPT}").unwrap_or(text);
        let fault = match password_hash::check(text) {
            Ok(()) => return Some(Line::new("initial-password").secret("argon2id", text)),
            Err(PasswordHashError::NotArgon2id) => {
                format!("{} is not verified here, only argon2id is", kind(text))
            }
            Err(other) => other.to_string(),
        };
        let why = format!("{fault}; {}", NEW_PASSWORD.replace("NAME", name));
        self.report.not_carried(&hash.place, format!("the password of `{name}`"), why);
        None
    }

    /// Every group that was named.
    pub(super) fn declare(&mut self, place: &Place) {
        let wanted = self.wishes.admin_group.clone();
        if let Some(group) = &wanted {
            self.group(group, place);
        }
        for (theirs, ours) in
            self.groups.all().map(|(a, b)| (a.to_owned(), b.to_owned())).collect::<Vec<_>>()
        {
            let place = self.group_places.get(&theirs).unwrap_or(place).clone();
            let mut line = Line::new("group").word(&ours);
            if theirs != ours {
                line = line.text(&theirs);
                self.report.changed(
                    &place,
                    format!("group `{theirs}`"),
                    format!("it is called `{ours}` here, and apps are told that name"),
                );
            }
            if wanted.as_deref() == Some(&theirs) {
                line = line
                    .kid(Line::new("console").word("admin"))
                    .kid(Line::new("membership").word("declared"));
            }
            self.document.push(Part::People, line, &place, format!("group `{theirs}`"));
        }
        if wanted.is_none() {
            let why = "no group opens the admin console: name one with --admin-group, or write \
                `console admin` into it";
            self.report.to_do(place, "administrators", why);
        }
    }
}

/// What a hash is called, without any of it.
pub(super) fn kind(hash: &str) -> &'static str {
    let kinds = [
        ("$2", "bcrypt"),
        ("$argon2", "this kind of argon2"),
        ("$pbkdf2", "PBKDF2"),
        ("$scrypt", "scrypt"),
        ("$y$", "yescrypt"),
        ("$7$", "scrypt"),
        ("$5$", "SHA-256-crypt"),
        ("$6$", "SHA-512-crypt"),
        ("$1$", "MD5-crypt"),
        ("$plaintext$", "a password in the clear"),
        ("$base64$", "a password in the clear"),
        ("pbkdf2_", "Django's PBKDF2"),
    ];
    kinds
        .iter()
        .find(|(head, _)| hash.starts_with(head))
        .map_or("this kind of hash", |(_, name)| name)
}
