//! Secrets that Doorward makes itself: which are missing, which are to be renewed.

use super::apply::Uids;
use super::identity::{Fate, Matched};
use super::stored::Stored;
use crate::blueprint::Blueprint;
use crate::blueprint::object::Kind;
use crate::blueprint::people::TokenPurpose;
use crate::blueprint::secret_ref::{SecretOrigin, SecretRef};

/// What a service account binds with.
pub const BIND_TOKEN: &str = "ldap-bind.token";

/// A generated secret that a plan makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedSecret {
    pub owner: Owner,
    /// `oidc.client-secret`.
    pub field: String,
    /// A current value is replaced; it stays good for a day.
    pub rotates: bool,
}

/// Whose secret it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    Object(Kind, String),
    /// `traefik`, which has no uid but its name.
    Single(&'static str),
}

impl Owner {
    /// `app:gitea`, or `traefik`.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Single(name) => (*name).to_owned(),
            Self::Object(kind, slug) => format!("{}:{slug}", kind.word()),
        }
    }

    /// Its uid, if it has one yet.
    #[must_use]
    pub fn uid(&self, uids: &Uids) -> Option<String> {
        match self {
            Self::Single(name) => Some((*name).to_owned()),
            Self::Object(kind, slug) => uids.get(&(*kind, slug.clone())).cloned(),
        }
    }
}

/// What a sealed value is bound to: it opens nowhere else.
#[must_use]
pub fn binding(owner_uid: &str, field: &str) -> String {
    format!("{owner_uid}/{field}")
}

/// The secrets that the new files want and the store lacks, or that are to be renewed.
#[must_use]
pub fn missing(
    before: Option<&Blueprint>,
    after: &Blueprint,
    stored: &Stored,
    matched: &[Matched],
) -> Vec<GeneratedSecret> {
    let old = before.map(wanted).unwrap_or_default();
    let mut missing = Vec::new();
    for each in wanted(after) {
        let (uid, was) = match &each.owner {
            Owner::Single(name) => (Some((*name).to_owned()), each.owner.clone()),
            Owner::Object(kind, slug) => identity(matched, *kind, slug),
        };
        let known = uid.is_some_and(|uid| {
            stored.secrets.iter().any(|s| s.owner_uid == uid && s.field == each.field)
        });
        let earlier = old.iter().find(|o| o.owner == was && o.field == each.field);
        let rotates = known && earlier.is_some_and(|earlier| earlier.rotate != each.rotate);
        if !known || rotates {
            missing.push(GeneratedSecret { owner: each.owner, field: each.field, rotates });
        }
    }
    missing
}

/// A generated secret that the files want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub owner: Owner,
    pub field: String,
    /// `rotate=`: any other number makes a new value.
    pub rotate: Option<i64>,
    /// `deliver=`: the file that receives the value.
    pub deliver: Option<String>,
}

fn identity(matched: &[Matched], kind: Kind, slug: &str) -> (Option<String>, Owner) {
    let each = matched.iter().find(|each| each.kind == kind && each.slug == slug);
    let same = Owner::Object(kind, slug.to_owned());
    match each.map(|each| &each.fate) {
        Some(Fate::Rename { uid, was }) => (Some(uid.clone()), Owner::Object(kind, was.clone())),
        Some(Fate::Keep { uid } | Fate::Revive { uid } | Fate::Adopt { uid }) => {
            (Some(uid.clone()), same)
        }
        Some(Fate::Add | Fate::Remove { .. }) | None => (None, same),
    }
}

/// The generated secrets of a blueprint.
#[must_use]
pub fn wanted(blueprint: &Blueprint) -> Vec<Wanted> {
    let mut all = Vec::new();
    let mut add = |owner: Owner, field: &str, secret: Option<&SecretRef>| {
        if let Some(secret) = secret.filter(|secret| secret.origin == SecretOrigin::Generated) {
            let deliver = secret.deliver.as_ref().map(|path| path.value.clone());
            all.push(Wanted { owner, field: field.to_owned(), rotate: secret.rotate, deliver });
        }
    };
    if let Some(serve) = blueprint.traefik.as_ref().and_then(|traefik| traefik.serve.as_ref()) {
        add(Owner::Single("traefik"), "serve.token", serve.token.as_ref());
    }
    for notify in &blueprint.notifies {
        let owner = Owner::Object(Kind::Notify, notify.slug.value.clone());
        add(owner, "webhook.token", notify.token.as_ref());
    }
    for app in &blueprint.apps {
        let owner = || Owner::Object(Kind::App, app.slug.value.clone());
        if let Some(oidc) = &app.oidc {
            add(owner(), "oidc.client-secret", oidc.client_secret.as_ref());
        }
        if let Some(scim) = &app.scim {
            add(owner(), "scim.token", scim.token.as_ref());
        }
    }
    for account in &blueprint.service_accounts {
        let binds = account.tokens.iter().find(|token| token.purpose == TokenPurpose::LdapBind);
        all.extend(binds.map(|token| Wanted {
            owner: Owner::Object(Kind::ServiceAccount, account.name.value.clone()),
            field: BIND_TOKEN.to_owned(),
            rotate: token.rotate,
            deliver: None,
        }));
    }
    // A confidential client whose secret is not said has a generated one.
    for app in &blueprint.apps {
        if let Some(oidc) = &app.oidc
            && oidc.has_secret()
            && oidc.client_secret.is_none()
        {
            let owner = Owner::Object(Kind::App, app.slug.value.clone());
            let field = "oidc.client-secret".to_owned();
            all.push(Wanted { owner, field, rotate: None, deliver: None });
        }
    }
    all
}
