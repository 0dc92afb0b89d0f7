//! From validated nodes to the typed blueprint. What validation complained about is left out
//! or takes its default; nothing here complains.

use std::time::Duration;

use super::Blueprint;
use super::app::App;
use super::expectation::{Invariant, Persona, Test};
use super::flow::Flow;
use super::identity_source::IdentitySource;
use super::object::{Kind, Object};
use super::people::{Group, ServiceAccount, User};
use super::policy::Policy;
use super::schema::UNITS;
use super::secret_ref::SecretRef;
use super::settings::{Brand, Email, LdapServer, Notify, Server, Settings};
use super::source::{Name, Spanned};
use super::traefik::Traefik;
use super::tree::{Node, Value};
use super::validate::text_of;
use crate::secret::Secret;

/// The typed blueprint of expanded top-level nodes; `None` without `settings`.
#[must_use]
pub fn decode(nodes: &[Node]) -> Option<Blueprint> {
    let one = |name: &str| nodes.iter().find(|node| node.is(name));
    Some(Blueprint {
        settings: Settings::from_node(one("settings")?)?,
        server: one("server").map(Server::from_node).unwrap_or_default(),
        email: one("email").and_then(Email::from_node),
        traefik: one("traefik").map(Traefik::from_node),
        ldap: one("ldap").map(LdapServer::from_node),
        brands: all(nodes, "brand", Brand::from_node),
        notifies: all(nodes, "notify", Notify::from_node),
        groups: all(nodes, "group", Group::from_node),
        users: all(nodes, "user", User::from_node),
        service_accounts: all(nodes, "service-account", ServiceAccount::from_node),
        policies: all(nodes, "policy", Policy::from_node),
        flows: all(nodes, "flow", Flow::from_node),
        apps: all(nodes, "app", App::from_node),
        sources: all(nodes, "source", IdentitySource::from_node),
        personas: all(nodes, "persona", Persona::from_node),
        tests: all(nodes, "test", Test::from_node),
        invariants: all(nodes, "invariant", Invariant::from_node),
        objects: objects(nodes),
        singles: singles(nodes),
    })
}

/// Every named object, by kind and slug.
fn objects(nodes: &[Node]) -> Vec<Object> {
    let mut objects: Vec<Object> = nodes.iter().filter_map(object).collect();
    objects.sort_by(|a, b| (a.kind, &a.slug.value).cmp(&(b.kind, &b.slug.value)));
    objects
}

/// Every other node, in the order of the files.
fn singles(nodes: &[Node]) -> Vec<Node> {
    nodes.iter().filter(|node| Kind::from_word(&node.name.text).is_none()).cloned().collect()
}

fn object(node: &Node) -> Option<Object> {
    Some(Object {
        kind: Kind::from_word(&node.name.text)?,
        slug: name(node)?,
        formerly: prop_name(node, "formerly"),
        protect: has(node, 1, "protect"),
        node: node.clone(),
        at: node.head(),
    })
}

fn all<T>(nodes: &[Node], name: &str, read: fn(&Node) -> Option<T>) -> Vec<T> {
    nodes.iter().filter(|node| node.is(name)).filter_map(read).collect()
}

/// The first argument.
pub(super) fn name(node: &Node) -> Option<Name> {
    node.args.first().and_then(spanned)
}

/// The first quoted argument behind the name.
pub(super) fn title(node: &Node) -> Option<String> {
    let quoted = node.args.iter().skip(1).find(|value| value.bare_word().is_none())?;
    spanned(quoted).map(|text| text.value)
}

/// Whether a switch is given, as a bare word behind the first `skip` arguments or as a child.
pub(super) fn has(node: &Node, skip: usize, word: &str) -> bool {
    node.args.iter().skip(skip).any(|value| value.bare_word() == Some(word))
        || node.kid(word).is_some()
}

pub(super) fn spanned(value: &Value) -> Option<Spanned<String>> {
    text_of(value).map(|text| Spanned::new(text.into_owned(), value.span))
}

/// All arguments.
pub(super) fn words(node: &Node) -> Vec<Name> {
    node.args.iter().filter_map(spanned).collect()
}

/// All arguments of all children of this name.
pub(super) fn kid_words(node: &Node, kid: &str) -> Vec<Name> {
    node.kids_named(kid).flat_map(words).collect()
}

pub(super) fn kid_word(node: &Node, kid: &str) -> Option<Name> {
    node.kid(kid).and_then(name)
}

pub(super) fn kid_text(node: &Node, kid: &str) -> Option<String> {
    kid_word(node, kid).map(|word| word.value)
}

pub(super) fn kid_number<T: TryFrom<i128>>(node: &Node, kid: &str) -> Option<T> {
    node.kid(kid)?.args.first().and_then(number)
}

pub(super) fn prop_name(node: &Node, prop: &str) -> Option<Name> {
    node.prop(prop).and_then(spanned)
}

pub(super) fn prop_text(node: &Node, prop: &str) -> Option<String> {
    prop_name(node, prop).map(|word| word.value)
}

pub(super) fn prop_number<T: TryFrom<i128>>(node: &Node, prop: &str) -> Option<T> {
    node.prop(prop).and_then(number)
}

fn number<T: TryFrom<i128>>(value: &Value) -> Option<T> {
    T::try_from(value.whole()?).ok()
}

/// A value read by `parse`.
pub(super) fn parsed<T, E>(
    value: &Value,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Option<Spanned<T>> {
    let text = text_of(value)?;
    parse(&text).ok().map(|parsed| Spanned::new(parsed, value.span))
}

/// Every argument of the children of this name, read by `parse`.
pub(super) fn kid_parsed<T, E>(
    node: &Node,
    kid: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Vec<Spanned<T>> {
    let values = node.kids_named(kid).flat_map(|kid| kid.args.iter());
    values.filter_map(|value| parsed(value, &parse)).collect()
}

/// The sum of the units on the line of a node.
pub(super) fn duration(node: &Node) -> Option<Duration> {
    let mut total: Option<u64> = None;
    for (unit, seconds) in UNITS {
        if let Some(count) = prop_number::<u64>(node, unit) {
            let sum = total.unwrap_or(0).saturating_add(count.saturating_mul(seconds));
            total = Some(sum);
        }
    }
    total.map(Duration::from_secs)
}

pub(super) fn kid_duration(node: &Node, kid: &str) -> Option<Duration> {
    node.kid(kid).and_then(duration)
}

/// The secret that is the first argument of a child.
pub(super) fn kid_secret(node: &Node, kid: &str) -> Option<SecretRef> {
    let kid = node.kid(kid)?;
    let secret = SecretRef::from_value(kid.args.first()?)?;
    Some(SecretRef {
        rotate: prop_number(kid, "rotate"),
        deliver: prop_name(kid, "deliver"),
        ..secret
    })
}

/// `if` and `unless`, as properties and as children.
pub(super) fn policies(node: &Node, word: &str) -> Vec<Name> {
    prop_name(node, word).into_iter().chain(kid_words(node, word)).collect()
}

impl SecretRef {
    /// Reads a secret's value; a literal stays inside `Secret`.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        use super::secret_ref::SecretOrigin;
        let text = text_of(value)?.into_owned();
        let origin = match value.tag.as_ref().map(|tag| tag.text.as_str()) {
            Some("credential") => SecretOrigin::Credential(text),
            Some("file") => SecretOrigin::File(text),
            Some("env") => SecretOrigin::Env(text),
            Some("argon2id") => SecretOrigin::Argon2id(text),
            Some("sealed") => SecretOrigin::Sealed(text),
            Some(_) => return None,
            None if value.bare_word() == Some("generated") => SecretOrigin::Generated,
            None => SecretOrigin::Literal(Secret::new(text)),
        };
        Some(Self { origin, rotate: None, deliver: None, span: value.span })
    }
}
