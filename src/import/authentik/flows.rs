//! Flows for signing in, stage by stage. A flow of which one stage does not carry is left out whole,
//! since what is left of it might let somebody in.

use super::Import;
use super::entries::{Entry, Reference};
use crate::import::document::Part;
use crate::import::duration;
use crate::import::kdl::Line;

const FLOW: &str = "authentik_flows.flow";

impl Import<'_> {
    pub(super) fn flows(&mut self) {
        for entry in self.entries.of_model(FLOW) {
            let slug = self.text(entry, "slug").unwrap_or_default();
            let purpose = self.text(entry, "designation").unwrap_or_default();
            if purpose != "authentication" {
                let why = "flows for signing in are carried; this purpose has a built-in flow, or \
                    is written by hand: docs/flows.md";
                self.report.not_carried(&entry.place, format!("flow `{slug}`"), why);
                entry.take_all();
                continue;
            }
            match self.stages(entry) {
                Ok(stages) => self.flow(entry, &slug, stages),
                Err(why) => {
                    self.report.not_carried(
                        &entry.place,
                        format!("flow `{slug}`"),
                        format!("{why}; write it by hand: docs/flows.md"),
                    );
                    entry.take_all();
                }
            }
        }
        self.offered();
    }

    fn flow(&mut self, entry: &Entry<'_>, slug: &str, stages: Vec<Line>) {
        let name = self.flows.name(slug);
        let title = self.text(entry, "title").filter(|text| !text.trim().is_empty());
        self.text(entry, "name");
        let line = Line::new("flow").word(&name).prop_word("for", "authentication");
        let line = title.iter().fold(line, |line, title| line.prop("title", title));
        self.document.push(Part::Flows, line.kids(stages), &entry.place, format!("flow `{slug}`"));
        let usual = slug == "default-authentication-flow";
        if usual || self.authentication.is_none() {
            self.authentication = Some(name);
        }
    }

    /// Sources are offered by a flow; without one of theirs, by one of ours.
    fn offered(&mut self) {
        let sources: Vec<String> = self.sources.all().map(|(_, ours)| ours.to_owned()).collect();
        if self.authentication.is_some() || sources.is_empty() {
            return;
        }
        let Some(entry) =
            self.entries.of_model("authentik_sources_oauth.oauthsource").first().copied()
        else {
            return;
        };
        let name = self.flows.fresh("sign-in");
        let identification = Line::new("identification")
            .kid(Line::new("accept").names(["username", "email"]))
            .kid(Line::new("sources").names(sources.iter().map(String::as_str)));
        let line =
            Line::new("flow").word(&name).prop_word("for", "authentication").kid(identification);
        let line = line
            .kid(Line::new("password"))
            .kid(factors(&["webauthn", "totp", "recovery-code"], "skip"));
        self.document.push(
            Part::Flows,
            line.kid(Line::new("login")),
            &entry.place,
            "the flow that offers sources",
        );
        self.authentication = Some(name);
    }

    fn stages(&mut self, flow: &Entry<'_>) -> Result<Vec<Line>, String> {
        let bound = self.bound(&self.stages_of, flow.number);
        for entry in &bound {
            for key in ["re_evaluate_policies", "evaluate_on_plan", "invalid_response_action"] {
                entry.get(key);
            }
        }
        let mut lines = Vec::new();
        for binding in bound {
            let conditional = self.is_conditional(binding);
            let stage = match self.reference_at(binding, "stage") {
                Some(Reference::Entry(number)) => self.entries.number(number),
                Some(Reference::Named { value, .. }) => {
                    return Err(format!("stage `{value}` is in none of the files"));
                }
                _ => return Err("a stage of it cannot be told".to_owned()),
            };
            let Some(stage) = stage else { continue };
            self.text(stage, "name");
            lines.extend(self.stage(stage, conditional)?);
        }
        let has = |name: &str| lines.iter().any(|line| line.name() == name);
        if !has("identification") || !has("login") {
            return Err("it does not ask who somebody is, or does not sign in".to_owned());
        }
        if !has("password") {
            return Err("it asks for no password".to_owned());
        }
        Ok(lines)
    }

    /// Whether policies decide if a stage is there.
    fn is_conditional(&mut self, binding: &Entry<'_>) -> bool {
        let mut conditional = false;
        for entry in self.bound(&self.policies_of, binding.number) {
            if !entry.is_off("enabled") {
                let why = "policies of stages are written by hand (`if`, `unless`): \
                           the stage is there for everybody";
                self.report.changed(&entry.place, "a policy of a stage", why);
                entry.take_all();
                conditional = true;
            }
        }
        conditional
    }

    fn stage(&mut self, stage: &Entry<'_>, conditional: bool) -> Result<Vec<Line>, String> {
        let kind = stage.model.trim_start_matches("authentik_stages_");
        match kind {
            "identification.identificationstage" => Ok(self.identification(stage)),
            "password.passwordstage" => {
                stage.get("backends").into_iter().for_each(|node| node.take_all());
                stage.get("configure_flow").into_iter().for_each(|node| node.take_all());
                Ok(vec![Line::new("password")])
            }
            "authenticator_validate.authenticatorvalidatestage" => {
                self.validate(stage).map(|line| vec![line])
            }
            "user_login.userloginstage" => Ok(vec![self.login(stage)]),
            "captcha.captchastage" => {
                self.report.not_carried(
                    &stage.place,
                    "a captcha",
                    "guesses are counted instead: docs/passwords.md",
                );
                stage.take_all();
                Ok(Vec::new())
            }
            "deny.denystage" if !conditional => {
                let text = self.text(stage, "deny_message").filter(|text| !text.trim().is_empty());
                Ok(vec![Line::new("deny").text(text.as_deref().unwrap_or("Not here."))])
            }
            other => Err(format!("its stage `{other}` does not carry")),
        }
    }

    fn identification(&mut self, stage: &Entry<'_>) -> Vec<Line> {
        let fields: Vec<&str> =
            stage.list("user_fields").iter().filter_map(|node| node.raw()).collect();
        let known: Vec<&str> =
            ["username", "email", "upn"].into_iter().filter(|name| fields.contains(name)).collect();
        let mut line = Line::new("identification");
        line.push(Line::new("accept").names(if known.is_empty() {
            vec!["username", "email"]
        } else {
            known
        }));
        let mut sources = Vec::new();
        for node in stage.list("sources") {
            if let Reference::Entry(number) = self.reference(stage, node)
                && let Some(source) = self.entries.number(number)
                && let Some(slug) = self.text(source, "slug")
                && self.sources.has(&slug)
            {
                sources.push(self.sources.name(&slug));
            } else {
                let why =
                    "only sources that are carried are offered; the local one is the password";
                self.report.not_carried(&node.place, "a source of the sign-in", why);
            }
        }
        if !sources.is_empty() {
            line.push(Line::new("sources").names(sources.iter().map(String::as_str)));
        }
        let mut lines = vec![line];
        if stage.get("password_stage").is_some() {
            lines.push(Line::new("password"));
        }
        lines
    }

    fn validate(&mut self, stage: &Entry<'_>) -> Result<Line, String> {
        let mut classes = Vec::new();
        for node in stage.list("device_classes") {
            match node.raw().unwrap_or_default() {
                "static" => classes.push("recovery-code"),
                "totp" => classes.push("totp"),
                "webauthn" => classes.push("webauthn"),
                "email" => classes.push("email-code"),
                other => {
                    let why = "this kind of factor is set up by hand, or not at all: docs/second-factors.md";
                    self.report.not_carried(&node.place, format!("device class `{other}`"), why);
                }
            }
        }
        if stage.get("device_classes").is_none() {
            classes = vec!["webauthn", "totp", "recovery-code"];
        }
        if classes.is_empty() {
            return Err("none of its kinds of second factor carries".to_owned());
        }
        let action = match self.text(stage, "not_configured_action").as_deref() {
            Some("configure") => "configure",
            Some("deny") => "deny",
            _ => "skip",
        };
        let mut line = factors(&classes, action);
        if action == "configure" {
            line.push(Line::new("configure-with").names(["builtin.setup", "builtin.passkey"]));
            stage.get("configuration_stages").into_iter().for_each(|node| node.take_all());
        }
        let threshold =
            self.text(stage, "last_auth_threshold").and_then(|text| duration::authentik(&text));
        if let Some(seconds) = threshold {
            line.push(duration::lasting(Line::new("last-validation-threshold"), seconds));
        }
        Ok(line)
    }

    fn login(&mut self, stage: &Entry<'_>) -> Line {
        let mut line = Line::new("login");
        let remember =
            self.text(stage, "remember_me_offset").and_then(|text| duration::authentik(&text));
        if let Some(seconds) = remember {
            line.push(duration::lasting(Line::new("stay-signed-in"), seconds));
        }
        if let Some(node) = stage.get("session_duration") {
            let why = "how long sessions last is said by `settings { session }`";
            self.report.not_carried(&node.place, "`session_duration`", why);
        }
        line
    }
}

fn factors(classes: &[&str], action: &str) -> Line {
    Line::new("authenticator-validate")
        .kid(Line::new("device-classes").names(classes.iter().copied()))
        .kid(Line::new("not-configured-action").word(action))
}
