//! What happened to the account: what its person did, and what others did to it.

use super::{Answer, Own, Room};
use crate::store::Event;
use crate::web::agent;
use crate::web::templates::{Activity, Happening};

const AT_ONCE: i64 = 50;

pub async fn show(own: &Own<'_>) -> Answer {
    let user = own.user();
    let before = own.visit.query("before");
    let read = own.visit.server.store.read().await?;
    // Whoever had the name before is nobody's business.
    let about = (user.username.as_str(), &Happening::KINDS[..]);
    let events = read.list_events_about(about, user.created_at, before.as_deref(), AT_ONCE).await?;
    let full = i64::try_from(events.len()).is_ok_and(|count| count >= AT_ONCE);
    let older = events.last().filter(|_| full);
    let page = Activity {
        older: older.map(|last| format!("{}?before={}", Room::Activity.path(), last.id)),
        newest: before.map(|_| Room::Activity.path().to_owned()),
        happenings: events.iter().map(|event| shown(event, &user.username)).collect(),
    };
    Ok(own.page(&page, false))
}

fn shown(event: &Event, username: &str) -> Happening {
    let text = |field: &str| {
        let value = event.data.get(field).and_then(serde_json::Value::as_str);
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    Happening {
        kind: event.kind.clone(),
        when: event.at.minute(),
        about: text("name"),
        address: text("address"),
        device: text("agent").map(|agent| agent::device(&agent)),
        by: event.actor.clone().filter(|actor| actor != username),
    }
}
