//! Blueprints for tests of this module, read from text without the checks of the language.

use std::collections::BTreeMap;

use kdl::{KdlDocument, KdlEntry, KdlNode, KdlValue};

use super::canonical::model_digest;
use super::stored::{Active, Stored, StoredMembership, StoredObject, StoredUser};
use crate::blueprint::object::Kind;
use crate::blueprint::source::{FileId, SourceFile, Sources, Span};
use crate::blueprint::tree::{Node, Prop, Scalar, Spelling, Value, Word};
use crate::clock::Millis;
use crate::runtime::compile::{Inputs, compile};
use crate::runtime::origin::Addressing;
use crate::runtime::Runtime;
use crate::secret::sha256_hex;

mod decode;

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
    let nodes: Vec<Node> =
        (0..).zip(files).flat_map(|(number, (_, text))| parse(FileId(number), text)).collect();
    let blueprint = decode::blueprint(nodes);
    let digest = model_digest(&blueprint);
    let inputs = Inputs {
        generation: 0,
        source_digest: sha256_hex(serde_json::to_string(&sources).expect("JSON").as_bytes()),
        model_digest: digest,
        revision: None,
        addressing: Addressing::default(),
        uids: &|kind, slug| uids.get(&(kind, slug.to_owned())).cloned(),
        builtin_flows: &[],
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

fn parse(file: FileId, text: &str) -> Vec<Node> {
    let document: KdlDocument = text.parse().unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    document.nodes().iter().map(|each| node(file, each)).collect()
}

fn span(file: FileId, at: miette::SourceSpan) -> Span {
    Span::new(file, at.offset(), at.offset() + at.len())
}

fn node(file: FileId, node: &KdlNode) -> Node {
    let (props, args): (Vec<&KdlEntry>, Vec<&KdlEntry>) =
        node.entries().iter().partition(|entry| entry.name().is_some());
    let kids = node.children().map(|children| children.nodes()).unwrap_or_default();
    Node {
        name: word(file, node.name()),
        args: args.into_iter().map(|entry| value(file, entry)).collect(),
        props: props
            .into_iter()
            .filter_map(|entry| {
                Some(Prop { name: word(file, entry.name()?), value: value(file, entry) })
            })
            .collect(),
        kids: kids.iter().map(|kid| self::node(file, kid)).collect(),
        line: span(file, node.span()),
        span: span(file, node.span()),
        origin: None,
    }
}

fn word(file: FileId, name: &kdl::KdlIdentifier) -> Word {
    Word { text: name.value().to_owned(), span: span(file, name.span()) }
}

fn value(file: FileId, entry: &KdlEntry) -> Value {
    let quoted = entry.format().is_some_and(|format| format.value_repr.starts_with('"'));
    Value {
        scalar: match entry.value() {
            KdlValue::String(text) => Scalar::Text(text.clone()),
            KdlValue::Integer(number) => Scalar::Whole(*number),
            KdlValue::Float(number) => Scalar::Decimal(*number),
            KdlValue::Bool(truth) => Scalar::Truth(*truth),
            KdlValue::Null => Scalar::Null,
        },
        span: span(file, entry.span()),
        tag: entry.ty().map(|tag| word(file, tag)),
        spelling: if quoted { Spelling::Quoted } else { Spelling::Bare },
    }
}
