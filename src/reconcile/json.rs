//! A plan for machines: `doorward.plan/1`.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::access_change::AccessChange;
use super::held::Reason;
use super::people::Drift;
use super::plan::{Change, Op, Plan};

/// The plan as JSON, without a newline.
#[must_use]
pub fn to_json(plan: &Plan) -> Value {
    let base = plan.base.as_ref().map(|base| {
        json!({
            "generation": base.number,
            "model": digest(&base.model_digest),
            "revision": base.revision,
        })
    });
    json!({
        "schema": "doorward.plan/1",
        "result": plan.outcome().word(),
        "base": base,
        "target": {
            "model": digest(&plan.target.model_digest),
            "revision": plan.target.revision,
            "files": plan.target.files,
            "nodes": plan.target.nodes,
        },
        "changes": plan.changes.iter().map(change).collect::<Vec<_>>(),
        "access": plan.access.list.iter().map(access).collect::<Vec<_>>(),
        "access_left_out": plan.access.subjects_left_out,
        "held": plan.held.iter().map(reason).collect::<Vec<_>>(),
        "confirmed": plan.confirmed.iter().map(reason).collect::<Vec<_>>(),
        "effects": effects(plan),
        "drift": plan.people.drift.iter().map(drift).collect::<Vec<_>>(),
        "locks": [],
        "restart": plan.effects.restart,
        "warnings": plan.warnings,
        "tests": { "passed": plan.tests.passed, "failed": plan.tests.failed },
    })
}

fn digest(text: &str) -> String {
    format!("sha256:{text}")
}

fn change(change: &Change) -> Value {
    let mut map = Map::new();
    put(&mut map, "op", Some(op_word(change.op)));
    put(&mut map, "kind", Some(&change.kind));
    put(&mut map, "slug", (!change.slug.is_empty()).then_some(&change.slug));
    put(&mut map, "was", change.was.as_ref());
    put(&mut map, "uid", change.uid.as_ref());
    if let Some(position) = change.at.position {
        let (line, column) = (position.line, position.column);
        put(&mut map, "at", Some(json!({"file": change.at.file, "line": line, "column": column})));
    }
    put(&mut map, "via", change.at.via.as_ref());
    if !change.fields.is_empty() {
        let fields = change.fields.iter();
        let fields: Vec<Value> =
            fields.map(|f| json!({ "path": f.path, "old": f.old, "new": f.new })).collect();
        put(&mut map, "fields", Some(fields));
    }
    put(&mut map, "effect", Some(effect_word(change)));
    Value::Object(map)
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<impl Serialize>) {
    if let Some(value) = value.and_then(|value| serde_json::to_value(value).ok()) {
        map.insert(name.to_owned(), value);
    }
}

/// The word of an operation.
#[must_use]
pub fn op_word(op: Op) -> &'static str {
    match op {
        Op::Add => "add",
        Op::Update => "update",
        Op::Rename => "rename",
        Op::Revive => "revive",
        Op::Adopt => "adopt",
        Op::Remove => "remove",
    }
}

fn effect_word(change: &Change) -> &'static str {
    match change.kind.as_str() {
        "server" => "restart",
        "flow" => "new-logins",
        _ => "hot",
    }
}

fn access(change: &AccessChange) -> Value {
    let class: Map<String, Value> = change
        .class
        .facts()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect();
    json!({
        "subject": change.subject,
        "app": change.app,
        "class": class,
        "old": change.old,
        "new": change.new,
        "by": change.by,
    })
}

fn reason(reason: &Reason) -> Value {
    let mut map = Map::new();
    put(&mut map, "reason", Some(reason.code));
    match reason.object.split_once(' ') {
        Some((kind, slug)) => {
            put(&mut map, "kind", Some(kind));
            put(&mut map, "slug", Some(slug.trim_matches('`')));
        }
        None => put(&mut map, "kind", Some(&reason.object)),
    }
    put(&mut map, "at", (!reason.place.is_empty()).then_some(&reason.place));
    put(&mut map, "message", Some(&reason.sentence));
    put(&mut map, "confirm", Some(&reason.confirm));
    Value::Object(map)
}

fn effects(plan: &Plan) -> Value {
    let effects = &plan.effects;
    let pairs = |list: &[(String, usize)]| -> Vec<Value> {
        list.iter().map(|(what, count)| json!({ "what": what, "count": count })).collect()
    };
    json!({
        "new_logins_only": pairs(&effects.new_logins_only),
        "sessions_ended": pairs(&effects.sessions_ended),
        "secrets_written": effects
            .delivered
            .iter()
            .map(|(secret, path)| json!({ "secret": secret, "path": path }))
            .collect::<Vec<_>>(),
        "routers": {
            "added": effects.routers.added,
            "changed": effects.routers.changed,
            "removed": effects.routers.removed,
        },
    })
}

fn drift(drift: &Drift) -> Value {
    json!({
        "what": drift.what,
        "field": drift.field,
        "declared": drift.declared,
        "found": drift.found,
        "restored": drift.restored,
    })
}
