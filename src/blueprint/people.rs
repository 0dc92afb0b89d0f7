//! `group`, `user`, `service-account`.

use std::time::Duration;

use super::secret_ref::SecretRef;
use super::source::{Name, Span, Spanned};

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
    pub expires: Option<Duration>,
    pub at: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPurpose {
    Api,
    LdapBind,
    Scim,
}
