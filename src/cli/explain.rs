//! `doorward explain`.

use std::borrow::Cow;
use std::net::IpAddr;

use anyhow::{anyhow, bail};
use clap::Args;

use super::Installation;
use crate::access::condition::{Facts, Reputation};
use crate::access::path::canonical;
use crate::access::person::{Attributes, Person, PersonKind, Proofs};
use crate::access::rule::{Outcome, Rule};
use crate::access::target::{Client, split_authority};
use crate::access::{self, Decision, Query, Target, Trace, Verdict};
use crate::app::candidate::{self, Demands, Known};
use crate::app::places::Places;
use crate::blueprint::load;
use crate::blueprint::render::Format;
use crate::clock::{Clock, Millis};
use crate::model::factor::Factor;
use crate::runtime::compile::attribute_map;
use crate::runtime::{Destination, Runtime};

/// What an app was refused.
mod refused;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  doorward explain GET https://grafana.example.com/ --as alice\n  doorward explain GET https://pihole.example.com/ --as bob --from 10.0.4.7 --mfa totp\n  doorward explain --ref evt_01KB2M…\n\nThe rules are judged as they stand in the files. Exit codes with --expect: 0 as expected, 1 otherwise."
)]
pub struct Explain {
    /// The method of the request
    #[arg(value_name = "METHOD", required_unless_present = "reference")]
    method: Option<String>,
    /// The address of the request
    #[arg(value_name = "URL", required_unless_present = "reference")]
    url: Option<String>,
    /// What an app was refused, by the name in the answer: `ref evt_…`
    #[arg(long = "ref", value_name = "ID", conflicts_with_all = ["method", "url", "who"])]
    reference: Option<String>,
    /// A declared user or a persona; left out: nobody is signed in
    #[arg(long = "as", value_name = "WHO")]
    who: Option<String>,
    /// The client's address
    #[arg(long, value_name = "IP", default_value = "203.0.113.1")]
    from: IpAddr,
    /// The moment, such as 2026-03-03T12:00:00+01:00; left out: now
    #[arg(long, value_name = "TIME")]
    at_time: Option<String>,
    /// A second factor proven a minute ago; `none` for none
    #[arg(long, value_name = "FACTOR")]
    mfa: Option<String>,
    /// The score of the account and the address, such as -5
    #[arg(long, value_name = "SCORE", default_value_t = 0, allow_negative_numbers = true)]
    reputation: i64,
    /// What should come of it: allow, deny, login or step-up
    #[arg(long, value_name = "OUTCOME")]
    expect: Option<String>,
    #[command(flatten)]
    at: Installation,
    /// Print for scripts
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(self) -> anyhow::Result<u8> {
        if let Some(reference) = &self.reference {
            return refused::run(&self.at, reference, self.json);
        }
        let options = self.at.options();
        let loaded = load::load(&options.roots, options.mode());
        let places = Places::new(&options, &loaded.server)?;
        let style = super::style(Format::Human, &std::io::stderr());
        let compiled =
            candidate::build(&options, &places, loaded, &Known::default(), Demands::None);
        let runtime = compiled.map_err(|rejected| {
            eprint!("{}", rejected.render(&style));
            anyhow!("the files have errors: mend them first")
        })?;
        self.answer(&runtime.runtime)
    }

    fn answer(&self, runtime: &Runtime) -> anyhow::Result<u8> {
        let (destination, host, uri) = self.destination(runtime)?;
        let gate = &destination.address.gate;
        let path = canonical(&uri, gate.strictness)
            .map_err(|error| anyhow!("this request would be refused with 400: {error}"))?;
        let target = Target {
            host: Cow::Owned(host),
            path,
            method: Cow::Owned(self.method.as_deref().unwrap_or("GET").to_ascii_uppercase()),
            client: if runtime.trusts(self.from) {
                Client::Proxy(self.from)
            } else {
                Client::Known(self.from)
            },
        };
        let now = self.now()?;
        let identity =
            self.who.as_deref().map(|who| self.identity(runtime, who, now)).transpose()?;
        let person = identity.as_ref().map(Identity::person);
        let query = Query {
            access: &destination.app.access,
            gate: Some(gate),
            target: &target,
            person: person.as_ref(),
            now,
            reputation: Reputation::Score(self.reputation),
        };
        let mut trace = Trace::default();
        let verdict = access::decide(&query, Some(&mut trace));
        let told = Told {
            destination,
            target: &target,
            person: person.as_ref(),
            now,
            reputation: Reputation::Score(self.reputation),
            verdict: &verdict,
            trace: &trace,
        };
        if self.json {
            super::print_json(&told.json(self.who.as_deref()))?;
        } else {
            super::print(&told.text(self.who.as_deref()))?;
        }
        let found = verdict.decision.word();
        Ok(u8::from(self.expect.as_deref().is_some_and(|wanted| wanted != found)))
    }

    fn destination<'a>(
        &self,
        runtime: &'a Runtime,
    ) -> anyhow::Result<(Destination<'a>, String, String)> {
        let url = self.url.as_deref().unwrap_or("");
        let (scheme, rest) = url.split_once("://").ok_or_else(|| {
            anyhow!(
                "`{}` is not an address; write it in full, such as https://grafana.example.com/",
                url
            )
        })?;
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, uri) = rest.split_at(at);
        let (host, port) = split_authority(authority)
            .ok_or_else(|| anyhow!("`{authority}` is not a valid host"))?;
        let port = port.unwrap_or(if scheme == "https" { 443 } else { 80 });
        let route = runtime.routes.find(&host, Some(port));
        let found = route.and_then(|route| {
            let app = runtime.apps.get(route.app)?;
            Some(Destination { app, address: app.addresses.get(route.address)? })
        });
        let Some(found) = found else {
            bail!("no app is declared for {host}: the request would be refused with 404");
        };
        let uri = if uri.starts_with('/') { uri.to_owned() } else { format!("/{uri}") };
        Ok((found, host.into_owned(), uri))
    }

    fn now(&self) -> anyhow::Result<Millis> {
        let Some(text) = &self.at_time else { return Ok(Clock::machine().now()) };
        let moment: jiff::Timestamp = text.parse().map_err(|_| {
            anyhow!("--at-time: `{text}` is not a moment; write it as 2026-03-03T12:00:00+01:00")
        })?;
        Ok(Millis(moment.as_millisecond()))
    }

    fn identity(&self, runtime: &Runtime, who: &str, now: Millis) -> anyhow::Result<Identity> {
        let persona = runtime.blueprint.personas.iter().find(|persona| persona.name.value == who);
        let declared = runtime.declared.get(who);
        let (groups, attributes, email, name, disabled) = match (declared, persona) {
            (Some(person), _) => (
                person.groups.clone(),
                person.attributes.clone(),
                person.email.clone(),
                person.name.clone(),
                person.disabled,
            ),
            (None, Some(persona)) => {
                let groups = persona.groups.iter().map(|name| name.value.clone()).collect();
                (groups, attribute_map(&persona.attributes), None, None, false)
            }
            (None, None) => bail!("`{who}` is neither a declared user nor a persona"),
        };
        let set = runtime.groups.expand(groups.iter().map(String::as_str));
        let mut proofs = Proofs::default();
        match self.mfa.as_deref() {
            Some("none") => {}
            Some(word) => {
                let factor = Factor::from_word(word)
                    .ok_or_else(|| anyhow!("--mfa: `{word}` is no second factor"))?;
                proofs.add(factor, now.minus(std::time::Duration::from_secs(60)));
            }
            None => {
                let proven = persona.and_then(|persona| persona.mfa.as_ref());
                if let Some((factor, ago)) = proven.and_then(|p| Some((p.factor?, p.ago))) {
                    proofs.add(factor, now.minus(ago));
                }
            }
        }
        Ok(Identity {
            username: who.to_owned(),
            name,
            email,
            group_names: runtime.groups.names_in(&set).map(str::to_owned).collect(),
            groups: set,
            attributes,
            proofs,
            disabled,
        })
    }
}

struct Identity {
    username: String,
    name: Option<String>,
    email: Option<String>,
    groups: access::groups::GroupSet,
    group_names: Vec<String>,
    attributes: Attributes,
    proofs: Proofs,
    disabled: bool,
}

impl Identity {
    fn person(&self) -> Person<'_> {
        Person {
            username: &self.username,
            kind: PersonKind::User,
            name: self.name.as_deref(),
            email: self.email.as_deref(),
            groups: &self.groups,
            group_names: &self.group_names,
            attributes: &self.attributes,
            proofs: &self.proofs,
            disabled: self.disabled,
        }
    }
}

struct Told<'a> {
    destination: Destination<'a>,
    target: &'a Target<'a>,
    person: Option<&'a Person<'a>>,
    now: Millis,
    reputation: Reputation,
    verdict: &'a Verdict<'a>,
    trace: &'a Trace<'a>,
}

impl Told<'_> {
    fn text(&self, who: Option<&str>) -> String {
        let target = self.target;
        let app = self.destination.app;
        let mut text = format!(
            "{} {}{}\n  app     {} ({})\n  who     {}\n  from    {}\n  at      {}\n\n",
            target.method,
            target.host,
            target.path,
            app.slug,
            app.place,
            self.person.map_or_else(
                || "nobody is signed in".to_owned(),
                |person| format!("{}, in {}", who.unwrap_or(""), groups(person))
            ),
            target
                .client
                .address()
                .map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
            self.now,
        );
        for (at, rule) in app.access.rules.iter().enumerate() {
            let outcome = self.trace.rules.get(at).map(|(_, outcome)| outcome);
            let word = match outcome {
                Some(Outcome::Hit) => "hit",
                Some(Outcome::Miss) => "miss",
                Some(Outcome::Error(_)) => "error",
                None => "not reached",
            };
            text += &format!("  {word:<12} {:<60} {}\n", rule.text, rule.place);
            if let (Some(outcome), Some(person)) = (outcome, self.person) {
                text += &self.conditions(rule, person);
                if let Outcome::Error(error) = outcome {
                    text += &format!("  {:<12}   {error}\n", "");
                }
            }
        }
        for requirement in &app.access.requires {
            let met = self.person.is_some_and(|person| {
                person.proofs.hold(&requirement.kinds, requirement.within, self.now)
            });
            let word = if met { "met" } else { "unmet" };
            text += &format!("  {word:<12} {:<60} {}\n", requirement.text, requirement.place);
        }
        let by = match self.verdict.by.place() {
            Some(place) => format!("{} at {place}", self.verdict.by.text()),
            None => self.verdict.by.text().to_owned(),
        };
        text + &format!("\n  {}: {by}\n", self.verdict.decision.word())
    }

    fn conditions(&self, rule: &Rule, person: &Person<'_>) -> String {
        let facts = Facts {
            person: Some(person),
            target: self.target,
            app: &self.destination.app.slug,
            now: self.now,
            reputation: self.reputation,
        };
        let mut text = String::new();
        for (policy, wanted) in rule.conditions() {
            let word = if wanted { "if" } else { "unless" };
            let value = match policy.holds(&facts) {
                Ok(value) => value.to_string(),
                Err(error) => format!("error: {error}"),
            };
            text +=
                &format!("  {:<12}   {word} {} is {value} ({})\n", "", policy.slug, policy.place);
        }
        text
    }

    fn json(&self, who: Option<&str>) -> serde_json::Value {
        let rules = self.destination.app.access.rules.iter().enumerate().map(|(at, rule)| {
            let outcome = self.trace.rules.get(at).map(|(_, outcome)| outcome);
            serde_json::json!({
                "rule": rule.text,
                "at": rule.place,
                "outcome": match outcome {
                    Some(Outcome::Hit) => "hit",
                    Some(Outcome::Miss) => "miss",
                    Some(Outcome::Error(_)) => "error",
                    None => "not-reached",
                },
            })
        });
        let step_up = match self.verdict.decision {
            Decision::StepUp(requirement) => Some(&requirement.text),
            _ => None,
        };
        serde_json::json!({
            "schema": "doorward.explain/1",
            "request": { "method": self.target.method, "host": self.target.host, "path": self.target.path },
            "app": self.destination.app.slug,
            "who": who,
            "decision": self.verdict.decision.word(),
            "requires": step_up,
            "by": { "rule": self.verdict.by.text(), "at": self.verdict.by.place() },
            "rules": rules.collect::<Vec<_>>(),
        })
    }
}

fn groups(person: &Person<'_>) -> String {
    if person.group_names.is_empty() {
        "no group".to_owned()
    } else {
        person.group_names.join(", ")
    }
}
