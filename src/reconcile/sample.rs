//! Blueprints for tests of this module, compiled from text.

use std::collections::BTreeMap;

use super::canonical::model_digest;
use super::stored::{Active, Stored, StoredMembership, StoredObject, StoredUser};
use crate::blueprint::builtin;
use crate::blueprint::diagnostic::Severity;
use crate::blueprint::load::understand_sources;
use crate::blueprint::object::Kind;
use crate::blueprint::read::Limits;
use crate::blueprint::source::{SourceFile, Sources};
use crate::blueprint::validate::Mode;
use crate::clock::Millis;
use crate::runtime::Runtime;
use crate::runtime::compile::{Inputs, compile};
use crate::runtime::origin::Addressing;
use crate::secret::sha256_hex;

/// Settings that every sample has.
pub const SETTINGS: &str = "settings { external-host \"https://auth.example.com\" }\n";

/// One file, with `SETTINGS` before it.
pub fn runtime(text: &str) -> Runtime {
    runtime_of(&[("home.kdl", &format!("{SETTINGS}{text}"))])
}

/// Several files, just as they are.
pub fn runtime_of(files: &[(&str, &str)]) -> Runtime {
    runtime_with(files, &BTreeMap::new())
}

/// Several files and the uids that the store gave out.
pub fn runtime_with(files: &[(&str, &str)], uids: &BTreeMap<(Kind, String), String>) -> Runtime {
    let sources = Sources {
        files: files
            .iter()
            .map(|(name, text)| SourceFile { name: (*name).to_owned(), text: (*text).into() })
            .collect(),
    };
    let mode = Mode { dev: true, ..Mode::default() };
    let loaded = understand_sources(sources, &Limits::default(), mode);
    let Some(blueprint) = loaded.blueprint else {
        let errors = loaded.diagnostics.iter().filter(|each| each.severity == Severity::Error);
        let texts: Vec<_> =
            errors.map(|each| (&each.message, loaded.sources.slice(each.span()))).collect();
        panic!("a sample without errors: {texts:?}");
    };
    let sources = loaded.sources;
    let digest = model_digest(&blueprint);
    let inputs = Inputs {
        generation: 0,
        source_digest: sha256_hex(serde_json::to_string(&sources).expect("JSON").as_bytes()),
        model_digest: digest,
        revision: None,
        addressing: Addressing::default(),
        uids: &|kind, slug| uids.get(&(kind, slug.to_owned())).cloned(),
        builtin_flows: &builtin::flows(),
        texts: Default::default(),
        breached_list: None,
        duo: None,
        source_secrets: Default::default(),
        paths: Vec::new(),
    };
    compile(blueprint, sources, inputs).expect("a sample that compiles")
}

/// The store as it would be after this runtime was applied: everybody has a password.
pub fn stored(runtime: &Runtime) -> Stored {
    let blueprint = &runtime.blueprint;
    let uid = |kind: Kind, slug: &str| format!("{}_{slug}", kind.prefix());
    let objects = blueprint.objects.iter().map(|object| StoredObject {
        uid: uid(object.kind, &object.slug.value),
        kind: object.kind,
        slug: object.slug.value.clone(),
        declared_at: runtime.sources.place(object.at),
        protect: object.protect,
    });
    let users = blueprint.users.iter().map(|user| {
        let fields = super::people::of_user(user);
        StoredUser {
            id: uid(Kind::User, &fields.username),
            username: fields.username,
            name: fields.name,
            email: fields.email,
            declared: true,
            disabled: fields.disabled,
            attributes: fields.attributes,
            has_password: true,
            initial_password_applied: user.initial_password.is_some(),
            has_link: false,
        }
    });
    let memberships = blueprint.users.iter().flat_map(|user| {
        user.groups.iter().map(|group| StoredMembership {
            user_id: uid(Kind::User, &user.name.value),
            group: group.value.clone(),
            declared: true,
        })
    });
    Stored {
        active: Some(Active {
            number: 41,
            source_digest: runtime.source_digest.clone(),
            model_digest: runtime.model_digest.clone(),
            revision: Some("a1b2c3d".to_owned()),
            applied_at: Millis(0),
            applied_by: "reload".to_owned(),
        }),
        objects: objects.collect(),
        users: users.collect(),
        memberships: memberships.collect(),
        ..Stored::default()
    }
}
