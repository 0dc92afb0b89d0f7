//! The typed form of the few nodes that samples use.

use std::time::Duration;

use crate::blueprint::Blueprint;
use crate::blueprint::app::{
    Access, App, Bypass, Effect, IdentityHeaders, Preflight, Proxy, Reach, RequiredFactor,
    Requirement, Rule, Scim,
};
use crate::blueprint::flow::{
    AuthenticatorValidate, Flow, Identification, NotConfigured, Purpose, Stage, StageKind,
};
use crate::blueprint::object::{Kind, Object};
use crate::blueprint::people::{ConsoleRole, Group, Membership, User};
use crate::blueprint::policy::{AttributeTest, Condition, Part, Policy};
use crate::blueprint::secret_ref::{SecretOrigin, SecretRef};
use crate::blueprint::settings::{
    DefaultFlows, DriftRule, Email, PasswordRules, ReconcileRules, Server, SessionLimits, Settings,
    TestRule,
};
use crate::blueprint::source::{Name, Spanned};
use crate::blueprint::tree::{Node, Value};
use crate::model::factor::Factor;
use crate::model::glob::Glob;
use crate::model::network::Network;
use crate::model::subject::Subject;
use crate::model::web_url::WebUrl;

pub fn blueprint(nodes: Vec<Node>) -> Blueprint {
    let all = |name: &'static str| nodes.iter().filter(move |node| node.is(name));
    Blueprint {
        server: Server::default(),
        settings: settings(all("settings").next().expect("settings")),
        email: all("email").next().map(email),
        traefik: None,
        ldap: None,
        brands: Vec::new(),
        notifies: Vec::new(),
        groups: all("group").map(group).collect(),
        users: all("user").map(user).collect(),
        service_accounts: Vec::new(),
        policies: all("policy").map(policy).collect(),
        flows: all("flow").map(flow).collect(),
        apps: all("app").map(app).collect(),
        sources: Vec::new(),
        personas: Vec::new(),
        tests: Vec::new(),
        invariants: Vec::new(),
        objects: nodes.iter().filter_map(object).collect(),
        singles: nodes.iter().filter(|n| Kind::from_word(&n.name.text).is_none()).cloned().collect(),
    }
}

fn object(node: &Node) -> Option<Object> {
    Some(Object {
        kind: Kind::from_word(&node.name.text)?,
        slug: slug(node),
        formerly: formerly(node),
        protect: has(node, "protect"),
        node: node.clone(),
        at: node.head(),
    })
}

fn name(value: &Value) -> Name {
    Spanned::new(value.text().expect("a text").to_owned(), value.span)
}

fn slug(node: &Node) -> Name {
    name(node.args.first().expect("a slug"))
}

fn formerly(node: &Node) -> Option<Name> {
    node.prop("formerly").map(name)
}

fn title(node: &Node) -> Option<String> {
    let titles = node.args.iter().skip(1).filter(|value| value.bare_word().is_none());
    titles.filter_map(|value| value.text()).next().map(str::to_owned)
}

fn has(node: &Node, switch: &str) -> bool {
    node.args.iter().skip(1).any(|value| value.bare_word() == Some(switch))
        || node.kid(switch).is_some()
}

fn names(node: &Node, kid: &str) -> Vec<Name> {
    node.kids_named(kid).flat_map(|kid| &kid.args).map(name).collect()
}

fn first(node: &Node, kid: &str) -> Option<Name> {
    names(node, kid).into_iter().next()
}

fn lasts(node: &Node) -> Option<Duration> {
    let units = [("seconds", 1), ("minutes", 60), ("hours", 3600), ("days", 86_400)];
    let parts = units.iter().filter_map(|(unit, size)| {
        let number = node.prop(unit)?.whole()?;
        Some(u64::try_from(number).expect("positive") * size)
    });
    Some(parts.sum()).filter(|sum: &u64| *sum > 0).map(Duration::from_secs)
}

fn secret(value: &Value) -> SecretRef {
    let text = value.text().expect("a text").to_owned();
    let origin = match value.tag.as_ref().map(|tag| tag.text.as_str()) {
        Some("credential") => SecretOrigin::Credential(text),
        Some("file") => SecretOrigin::File(text),
        _ => SecretOrigin::Generated,
    };
    SecretRef { origin, rotate: None, deliver: None, span: value.span }
}

fn url(value: &Value) -> Spanned<WebUrl> {
    Spanned::new(WebUrl::parse(value.text().expect("a text")).expect("a URL"), value.span)
}

fn settings(node: &Node) -> Settings {
    let reconcile = node.kid("reconcile");
    let word = |kid: &str| reconcile.and_then(|node| first(node, kid)).map(|name| name.value);
    let guard = reconcile.and_then(|node| node.kid("prune-guard"));
    let number = |key: &str| {
        let value = guard.and_then(|guard| guard.prop(key)).and_then(Value::whole);
        value.map(|number| u32::try_from(number).expect("a number"))
    };
    let flows = node.kid("default-flows");
    let chosen = |kid: &str| flows.and_then(|flows| first(flows, kid));
    Settings {
        external_host: url(&node.kid("external-host").expect("external-host").args[0]),
        default_token_lifetime: Duration::from_secs(3600),
        session: SessionLimits::default(),
        default_flows: DefaultFlows {
            authentication: chosen("authentication"),
            recovery: chosen("recovery"),
            ..DefaultFlows::default()
        },
        password: PasswordRules::default(),
        retain_events: None,
        backup: None,
        repository: None,
        reconcile: ReconcileRules {
            tests: if word("tests").as_deref() == Some("warn") { TestRule::Warn } else { TestRule::Gate },
            prune_percent: number("percent").unwrap_or(20),
            prune_count: number("count").unwrap_or(3),
            drift: match word("drift").as_deref() {
                Some("enforce") => DriftRule::Enforce,
                _ => DriftRule::Report,
            },
            ..ReconcileRules::default()
        },
        runtime_objects: Vec::new(),
        duo: None,
        at: node.head(),
    }
}

fn email(node: &Node) -> Email {
    let smtp = node.kid("smtp").expect("smtp");
    Email {
        smtp: name(&smtp.args[0]),
        username: None,
        password: smtp.prop("password").map(secret),
        from: first(node, "from").expect("from"),
        at: node.head(),
    }
}

fn group(node: &Node) -> Group {
    let word = |kid: &str| first(node, kid).map(|name| name.value);
    Group {
        slug: slug(node),
        title: title(node),
        formerly: formerly(node),
        protect: has(node, "protect"),
        within: names(node, "in"),
        console: match word("console").as_deref() {
            Some("admin") => ConsoleRole::Admin,
            Some("viewer") => ConsoleRole::Viewer,
            _ => ConsoleRole::None,
        },
        membership: match word("membership").as_deref() {
            Some("declared") => Membership::Declared,
            _ => Membership::Runtime,
        },
        attributes: Vec::new(),
        at: node.head(),
    }
}

fn user(node: &Node) -> User {
    let attributes = node.kids_named("attribute").map(|line| {
        let values = line.args.iter().skip(1).filter_map(Value::text).map(str::to_owned);
        (slug(line), values.collect())
    });
    User {
        name: slug(node),
        title: title(node),
        email: node.prop("email").map(name),
        formerly: formerly(node),
        protect: has(node, "protect"),
        disabled: has(node, "disabled"),
        groups: names(node, "in"),
        attributes: attributes.collect(),
        initial_password: node.kid("initial-password").map(|kid| secret(&kid.args[0])),
        at: node.head(),
    }
}

fn policy(node: &Node) -> Policy {
    Policy {
        slug: slug(node),
        formerly: formerly(node),
        parts: node.kids.iter().map(part).collect(),
        at: node.head(),
    }
}

fn part(node: &Node) -> Part {
    let condition = match node.name.text.as_str() {
        "network" => Condition::Network(
            names_of(node).iter().map(|text| Network::parse(text).expect("a network")).collect(),
        ),
        "mfa" => Condition::Mfa { kinds: Vec::new(), within: lasts(node) },
        "group" => Condition::Group(node.args.iter().map(name).collect()),
        "use" => Condition::Use(slug(node)),
        "not" => Condition::Not(node.kids.iter().map(part).collect()),
        "attribute" => Condition::Attribute {
            key: slug(node).value,
            test: AttributeTest::Equals(name(node.prop("equals").expect("equals")).value),
        },
        other => panic!("samples have no `{other}`"),
    };
    Part { condition, at: node.head() }
}

fn names_of(node: &Node) -> Vec<String> {
    node.args.iter().filter_map(Value::text).map(str::to_owned).collect()
}

fn flow(node: &Node) -> Flow {
    Flow {
        slug: slug(node),
        purpose: match node.prop("for").and_then(Value::text) {
            Some("recovery") => Purpose::Recovery,
            Some("step-up") => Purpose::StepUp,
            _ => Purpose::Authentication,
        },
        title: None,
        formerly: formerly(node),
        stages: node.kids.iter().map(stage).collect(),
        at: node.head(),
    }
}

fn stage(node: &Node) -> Stage {
    let kind = match node.name.text.as_str() {
        "identification" => StageKind::Identification(Identification::default()),
        "password" => StageKind::Password { lockout: None },
        "email-link" => StageKind::EmailLink { expires: None },
        "login" => StageKind::Login { stay_signed_in: None },
        "authenticator-validate" => StageKind::AuthenticatorValidate(AuthenticatorValidate {
            device_classes: names(node, "device-classes")
                .iter()
                .map(|word| Factor::from_word(&word.value).expect("a factor"))
                .collect(),
            not_configured: match first(node, "not-configured-action").expect("action").value.as_str()
            {
                "skip" => NotConfigured::Skip,
                "configure" => NotConfigured::Configure,
                _ => NotConfigured::Deny,
            },
            configure_with: Vec::new(),
            last_validation_threshold: node.kid("last-validation-threshold").and_then(lasts),
            code_in_password: false,
        }),
        other => panic!("samples have no stage `{other}`"),
    };
    Stage { kind, when: names(node, "if"), unless: names(node, "unless"), at: node.head() }
}

fn app(node: &Node) -> App {
    let access = node.kid("access").expect("access");
    App {
        slug: slug(node),
        title: title(node),
        category: None,
        icon: None,
        formerly: formerly(node),
        hidden: has(node, "hidden"),
        protect: has(node, "protect"),
        launch_url: None,
        proxies: node.kids_named("proxy").map(proxy).collect(),
        authentication: first(node, "authentication"),
        authorization: None,
        session: None,
        oidc: None,
        ldap: None,
        scim: node.kid("scim").map(|scim| Scim {
            url: slug(scim),
            token: scim.kid("token").map(|kid| secret(&kid.args[0])),
            sync: Vec::new(),
            on_remove: None,
            at: scim.head(),
        }),
        middlewares: Vec::new(),
        access: Access {
            requires: access.kids_named("require").map(requirement).collect(),
            rules: access.kids.iter().filter(|kid| !kid.is("require")).map(rule).collect(),
            at: access.head(),
        },
        at: node.head(),
    }
}

fn globs(node: &Node) -> Vec<Spanned<Glob>> {
    let glob = |value: &Value| Glob::parse(value.text().expect("a text")).expect("a glob");
    node.args.iter().map(|value| Spanned::new(glob(value), value.span)).collect()
}

fn proxy(node: &Node) -> Proxy {
    Proxy {
        reach: Reach::Address(url(&node.args[0])),
        to: node.prop("to").map(url),
        bypass: node
            .kids_named("bypass")
            .map(|kid| Bypass {
                paths: globs(kid),
                reason: None,
                methods: Vec::new(),
                at: kid.head(),
            })
            .collect(),
        protect_only: node.kids_named("protect-only").flat_map(globs).collect(),
        headers: Vec::new(),
        identity_headers: IdentityHeaders::Unsaid,
        preflight: Preflight::Deny,
        at: node.head(),
    }
}

fn requirement(node: &Node) -> Requirement {
    let factor = match node.args[0].text() {
        Some("mfa") => RequiredFactor::Mfa,
        other => RequiredFactor::One(other.and_then(Factor::from_word).expect("a factor")),
    };
    Requirement { factor, within: lasts(node), at: node.head() }
}

fn rule(node: &Node) -> Rule {
    let subject = |value: &Value| {
        Spanned::new(Subject::parse(value.text().expect("a text")).expect("a subject"), value.span)
    };
    Rule {
        effect: if node.is("allow") { Effect::Allow } else { Effect::Deny },
        subjects: node.args.iter().map(subject).collect(),
        path: node.prop("path").map(|value| {
            Spanned::new(Glob::parse(value.text().expect("a text")).expect("a glob"), value.span)
        }),
        method: None,
        when: node.prop("if").map(name).into_iter().chain(names(node, "if")).collect(),
        unless: node.prop("unless").map(name).into_iter().chain(names(node, "unless")).collect(),
        at: node.head(),
    }
}
