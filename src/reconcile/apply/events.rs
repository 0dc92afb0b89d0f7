//! What a plan leaves in the record: values never, only names of fields.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::secrets::Made;
use super::{Applied, ApplyError, Applying};
use crate::reconcile::access_change::AccessChange;
use crate::reconcile::gather::SECRET_USES;
use crate::reconcile::plan::{Change, Op, Plan};
use crate::store::{Event, Tx};

/// What is kept with a generation.
pub fn summary(plan: &Plan) -> Value {
    json!({
        "counts": counts(plan),
        "tests": { "passed": plan.tests.passed, "failed": plan.tests.failed },
        "confirmed": super::told(&plan.confirmed),
        SECRET_USES: plan.secret_uses,
    })
}

fn counts(plan: &Plan) -> Value {
    json!({
        "added": plan.count(Op::Add),
        "changed": plan.count(Op::Update),
        "renamed": plan.count(Op::Rename),
        "revived": plan.count(Op::Revive),
        "adopted": plan.count(Op::Adopt),
        "removed": plan.count(Op::Remove),
    })
}

pub async fn write(
    applying: &Applying<'_>,
    tx: &mut Tx,
    applied: &Applied,
    made: &[Made],
) -> Result<(), ApplyError> {
    let plan = applying.plan;
    let mut record = Record { applying, tx };
    for reason in &plan.confirmed {
        let data = json!({ "reason": reason.code, "confirm": reason.confirm });
        record.add("config.confirmed", Some(&reason.object), data).await?;
    }
    for change in plan.changes.iter().filter(|change| is_object(change)) {
        let subject = format!("{}:{}", change.kind, change.slug);
        record.add(kind(change.op), Some(&subject), object(change, applied)).await?;
    }
    // Before the first generation nobody had anything: what everybody gains is no news.
    let news = plan.base.as_ref().map(|_| by_subject(plan)).unwrap_or_default();
    for ((subject, app), changes) in news {
        let data = json!({ "app": app, "changes": changes });
        record.add("access.changed", Some(subject), data).await?;
    }
    for secret in made {
        let kind = if secret.rotates { "secret.rotated" } else { "secret.generated" };
        let data = json!({ "field": secret.field, "rotation": secret.rotation });
        record.add(kind, Some(&secret.subject), data).await?;
    }
    for drift in plan.people.drift.iter().filter(|drift| drift.restored) {
        let data = json!({ "what": drift.what, "field": drift.field });
        record.add("drift.restored", Some(&drift.what), data).await?;
    }
    let data = json!({
        "from": plan.base.as_ref().map(|base| base.number),
        "to": applied.generation,
        "revision": plan.target.revision,
        "digest": plan.target.source_digest,
        "counts": counts(plan),
        "tests": { "passed": plan.tests.passed, "failed": plan.tests.failed },
    });
    record.add("config.applied", None, data).await
}

/// Records that files wait for a confirmation.
pub async fn held(applying: &Applying<'_>, tx: &mut Tx, reasons: &Value) -> Result<(), ApplyError> {
    let digest = &applying.plan.target.source_digest;
    let data = json!({ "digest": digest, "reasons": reasons });
    Record { applying, tx }.add("config.held", None, data).await
}

struct Record<'a> {
    applying: &'a Applying<'a>,
    tx: &'a mut Tx,
}

impl Record<'_> {
    async fn add(
        &mut self,
        kind: &str,
        subject: Option<&str>,
        data: Value,
    ) -> Result<(), ApplyError> {
        let Applying { rng, now, actor, .. } = *self.applying;
        let event = Event {
            id: rng.id("evt", now)?,
            at: now,
            kind: kind.to_owned(),
            actor: Some(actor.to_owned()),
            subject: subject.map(str::to_owned),
            data,
        };
        Ok(self.tx.insert_event(&event).await?)
    }
}

fn is_object(change: &Change) -> bool {
    crate::blueprint::object::Kind::from_word(&change.kind).is_some()
}

fn kind(op: Op) -> &'static str {
    match op {
        Op::Add => "object.added",
        Op::Update => "object.changed",
        Op::Rename => "object.renamed",
        Op::Revive => "object.revived",
        Op::Adopt => "object.adopted",
        Op::Remove => "object.tombstoned",
    }
}

fn object(change: &Change, applied: &Applied) -> Value {
    let kind = crate::blueprint::object::Kind::from_word(&change.kind);
    let made = kind.and_then(|kind| applied.uids.get(&(kind, change.slug.clone())));
    let fields: Vec<&str> = change.fields.iter().map(|field| field.path.as_str()).collect();
    json!({
        "uid": change.uid.as_ref().or(made),
        "was": change.was,
        "fields": fields,
        "at": change.at.to_string(),
    })
}

type BySubject<'a> = BTreeMap<(&'a str, &'a str), Vec<Value>>;

/// One entry for each subject and app; lines of groups that members tell already are left out.
fn by_subject(plan: &Plan) -> BySubject<'_> {
    let mut all = BySubject::new();
    for change in plan.access.list.iter().filter(|change| !change.implied) {
        all.entry((&change.subject, &change.app)).or_default().push(told(change));
    }
    all
}

fn told(change: &AccessChange) -> Value {
    let class: BTreeMap<&str, String> = change.class.facts().into_iter().collect();
    json!({ "old": change.old, "new": change.new, "class": class, "by": change.by })
}
