//! `group`, `user`, `service-account`.

use std::time::Duration;

use super::decode;
use super::secret_ref::SecretRef;
use super::source::{Name, Span, Spanned};
use super::tree::Node;

/// Attributes as written: key and values, in order.
pub type AttributeLines = Vec<(Name, Vec<String>)>;

#[derive(Clone, Debug)]
pub struct Group {
    pub slug: Name,
    pub title: Option<String>,
    pub formerly: Option<Name>,
    pub protect: bool,
    /// Groups whose members the members of this one are, too.
    pub within: Vec<Name>,
    pub console: ConsoleRole,
    /// As written; a group with `console admin` is always declared.
    pub membership: Membership,
    pub attributes: AttributeLines,
    pub at: Span,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConsoleRole {
    #[default]
    None,
    Viewer,
    Admin,
}

/// Who decides the member list: the files alone, or people at run time as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Membership {
    Declared,
    #[default]
    Runtime,
}

#[derive(Clone, Debug)]
pub struct User {
    pub name: Name,
    pub title: Option<String>,
    pub email: Option<Spanned<String>>,
    pub formerly: Option<Name>,
    pub protect: bool,
    pub disabled: bool,
    pub groups: Vec<Name>,
    pub attributes: AttributeLines,
    pub initial_password: Option<SecretRef>,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub struct ServiceAccount {
    pub name: Name,
    pub title: Option<String>,
    pub formerly: Option<Name>,
    pub protect: bool,
    pub groups: Vec<Name>,
    pub attributes: AttributeLines,
    pub tokens: Vec<TokenGrant>,
    pub at: Span,
}

#[derive(Clone, Debug)]
pub struct TokenGrant {
    pub purpose: TokenPurpose,
    /// Any other number makes a new one.
    pub rotate: Option<i64>,
    pub expires: Option<Duration>,
    pub at: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPurpose {
    Api,
    LdapBind,
    Scim,
}

impl Group {
    pub(super) fn from_node(node: &Node) -> Option<Self> {
        Some(Self {
            slug: decode::name(node)?,
            title: decode::title(node),
            formerly: decode::prop_name(node, "formerly"),
            protect: decode::has(node, 1, "protect"),
            within: decode::kid_words(node, "in"),
            console: match decode::kid_text(node, "console").as_deref() {
                Some("admin") => ConsoleRole::Admin,
                Some("viewer") => ConsoleRole::Viewer,
                _ => ConsoleRole::None,
            },
            membership: match decode::kid_text(node, "membership").as_deref() {
                Some("declared") => Membership::Declared,
                _ => Membership::Runtime,
            },
            attributes: attribute_lines(node),
            at: node.head(),
        })
    }
}

impl User {
    pub(super) fn from_node(node: &Node) -> Option<Self> {
        Some(Self {
            name: decode::name(node)?,
            title: decode::title(node),
            email: decode::prop_name(node, "email"),
            formerly: decode::prop_name(node, "formerly"),
            protect: decode::has(node, 1, "protect"),
            disabled: decode::has(node, 1, "disabled"),
            groups: decode::kid_words(node, "in"),
            attributes: attribute_lines(node),
            initial_password: decode::kid_secret(node, "initial-password"),
            at: node.head(),
        })
    }
}

impl ServiceAccount {
    pub(super) fn from_node(node: &Node) -> Option<Self> {
        Some(Self {
            name: decode::name(node)?,
            title: decode::title(node),
            formerly: decode::prop_name(node, "formerly"),
            protect: decode::has(node, 1, "protect"),
            groups: decode::kid_words(node, "in"),
            attributes: attribute_lines(node),
            tokens: node.kids_named("token").filter_map(token).collect(),
            at: node.head(),
        })
    }
}

fn token(node: &Node) -> Option<TokenGrant> {
    let purpose = match decode::name(node)?.value.as_str() {
        "api" => TokenPurpose::Api,
        "ldap-bind" => TokenPurpose::LdapBind,
        "scim" => TokenPurpose::Scim,
        _ => return None,
    };
    Some(TokenGrant {
        purpose,
        rotate: decode::prop_number(node, "rotate"),
        expires: decode::kid_duration(node, "expires"),
        at: node.head(),
    })
}

/// The `attribute` lines of a person, a group or a persona.
pub(super) fn attribute_lines(node: &Node) -> AttributeLines {
    let line = |node: &Node| {
        let mut words = decode::words(node).into_iter();
        let key = words.next()?;
        Some((key, words.map(|word| word.value).collect()))
    };
    node.kids_named("attribute").filter_map(line).collect()
}
