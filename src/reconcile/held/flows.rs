//! Flows for sign-in, recovery and step-up that would ask for less than before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Case, Reason};
use crate::blueprint::Blueprint;
use crate::blueprint::app::App;
use crate::blueprint::flow::{Flow, NotConfigured, Purpose, Stage, StageKind};
use crate::blueprint::object::Kind;
use crate::blueprint::settings::DefaultFlows;
use crate::blueprint::source::{Name, Span};
use crate::reconcile::canonical::{canonical, things};
use crate::reconcile::identity::Fate;
use crate::runtime::Runtime;

/// One place from which a flow is chosen.
struct Use<'a> {
    /// What confirms a change of choice: `settings.default-flows.recovery`.
    chosen_by: String,
    object: String,
    at: Option<Span>,
    old: Option<&'a Flow>,
    new: Option<&'a Flow>,
}

pub fn find(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let mut told = BTreeSet::new();
    for each in uses(case) {
        for (argument, object, place, sentence) in weaknesses(case, &each) {
            if told.insert((argument.clone(), sentence.clone())) {
                reasons.push(
                    Reason::new("weaker-flow", object, place, sentence)
                        .confirmed_by("--allow", &argument),
                );
            }
        }
    }
    policies(case, reasons);
}

type Weakness = (String, String, String, String);

fn weaknesses(case: &Case<'_>, each: &Use<'_>) -> Vec<Weakness> {
    let place = |at: Option<Span>| at.map(|at| case.place(at)).unwrap_or_default();
    let by_choice =
        |sentence: String| (each.chosen_by.clone(), each.object.clone(), place(each.at), sentence);
    let (old, new) = match (each.old, each.new) {
        (Some(old), Some(new)) => (old, new),
        (None, Some(new)) if new.purpose == Purpose::Recovery => {
            return vec![by_choice("there would be a way to recover accounts".to_owned())];
        }
        _ => return Vec::new(),
    };
    let same = new.slug.value == former_flow(case, &old.slug.value);
    let sentences = weaker(old, new, &renames(case));
    let name = &new.slug.value;
    let tell = |sentence: String| match same {
        true => {
            let sentence = format!("flow {name} {sentence}");
            (format!("flow:{name}"), format!("flow {name}"), place(Some(new.at)), sentence)
        }
        false => {
            by_choice(format!("flow {name}, chosen in place of {}, {sentence}", old.slug.value))
        }
    };
    sentences.into_iter().map(tell).collect()
}

/// What a flow of the generation before is called now.
fn former_flow<'a>(case: &'a Case<'_>, old: &'a str) -> &'a str {
    let renamed = case.matched.iter().find(|each| {
        each.kind == Kind::Flow && matches!(&each.fate, Fate::Rename { was, .. } if was == old)
    });
    renamed.map_or(old, |each| &each.slug)
}

type Renames = BTreeMap<String, String>;

/// Former names of policies and their present ones.
fn renames(case: &Case<'_>) -> Renames {
    let renamed = case.matched.iter().filter_map(|each| match &each.fate {
        Fate::Rename { was, .. } if each.kind == Kind::Policy => {
            Some((was.clone(), each.slug.clone()))
        }
        _ => None,
    });
    renamed.collect()
}

fn uses<'a>(case: &'a Case<'_>) -> Vec<Use<'a>> {
    let (old, new) = (case.before.runtime, case.after.runtime);
    let mut uses = Vec::new();
    for (word, of) in CHOICES {
        uses.push(Use {
            chosen_by: format!("settings.default-flows.{word}"),
            object: "settings".to_owned(),
            at: of(&new.blueprint.settings.default_flows).map(|name| name.span),
            old: chosen(old, of(&old.blueprint.settings.default_flows), word),
            new: chosen(new, of(&new.blueprint.settings.default_flows), word),
        });
    }
    uses.extend(app_uses(case));
    uses
}

type Choice = fn(&DefaultFlows) -> Option<&Name>;

const CHOICES: [(&str, Choice); 3] = [
    ("authentication", |flows| flows.authentication.as_ref()),
    ("recovery", |flows| flows.recovery.as_ref()),
    ("step-up", |flows| flows.step_up.as_ref()),
];

fn chosen<'a>(runtime: &'a Runtime, name: Option<&Name>, purpose: &str) -> Option<&'a Flow> {
    let builtin = format!("builtin.{purpose}");
    let name = name.map_or(builtin.as_str(), |name| &name.value);
    runtime.flows.get(name).map(AsRef::as_ref)
}

/// The flows of apps: their own, or the default one. A new app's own flow stands beside the one
/// that it would have without.
fn app_uses<'a>(case: &'a Case<'_>) -> Vec<Use<'a>> {
    let mut uses = Vec::new();
    for app in &case.new_files().apps {
        let slug = &app.slug.value;
        let was = case.matched.iter().find(|each| each.kind == Kind::App && each.slug == *slug);
        let was = match was.map(|each| &each.fate) {
            Some(Fate::Rename { was, .. }) => was,
            _ => slug,
        };
        let old = case.old_files().apps.iter().find(|app| app.slug.value == *was);
        let ldap_flow = |app: &'a App| app.ldap.as_ref().and_then(|ldap| ldap.flow.as_ref());
        let own = old.and_then(|app| app.authentication.as_ref());
        let pairs = [
            ("authentication", own, app.authentication.as_ref()),
            ("ldap.flow", old.and_then(ldap_flow), ldap_flow(app)),
        ];
        for (field, was, is) in pairs.into_iter().filter(|(_, was, is)| was.or(*is).is_some()) {
            let default = |runtime: &'a Runtime, own: Option<&Name>| {
                let general = runtime.blueprint.settings.default_flows.authentication.as_ref();
                chosen(runtime, own.or(general), "authentication")
            };
            uses.push(Use {
                chosen_by: format!("app:{slug}.{field}"),
                object: format!("app {slug}"),
                at: Some(is.map_or(app.at, |name| name.span)),
                old: default(case.before.runtime, was),
                new: default(case.after.runtime, is),
            });
        }
    }
    uses
}

/// In what the new flow asks for less, each as the rest of a sentence.
fn weaker(old: &Flow, new: &Flow, renamed: &Renames) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for stage in &old.stages {
        let Some(word) = proof(&stage.kind) else { continue };
        let nth = seen.entry(word).or_default();
        let counterpart = new.stages.iter().filter(|s| proof(&s.kind) == Some(word)).nth(*nth);
        *nth += 1;
        match counterpart {
            None => sentences.push(format!("would no longer have the stage `{word}`")),
            Some(stage_now) => compare(word, stage, stage_now, renamed, &mut sentences),
        }
    }
    let known = sources(old);
    for source in sources(new).into_iter().filter(|source| !known.contains(source)) {
        sentences.push(format!("would also let people in by source {source}"));
    }
    if let (Some(proofs), Some(proofs_now)) = (before_login(old), before_login(new))
        && proofs_now < proofs
        && sentences.is_empty()
    {
        sentences.push("would ask for less before `login`".to_owned());
    }
    if stay_signed_in(new) > stay_signed_in(old) {
        sentences.push("would keep people signed in for longer".to_owned());
    }
    sentences
}

/// The providers whose word a flow takes.
fn sources(flow: &Flow) -> BTreeSet<&str> {
    let stages = flow.stages.iter().filter_map(|stage| match &stage.kind {
        StageKind::Identification(asked) => Some(&asked.sources),
        _ => None,
    });
    stages.flatten().map(|name| name.value.as_str()).collect()
}

/// The longest time for which a sign-in of this flow may outlast the browser.
fn stay_signed_in(flow: &Flow) -> Duration {
    let stays = flow.stages.iter().filter_map(|stage| match stage.kind {
        StageKind::Login { stay_signed_in } => stay_signed_in,
        _ => None,
    });
    stays.max().unwrap_or_default()
}

/// The stages that prove something or refuse, by their word.
fn proof(kind: &StageKind) -> Option<&'static str> {
    match kind {
        StageKind::Password { .. } => Some("password"),
        StageKind::AuthenticatorValidate(_) => Some("authenticator-validate"),
        StageKind::EmailLink { .. } => Some("email-link"),
        StageKind::EmailVerify { .. } => Some("email-verify"),
        StageKind::AuthenticatorSetup { .. } => Some("authenticator-setup"),
        StageKind::Deny { .. } => Some("deny"),
        _ => None,
    }
}

/// How many proofs come before the first `login`.
fn before_login(flow: &Flow) -> Option<usize> {
    let login = flow.stages.iter().position(|s| matches!(s.kind, StageKind::Login { .. }))?;
    Some(flow.stages.iter().take(login).filter(|stage| proof(&stage.kind).is_some()).count())
}

fn compare(word: &str, old: &Stage, new: &Stage, renamed: &Renames, out: &mut Vec<String>) {
    let names = |list: &[Name], map: &Renames| -> BTreeSet<String> {
        list.iter().map(|name| map.get(&name.value).unwrap_or(&name.value).clone()).collect()
    };
    let none = Renames::new();
    let more = |old: &[Name], new: &[Name]| !names(new, &none).is_subset(&names(old, renamed));
    if more(&old.when, &new.when) || more(&old.unless, &new.unless) {
        out.push(format!("would run the stage `{word}` under more conditions"));
    }
    match (&old.kind, &new.kind) {
        (StageKind::Password { lockout: old }, StageKind::Password { lockout: new }) => {
            let weaker = match (old, new) {
                (Some(old), Some(new)) => new.after > old.after || new.lasts < old.lasts,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if weaker {
                out.push("would allow more wrong passwords".to_owned());
            }
        }
        (StageKind::AuthenticatorValidate(old), StageKind::AuthenticatorValidate(new)) => {
            if strictness(new.not_configured) < strictness(old.not_configured) {
                out.push(format!(
                    "would let people without a second factor further: not-configured-action {} → {}",
                    not_configured_word(old.not_configured),
                    not_configured_word(new.not_configured)
                ));
            }
            let kinds: Vec<&str> = new
                .device_classes
                .iter()
                .filter(|class| !old.device_classes.contains(class))
                .map(|class| class.word())
                .collect();
            if !kinds.is_empty() {
                out.push(format!("would also accept {} as a second factor", kinds.join(", ")));
            }
            let limit = |span: Option<Duration>| span.unwrap_or_default();
            let (was, is) = (old.last_validation_threshold, new.last_validation_threshold);
            if limit(is) > limit(was) {
                out.push("would remember a second factor for longer".to_owned());
            }
        }
        _ => {}
    }
}

fn strictness(action: NotConfigured) -> u8 {
    match action {
        NotConfigured::Skip => 0,
        NotConfigured::Configure => 1,
        NotConfigured::Deny => 2,
    }
}

fn not_configured_word(action: NotConfigured) -> &'static str {
    match action {
        NotConfigured::Skip => "skip",
        NotConfigured::Configure => "configure",
        NotConfigured::Deny => "deny",
    }
}

/// A condition of a proof that means something else now, although the flow's text is the same.
fn policies(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    let old = forms(case.old_files());
    let new = forms(case.new_files());
    for name in conditions(case.new_files()) {
        let was = case.matched.iter().find(|each| each.kind == Kind::Policy && each.slug == name);
        let was = match was.map(|each| &each.fate) {
            Some(Fate::Rename { was, .. }) => was.as_str(),
            _ => name.as_str(),
        };
        let (Some(before), Some(after)) = (old.get(was), new.get(name.as_str())) else { continue };
        if before == after {
            continue;
        }
        let at = case.new_files().policies.iter().find(|policy| policy.slug.value == name);
        let place = at.map(|policy| case.place(policy.at)).unwrap_or_default();
        let sentence = format!("policy {name}, on which a proof at sign-in depends, would change");
        reasons.push(
            Reason::new("weaker-flow", format!("policy {name}"), place, sentence)
                .confirmed_by("--allow", &format!("policy:{name}")),
        );
    }
}

fn forms(blueprint: &Blueprint) -> BTreeMap<&str, crate::reconcile::canonical::Canonical> {
    let policies = things(blueprint).into_iter().filter(|thing| thing.kind == "policy");
    policies.map(|thing| (thing.name, canonical(&thing))).collect()
}

/// The policies that decide whether a proof is asked for, with those that they use.
fn conditions(blueprint: &Blueprint) -> BTreeSet<String> {
    let guarded = |flow: &&Flow| {
        matches!(flow.purpose, Purpose::Authentication | Purpose::Recovery | Purpose::StepUp)
    };
    let stages = blueprint.flows.iter().filter(guarded).flat_map(|flow| &flow.stages);
    let stages = stages.filter(|stage| proof(&stage.kind).is_some());
    let named = stages.flat_map(|stage| stage.when.iter().chain(&stage.unless));
    let mut open: Vec<String> = named.map(|name| name.value.clone()).collect();
    let mut all = BTreeSet::new();
    while let Some(name) = open.pop() {
        let policy = blueprint.policies.iter().find(|policy| policy.slug.value == name);
        if all.insert(name) {
            open.extend(policy.iter().flat_map(|policy| used(&policy.parts)));
        }
    }
    all
}

fn used(parts: &[crate::blueprint::policy::Part]) -> Vec<String> {
    use crate::blueprint::policy::Condition;
    let of = |part: &crate::blueprint::policy::Part| match &part.condition {
        Condition::Use(name) => vec![name.value.clone()],
        Condition::Any(parts) | Condition::Not(parts) => used(parts),
        _ => Vec::new(),
    };
    parts.iter().flat_map(of).collect()
}
