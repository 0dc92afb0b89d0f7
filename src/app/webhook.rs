//! One event, posted to a webhook in the shape that its receiver reads.

use std::net::{IpAddr, SocketAddr};

use reqwest::{Method, RequestBuilder};

use crate::outbound::{self, address, name};
use crate::secret::Secret;
use crate::store::Event;

const LONGEST: usize = 400;

/// Why a webhook did not take an event. Addresses may be secrets: none is told.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("its address is no http or https URL")]
    BadUrl,
    #[error("its name does not resolve")]
    NoSuchName,
    #[error("its name leads to {0}, an address of this machine's link alone")]
    LinkLocal(IpAddr),
    #[error("nothing answers there: {0}")]
    NoAnswer(String),
    #[error("it answered {0}")]
    Refused(u16),
}

/// Sends an event. Nothing is followed, no proxy of the environment is asked, and what is connected to
/// is the address that was looked at (`security.md` R19).
///
/// # Errors
/// If it was not taken.
pub async fn send(
    (url, format): (&str, &str),
    token: Option<&Secret>,
    event: &Event,
    external: &str,
) -> Result<(), WebhookError> {
    let parsed = url::Url::parse(url).map_err(|_| WebhookError::BadUrl)?;
    let host = parsed.host_str().ok_or(WebhookError::BadUrl)?.to_owned();
    let port = parsed.port_or_known_default().ok_or(WebhookError::BadUrl)?;
    let found = name::resolve(&host).await.map_err(|_| WebhookError::NoSuchName)?;
    let address = found.first().copied().ok_or(WebhookError::NoSuchName)?;
    if address::is_link_local(address) {
        return Err(WebhookError::LinkLocal(address));
    }
    let client = outbound::client()
        .resolve(&host, SocketAddr::new(address, port))
        .build()
        .map_err(|error| WebhookError::NoAnswer(outbound::cause(&error)))?;
    let mut request = match format {
        "ntfy" => client
            .post(parsed)
            .header("Title", format!("Doorward: {}", event.kind))
            .header("Tags", if is_grave(&event.kind) { "warning" } else { "door" })
            .header("Priority", if is_grave(&event.kind) { "high" } else { "default" })
            .body(sentence(event)),
        "slack" => json(client.post(parsed), &serde_json::json!({ "text": sentence(event) })),
        "matrix" => {
            // The same transaction is one message, however often it is sent.
            let url = format!("{}/{}", url.trim_end_matches('/'), event.id);
            let body = serde_json::json!({ "msgtype": "m.text", "body": sentence(event) });
            json(client.request(Method::PUT, url), &body)
        }
        _ => json(client.post(parsed), &shape(event, external)),
    };
    if let Some(token) = token {
        request = request.bearer_auth(token.reveal());
    }
    let answer = request.send().await;
    let answer = answer.map_err(|error| WebhookError::NoAnswer(outbound::cause(&error)))?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(WebhookError::Refused(status.as_u16())),
    }
}

fn json(request: RequestBuilder, body: &serde_json::Value) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

/// What `format json` posts.
fn shape(event: &Event, external: &str) -> serde_json::Value {
    serde_json::json!({
        "id": event.id,
        "at": event.at.to_string(),
        "kind": event.kind,
        "actor": event.actor,
        "subject": event.subject,
        "data": event.data,
        "text": sentence(event),
        "from": external,
    })
}

/// An event in one line for people.
#[must_use]
pub fn sentence(event: &Event) -> String {
    let mut parts = vec![event.kind.clone()];
    parts.extend(event.actor.as_ref().map(|actor| format!("by {actor}")));
    parts.extend(event.subject.as_ref().map(|subject| format!("about {subject}")));
    let data = event.data.as_object().into_iter().flatten();
    parts.extend(data.filter_map(|(name, value)| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(format!("{name} {text}")),
        other => Some(format!("{name} {other}")),
    }));
    let line = parts.join(" · ").replace(['\r', '\n'], " ");
    line.chars().take(LONGEST).collect()
}

fn is_grave(kind: &str) -> bool {
    ["locked", "rejected", "held", "given-up", "forgotten"].iter().any(|word| kind.ends_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    #[test]
    fn an_event_is_one_line_with_everything_in_it() {
        let event = Event {
            id: "evt_1".to_owned(),
            at: Millis(0),
            kind: "login.locked".to_owned(),
            actor: Some("alice".to_owned()),
            subject: None,
            data: serde_json::json!({ "address": "203.0.113.7", "reason": "wrong\npassword" }),
        };
        assert_eq!(
            sentence(&event),
            "login.locked · by alice · address 203.0.113.7 · reason wrong password"
        );
        assert!(is_grave("login.locked") && is_grave("config.rejected") && !is_grave("logout"));
    }
}
