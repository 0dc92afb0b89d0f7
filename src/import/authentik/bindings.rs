//! `policybinding`: who may use an application.

use super::Import;
use super::entries::{Entry, Reference};
use crate::import::document::Part;
use crate::import::kdl::Line;
use crate::model::user_name;

const EXPRESSION: &str = "authentik_policies_expression.expressionpolicy";

/// What one binding asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asks {
    Group(String),
    User(String),
    Policy(String),
}

impl Import<'_> {
    /// The rules of an application. Nobody is let in who was not before.
    pub(super) fn access(&mut self, app: &Entry<'_>, name: &str) -> Line {
        let all = self.text(app, "policy_engine_mode").as_deref() == Some("all");
        let bindings = self.bound(&self.policies_of, app.number);
        let enabled: Vec<_> =
            bindings.into_iter().filter(|entry| !entry.is_off("enabled")).collect();
        if enabled.is_empty() {
            return Line::new("access").kid(Line::new("allow").word("everyone"));
        }
        let mut asked = Vec::new();
        let mut missed = false;
        for entry in enabled {
            let negate = entry.is_on("negate");
            match self.asks(entry) {
                Ok(asks) => asked.push((asks, negate)),
                Err(why) => {
                    missed = true;
                    let effect = if all { "nobody is let in" } else { "it lets nobody in" };
                    self.report.changed(
                        &entry.place,
                        format!("a binding of `{name}`"),
                        format!("{why}: {effect}"),
                    );
                    entry.take_all();
                }
            }
        }
        let lines = if all { self.every(&asked, missed, app) } else { self.any(&asked, app) };
        let lines = if lines.is_empty() { vec![Line::new("deny").word("everyone")] } else { lines };
        Line::new("access").kids(lines)
    }

    fn asks(&mut self, entry: &Entry<'_>) -> Result<Asks, String> {
        if let Some(reference) = self.reference_at(entry, "group") {
            return self.group(reference).map(Asks::Group);
        }
        if let Some(reference) = self.reference_at(entry, "user") {
            return self.user(reference).map(Asks::User);
        }
        match self.reference_at(entry, "policy") {
            Some(Reference::Entry(number)) => self.policy(number),
            Some(Reference::Named { value, .. }) => {
                Err(format!("policy `{value}` is in none of the files"))
            }
            Some(Reference::Unknown(why)) => Err(why),
            None => Err("it asks for nothing".to_owned()),
        }
    }

    fn user(&mut self, reference: Reference) -> Result<String, String> {
        let unknown = "it leads to nobody who is declared in the files";
        let Reference::Entry(number) = reference else { return Err(unknown.to_owned()) };
        let entry =
            self.entries.number(number).filter(|entry| entry.model == "authentik_core.user");
        let name = entry.and_then(|entry| self.text(entry, "username"));
        name.filter(|name| user_name::is_valid(name)).ok_or_else(|| unknown.to_owned())
    }

    /// An expression policy that asks for membership of one group, and nothing else.
    fn policy(&mut self, number: usize) -> Result<Asks, String> {
        let python = "expressions are Python there and CEL here: write a `policy` by hand";
        let entry = self.entries.number(number).ok_or("it is gone")?;
        if entry.model != EXPRESSION {
            return Err(format!("`{}` has no counterpart", entry.model));
        }
        let text = self.text(entry, "expression").ok_or(python)?;
        self.text(entry, "name");
        let group = asked_group(&text).ok_or(python)?;
        let group = self.groups.name(group);
        Ok(Asks::Policy(self.in_group(&group, entry)))
    }

    fn in_group(&mut self, group: &str, entry: &Entry<'_>) -> String {
        let wanted = format!("in {group}");
        let known = self.policies.has(&wanted);
        let policy = self.policies.name(&wanted);
        if !known {
            let line = Line::new("policy").word(&policy).kid(Line::new("group").word(group));
            self.document.push(Part::Policies, line, &entry.place, "this policy");
        }
        policy
    }

    fn is_user(&mut self, user: &str, entry: &Entry<'_>) -> String {
        let wanted = format!("user {user}");
        let known = self.policies.has(&wanted);
        let policy = self.policies.name(&wanted);
        if !known {
            let cel = Line::new("cel").text(&format!("user.username == '{user}'"));
            let line = Line::new("policy").word(&policy).kid(cel);
            self.document.push(Part::Policies, line, &entry.place, "this user");
        }
        policy
    }

    /// The policy that says what a binding asks for.
    fn as_policy(&mut self, asks: &Asks, app: &Entry<'_>) -> String {
        match asks {
            Asks::Group(group) => self.in_group(group, app),
            Asks::User(user) => self.is_user(user, app),
            Asks::Policy(policy) => policy.clone(),
        }
    }

    /// One of them is enough.
    fn any(&mut self, asked: &[(Asks, bool)], app: &Entry<'_>) -> Vec<Line> {
        let mut lines = Vec::new();
        for (asks, negate) in asked {
            let line = match (asks, negate) {
                (Asks::Group(group), false) => Line::new("allow").word(&format!("group:{group}")),
                (Asks::User(user), false) => Line::new("allow").word(&format!("user:{user}")),
                (Asks::Policy(policy), false) => {
                    Line::new("allow").word("everyone").kid(Line::new("if").word(policy))
                }
                (asks, true) => {
                    let policy = self.as_policy(asks, app);
                    Line::new("allow").word("everyone").kid(Line::new("unless").word(&policy))
                }
            };
            lines.push(line);
        }
        lines
    }

    /// All of them must hold.
    fn every(&mut self, asked: &[(Asks, bool)], missed: bool, app: &Entry<'_>) -> Vec<Line> {
        if missed {
            return Vec::new();
        }
        let mut line = Line::new("allow").word("everyone");
        for (asks, negate) in asked {
            let policy = self.as_policy(asks, app);
            line.push(Line::new(if *negate { "unless" } else { "if" }).word(&policy));
        }
        vec![line]
    }
}

/// The group of `return ak_is_group_member(request.user, name="…")`, alone in an expression.
fn asked_group(expression: &str) -> Option<&str> {
    let call = expression.trim().strip_prefix("return ak_is_group_member(")?.strip_suffix(')')?;
    let (user, name) = call.split_once(',')?;
    let name = name.trim().strip_prefix("name=")?;
    let quote = name.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = name.strip_prefix(quote)?.strip_suffix(quote)?;
    let plain = !name.is_empty() && !name.contains(['"', '\'', '\\', '\n', '(', ')', ',']);
    (user.trim() == "request.user" && plain).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::asked_group;

    #[test]
    fn only_the_one_question_is_understood() {
        for (text, group) in [
            ("return ak_is_group_member(request.user, name=\"admins\")", Some("admins")),
            ("  return ak_is_group_member(request.user, name='Home Lab')\n", Some("Home Lab")),
            ("return not ak_is_group_member(request.user, name=\"admins\")", None),
            (
                "return ak_is_group_member(request.user, name=\"a\") or ak_is_group_member(request.user, name=\"b\")",
                None,
            ),
            ("x = 1\nreturn ak_is_group_member(request.user, name=\"a\")", None),
            ("return ak_is_group_member(other, name=\"a\")", None),
            ("return True", None),
        ] {
            assert_eq!(asked_group(text), group, "{text}");
        }
    }
}
