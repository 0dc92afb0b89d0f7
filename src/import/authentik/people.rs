//! Groups, people and service accounts.

use std::collections::BTreeSet;

use super::Import;
use super::entries::{Entry, Reference};
use crate::blueprint::schema::Want;
use crate::blueprint::validate::fault;
use crate::import::document::Part;
use crate::import::kdl::Line;
use crate::import::yaml::{Node, Place};
use crate::model::user_name;

const GROUP: &str = "authentik_core.group";
const USER: &str = "authentik_core.user";

impl Import<'_> {
    pub(super) fn people(&mut self) {
        for entry in self.entries.of_model(GROUP) {
            let Some(name) = self.text(entry, "name") else { continue };
            let ours = self.groups.name(&name);
            if entry.is_on("is_superuser") {
                self.admins.push(ours);
            }
        }
        let (mut names, mut emails) = (BTreeSet::new(), BTreeSet::new());
        for entry in self.entries.of_model(USER) {
            let name = self.text(entry, "username").unwrap_or_default();
            let why = if !user_name::is_valid(&name) {
                "names of people have letters, digits and any of - _ . @ + here"
            } else if !names.insert(name.to_lowercase()) {
                "names are compared without case here, and another one is the same"
            } else {
                self.person(entry, &name, &mut emails);
                continue;
            };
            self.report.not_carried(&entry.place, format!("user `{name}`"), why);
            entry.take_all();
        }
    }

    fn person(&mut self, entry: &Entry<'_>, name: &str, emails: &mut BTreeSet<String>) {
        let kind = self.text(entry, "type");
        let program = kind.as_deref().is_some_and(|kind| kind.ends_with("service_account"));
        let mut line = Line::new(if program { "service-account" } else { "user" }).text(name);
        if let Some(title) = self.text(entry, "name").filter(|text| !text.trim().is_empty()) {
            line = line.text(&title);
        }
        if entry.is_off("is_active") {
            if program {
                self.report.not_carried(
                    &entry.place,
                    format!("user `{name}`"),
                    "it is not active, and service accounts cannot be disabled",
                );
                entry.take_all();
                return;
            }
            line = line.word("disabled");
        }
        if let Some(email) = self.text(entry, "email").filter(|text| !text.is_empty() && !program) {
            let why = fault(Want::Email, &email).or_else(|| {
                let taken = !emails.insert(email.to_lowercase());
                taken.then(|| {
                    "somebody above has the same address, which belongs to one person here"
                        .to_owned()
                })
            });
            match why {
                None => line = line.prop("email", &email),
                Some(why) => {
                    self.report.not_carried(&entry.place, format!("the address of `{name}`"), why)
                }
            }
        }
        let groups = self.groups_of(entry, name);
        if !groups.is_empty() {
            line.push(Line::new("in").names(groups.iter().map(String::as_str)));
        }
        line = line.kids(self.attributes(entry));
        self.password(entry, name, program);
        self.document.push(Part::People, line, &entry.place, format!("user `{name}`"));
    }

    fn groups_of(&mut self, entry: &Entry<'_>, name: &str) -> Vec<String> {
        let mut groups = BTreeSet::new();
        for node in entry.list("groups") {
            match self.group(self.reference(entry, node)) {
                Ok(group) => drop(groups.insert(group)),
                Err(why) => {
                    self.report.not_carried(&node.place, format!("a group of `{name}`"), why)
                }
            }
        }
        for number in self.groups_of.get(&entry.number).cloned().unwrap_or_default() {
            if let Some(group) = self.entries.number(number) {
                group.get("users");
            }
            groups.extend(self.group(Reference::Entry(number)));
        }
        groups.into_iter().collect()
    }

    /// The name of the group that a reference leads to.
    pub(super) fn group(&mut self, reference: Reference) -> Result<String, String> {
        let name = match reference {
            Reference::Entry(number) => {
                let entry = self.entries.number(number).filter(|entry| entry.model == GROUP);
                entry.and_then(|entry| self.text(entry, "name"))
            }
            Reference::Named { model, key, value } if model == GROUP && key == "name" => {
                Some(value)
            }
            Reference::Named { .. } => None,
            Reference::Unknown(why) => return Err(why),
        };
        let name = name.ok_or("it leads to no group that is known by name")?;
        Ok(self.groups.name(&name))
    }

    fn attributes(&mut self, entry: &Entry<'_>) -> Vec<Line> {
        let mut lines = Vec::new();
        for (key, place, node) in entry.get("attributes").map(Node::entries).unwrap_or_default() {
            let values: Option<Vec<&str>> = node.items().iter().map(|item| item.text()).collect();
            let values = values.filter(|values| !values.is_empty());
            match values.filter(|_| fault(Want::Key, key).is_none()) {
                Some(values) => {
                    let line = Line::new("attribute").text(key);
                    lines.push(values.iter().fold(line, |line, value| line.text(value)));
                }
                None => {
                    let why =
                        "attributes are text here, under names of letters, digits and - _ . : /";
                    self.report.not_carried(place, format!("attribute `{key}`"), why);
                    node.take_all();
                }
            }
        }
        lines
    }

    fn password(&mut self, entry: &Entry<'_>, name: &str, program: bool) {
        let given = ["password", "password_hash"].into_iter().find_map(|key| entry.get(key));
        let (place, what) = match given {
            Some(node) => (node.place.clone(), format!("the password of `{name}`")),
            None => (entry.place.clone(), format!("`{name}` has no password")),
        };
        match (given.is_some(), program) {
            (true, false) => {
                let why = format!(
                    "no secret is written into blueprints, and Django's hashes are not verified \
                        here: `doorward user link {name}` prints a link to choose a new one"
                );
                self.report.not_carried(&place, what, why);
            }
            (true, true) => {
                self.report.not_carried(&place, what, "programs have tokens: docs/app-passwords.md")
            }
            (false, false) => {
                self.report.to_do(
                    &place,
                    what,
                    format!("`doorward user link {name}` prints a link to choose one"),
                );
            }
            (false, true) => {}
        }
    }

    /// Every group that was named, with what files say of it.
    pub(super) fn groups(&mut self, place: &Place) {
        let wanted = self.wishes.admin_group.clone();
        if let Some(group) = &wanted {
            let ours = self.groups.name(group);
            self.admins.push(ours);
        }
        for entry in self.entries.of_model(GROUP) {
            let Ok(name) = self.group(Reference::Entry(entry.number)) else { continue };
            let mut line = Line::new("group").word(&name);
            let theirs = self.text(entry, "name").unwrap_or_default();
            if theirs != name {
                line = line.text(&theirs);
                let why = format!("it is called `{name}` here, and apps are told that name");
                self.report.changed(&entry.place, format!("group `{theirs}`"), why);
            }
            let parents = self.parents(entry, &theirs, &name);
            if !parents.is_empty() {
                line.push(Line::new("in").names(parents.iter().map(String::as_str)));
            }
            line = line.kids(self.attributes(entry));
            self.declared.insert(name, (line, entry.place.clone()));
        }
        let known: Vec<(String, String)> =
            self.groups.all().map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned())).collect();
        for (theirs, ours) in known {
            let bare = || (Line::new("group").word(&ours).text(&theirs), place.clone());
            let (mut line, at) = self.declared.remove(&ours).unwrap_or_else(bare);
            if self.admins.contains(&ours) {
                line.push(Line::new("console").word("admin"));
                line.push(Line::new("membership").word("declared"));
            }
            self.document.push(Part::People, line, &at, format!("group `{theirs}`"));
        }
        if self.admins.is_empty() {
            let why = "no group opens the admin console: name one with --admin-group, or write \
                `console admin` into it";
            self.report.to_do(place, "administrators", why);
        }
    }

    fn parents(&mut self, entry: &Entry<'_>, theirs: &str, ours: &str) -> BTreeSet<String> {
        let mut parents = BTreeSet::new();
        for node in entry.list("parent").into_iter().chain(entry.list("parents")) {
            match self.group(self.reference(entry, node)) {
                Ok(parent) if parent == ours => {}
                Ok(parent) => drop(parents.insert(parent)),
                Err(why) => {
                    self.report.not_carried(&node.place, format!("the parent of `{theirs}`"), why)
                }
            }
        }
        parents
    }
}
